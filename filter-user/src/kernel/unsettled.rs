//! What the maps may have otherwise than the compiled policy in force says, since a write of it
//! failed. It is written again before anything else is.

use std::collections::BTreeSet;

use filter_core::{Effect, RuleKey};
use filter_policy::{compiled::CompiledPolicy, groups::ClientId};

use super::{Filter, KernelError, rules::Write};

/// Entries whose last write failed, or may have been written in part.
#[derive(Default)]
pub(super) struct Unsettled {
    /// Keys in the map of rules. Pages of their buckets may have a rule twice, or be left over
    /// behind one that is not full.
    pub rules: BTreeSet<RuleKey>,
    /// Members of groups.
    pub members: BTreeSet<ClientId>,
    /// What the kernel said last.
    pub why: Option<String>,
}

impl Filter {
    /// Why there is something in the maps that is still to be written otherwise, or taken out. All
    /// of it is beside the policy in force: no packet meets it, unless a change by hand could not be
    /// taken back.
    pub fn unsettled(&self) -> Option<&str> {
        self.buffered.unsettled.why.as_deref()
    }

    /// Writes rules again whose last write failed, as the compiled policy in force has them.
    ///
    /// # Errors
    /// If the kernel refuses it once more: then it stays to be done.
    pub fn settle_again(&mut self, in_force: &CompiledPolicy) -> Result<(), KernelError> {
        if self.buffered.unsettled.rules.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = self.buffered.unsettled.rules.iter().copied().collect();
        let writes = self.writes_of(in_force, &keys)?;
        self.buffered.gone += self.write_rules(&writes, |_| {})?.removed;
        self.buffered.rules = self.count_rules()?;
        self.buffered.unsettled.rules.clear();
        if !self.buffered.is_unsure {
            self.buffered.unsettled.why = None;
        }
        Ok(())
    }

    /// Sets what the rules with these keys ask for to what the compiled policy says of them: what
    /// was changed by hand. All are written at once; where that fails, all are unsettled.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] or [`KernelError::EffectsFull`] if the maps have no room for
    /// them, or if the kernel refuses.
    pub fn set_all(
        &mut self,
        compiled: &CompiledPolicy,
        keys: &[RuleKey],
    ) -> Result<(), KernelError> {
        self.settle_again(compiled)?;
        let top = compiled.top();
        if top > self.buffered.in_force.top() {
            self.set_in_force(self.buffered.in_force.with_top(top))?;
        }
        let writes = self.writes_of(compiled, keys)?;
        let gone = |key: &RuleKey| compiled.find(*key).is_none();
        let gone: BTreeSet<_> = keys.iter().copied().filter(gone).collect();
        match self.write_rules(&writes, |_| {}) {
            Ok(written) => {
                self.buffered.gone += written.removed;
                if !gone.is_empty() {
                    self.forget_hits(|rule| gone.contains(&rule))?;
                }
                Ok(())
            }
            Err(error) => {
                // What came before the failure is in.
                self.buffered.unsettled.rules.extend(keys);
                self.buffered.unsettled.why = Some(error.to_string());
                Err(error)
            }
        }
    }

    /// What is to be written for these keys, in their order.
    fn writes_of(
        &mut self,
        compiled: &CompiledPolicy,
        keys: &[RuleKey],
    ) -> Result<Vec<Write>, KernelError> {
        let number = |key: &RuleKey| {
            let number = match compiled.in_kernel(*key) {
                Some(effect) => self.number_of(effect)?,
                None => Effect::NONE,
            };
            Ok((*key, number))
        };
        let mut writes: Vec<Write> = keys
            .iter()
            .map(number)
            .collect::<Result<_, KernelError>>()?;
        writes.sort_unstable_by_key(|(key, _)| *key);
        writes.dedup_by_key(|(key, _)| *key);
        Ok(writes)
    }
}
