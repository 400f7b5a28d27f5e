//! Patterns: regular expressions and wildcards, as the automata that the kernel runs.
//!
//! A pattern is about a canonical name. It is a regular expression as the crate `regex` takes it,
//! in octets: case does not matter, `.` is any octet, and it matches anywhere in the name unless
//! `^` or `$` bind it.
//!
//! Compiling takes bounded time and memory, counted in steps and not by a clock, so that the same
//! patterns always give the same. What goes beyond the bounds is refused pattern by pattern; the
//! others stay.

mod alphabet;
mod automaton;
mod bases;
mod closure;
mod grouping;
mod nfa;
mod octets;
mod table;

use filter_core::{Name, PART_CELLS, PART_MATCHES, PARTS, Part, PatternMatch, Patterns};
use regex_syntax::{
    ParserBuilder,
    hir::{Hir, Look},
};

use grouping::Grouping;
use nfa::{Nfa, PatternId};

pub use table::CompiledPart;

/// What all patterns together may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Automata.
    pub parts: usize,
    /// Transitions of each.
    pub cells: usize,
    /// States of each in which something matches.
    pub matches: usize,
    /// Places in the text of all patterns, with their repetitions written out.
    pub places: usize,
    /// Steps of making one. A million takes about 25 ms.
    pub steps_each: u64,
    /// Steps in all, and besides for each pattern.
    pub steps: u64,
    /// See `steps`.
    pub steps_per_pattern: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parts: PARTS as usize,
            cells: PART_CELLS,
            matches: PART_MATCHES,
            places: 1_000_000,
            steps_each: 2_000_000,
            steps: 20_000_000,
            steps_per_pattern: 10_000,
        }
    }
}

/// Patterns as automata.
#[derive(Debug, Default)]
pub struct Compiled {
    /// For the kernel.
    pub parts: Vec<CompiledPart>,
    /// Those that are in no part, in order.
    pub refused: Vec<Refused>,
}

/// A pattern that is not in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    /// Its place among those that were to be compiled.
    pub pattern: u32,
    /// Why.
    pub refusal: Refusal,
}

/// Why a pattern is not in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not in this syntax.
    #[error("no regular expression: {0}")]
    Syntax(String),
    /// It is about lines.
    #[error("names have no lines: leave `(?m)` out")]
    Lines,
    /// It asks for characters beyond octets.
    #[error("names are octets: leave `(?u)` out")]
    Unicode,
    /// Its repetitions, written out, are too many.
    #[error("longer than a pattern may be when its repetitions are written out")]
    TooLong,
    /// It takes too much by itself.
    #[error("this pattern alone would take too much memory: make what it repeats narrower")]
    TooLarge,
    /// All others together leave no room.
    #[error(
        "the patterns take more memory than there is for them, this one about {bytes} bytes: it is among the largest"
    )]
    NoRoom {
        /// Its share of what it would be compiled with.
        bytes: usize,
    },
    /// All others together took the time.
    #[error("the patterns together take too much time to compile: leave some out")]
    OutOfTime,
    /// Those before it, with their repetitions written out, are too many.
    #[error(
        "the patterns together are too long when their repetitions are written out: leave some out"
    )]
    TooMany,
}

/// Makes automata of these patterns. `meaning` says what it means that all these match at once, by
/// their places: for each bank of audiences, in order. A match has so many `meanings` at most, that
/// of the first bank included.
pub fn compile(
    patterns: &[&str],
    meanings: usize,
    meaning: impl FnMut(&[PatternId]) -> Vec<(u32, PatternMatch)>,
) -> Compiled {
    let limits = Limits::default();
    let matches = limits.matches / meanings.max(1);
    compile_within(&Limits { matches, ..limits }, patterns, meaning)
}

/// The same within other bounds.
pub fn compile_within(
    limits: &Limits,
    patterns: &[&str],
    mut meaning: impl FnMut(&[PatternId]) -> Vec<(u32, PatternMatch)>,
) -> Compiled {
    let mut nfa = Nfa::default();
    let (mut usable, mut refused) = (Vec::new(), Vec::new());
    for (pattern, text) in (0..).zip(patterns) {
        let parsed = parse(text);
        let pushed = nfa.push(parsed.as_ref().unwrap_or(&Hir::fail()), limits.places);
        match parsed.and_then(|hir| pushed.map(|()| hir)) {
            // Neighbours have the same tail.
            Ok(hir) => usable.push((
                !ends_with_the_name(&hir),
                text.bytes().rev().collect::<Vec<_>>(),
                pattern,
            )),
            Err(refusal) => refused.push((pattern, refusal)),
        }
    }
    usable.sort_unstable();
    let usable: Vec<_> = usable.into_iter().map(|(.., pattern)| pattern).collect();
    let (groups, beyond) = Grouping::new(&nfa, limits).run(&usable);
    refused.extend(beyond);
    refused.sort_unstable_by_key(|(pattern, _)| *pattern);
    Compiled {
        parts: groups
            .iter()
            .map(|group| CompiledPart::of(&group.automaton, &mut meaning))
            .collect(),
        refused: refused
            .into_iter()
            .map(|(pattern, refusal)| Refused { pattern, refusal })
            .collect(),
    }
}

impl Compiled {
    /// The patterns that match the name, in order.
    pub fn matching(&self, name: &Name) -> Vec<PatternId> {
        let (mut matching, mut name) = (Vec::new(), *name);
        for part in &self.parts {
            part.table
                .walk(&mut name, |state| matching.extend(part.patterns(state)));
        }
        matching.sort_unstable();
        matching.dedup();
        matching
    }
}

impl Patterns for Compiled {
    fn part(&self, _: u32, index: u32) -> Option<&Part> {
        self.parts.get(index as usize).map(|part| &*part.table)
    }
}

fn parse(pattern: &str) -> Result<Hir, Refusal> {
    let mut parser = ParserBuilder::new();
    parser
        .unicode(false)
        .utf8(false)
        .case_insensitive(true)
        .dot_matches_new_line(true);
    parser.build().parse(pattern).map_err(|error| {
        Refusal::Syntax(match error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            other => other.to_string(),
        })
    })
}

fn ends_with_the_name(pattern: &Hir) -> bool {
    pattern.properties().look_set_suffix().contains(Look::End)
}

#[cfg(test)]
mod tests;
