//! The table of what rules ask for, and the numbers that rules have in it.

use std::collections::HashSet;

use aya::maps::Array;
use filter_core::{Terms, TermsOfBoth};

use super::{Filter, KernelError, map_mut, pod::Value};
use crate::policy::RuleBook;

/// The numbers of the terms of a rule: before, while both generations are there, and after.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers {
    pub before: u16,
    pub between: u16,
    pub after: u16,
}

impl Filter {
    /// The numbers of the terms of a rule that turns from these to those in the generation that comes.
    pub(super) fn numbers(&mut self, old: &Terms, new: &Terms) -> Result<Numbers, KernelError> {
        let next = self.held.in_force.generation().other();
        Ok(Numbers {
            before: self.number(&TermsOfBoth::same(*old))?,
            between: self.number(&TermsOfBoth::new(next, *new, *old))?,
            after: self.number(&TermsOfBoth::same(*new))?,
        })
    }

    /// The number of these terms in the kernel's table, where they are from now on.
    pub(super) fn number(&mut self, terms: &TermsOfBoth) -> Result<u16, KernelError> {
        if *terms == TermsOfBoth::default() {
            return Ok(Terms::NONE);
        }
        if let Some(number) = self.held.numbers.get(terms) {
            return Ok(*number);
        }
        let mut table = Array::<_, Value<TermsOfBoth>>::try_from(map_mut(&mut self.object, "TERMS")?)?;
        if self.held.free.is_empty() {
            let taken: HashSet<u16> = self.held.numbers.values().copied().collect();
            let all = (1..table.len()).rev().filter_map(|number| u16::try_from(number).ok());
            self.held.free = all.filter(|number| !taken.contains(number)).collect();
        }
        let number = self.held.free.pop().ok_or(KernelError::TermsFull)?;
        table.set(u32::from(number), Value(*terms), 0)?;
        self.held.numbers.insert(*terms, number);
        Ok(number)
    }

    /// Numbers of terms that no rule has any more may be used again.
    pub(super) fn forget_terms(&mut self, after: &RuleBook) {
        let used = after.all_terms().chain([&Terms::BLOCK_SUBTREE]);
        let used: HashSet<_> = used.copied().map(TermsOfBoth::same).collect();
        self.held.numbers.retain(|terms, _| used.contains(terms));
        self.held.free.clear();
    }
}
