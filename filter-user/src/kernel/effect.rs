//! The table of what rules ask for, and the numbers that rules have in it.

use std::collections::{BTreeSet, HashMap, HashSet};

use aya::maps::Array;
use filter_core::{AllEffects, Effect, EffectEntry, Generation, Rule};
use filter_policy::compiled::CompiledPolicy;
use foldhash::fast::FixedState;

use super::{Filter, KernelError, map_mut, pod::Value};

/// The numbers of the effect of a rule: before, while both generations are there, and after.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers {
    pub before: u16,
    pub between: u16,
    pub after: u16,
}

/// What a number stands for: effect in generation 0 and 1.
type Both = [AllEffects; 2];

/// Which numbers the table of the kernel has, and for what.
#[derive(Default)]
pub(super) struct EffectsKept {
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

impl EffectsKept {
    fn places(&self) -> HashSet<u32> {
        let of = |entries: &Entries| {
            [entries.number.into()]
                .into_iter()
                .chain(entries.further.clone())
        };
        self.numbers.values().flat_map(of).collect()
    }

    /// Looks for places that are free, in a table of this length.
    fn look_for_free(&mut self, len: u32) {
        let taken = self.places();
        let free = |places: std::ops::Range<u32>| {
            places
                .rev()
                .filter(|place| !taken.contains(place))
                .collect()
        };
        self.free = free(1..Rule::NUMBERS.min(len));
        self.free_further = free(Rule::NUMBERS.min(len)..len);
    }

    /// Places for effect with so many further banks; `None` if there are not so many.
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
    /// The numbers of the effect of a rule that turns from these to those in the generation that
    /// comes.
    pub(super) fn numbers(
        &mut self,
        old: &AllEffects,
        new: &AllEffects,
    ) -> Result<Numbers, KernelError> {
        let next = self.buffered.in_force.generation().other();
        let between = if next.index() == 0 {
            [new, old]
        } else {
            [old, new]
        };
        Ok(Numbers {
            before: self.number_of(old)?,
            between: self.number(&between.map(AllEffects::clone))?,
            after: self.number_of(new)?,
        })
    }

    /// The number of this effect in both generations.
    pub(super) fn number_of(&mut self, effect: &AllEffects) -> Result<u16, KernelError> {
        self.number(&[effect.clone(), effect.clone()])
    }

    /// The number of this effect in the kernel's table, where they are from now on.
    fn number(&mut self, both: &Both) -> Result<u16, KernelError> {
        if both.iter().all(AllEffects::is_none) {
            return Ok(Effect::NONE);
        }
        if let Some(entries) = self.buffered.effect.numbers.get(both) {
            return Ok(entries.number);
        }
        let banks: BTreeSet<_> = both
            .iter()
            .flat_map(|effect| effect.further().iter().map(|(bank, _)| *bank))
            .collect();
        let mut table =
            Array::<_, Value<EffectEntry>>::try_from(map_mut(&mut self.object, "EFFECTS")?)?;
        let entries = self
            .buffered
            .effect
            .take(banks.len(), table.len())
            .ok_or(KernelError::EffectsFull)?;
        let places = [u32::from(entries.number)]
            .into_iter()
            .chain(entries.further.iter().copied());
        let nexts = entries.further.iter().copied().chain([0]);
        let all: Vec<_> = places
            .zip(nexts)
            .zip([0].into_iter().chain(banks))
            .collect();
        // The first, which rules lead to, comes last.
        for ((place, next), bank) in all.into_iter().rev() {
            let [first, second] = both.each_ref().map(|effect| effect.bank(bank));
            table.set(
                place,
                Value(EffectEntry::new(
                    Generation::default(),
                    first,
                    second,
                    bank,
                    next,
                )),
                0,
            )?;
        }
        let number = entries.number;
        self.buffered.effect.numbers.insert(both.clone(), entries);
        Ok(number)
    }

    /// Numbers of effect that no rule has any more may be used again.
    pub(super) fn forget_effects(&mut self, after: &CompiledPolicy) {
        let block = AllEffects::from(Effect::BLOCK_SUBTREE);
        let used: HashSet<&AllEffects> = after.all_effects().chain([&block]).collect();
        self.buffered
            .effect
            .numbers
            .retain(|[first, second], _| first == second && used.contains(first));
        (self.buffered.effect.free, self.buffered.effect.free_further) = (Vec::new(), Vec::new());
    }
}
