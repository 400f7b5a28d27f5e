//! Making a rule book of lists.

use filter_core::{HashKey, Terms};

use super::{
    ListInfo, RuleBook,
    entries::{Entered, Entries, Index},
    list_numbers::ListNumbers,
    names::TooManyNames,
    pattern_rules::PatternRules,
    redundancy,
    sources::{Source, Sources},
    store::Kind,
    table::Table,
    terms::{TermsTable, TooManyTerms},
};
use crate::lists::{ListRule, Sink, Subject};

/// Two names have one key, so the kernel could not tell them apart. At 1,000,000 names this happens in one of
/// 10,000,000 runs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the names {0} and {1} cannot be told apart in this run: start namegate again, which draws a new hash key")]
pub struct KeyCollision(pub String, pub String);

/// Why a rule book cannot be made of lists that could be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Two names with one key.
    #[error(transparent)]
    Collision(#[from] KeyCollision),
    /// More than the kernel has room for.
    #[error(transparent)]
    Terms(#[from] TooManyTerms),
    /// More names or patterns than are held.
    #[error(transparent)]
    TooMany(#[from] TooManyNames),
}

/// A rule book in the making: list after list, then [`Builder::finish`].
pub struct Builder {
    hash_key: HashKey,
    entries: Entries,
    terms: TermsTable,
    patterns: PatternRules,
    sources: Sources,
    lists: Vec<ListInfo>,
    numbers: ListNumbers,
    /// What was asked of the terms last, and their number: most names of a list ask for the same.
    last_terms: (u16, Kind, usize, u16),
    /// What `$badfilter` takes out.
    cancels: Vec<(Index, Kind)>,
    failed: Option<BookError>,
}

impl Builder {
    /// Most names that are held. A rule map for as many takes 2.7 GB of the kernel's memory.
    pub const MOST: u32 = 1 << 25;
    /// Most patterns that are held.
    pub const MOST_PATTERNS: usize = 1 << 16;

    /// No rules yet; names get their keys with this one.
    pub fn new(hash_key: HashKey) -> Self {
        Self {
            hash_key,
            entries: Entries::default(),
            terms: TermsTable::default(),
            patterns: PatternRules::default(),
            sources: Sources::default(),
            lists: Vec::new(),
            numbers: ListNumbers::default(),
            last_terms: (Terms::NONE, Kind::from_byte(0), usize::MAX, Terms::NONE),
            cancels: Vec::new(),
            failed: None,
        }
    }

    /// Begins the next list, which is of this class: what goes into the sink comes from it.
    pub fn list(&mut self, name: &str, class: u8) -> ListRules<'_> {
        self.entries.store.begin_list();
        self.lists.push(ListInfo { name: name.into(), label: None, trial: false, class, rules: 0, top_level: false });
        ListRules { builder: self }
    }

    /// Number of names so far.
    pub fn len(&self) -> u32 {
        self.entries.len()
    }

    /// True if there is no name and no pattern.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.patterns.is_empty()
    }

    /// The book of all these lists.
    pub fn finish(self) -> Result<RuleBook, BookError> {
        let Self {
            hash_key,
            mut entries,
            mut terms,
            mut patterns,
            mut sources,
            lists,
            mut numbers,
            cancels,
            failed,
            ..
        } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        sources.sort();
        for (index, kind) in &cancels {
            sources.cancel(*index, *kind);
        }
        for (index, _) in cancels {
            let all = sources.of(&entries, index).filter(|source| !source.cancelled);
            let left = all.fold(Terms::default(), |mut terms, Source { kind, list, .. }| {
                super::terms::add(&mut terms, kind, lists[list].mask(), numbers.number(list, kind.answer()));
                terms
            });
            entries.set_terms(index, terms.number(left)?);
        }
        redundancy::mark(&mut entries, &terms, &hash_key);
        patterns.compile(&hash_key, &lists, &mut numbers);
        let table = Table::make(entries, sources);
        Ok(RuleBook::of(&hash_key, table, terms, patterns, (lists, numbers)))
    }

    fn enter(&mut self, name: &str, kind: Kind, line: u32) -> Result<bool, TooManyNames> {
        if self.entries.len() >= Self::MOST {
            return Err(TooManyNames);
        }
        if !name.contains('.') {
            self.lists.last_mut().into_iter().for_each(|list| list.top_level = true);
        }
        let key = self.hash_key.key_of_canonical(name);
        match self.entries.enter(key, name, kind, line) {
            Entered::New(index) => {
                self.add_terms(index, kind);
                self.lists.last_mut().into_iter().for_each(|list| list.rules += 1);
                Ok(true)
            }
            Entered::Known(index) => {
                let list = self.lists.len() - 1;
                let place = self.entries.place(index);
                let store = &self.entries.store;
                if store.list(place) == list && store.kind(place) == kind {
                    return Ok(false);
                }
                self.sources.repeat(index, list, kind, line);
                Ok(self.add_terms(index, kind))
            }
            Entered::Collides(index) => {
                self.failed = Some(KeyCollision(self.entries.name(index).into(), name.into()).into());
                Ok(false)
            }
            Entered::Full => Err(TooManyNames),
        }
    }

    /// True if the entry did not have these.
    fn add_terms(&mut self, index: Index, kind: Kind) -> bool {
        let before = self.entries.terms(index);
        let list = self.lists.len() - 1;
        let (last_before, last_kind, last_list, last_number) = self.last_terms;
        if (last_before, last_kind, last_list) == (before, kind, list) {
            self.entries.set_terms(index, last_number);
            return last_number != before;
        }
        let classes = self.lists.last().map_or(0, ListInfo::mask);
        let number = self.numbers.number(list, kind.answer());
        match self.terms.with(before, kind, classes, number) {
            Ok(number) => {
                self.entries.set_terms(index, number);
                self.last_terms = (before, kind, list, number);
                number != before
            }
            Err(error) => {
                self.failed = Some(error.into());
                false
            }
        }
    }

    fn cancel(&mut self, name: &str, kind: Kind) {
        // A name that no list has needs no entry for this; one that a later list has would.
        let key = self.hash_key.key_of_canonical(name);
        if let Entered::New(index) | Entered::Known(index) = self.entries.enter(key, name, kind, 0) {
            self.cancels.push((index, kind));
        }
    }
}

