//! What all rules for one name say together.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use filter_core::Effect;
use foldhash::fast::FixedState;

use super::{
    CompileError, KeyCollision,
    effect::{EffectTable, TooManyEffects},
    kind::Kind,
    repeated::Tally,
    sources::{Cancelled, Known, Origin, Origins, Repeat},
    staged::Arrival,
    table::Index,
};

/// Merges the rules for each name of a part of all names. Others do the same at the same time, with
/// the same effect.
pub(super) struct Merging<'a> {
    origins: &'a Origins,
    effect: &'a Mutex<EffectTable>,
    /// What became of effect with the rules of an origin, as far as it was asked for.
    known: HashMap<(u16, u32), u16, FixedState>,
    /// What was asked for last: most names of a list ask for the same.
    last: ((u16, u32), u16),
    /// The further rules for the name at hand, and the kinds that are taken out.
    further: Vec<DuplicateRule>,
    cancelled_here: Vec<(Kind, u16)>,
    tally: Tally,
    /// The rules beyond the first for each name.
    repeats: Vec<Repeat>,
    /// The kinds of rules that are taken out, for each name.
    cancelled: Vec<Cancelled>,
}

/// A rule for a name that was there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct DuplicateRule {
    list: u16,
    kind: Kind,
    line: u32,
    origin: u32,
}

impl<'a> Merging<'a> {
    pub fn new(origins: &'a Origins, effect: &'a Mutex<EffectTable>) -> Self {
        Self {
            origins,
            effect,
            known: HashMap::default(),
            last: ((Effect::NONE, u32::MAX), Effect::NONE),
            further: Vec::new(),
            cancelled_here: Vec::new(),
            tally: Tally::default(),
            repeats: Vec::new(),
            cancelled: Vec::new(),
        }
    }

    /// The number of what the rules with one key ask for, which came in this order; `index` is that
    /// of their name.
    pub fn merge<'s, 'n: 's>(
        &mut self,
        index: Index,
        first: &Arrival<'n>,
        further: impl ExactSizeIterator<Item = &'s Arrival<'n>>,
    ) -> Result<u16, CompileError> {
        let origin = self.origins.get(first.origin).origin;
        if !origin.cancels {
            self.tally.first(first.origin);
            if further.len() == 0 {
                return Ok(self.with(Effect::NONE, first.origin)?);
            }
        }
        self.further.clear();
        self.cancelled_here.clear();
        let number = self.add_further(first, &origin, further)?;
        // Of equal ones in a list, the first stays.
        self.further.sort_unstable();
        self.further.dedup_by_key(|rule| (rule.list, rule.kind));
        self.cancelled_here.sort_unstable();
        self.cancelled_here.dedup();
        self.repeats.extend(self.further.iter().map(|rule| Repeat {
            index,
            list: rule.list,
            kind: rule.kind,
            line: rule.line,
        }));
        self.cancelled
            .extend(self.cancelled_here.iter().map(|(kind, by)| Cancelled {
                index,
                kind: *kind,
                by: *by,
            }));
        if self.cancelled_here.is_empty() {
            Ok(number)
        } else {
            Ok(self.without_cancelled(first, &origin)?)
        }
    }

    /// The number of what they all ask for, one after the other, whatever takes some of them out.
    fn add_further<'s, 'n: 's>(
        &mut self,
        first: &Arrival<'n>,
        of_first: &Origin,
        further: impl Iterator<Item = &'s Arrival<'n>>,
    ) -> Result<u16, CompileError> {
        let mut number = Effect::NONE;
        if of_first.cancels {
            self.cancelled_here
                .push((of_first.kind, of_first.list_number()));
        } else {
            number = self.with(number, first.origin)?;
        }
        for arrival in further {
            if arrival.name != first.name {
                let [first, other] = [first.name, arrival.name]
                    .map(|name| String::from_utf8_lossy(name).into_owned());
                return Err(KeyCollision(first, other).into());
            }
            let origin = self.origins.get(arrival.origin).origin;
            if origin.cancels {
                self.cancelled_here
                    .push((origin.kind, origin.list_number()));
                continue;
            }
            let before = number;
            if (origin.list, origin.kind) != (of_first.list, of_first.kind) {
                let (list, line) = (origin.list_number(), arrival.line);
                self.further.push(DuplicateRule {
                    list,
                    kind: origin.kind,
                    line,
                    origin: arrival.origin,
                });
                number = self.with(number, arrival.origin)?;
            }
            if number == before {
                self.tally
                    .repeated(arrival.origin, arrival.line, arrival.name);
            }
        }
        Ok(number)
    }

    /// The number of what those ask for that no other one takes out.
    fn without_cancelled(
        &mut self,
        first: &Arrival<'_>,
        of_first: &Origin,
    ) -> Result<u16, TooManyEffects> {
        let mut number = Effect::NONE;
        if !of_first.cancels && !self.cancels(of_first.kind) {
            number = self.with(number, first.origin)?;
        }
        for place in 0..self.further.len() {
            let DuplicateRule { kind, origin, .. } = self.further[place];
            if !self.cancels(kind) {
                number = self.with(number, origin)?;
            }
        }
        Ok(number)
    }

    /// True if rules of this kind for the name at hand are taken out.
    fn cancels(&self, kind: Kind) -> bool {
        self.cancelled_here
            .iter()
            .any(|(cancelled, _)| *cancelled == kind)
    }

    /// What was counted, the further rules for each name, and the kinds of rules that are taken
    /// out.
    pub fn into_parts(self) -> (Tally, Vec<Repeat>, Vec<Cancelled>) {
        (self.tally, self.repeats, self.cancelled)
    }

    /// The number of the effect that asks for what those with this number do, and for what the rules of
    /// an origin do.
    fn with(&mut self, number: u16, origin: u32) -> Result<u16, TooManyEffects> {
        let (last, same) = self.last;
        if last == (number, origin) {
            return Ok(same);
        }
        let with = if let Some(with) = self.known.get(&(number, origin)) {
            *with
        } else {
            let Known {
                origin: Origin { kind, .. },
                audience,
                list_number,
            } = *self.origins.get(origin);
            let mut effect = self.effect.lock().unwrap_or_else(PoisonError::into_inner);
            let with = effect.with(number, kind, audience, list_number)?;
            drop(effect);
            self.known.insert((number, origin), with);
            with
        };
        self.last = ((number, origin), with);
        Ok(with)
    }
}
