//! Names by themselves, for those who want no compiled policy.

use std::collections::HashSet;

use foldhash::quality::RandomState;

use crate::{ListRule, Sink, Subject};

/// Most names that a policy holds. A rule map for as many takes 2.7 GB of the kernel's memory.
pub const MOST_NAMES: u32 = 1 << 25;

/// Most patterns that a policy holds.
pub const MOST_PATTERNS: usize = 1 << 16;

/// The names that rules of lists are about, each once, in the order in which they were read.
#[derive(Default)]
pub struct Names {
    names: Vec<(Box<str>, u32)>,
    // Seeded at random: no publisher of a list can make its names collide.
    known: HashSet<Box<str>, RandomState>,
}

/// There are more names than are held, or their texts do not fit in 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at most {MOST_NAMES} names are held, and {MOST_PATTERNS} patterns")]
pub struct TooManyNames;

impl Names {
    /// Number of names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All names, each with its line.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.names.iter().map(|(name, line)| (&**name, *line))
    }

    /// Adds a canonical name; false if it is there already.
    pub fn insert(&mut self, name: &str, line: u32) -> bool {
        let new = self.known.insert(name.into());
        if new {
            self.names.push((name.into(), line));
        }
        new
    }
}

/// Takes the names of rules, whatever these say of them, unless they are there to take others out.
impl Sink for Names {
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        match rule {
            ListRule {
                subject: Subject::Name(name, _),
                cancels: false,
                ..
            } => Ok(self.insert(name, line)),
            _ => Ok(true),
        }
    }
}
