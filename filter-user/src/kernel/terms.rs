//! The table of what rules ask for, and the numbers that rules have in it.

use std::collections::{BTreeSet, HashMap, HashSet};

use aya::maps::Array;
use filter_core::{AllTerms, Generation, Rule, Terms, TermsEntry};
use foldhash::fast::FixedState;

use super::{Filter, KernelError, map_mut, pod::Value};
use crate::policy::RuleBook;

/// The numbers of the terms of a rule: before, while both generations are there, and after.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers {
    pub before: u16,
    pub between: u16,
    pub after: u16,
}

/// What a number stands for: terms in generation 0 and 1.
type Both = [AllTerms; 2];

/// Which numbers the table of the kernel has, and for what.
#[derive(Default)]
pub(super) struct TermsHeld {
    numbers: HashMap<Both, Entries, FixedState>,
    /// Numbers that are free, the lowest last; none if they have to be looked for.
    free: Vec<u32>,
    /// The same of entries for further banks.
    free_further: Vec<u32>,
}

/// The entries of a number in the table.
struct Entries {
    number: u16,
    /// Those of further banks.
    further: Vec<u32>,
}

impl TermsHeld {
    fn places(&self) -> HashSet<u32> {
        let of = |entries: &Entries| [entries.number.into()].into_iter().chain(entries.further.clone());
        self.numbers.values().flat_map(of).collect()
    }

    /// Looks for places that are free, in a table of this length.
    fn look_for_free(&mut self, len: u32) {
        let taken = self.places();
        let free = |places: std::ops::Range<u32>| places.rev().filter(|place| !taken.contains(place)).collect();
        self.free = free(1..Rule::NUMBERS.min(len));
        self.free_further = free(Rule::NUMBERS.min(len)..len);
    }

    /// Places for terms with so many further banks; `None` if there are not so many.
    fn take(&mut self, further: usize, len: u32) -> Option<Entries> {
        if self.free.is_empty() || self.free_further.len() < further {
            self.look_for_free(len);
        }
        let left = self.free_further.len().checked_sub(further)?;
        let number = u16::try_from(self.free.pop()?).ok()?;
        // A packet goes from each to the next: the places of banks go up with their numbers.
        let mut further = self.free_further.split_off(left);
        further.reverse();
        Some(Entries { number, further })
    }
}

impl Filter {
    /// The numbers of the terms of a rule that turns from these to those in the generation that comes.
    pub(super) fn numbers(&mut self, old: &AllTerms, new: &AllTerms) -> Result<Numbers, KernelError> {
        let next = self.held.in_force.generation().other();
        let between = if next.index() == 0 { [new, old] } else { [old, new] };
        Ok(Numbers {
            before: self.number_of(old)?,
            between: self.number(&between.map(AllTerms::clone))?,
            after: self.number_of(new)?,
        })
    }

    /// The number of these terms in both generations.
    pub(super) fn number_of(&mut self, terms: &AllTerms) -> Result<u16, KernelError> {
        self.number(&[terms.clone(), terms.clone()])
    }

    /// The number of these terms in the kernel's table, where they are from now on.
    fn number(&mut self, both: &Both) -> Result<u16, KernelError> {
        if both.iter().all(AllTerms::is_none) {
            return Ok(Terms::NONE);
        }
        if let Some(entries) = self.held.terms.numbers.get(both) {
            return Ok(entries.number);
        }
        let banks: BTreeSet<_> = both.iter().flat_map(|terms| terms.further().iter().map(|(bank, _)| *bank)).collect();
        let mut table = Array::<_, Value<TermsEntry>>::try_from(map_mut(&mut self.object, "TERMS")?)?;
        let entries = self.held.terms.take(banks.len(), table.len()).ok_or(KernelError::TermsFull)?;
        let places = [u32::from(entries.number)].into_iter().chain(entries.further.iter().copied());
        let nexts = entries.further.iter().copied().chain([0]);
        let all: Vec<_> = places.zip(nexts).zip([0].into_iter().chain(banks)).collect();
        // The first, which rules lead to, comes last.
        for ((place, next), bank) in all.into_iter().rev() {
            let [first, second] = both.each_ref().map(|terms| terms.bank(bank));
            table.set(place, Value(TermsEntry::new(Generation::default(), first, second, bank, next)), 0)?;
        }
        let number = entries.number;
        self.held.terms.numbers.insert(both.clone(), entries);
        Ok(number)
    }

    /// Numbers of terms that no rule has any more may be used again.
    pub(super) fn forget_terms(&mut self, after: &RuleBook) {
        let block = AllTerms::from(Terms::BLOCK_SUBTREE);
        let used: HashSet<&AllTerms> = after.all_terms().chain([&block]).collect();
        self.held.terms.numbers.retain(|[first, second], _| first == second && used.contains(first));
        (self.held.terms.free, self.held.terms.free_further) = (Vec::new(), Vec::new());
    }
}
