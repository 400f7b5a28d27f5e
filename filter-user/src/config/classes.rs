//! What lists and rules are for: classes, of which the kernel holds bit masks for each group.

use super::{
    error::{At, Located},
    file::Text,
    naming::Naming,
    treatment::Keys,
};
use std::collections::HashMap;

use filter_core::{BANKS, CLASSES_OF_BANK, Treatment};
use toml::Spanned;

/// Classes that a configuration can have, the first one included.
pub const MOST_CLASSES: usize = (BANKS * CLASSES_OF_BANK) as usize;

/// Whom lists and rules are for, when, and what becomes of what they block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class {
    /// The numbers of the groups, in order, each once; `None` for everybody who is not exempt. The group with number
    /// `n` is the `n`-th of the configuration, from 1; clients in no group have the number 0, which is never here.
    pub groups: Option<Vec<usize>>,
    /// The index of the schedule; `None` for all times.
    pub schedule: Option<usize>,
    /// What becomes of what they block.
    pub treatment: Treatment,
}

/// What is wrong with what lists and rules are for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    /// There are no groups in brackets.
    #[error("this is for no group: name some, or leave out `groups`, which means all that are not exempt")]
    NoGroups,
    /// There are more combinations than there can be.
    #[error(
        "with this there are more combinations of groups, schedule and action than the {} that lists and rules can have \
         besides that of all groups at all times, {classes} in all: use the same of these for several of them, or join groups",
        MOST_CLASSES - 1
    )]
    TooMany {
        /// How many there are, besides that one.
        classes: usize,
    },
}

/// What a list or rules say of their class.
pub(super) struct Scope<'a> {
    pub groups: Option<&'a Spanned<Vec<Text>>>,
    pub schedule: Option<&'a Text>,
    pub keys: Keys<'a>,
    /// True if nothing of them blocks.
    pub allows: bool,
}

/// The class of a list or of rules.
pub(super) struct Member {
    pub class: usize,
    /// True if what they would block passes.
    pub trial: bool,
}

/// The classes, as they come up.
pub(super) struct ClassesOfFile<'a> {
    pub groups: Naming<'a>,
    pub schedules: Naming<'a>,
    known: Vec<Class>,
    numbers: HashMap<Class, usize>,
    /// Where the first stands that is too much.
    beyond: Option<Spanned<()>>,
}

impl<'a> ClassesOfFile<'a> {
    pub fn new(groups: Naming<'a>, schedules: Naming<'a>) -> Self {
        let (known, numbers) = (vec![Class::default()], HashMap::from([(Class::default(), 0)]));
        Self { groups, schedules, known, numbers, beyond: None }
    }

    /// The class of what stands at `place`; the next one, if there is none like it.
    pub fn of<T>(&mut self, scope: &Scope, place: &Spanned<T>) -> Result<Member, Located> {
        let groups = scope.groups.map(|names| self.numbers(names)).transpose()?;
        let schedule = scope.schedule.map(|name| self.schedules.index(name)).transpose()?;
        let (treatment, trial) = scope.keys.read(scope.allows)?;
        let class = Class { groups, schedule, treatment };
        if let Some(class) = self.numbers.get(&class) {
            return Ok(Member { class: *class, trial });
        }
        if self.known.len() == MOST_CLASSES {
            self.beyond = Some(Spanned::new(place.span(), ()));
        }
        let number = self.known.len();
        self.numbers.insert(class.clone(), number);
        self.known.push(class);
        Ok(Member { class: number, trial })
    }

    /// Fails if there are too many, with how many there are.
    pub fn check(&self) -> Result<(), Located> {
        let Some(beyond) = &self.beyond else { return Ok(()) };
        Err(ClassesError::TooMany { classes: self.known.len() - 1 }).at(beyond)
    }

    pub fn into_classes(self) -> Vec<Class> {
        self.known
    }

    fn numbers(&self, names: &Spanned<Vec<Text>>) -> Result<Vec<usize>, Located> {
        if names.get_ref().is_empty() {
            return Err(ClassesError::NoGroups).at(names);
        }
        let numbers = names.get_ref().iter().map(|name| Ok(self.groups.index(name)? + 1));
        let mut numbers = numbers.collect::<Result<Vec<_>, Located>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}
