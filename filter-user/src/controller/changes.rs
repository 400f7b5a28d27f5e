//! Rules that are added and removed while the filter runs.

use super::{Controller, StateError};
use crate::{
    api::{Added, AddedName, NameList, Removed, RemovedName, RuleSource},
    kernel::KernelError,
    lists::{Domain, NameError},
    policy::KeyCollision,
};

/// Why the rules could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A text that is no name.
    #[error("`{}` cannot be a rule: {error}; nothing was changed", .text.escape_debug())]
    Name {
        /// As it came.
        text: String,
        /// Why not.
        error: NameError,
    },
    /// Two names that this run cannot tell apart.
    #[error(transparent)]
    Collision(#[from] KeyCollision),
    /// The kernel refuses.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The state file cannot be written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A name that was added just now.
struct Undo {
    name: Domain,
    /// True if the kernel did not have it before.
    in_kernel: bool,
}

impl Controller {
    /// Adds rules by hand. If one of them cannot be added, none is.
    pub fn add(&mut self, names: &NameList) -> Result<Added, ControlError> {
        let names = parse_all(&names.names)?;
        let mut done = Vec::new();
        let added = self.add_each(names, &mut done).and_then(|results| {
            self.keep()?;
            Ok(Added { results, kept: self.kept_in.is_some() })
        });
        if added.is_err() {
            self.take_back(done);
        }
        added
    }

    /// Removes rules, listed or added by hand. Those of lists come back at the next start.
    pub fn remove(&mut self, names: &NameList) -> Result<Removed, ControlError> {
        let names = parse_all(&names.names)?;
        let results = names.iter().map(|name| self.remove_one(name)).collect::<Result<_, _>>()?;
        self.keep()?;
        Ok(Removed { results })
    }

    fn add_each(&mut self, names: Vec<Domain>, done: &mut Vec<Undo>) -> Result<Vec<AddedName>, ControlError> {
        let mut results = Vec::new();
        for name in names {
            let (key, before, known) = {
                let book = self.book();
                let key = book.key(&name);
                (key, book.matching(&name).map(RuleSource::from), book.find(key).is_some())
            };
            if !known {
                self.filter.insert(key)?;
            }
            let added = self.book_mut().add(name.clone())?;
            if added {
                done.push(Undo { name: name.clone(), in_kernel: !known });
            }
            results.push(AddedName { name: name.to_string(), added, before });
        }
        Ok(results)
    }

    fn take_back(&mut self, done: Vec<Undo>) {
        for Undo { name, in_kernel } in done {
            let key = self.book().key(&name);
            self.book_mut().remove_manual(&name);
            if in_kernel {
                // The error that brought us here is the one to tell.
                let _ = self.filter.remove(key);
            }
        }
    }

    fn remove_one(&mut self, name: &Domain) -> Result<RemovedName, ControlError> {
        let removed = self.book_mut().remove(name);
        if let Some(removed) = &removed {
            self.filter.remove(removed.key)?;
        }
        let still_blocked_by = self.book().matching(name).map(RuleSource::from);
        let listed = removed.as_ref().and_then(|removed| removed.listed.clone());
        let until_restart = listed.map(|(list, line)| RuleSource { rule: name.to_string(), list, line: Some(line) });
        Ok(RemovedName { name: name.to_string(), removed: removed.is_some(), until_restart, still_blocked_by })
    }

    fn keep(&self) -> Result<(), StateError> {
        match &self.kept_in {
            Some(file) => file.write(&self.book().manual()),
            None => Ok(()),
        }
    }
}

fn parse_all(texts: &[String]) -> Result<Vec<Domain>, ControlError> {
    let parse =
        |text: &String| Domain::parse_rule(text).map_err(|error| ControlError::Name { text: text.clone(), error });
    texts.iter().map(parse).collect()
}
