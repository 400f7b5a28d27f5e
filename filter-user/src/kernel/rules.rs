//! The rules in the kernel's maps: pages of rules, and the Bloom filter in front of them.
//!
//! The order of all writes is such that a packet meets each rule that stays, whenever it comes: the
//! Bloom filter knows a key before the pages do, and a rule that moves to an earlier page is there
//! before it leaves its own.

use std::collections::HashSet;

use aya::maps::{HashMap, MapError};
use filter_core::{Effect, Page, Rule, RuleKey, RuleShape};

use super::{BATCH, Filter, KernelError, batch, map, map_fd, pod::Value};

/// A rule to be written: its key, and the number of its effect; [`Effect::NONE`] takes it out.
pub(super) type Write = (RuleKey, u16);

/// What became of rules that were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Those that were not there before.
    pub added: u32,
    /// Those that are there no longer.
    pub removed: u32,
}

impl Filter {
    /// Writes these rules, which are in the order of their keys. `progress` is told how many are
    /// written.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] if there is no room for them; those that had room are in.
    pub(super) fn write_rules(
        &mut self,
        writes: &[Write],
        progress: impl FnMut(u64),
    ) -> Result<Written, KernelError> {
        debug_assert!(writes.is_sorted_by_key(|(key, _)| *key));
        let shown = writes
            .iter()
            .filter(|(_, number)| *number != Effect::NONE)
            .map(|(key, _)| *key);
        self.bloom.open(shown).map_err(KernelError::Shared)?;
        self.write_pages(writes, progress)
    }

    /// The same of rules that the Bloom filter knows.
    pub(super) fn write_pages(
        &mut self,
        writes: &[Write],
        mut progress: impl FnMut(u64),
    ) -> Result<Written, KernelError> {
        let (mut pages, mut written, mut done) = (Pages::default(), Written::default(), 0);
        let mut rules = Vec::with_capacity(Page::RULES * Page::MOST as usize);
        let mut flush = |filter: &mut Self, pages: &mut Pages| {
            let Pages {
                rules,
                written: Written { added, removed },
                ..
            } = filter.flush(pages)?;
            (written.added, written.removed) = (written.added + added, written.removed + removed);
            done += rules as u64;
            progress(done);
            Ok::<_, KernelError>(())
        };
        let shape = self.shape();
        for bucket in
            writes.chunk_by(|(one, _), (next, _)| shape.bucket(*one) == shape.bucket(*next))
        {
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

    /// Makes the pages of a bucket what they are to be with these writes. `rules` is room for its
    /// rules.
    fn write_bucket(
        &mut self,
        writes: &[Write],
        pages: &mut Pages,
        rules: &mut Vec<Rule>,
    ) -> Result<(), KernelError> {
        let Some((first, _)) = writes.first() else {
            return Ok(());
        };
        let bucket = self.shape().bucket(*first);
        let before = self.rules_of(bucket, rules)?;
        let mut written = pages.written;
        for &(key, number) in writes {
            let place = rules.iter().position(|rule| rule.number_of(key).is_some());
            match place {
                Some(place) if number == Effect::NONE => {
                    rules.swap_remove(place);
                    written.removed += 1;
                }
                Some(place) => rules[place] = Rule::new(key, number),
                None if number == Effect::NONE => {}
                None => {
                    rules.push(Rule::new(key, number));
                    written.added += 1;
                }
            }
        }
        let grows = written.added > pages.written.added;
        if grows && self.buffered.rules + written.added - written.removed > self.room.rules
            || rules.len() > Page::RULES * Page::MOST as usize
        {
            return Err(self.rules_full());
        }
        pages.written = written;
        self.buffered.untouched = self.buffered.untouched.max(bucket + 1);
        pages.put(bucket, rules, before);
        pages.rules += writes.len();
        Ok(())
    }

    /// The rules of a bucket, in the order of their places; returns how many pages it has.
    fn rules_of(&self, bucket: u32, rules: &mut Vec<Rule>) -> Result<u32, KernelError> {
        rules.clear();
        if bucket >= self.buffered.untouched {
            return Ok(0);
        }
        let map = HashMap::<_, u32, Value<Page>>::try_from(map(&self.object, "RULES")?)?;
        let unsettled = !self.buffered.unsettled.rules.is_empty();
        let (mut pages, mut is_behind) = (0, false);
        for index in 0..Page::MOST {
            let page = match map.get(&RuleShape::page(bucket, index), 0) {
                Err(MapError::KeyNotFound) => break,
                page => page?.0,
            };
            pages = index + 1;
            // No packet sees what is behind a page that is not full: it was to be taken out.
            if !is_behind {
                rules.extend(page.0.into_iter().filter(|rule| !rule.is_none()));
            }
            is_behind |= !page.is_full();
            if is_behind && !unsettled {
                break;
            }
        }
        if unsettled {
            keep_first(rules);
        }
        Ok(pages)
    }

    /// Writes these pages, and gives them.
    fn flush(&mut self, pages: &mut Pages) -> Result<Pages, KernelError> {
        let rules = map_fd(&self.object, "RULES")?;
        let flushed = batch::update(rules, &pages.numbers, &pages.contents);
        if let Err(error) = flushed.and_then(|()| batch::delete(rules, &pages.empty)) {
            // Some pages may be written.
            self.buffered.rules = self.count_rules().unwrap_or(self.buffered.rules);
            return Err(self.explain_full(MapError::SyscallError(error)));
        }
        self.buffered.rules = self.buffered.rules + pages.written.added - pages.written.removed;
        Ok(std::mem::take(pages))
    }

    /// The rules that are in the map.
    pub(super) fn count_rules(&self) -> Result<u32, KernelError> {
        let (mut rules, pages) = (
            0,
            HashMap::<_, u32, Value<Page>>::try_from(map(&self.object, "RULES")?)?,
        );
        for page in &pages {
            let (_, Value(Page(page))) = page?;
            rules += page.iter().filter(|rule| !rule.is_none()).count();
        }
        Ok(rules as u32)
    }

    fn shape(&self) -> RuleShape {
        self.buffered.in_force.shape()
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
    /// These are the rules of a bucket, which had so many pages before.
    fn put(&mut self, bucket: u32, rules: &[Rule], before: u32) {
        let mut index = 0;
        for chunk in rules.chunks(Page::RULES) {
            let mut page = Page::default();
            page.0[..chunk.len()].copy_from_slice(chunk);
            self.numbers.push(RuleShape::page(bucket, index));
            self.contents.push(Value(page));
            index += 1;
        }
        self.empty
            .extend((index..before).map(|index| RuleShape::page(bucket, index)));
    }
}

/// Of rules with one key, the first: the one that packets meet. A rule is in two pages where the
/// one that it moved to was written, and the one that it was in was not.
fn keep_first(rules: &mut Vec<Rule>) {
    let mut keys = HashSet::new();
    rules.retain(|rule| {
        let bits: u64 = zerocopy::transmute!(*rule);
        keys.insert(bits / u64::from(Rule::NUMBERS))
    });
}