/// Takes the rules of a list.
pub struct ListRules<'a> {
    builder: &'a mut Builder,
}

impl ListRules<'_> {
    /// Whatever a file's size makes one expect, no more room is made than this: 20 MB.
    const MOST_EXPECTED: usize = 1 << 21;

    /// What the list would block passes, and is reported.
    #[must_use]
    pub fn on_trial(self) -> Self {
        self.builder.lists.last_mut().into_iter().for_each(|list| list.trial = true);
        self
    }

    /// What those whom it blocks see of it, in place of the name of the file.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        self.builder.lists.last_mut().into_iter().for_each(|list| list.label = Some(label.into()));
        self
    }
}

impl Sink for ListRules<'_> {
    fn expect(&mut self, rules: u64) {
        let rules = usize::try_from(rules).map_or(Self::MOST_EXPECTED, |rules| rules.min(Self::MOST_EXPECTED));
        self.builder.entries.reserve(rules);
    }

    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        let ListRule { subject, action, answer, cancels } = rule;
        let on_trial = self.builder.lists.last().is_some_and(|list| list.trial);
        let action = if on_trial { action.on_trial() } else { action };
        match subject {
            Subject::Name(name, scope) if cancels => {
                self.builder.cancel(name, Kind::new(scope, action));
                Ok(true)
            }
            Subject::Name(name, scope) => self.builder.enter(name, Kind::new(scope, action).with_answer(answer), line),
            Subject::Pattern(text) => {
                let list = self.builder.lists.len() - 1;
                let new = self.builder.patterns.add(text, action, list, line, cancels)?;
                if new && let Some(list) = self.builder.lists.last_mut() {
                    list.rules += 1;
                }
                Ok(new)
            }
        }
    }
}
