//! The hits of rules, as memory that the kernel program counts in.

use std::{
    collections::BTreeMap,
    io,
    os::fd::BorrowedFd,
    sync::atomic::{AtomicU64, Ordering},
};

use filter_core::{HitLine, RuleHits, RuleKey};

use super::shared::Words;

/// A key and a number.
const WORDS: usize = size_of::<RuleHits>() / size_of::<AtomicU64>();
const _: () =
    assert!(WORDS == 2 && size_of::<HitLine>() == HitLine::RULES as usize * size_of::<RuleHits>());

/// The table of hits.
pub(super) struct Hits(Words);

impl Hits {
    /// The one in this map.
    pub fn of(map: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(Words::of(
            map,
            HitLine::LINES as usize * HitLine::RULES as usize * WORDS,
        )?))
    }

    /// Packets that a rule decided about.
    pub fn of_rule(&self, rule: RuleKey) -> u64 {
        let lines = (0..HitLine::TRIES).map(|attempt| HitLine::of(rule, attempt) as usize);
        let places = lines.flat_map(|line| {
            self.places()
                .skip(line * HitLine::RULES as usize)
                .take(HitLine::RULES as usize)
        });
        places
            .filter(|(key, _)| load(key) == rule.0)
            .map(|(_, packets)| load(packets))
            .sum()
    }

    /// All rules that decided about something, and how many packets.
    pub fn all(&self) -> BTreeMap<RuleKey, u64> {
        let mut all = BTreeMap::new();
        for (key, packets) in self.places() {
            let key = load(key);
            if key != 0 {
                *all.entry(RuleKey(key)).or_default() += load(packets);
            }
        }
        all
    }

    /// Forgets the hits of some rules. The place is empty only when it counts from 0.
    pub fn forget(&self, is_gone: impl Fn(RuleKey) -> bool) {
        for (key, packets) in self.places() {
            let rule = load(key);
            if rule != 0 && is_gone(RuleKey(rule)) {
                packets.store(0, Ordering::Release);
                key.store(0, Ordering::Release);
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = (&AtomicU64, &AtomicU64)> {
        self.0
            .get()
            .as_chunks::<WORDS>()
            .0
            .iter()
            .map(|[key, packets]| (key, packets))
    }
}

fn load(word: &AtomicU64) -> u64 {
    word.load(Ordering::Acquire)
}
