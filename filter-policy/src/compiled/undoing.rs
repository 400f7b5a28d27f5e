//! Rules of lists that undo rules of other lists: exceptions that allow what another list blocks,
//! and rules that take others out.
//!
//! Lists that are there to allow (`--allow`, `allow = true`) are meant to do so, and are left out.
//! Of an exception for a name, patterns of other lists are looked at as well; of an exception that
//! is a pattern, names of other lists.

use std::collections::HashMap;

use filter_core::{Name, Precedence, RuleKey};
use filter_lists::{Action, Scope};
use foldhash::fast::FixedState;

use super::{
    CompiledPolicy, Rule, parallel,
    patterns::{self, Compiled},
    sources::Source,
    table::{BUCKETS, Index},
};

/// A rule that undoes one of another list, and the first that it undoes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo<'a> {
    /// The list that it is in.
    pub list: &'a str,
    /// Its line there; `None` for one that takes an equal rule out.
    pub line: Option<u32>,
    /// What it says.
    pub rule: Rule<'a>,
    /// The first rule that it undoes.
    pub undone: Rule<'a>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undoing<'a> {
    /// How many there are.
    pub count: u64,
    /// The first few, in the order of their lists and lines.
    pub first: Vec<Undo<'a>>,
}

/// Where a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Name(Index, Source),
    /// The number of a pattern, and its list and line.
    Pattern(usize, usize, u32),
}

/// An exception, and the first rule of another list that it undoes.
struct Exception {
    place: Place,
    action: Action,
    undoes: Option<Place>,
}

/// What is known of exceptions before the names of other lists are gone through.
struct Search<'b> {
    compiled: &'b CompiledPolicy,
    exceptions: Vec<Exception>,
    /// Exceptions for the names below these.
    wide: HashMap<RuleKey, Vec<usize>, FixedState>,
    /// Exceptions that are patterns, and their automata.
    patterns: Vec<usize>,
    automata: Compiled,
}

impl CompiledPolicy {
    /// The rules of lists that undo rules of other lists, so many of them at most.
    pub fn undoing(&self, most: usize) -> Undoing<'_> {
        let mut search = Search::new(self);
        search.look_up();
        search.look_down();
        let exceptions = search
            .exceptions
            .iter()
            .filter_map(|it| Some((it.place, it.undoes?, false)));
        let mut all: Vec<_> = exceptions.chain(self.taken_out()).collect();
        all.sort_unstable_by_key(|(by, undone, _)| (by.list_and_line(), undone.list_and_line()));
        let undo = |(by, undone, takes_out): &(Place, Place, bool)| Undo {
            list: self
                .lists
                .get(by.list_and_line().0)
                .map_or("", |list| &list.name),
            line: (!takes_out).then_some(by.list_and_line().1),
            rule: self.rule_at(*by),
            undone: self.rule_at(*undone),
        };
        Undoing {
            count: all.len() as u64,
            first: all.iter().take(most).map(undo).collect(),
        }
    }

    /// Rules that one of another list takes out: that one, which is where the rule itself is, and
    /// the rule.
    fn taken_out(&self) -> Vec<(Place, Place, bool)> {
        let mut indices: Vec<_> = self.table.with_cancelled().collect();
        indices.dedup();
        let mut found = Vec::new();
        for index in indices {
            for source in self.table.sources(index) {
                if let Some(by) = source
                    .cancelled_by
                    .filter(|by| self.is_other(*by, source.list))
                {
                    let canceller = Source {
                        list: by,
                        line: 0,
                        ..source
                    };
                    found.push((
                        Place::Name(index, canceller),
                        Place::Name(index, source),
                        true,
                    ));
                }
            }
        }
        for (number, by, list, line) in self.patterns.taken_out() {
            if self.is_other(by, list) {
                found.push((
                    Place::Pattern(number, by, 0),
                    Place::Pattern(number, list, line),
                    true,
                ));
            }
        }
        found
    }

    /// True if a rule of the first list may undo one of the other, and nobody has said that it is
    /// to.
    fn is_other(&self, by: usize, list: usize) -> bool {
        by != list && self.lists.get(by).is_some_and(|by| !by.allows)
    }

    fn rule_at(&self, place: Place) -> Rule<'_> {
        match place {
            Place::Name(index, source) => self.rule(index, source),
            Place::Pattern(number, list, line) => {
                self.patterns.rule(number, list, line, &self.lists)
            }
        }
    }
}

