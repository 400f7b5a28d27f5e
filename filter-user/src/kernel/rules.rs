//! The rules in the kernel's maps: pages of rules, and the sieve in front of them.
//!
//! The order of all writes is such that a packet meets each rule that stays, whenever it comes: the sieve knows a key before
//! the pages do, and a rule that moves to an earlier page is there before it leaves its own.

use aya::maps::{HashMap, MapError};
use filter_core::{Page, Rule, RuleKey, RuleShape, Terms};

use super::{BATCH, Filter, KernelError, batch, map, map_fd, pod::Value};

/// A rule to be written: its key, and the number of its terms; [`Terms::NONE`] takes it out.
pub(super) type Write = (RuleKey, u16);

/// What became of rules that were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Those that were not there before.
    pub added: u32,
    /// Those that are there no longer.
    pub removed: u32,
}

/// The pages that so many rules need: with random keys, the chance that they need more is one in a billion. Keys of names that
/// differ by a number alone can be spread more evenly than random ones, up to one in each bucket.
#[expect(clippy::cast_sign_loss, reason = "it is between 1 and the number of rules")]
pub(super) fn pages(rules: u32) -> u32 {
    /// Standard deviations of room above the mean.
    const ROOM: f64 = 6.0;

    let buckets = f64::from(RuleShape::of(rules).buckets);
    let mean = f64::from(rules) / buckets;
    // The number of rules in a bucket has a Poisson distribution: in a sum over it, a bucket has another page for each time
    // that it is full.
    let (mut exactly, mut at_most, mut pages) = ((-mean).exp(), 0.0, 0.0);
    for count in 0..Page::RULES as u32 * Page::MOST {
        at_most += exactly;
        if (count as usize).is_multiple_of(Page::RULES) {
            pages += buckets * (1.0 - at_most);
        }
        exactly *= mean / f64::from(count + 1);
    }
    let pages = (pages + ROOM * buckets.sqrt()).max(buckets);
    // No page is without a rule.
    pages.ceil().clamp(1.0, f64::from(rules.max(1))) as u32
}

impl Filter {
    /// Writes these rules, which are in the order of their keys. `progress` is told how many are written.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] if there is no room for them; those that had room are in.
    pub(super) fn write_rules(&mut self, writes: &[Write], progress: impl FnMut(u64)) -> Result<Written, KernelError> {
        debug_assert!(writes.is_sorted_by_key(|(key, _)| *key));
        let shown = writes.iter().filter(|(_, number)| *number != Terms::NONE).map(|(key, _)| *key);
        self.sieve.open(shown).map_err(KernelError::Shared)?;
        self.write_pages(writes, progress)
    }

    /// The same of rules that the sieve knows.
    pub(super) fn write_pages(
        &mut self,
        writes: &[Write],
        mut progress: impl FnMut(u64),
    ) -> Result<Written, KernelError> {
        let (mut pages, mut written, mut done) = (Pages::default(), Written::default(), 0);
        let mut rules = Vec::with_capacity(Page::RULES * Page::MOST as usize);
        let mut flush = |filter: &mut Self, pages: &mut Pages| {
            let Pages { rules, written: Written { added, removed }, .. } = filter.flush(pages)?;
            (written.added, written.removed) = (written.added + added, written.removed + removed);
            done += rules as u64;
            progress(done);
            Ok::<_, KernelError>(())
        };
        let shape = self.shape();
        for bucket in writes.chunk_by(|(one, _), (next, _)| shape.bucket(*one) == shape.bucket(*next)) {
            let outcome = self.write_bucket(bucket, &mut pages, &mut rules);
            // What is complete is written, whatever comes behind it.
            if outcome.is_err() || pages.rules >= BATCH {
                flush(self, &mut pages)?;
            }
            outcome?;
        }
        if pages.rules > 0 {
            flush(self, &mut pages)?;
        }
        Ok(written)
    }

