//! Rules that are added and removed while the filter runs.

use filter_api::rules::{Added, AddedName, ListLine, NameList, Removed, RemovedName};
use filter_core::RuleKey;
use filter_lists::{Action, Domain, NameError, is_registry_suffix};
use filter_policy::compiled::{KeyCollision, PolicyError};

use super::{Controller, StateError, TooShort, reading, writing};
use crate::{answers, kernel::KernelError};

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
    /// A name under which others register theirs.
    #[error(
        "`{0}` is a public suffix, under which others register names, and the rule would be about all of them: say \
         --force (\"force\": true in the API) if that is meant; nothing was changed"
    )]
    PublicSuffix(Domain),
    /// Two names that this run cannot tell apart.
    #[error(transparent)]
    Collision(#[from] KeyCollision),
    /// The policy cannot be read again.
    #[error("{0}; the policy that was in force is in force still")]
    Policy(#[from] PolicyError),
    /// A list has lost too many rules.
    #[error("{0}; the policy that was in force is in force still")]
    TooShort(#[from] TooShort),
    /// The new policy cannot be put in force.
    #[error("{0}; the policy that was in force is in force still")]
    NotInForce(KernelError),
    /// There is no policy to go back to.
    #[error("there is no previous policy: nothing was read again since the start")]
    NoPrevious,
    /// Nothing is read.
    #[error("no reload is under way")]
    NoReload,
    /// The work broke off.
    #[error("the controller broke off: {0}")]
    Panicked(tokio::task::JoinError),
    /// The kernel refuses.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The state file cannot be written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Controller {
    /// Adds rules by hand. If one of them cannot be added, none is.
    pub fn add(&mut self, names: &NameList) -> Result<Added, ControlError> {
        let parsed = parse_all(&names.names)?;
        if !names.force
            && let Some(suffix) = parsed.iter().find(|name| is_registry_suffix(name))
        {
            return Err(ControlError::PublicSuffix(suffix.clone()));
        }
        let mut done = Vec::new();
        let added = self
            .add_each(parsed, answers::action(names.action), &mut done)
            .and_then(|results| {
                self.keep()?;
                Ok(Added {
                    results,
                    kept: self.kept_in.is_some(),
                })
            });
        if added.is_err() {
            self.take_back(done);
        }
        added
    }

    /// Removes rules, listed or added by hand. Those of lists come back at the next reload or
    /// start.
    pub fn remove(&mut self, names: &[String]) -> Result<Removed, ControlError> {
        let names = parse_all(names)?;
        let results = names
            .iter()
            .map(|name| self.remove_one(name))
            .collect::<Result<_, _>>()?;
        self.keep()?;
        Ok(Removed { results })
    }

    fn add_each(
        &mut self,
        names: Vec<Domain>,
        action: Action,
        done: &mut Vec<Domain>,
    ) -> Result<Vec<AddedName>, ControlError> {
        let mut results = Vec::new();
        for name in names {
            let before = reading(&self.policy)
                .compiled
                .blocking(&name)
                .map(answers::rule_source);
            let added = writing(&self.policy).compiled.add(name.clone(), action)?;
            if added {
                done.push(name.clone());
                self.write(&name)?;
            }
            results.push(AddedName {
                name: name.to_string(),
                added,
                before,
            });
        }
        Ok(results)
    }

    fn take_back(&mut self, done: Vec<Domain>) {
        for name in done {
            writing(&self.policy).compiled.remove_added(&name);
            // The error that brought us here is the one to tell.
            let _ = self.write(&name);
        }
    }

    /// Has the kernel do what the compiled policy says of a name.
    fn write(&mut self, name: &Domain) -> Result<(), KernelError> {
        let key = reading(&self.policy).compiled.key(name);
        self.write_key(key)
    }

    fn write_key(&mut self, key: RuleKey) -> Result<(), KernelError> {
        let policy = reading(&self.policy);
        match self.filter.set(key, policy.compiled.in_kernel(key)) {
            Err(KernelError::RulesFull { .. } | KernelError::EffectsFull) => {
                self.filter.make_room(&policy.compiled)
            }
            set => set,
        }
    }

    fn remove_one(&mut self, name: &Domain) -> Result<RemovedName, ControlError> {
        let removed = writing(&self.policy).compiled.remove(name);
        if let Some(removed) = &removed {
            for key in &removed.uncovered {
                self.write_key(*key)?;
            }
            self.write(name)?;
        }
        let still_blocked_by = reading(&self.policy)
            .compiled
            .blocking(name)
            .map(answers::rule_source);
        let listed = removed.as_ref().and_then(|removed| removed.listed.clone());
        let until_restart = listed.map(|(list, line)| ListLine { list, line });
        Ok(RemovedName {
            name: name.to_string(),
            removed: removed.is_some(),
            until_restart,
            still_blocked_by,
        })
    }

    fn keep(&self) -> Result<(), StateError> {
        match &self.kept_in {
            Some(file) => file.write(&reading(&self.policy).compiled.by_hand()),
            None => Ok(()),
        }
    }
}

fn parse_all(texts: &[String]) -> Result<Vec<Domain>, ControlError> {
    let parse = |text: &String| {
        Domain::parse_rule(text).map_err(|error| ControlError::Name {
            text: text.clone(),
            error,
        })
    };
    texts.iter().map(parse).collect()
}
