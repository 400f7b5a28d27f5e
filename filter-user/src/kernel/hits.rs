//! The hits of rules, as memory that the kernel program counts in.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use filter_core::{HitLine, RuleHits, RuleKey};

use super::{policy::wait_for_lookups, shared::Words};

/// A key and a number.
const WORDS: usize = size_of::<RuleHits>() / size_of::<AtomicU64>();
const _: () =
    assert!(WORDS == 2 && size_of::<HitLine>() == HitLine::RULES as usize * size_of::<RuleHits>());

/// Places of the table.
const PLACES: usize = HitLine::LINES as usize * HitLine::RULES as usize;

/// What a place has as its rule while its hits are taken out: the kernel program takes it neither
/// for empty nor for one of a rule's.
const TAKEN_OUT: u64 = u64::MAX;

/// The hits of all rules: those in the kernel's table, which has places for 65,536 rules, and those
/// that were taken out of it before it was full. Clones are of the same hits.
#[derive(Clone, Debug)]
pub(super) struct AllHits {
    map: Arc<OwnedFd>,
    taken_out: Arc<Mutex<HashMap<RuleKey, u64>>>,
}

impl AllHits {
    /// Those in this map.
    pub fn of(map: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self {
            map: Arc::new(map.try_clone_to_owned()?),
            taken_out: Arc::default(),
        })
    }

    /// Packets that a rule decided about.
    pub fn of_rule(&self, rule: RuleKey) -> io::Result<u64> {
        let taken_out = self
            .taken_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = taken_out.get(&rule).copied().unwrap_or_default();
        Ok(before + self.table()?.of_rule(rule))
    }

    /// All rules that decided about something, and how many packets.
    pub fn all(&self) -> io::Result<BTreeMap<RuleKey, u64>> {
        let taken_out = self
            .taken_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut all = self.table()?.all();
        for (rule, packets) in &*taken_out {
            *all.entry(*rule).or_default() += packets;
        }
        Ok(all)
    }

    /// Forgets the hits of some rules.
    pub fn forget(&self, is_gone: impl Fn(RuleKey) -> bool) -> io::Result<()> {
        let mut taken_out = self
            .taken_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.table()?.forget(&is_gone);
        taken_out.retain(|rule, _| !is_gone(*rule));
        Ok(())
    }

    /// Takes the hits out of the kernel's table if it has less than this part of its places free;
    /// gives how many rules it had. None are lost: a packet that is just being counted is waited
    /// for.
    pub fn make_room(&self, one_in: usize) -> io::Result<usize> {
        let table = self.table()?;
        let rules = table.rules();
        if PLACES - rules >= PLACES / one_in {
            return Ok(rules);
        }
        let mut taken_out = self
            .taken_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let out = table.mark();
        wait_for_lookups();
        for (place, rule) in out {
            *taken_out.entry(rule).or_default() += table.empty(place);
        }
        taken_out.retain(|_, packets| *packets > 0);
        Ok(rules)
    }

    fn table(&self) -> io::Result<Hits> {
        Hits::of(self.map.as_fd())
    }
}

/// The kernel's table of hits.
struct Hits(Words);

impl Hits {
    /// The one in this map.
    fn of(map: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(Words::of(map, PLACES * WORDS)?))
    }

    /// How many rules it has hits of.
    fn rules(&self) -> usize {
        self.places().filter(|(key, _)| load(key) != 0).count()
    }

    /// Has the kernel program count no more in any place that is a rule's; gives these.
    fn mark(&self) -> Vec<(usize, RuleKey)> {
        let mark = |(place, (key, _)): (usize, (&AtomicU64, &AtomicU64))| {
            let rule = load(key);
            (rule != 0).then(|| {
                key.store(TAKEN_OUT, Ordering::Release);
                (place, RuleKey(rule))
            })
        };
        self.places().enumerate().filter_map(mark).collect()
    }

    /// Empties a place that was marked; gives its packets.
    fn empty(&self, place: usize) -> u64 {
        let Some([key, packets]) = self.0.get().as_chunks::<WORDS>().0.get(place) else {
            return 0;
        };
        let counted = packets.swap(0, Ordering::AcqRel);
        key.store(0, Ordering::Release);
        counted
    }

    /// Packets that a rule decided about.
    fn of_rule(&self, rule: RuleKey) -> u64 {
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
    fn all(&self) -> BTreeMap<RuleKey, u64> {
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
    fn forget(&self, is_gone: impl Fn(RuleKey) -> bool) {
        for (key, packets) in self.places() {
            let rule = load(key);
            if rule != 0 && is_gone(RuleKey(rule)) {
                packets.store(0, Ordering::Release);
                key.store(0, Ordering::Release);
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = (&AtomicU64, &AtomicU64)> + '_ {
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