impl<'b> Search<'b> {
    /// All exceptions.
    fn new(compiled: &'b CompiledPolicy) -> Self {
        let mut exceptions = Vec::new();
        let is_exception =
            |action: Action, list| action.allows() && compiled.is_other(list, usize::MAX);
        for (index, ..) in compiled
            .table
            .iter()
            .filter(|(_, _, number, _)| compiled.effect.get(*number).ask_for(&ALLOW))
        {
            for source in compiled
                .table
                .sources(index)
                .filter(|it| !it.cancelled && is_exception(it.kind.action(), it.list))
            {
                exceptions.push(Exception {
                    place: Place::Name(index, source),
                    action: source.kind.action(),
                    undoes: None,
                });
            }
        }
        let names = exceptions.len();
        for (number, action, list, line) in compiled.patterns.places() {
            if is_exception(action, list) {
                exceptions.push(Exception {
                    place: Place::Pattern(number, list, line),
                    action,
                    undoes: None,
                });
            }
        }
        let mut wide: HashMap<RuleKey, Vec<usize>, FixedState> = HashMap::default();
        for (number, exception) in exceptions.iter().enumerate() {
            if let Place::Name(index, source) = exception.place
                && source.kind.is_about_below()
            {
                wide.entry(compiled.table.key(index))
                    .or_default()
                    .push(number);
            }
        }
        let patterns: Vec<_> = (names..exceptions.len()).collect();
        let texts: Vec<_> = patterns
            .iter()
            .filter_map(|number| exceptions[*number].place.pattern(compiled))
            .collect();
        let automata = patterns::compile(&texts, 1, |_| Vec::new());
        Self {
            compiled,
            exceptions,
            wide,
            patterns,
            automata,
        }
    }

    /// Looks for rules for the same name and for those above, and for patterns that match it.
    fn look_up(&mut self) {
        for exception in &mut self.exceptions {
            if let Place::Name(index, source) = exception.place {
                exception.undoes = undone_above(self.compiled, index, source);
            }
        }
    }

    /// Goes through all names that are blocked, for exceptions for names above and for patterns.
    fn look_down(&mut self) {
        /// Parts of all names that are worked on at the same time.
        const PARTS: usize = 64;

        if self.wide.is_empty() && self.automata.parts.is_empty() {
            return;
        }

        let search = &*self;
        let parts = (0..PARTS)
            .map(|part| part * BUCKETS / PARTS..(part + 1) * BUCKETS / PARTS)
            .collect();
        let found = parallel::each(parts, |buckets| search.undone_in(buckets));
        for (number, place) in found.into_iter().flatten() {
            let exception = &mut self.exceptions[number];
            let is_first = exception
                .undoes
                .is_none_or(|first| place.list_and_line() < first.list_and_line());
            if is_first {
                exception.undoes = Some(place);
            }
        }
    }

