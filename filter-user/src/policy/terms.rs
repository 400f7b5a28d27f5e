//! What rules ask for, each combination once.

use std::collections::HashMap;

use filter_core::{AllTerms, Rank, Terms};
use foldhash::fast::FixedState;

use super::kind::Kind;
use crate::lists::{Action, Scope};

/// Numbers of terms in a policy. The first is that of no terms.
#[derive(Debug)]
pub(super) struct TermsTable {
    terms: Vec<AllTerms>,
    // Asked for each rule. There are never many, so nobody gains by making some collide.
    numbers: HashMap<AllTerms, u16, FixedState>,
}

/// More combinations than have a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the lists overlap in more than {} different combinations of groups, schedules and actions: use fewer groups and \
     schedules",
    TermsTable::MOST
)]
pub struct TooManyTerms;

impl Default for TermsTable {
    fn default() -> Self {
        Self { terms: vec![AllTerms::default()], numbers: HashMap::from_iter([(AllTerms::default(), Terms::NONE)]) }
    }
}

impl TermsTable {
    /// Two policies at once have room in the kernel's table.
    pub const MOST: usize = 8000;

    /// The table of these terms, the first of which ask for nothing.
    pub fn of(terms: Vec<AllTerms>) -> Option<Self> {
        let is_table = terms.first().is_some_and(AllTerms::is_none) && terms.len() <= Self::MOST;
        // For what is in the table already. Nobody adds to one that was read.
        is_table.then(|| Self { terms, numbers: HashMap::default() })
    }

    /// All of them in the order of their numbers.
    pub fn all(&self) -> &[AllTerms] {
        &self.terms
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    pub fn get(&self, number: u16) -> &AllTerms {
        self.terms.get(usize::from(number)).unwrap_or(&self.terms[0])
    }

    /// The number of these terms with what a rule of this kind asks for in addition, in the list with this number.
    pub fn with(&mut self, number: u16, kind: Kind, class: u32, list: u16) -> Result<u16, TooManyTerms> {
        let mut terms = self.get(number).clone();
        add(&mut terms, kind, class, list);
        self.number(terms)
    }

    /// The number of these terms. Where there are many already, they go without the names of their lists.
    pub fn number(&mut self, terms: AllTerms) -> Result<u16, TooManyTerms> {
        /// Terms that name their lists.
        const NAMED: usize = TermsTable::MOST / 2;

        if let Some(number) = self.numbers.get(&terms) {
            return Ok(*number);
        }
        if self.terms.len() >= NAMED && terms != terms.without_lists() {
            return self.number(terms.without_lists());
        }
        if self.terms.len() >= Self::MOST {
            return Err(TooManyTerms);
        }
        let number = u16::try_from(self.terms.len()).map_err(|_| TooManyTerms)?;
        self.terms.push(terms.clone());
        self.numbers.insert(terms, number);
        Ok(number)
    }
}

/// Adds what a rule of this kind asks for in the list with this number, which is of this class.
pub(super) fn add(terms: &mut AllTerms, kind: Kind, class: u32, list: u16) {
    let (own, below) = match kind.scope() {
        Scope::Name => (true, false),
        Scope::Subdomains => (false, true),
        Scope::Subtree => (true, true),
    };
    terms.add(rank(kind.action()), class, list, own, below);
}

/// The rank of names that rules with this action are about.
pub(super) const fn rank(action: Action) -> Rank {
    match action {
        Action::Audit => Rank::Audit,
        Action::Block => Rank::Block,
        Action::Allow => Rank::Allow,
        Action::BlockImportant => Rank::BlockImportant,
        Action::AllowImportant => Rank::AllowImportant,
    }
}