    /// Makes the pages of a bucket what they are to be with these writes. `rules` is room for its rules.
    fn write_bucket(&mut self, writes: &[Write], pages: &mut Pages, rules: &mut Vec<Rule>) -> Result<(), KernelError> {
        let Some((first, _)) = writes.first() else { return Ok(()) };
        let bucket = self.shape().bucket(*first);
        self.rules_of(bucket, rules)?;
        let before = rules.len();
        let mut written = pages.written;
        for &(key, number) in writes {
            let place = rules.iter().position(|rule| rule.number_of(key).is_some());
            match place {
                Some(place) if number == Terms::NONE => {
                    rules.swap_remove(place);
                    written.removed += 1;
                }
                Some(place) => rules[place] = Rule::new(key, number),
                None if number == Terms::NONE => {}
                None => {
                    rules.push(Rule::new(key, number));
                    written.added += 1;
                }
            }
        }
        let grows = written.added > pages.written.added;
        if grows && self.held.rules + written.added - written.removed > self.capacity
            || rules.len() > Page::RULES * Page::MOST as usize
        {
            return Err(KernelError::RulesFull { capacity: self.capacity });
        }
        pages.written = written;
        self.held.untouched = self.held.untouched.max(bucket + 1);
        pages.put(bucket, rules, before);
        pages.rules += writes.len();
        Ok(())
    }

    /// The rules of a bucket, in the order of their places.
    fn rules_of(&self, bucket: u32, rules: &mut Vec<Rule>) -> Result<(), KernelError> {
        rules.clear();
        if bucket >= self.held.untouched {
            return Ok(());
        }
        let map = HashMap::<_, u32, Value<Page>>::try_from(map(&self.object, "RULES")?)?;
        for index in 0..Page::MOST {
            let page = match map.get(&RuleShape::page(bucket, index), 0) {
                Err(MapError::KeyNotFound) => break,
                page => page?.0,
            };
            rules.extend(page.0.into_iter().filter(|rule| !rule.is_none()));
            if !page.is_full() {
                break;
            }
        }
        Ok(())
    }

    /// Writes these pages, and gives them.
    fn flush(&mut self, pages: &mut Pages) -> Result<Pages, KernelError> {
        let rules = map_fd(&self.object, "RULES")?;
        batch::update(rules, &pages.numbers, &pages.contents)
            .map_err(|error| self.explain_full(MapError::SyscallError(error)))?;
        batch::delete(rules, &pages.empty).map_err(MapError::SyscallError)?;
        self.held.rules = self.held.rules + pages.written.added - pages.written.removed;
        Ok(std::mem::take(pages))
    }

    fn shape(&self) -> RuleShape {
        self.held.in_force.shape()
    }
}

/// Pages that are to be written in one call.
#[derive(Default)]
struct Pages {
    numbers: Vec<u32>,
    contents: Vec<Value<Page>>,
    /// Pages that have no rule any more.
    empty: Vec<u32>,
    /// Rules that these are about.
    rules: usize,
    written: Written,
}

impl Pages {
    /// These are the rules of a bucket, which had so many before.
    fn put(&mut self, bucket: u32, rules: &[Rule], before: usize) {
        let mut index = 0;
        for chunk in rules.chunks(Page::RULES) {
            let mut page = Page::default();
            page.0[..chunk.len()].copy_from_slice(chunk);
            self.numbers.push(RuleShape::page(bucket, index));
            self.contents.push(Value(page));
            index += 1;
        }
        self.empty.extend((index..before.div_ceil(Page::RULES) as u32).map(|index| RuleShape::page(bucket, index)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_pages_for_all_rules_and_few_more() {
        let random = std::hash::RandomState::new();
        for rules in [0, 1, 3, 100, 16_384, 100_000, 1_000_000] {
            use std::hash::BuildHasher as _;
            let shape = RuleShape::of(rules);
            let mut counts = vec![0_usize; shape.buckets as usize];
            (0..rules).for_each(|rule| counts[shape.bucket(RuleKey(random.hash_one(rule))) as usize] += 1);
            let needed = counts.iter().map(|count| count.div_ceil(Page::RULES)).sum::<usize>() as u32;
            let room = pages(rules);
            assert!(needed <= room, "{rules}: {needed} of {room}");
            let evenly_spread = needed.max(shape.buckets.min(rules));
            assert!(f64::from(room) <= f64::from(evenly_spread) * 1.03 + 1000.0, "{rules}: {needed} of {room}");
        }
    }
}