    /// For exceptions by their numbers, the first rules for names in these buckets.
    fn undone_in(&self, buckets: std::ops::Range<usize>) -> HashMap<usize, Place, FixedState> {
        let mut found: HashMap<usize, Place, FixedState> = HashMap::default();
        let mut numbers = Vec::new();
        for (index, _, effect, _) in
            buckets.flat_map(|bucket| self.compiled.table.bucket(bucket).iter())
        {
            if !self.compiled.effect.get(effect).ask_for(&BLOCK) {
                continue;
            }
            numbers.clear();
            self.compiled
                .table
                .each_above(&self.compiled.hash_key, index, |above| {
                    numbers.extend(self.wide.get(&above).into_iter().flatten().copied());
                });
            if !self.automata.parts.is_empty() {
                let name = Name::of_text(&self.compiled.table.name(index)).unwrap_or_default();
                numbers.extend(
                    self.automata
                        .matching(&name)
                        .into_iter()
                        .map(|it| self.patterns[it as usize]),
                );
            }
            for number in &numbers {
                let exception = &self.exceptions[*number];
                let undone = self
                    .compiled
                    .table
                    .sources(index)
                    .filter(|it| undoes(self.compiled, exception, it));
                for source in undone {
                    let place = Place::Name(index, source);
                    let first = found.entry(*number).or_insert(place);
                    if place.list_and_line() < first.list_and_line() {
                        *first = place;
                    }
                }
            }
        }
        found
    }
}

/// The first rule of another list for the name of an exception, or for those above, that the
/// exception undoes.
fn undone_above(compiled: &CompiledPolicy, index: Index, exception: Source) -> Option<Place> {
    let by = Exception {
        place: Place::Name(index, exception),
        action: exception.kind.action(),
        undoes: None,
    };
    let own = compiled.table.sources(index);
    let mut own = own
        .filter(|it| undoes(compiled, &by, it) && overlap(exception.kind.scope(), it.kind.scope()));
    if let Some(source) = own.next() {
        return Some(Place::Name(index, source));
    }
    let mut above = Vec::new();
    compiled.table.each_above(&compiled.hash_key, index, |key| {
        above.extend(compiled.table.find(key));
    });
    let of = |index: Index| {
        compiled
            .table
            .sources(index)
            .map(move |source| (index, source))
    };
    let mut wider = above.into_iter().rev().flat_map(of);
    let wider = wider.find(|(_, it)| undoes(compiled, &by, it) && it.kind.is_about_below());
    let in_names = wider.map(|(index, source)| Place::Name(index, source));
    in_names.or_else(|| {
        let name = Name::of_text(&compiled.table.name(index)).unwrap_or_default();
        let patterns = compiled.patterns.places_matching(&name);
        let undone = |(_, action, list, _): &(usize, Action, usize, u32)| {
            is_undone(*action, exception.kind.action()) && compiled.is_other(exception.list, *list)
        };
        patterns
            .into_iter()
            .find(undone)
            .map(|(number, _, list, line)| Place::Pattern(number, list, line))
    })
}

/// True if the exception undoes a rule for a name of another list, where both are about some names.
fn undoes(compiled: &CompiledPolicy, exception: &Exception, rule: &Source) -> bool {
    let (list, _) = exception.place.list_and_line();
    !rule.cancelled
        && is_undone(rule.kind.action(), exception.action)
        && compiled.is_other(list, rule.list)
}

fn is_undone(action: Action, by: Action) -> bool {
    action.blocks() && by > action
}

/// True if both are about some names, where they are rules for the same one.
fn overlap(one: Scope, other: Scope) -> bool {
    !matches!(
        (one, other),
        (Scope::Name, Scope::Subdomains) | (Scope::Subdomains, Scope::Name)
    )
}

const ALLOW: [Precedence; 2] = [Precedence::Allow, Precedence::AllowImportant];
const BLOCK: [Precedence; 2] = [Precedence::Block, Precedence::BlockImportant];

impl Place {
    fn list_and_line(self) -> (usize, u32) {
        match self {
            Self::Name(_, source) => (source.list, source.line),
            Self::Pattern(_, list, line) => (list, line),
        }
    }

    fn pattern(self, compiled: &CompiledPolicy) -> Option<&str> {
        match self {
            Self::Name(..) => None,
            Self::Pattern(number, ..) => Some(compiled.patterns.text(number)),
        }
    }
}

#[cfg(test)]
mod tests;
