//! What lists and rules are for: classes, of which the kernel holds a bit mask for each group.

use super::{
    error::{At, Located},
    file::Text,
    naming::Naming,
    treatment::Keys,
};
use filter_core::Treatment;
use toml::Spanned;

/// Classes that a configuration can have, the first one included: the bits of a mask.
pub const MOST_CLASSES: usize = u32::BITS as usize;

/// Whom lists and rules are for, when, and what becomes of what they block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// There are more combinations than a mask has bits.
    #[error(
        "this is one combination of groups, schedule and action more than the {} that lists and rules can have besides \
         that of all groups at all times: use the same of these for several of them, or join groups",
        MOST_CLASSES - 1
    )]
    TooMany,
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
pub(super) struct Classes<'a> {
    pub groups: Naming<'a>,
    pub schedules: Naming<'a>,
    known: Vec<Class>,
}

impl<'a> Classes<'a> {
    pub fn new(groups: Naming<'a>, schedules: Naming<'a>) -> Self {
        Self { groups, schedules, known: vec![Class::default()] }
    }

    /// The class of what stands at `place`; the next one, if there is none like it.
    pub fn of<T>(&mut self, scope: &Scope, place: &Spanned<T>) -> Result<Member, Located> {
        let groups = scope.groups.map(|names| self.numbers(names)).transpose()?;
        let schedule = scope.schedule.map(|name| self.schedules.index(name)).transpose()?;
        let (treatment, trial) = scope.keys.read(scope.allows)?;
        let class = Class { groups, schedule, treatment };
        if let Some(class) = self.known.iter().position(|known| *known == class) {
            return Ok(Member { class, trial });
        }
        if self.known.len() == MOST_CLASSES {
            return Err(ClassesError::TooMany).at(place);
        }
        self.known.push(class);
        Ok(Member { class: self.known.len() - 1, trial })
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
