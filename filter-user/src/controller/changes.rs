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
    #[error("{0}; nothing was changed")]
    Kernel(#[from] KernelError),
    /// The state file cannot be written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Controller {
    /// Adds rules by hand: all of them, or none.
    pub fn add(&mut self, names: &NameList) -> Result<Added, ControlError> {
        let parsed = parse_all(&names.names)?;
        if !names.force
            && let Some(suffix) = parsed.iter().find(|name| is_registry_suffix(name))
        {
            return Err(ControlError::PublicSuffix(suffix.clone()));
        }
        let action = answers::action(names.action);
        let results = self.change(&parsed, |controller| {
            let each = parsed.iter().map(|name| controller.add_one(name, action));
            Ok((each.collect::<Result<_, _>>()?, Vec::new()))
        })?;
        Ok(Added {
            results,
            kept: self.kept_in.is_some(),
        })
    }

    /// Removes rules: those that were added by hand, and of other names those of lists, which come
    /// back at the next reload or start. All are removed, or none.
    pub fn remove(&mut self, names: &[String]) -> Result<Removed, ControlError> {
        let parsed = parse_all(names)?;
        let removed = self.change(&parsed, |controller| {
            let out = |name| writing(&controller.policy).compiled.take_out(name);
            let removed: Vec<_> = parsed.iter().map(out).collect();
            let of_lists = removed.iter().any(|it| matches!(it, Some(Some(_))));
            let uncovered = if of_lists {
                controller.uncover()
            } else {
                Vec::new()
            };
            Ok((removed, uncovered))
        })?;
        let policy = reading(&self.policy);
        let result = |(name, removed): (&Domain, Option<Option<(String, u32)>>)| RemovedName {
            name: name.to_string(),
            removed: removed.is_some(),
            until_restart: removed
                .flatten()
                .map(|(list, line)| ListLine { list, line }),
            still_blocked_by: policy.compiled.blocking(name).map(answers::rule_source),
        };
        Ok(Removed {
            results: parsed.iter().zip(removed).map(result).collect(),
        })
    }

    /// Changes rules of these names in the compiled policy, in the kernel and in the state file, or
    /// in none of them. `change` gives the keys of other names whose entries change as well.
    fn change<T>(
        &mut self,
        names: &[Domain],
        change: impl FnOnce(&Self) -> Result<(T, Vec<RuleKey>), ControlError>,
    ) -> Result<T, ControlError> {
        let before = reading(&self.policy).compiled.by_hand_of(names);
        let changed = change(self).and_then(|(results, others)| {
            self.write(names, others)?;
            self.keep()?;
            Ok(results)
        });
        if changed.is_err() {
            let keys = writing(&self.policy).compiled.restore(before);
            // The error that brought us here is the one to tell. What the kernel does not take is
            // tried again with the next tick.
            let _ = self.filter.set_all(&reading(&self.policy).compiled, &keys);
            if let Err(ControlError::State(_)) = &changed {
                // The new file may be in place, and only its folder not written.
                let _ = self.keep();
            }
        }
        changed
    }

    fn add_one(&self, name: &Domain, action: Action) -> Result<AddedName, ControlError> {
        let before = reading(&self.policy)
            .compiled
            .blocking(name)
            .map(answers::rule_source);
        let added = writing(&self.policy).compiled.add(name.clone(), action)?;
        Ok(AddedName {
            name: name.to_string(),
            added,
            before,
        })
    }

    /// Has names come into force that rules covered which were taken out. Looking for them takes a
    /// while, in which everybody may read.
    fn uncover(&self) -> Vec<RuleKey> {
        let uncovered = reading(&self.policy).compiled.uncovered_now();
        writing(&self.policy).compiled.uncover(uncovered)
    }

    /// Has the kernel do what the compiled policy says of these names, and of those with other keys.
    fn write(&mut self, names: &[Domain], others: Vec<RuleKey>) -> Result<(), KernelError> {
        let policy = reading(&self.policy);
        let mut keys = others;
        keys.extend(names.iter().map(|name| policy.compiled.key(name)));
        match self.filter.set_all(&policy.compiled, &keys) {
            Err(KernelError::RulesFull { .. } | KernelError::EffectsFull) => {
                self.filter.make_room(&policy.compiled)?;
            }
            set => set?,
        }
        drop(policy);
        self.show_loaded();
        Ok(())
    }

    fn keep(&mut self) -> Result<(), StateError> {
        match &mut self.kept_in {
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
