//! What lists and rules are for: classes, of which the kernel holds a bit mask for each group.

use super::{
    error::{At, Located},
    file::Text,
    naming::Naming,
};
use toml::Spanned;

/// Classes that a configuration can have, the first one included: the bits of a mask.
pub const MOST_CLASSES: usize = u32::BITS as usize;

/// Whom lists and rules are for, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// The numbers of the groups, in order, each once; `None` for everybody who is not exempt. The group with number
    /// `n` is the `n`-th of the configuration, from 1; clients in no group have the number 0, which is never here.
    pub groups: Option<Vec<usize>>,
    /// The index of the schedule; `None` for all times.
    pub schedule: Option<usize>,
}

/// What is wrong with what lists and rules are for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    /// There are no groups in brackets.
    #[error("this is for no group: name some, or leave out `groups`, which means all that are not exempt")]
    NoGroups,
    /// There are more combinations than a mask has bits.
    #[error(
        "this is one combination of groups and schedule more than the {} that lists and rules can have besides that of \
         all groups at all times: use the same groups and schedule for several of them, or join groups",
        MOST_CLASSES - 1
    )]
    TooMany,
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

    /// The index of the class for these groups and this schedule, for what stands at `place`.
    pub fn index<T>(
        &mut self,
        groups: Option<&Spanned<Vec<Text>>>,
        schedule: Option<&Text>,
        place: &Spanned<T>,
    ) -> Result<usize, Located> {
        let groups = groups.map(|names| self.numbers(names)).transpose()?;
        let schedule = schedule.map(|name| self.schedules.index(name)).transpose()?;
        let class = Class { groups, schedule };
        if let Some(index) = self.known.iter().position(|known| *known == class) {
            return Ok(index);
        }
        if self.known.len() == MOST_CLASSES {
            return Err(ClassesError::TooMany).at(place);
        }
        self.known.push(class);
        Ok(self.known.len() - 1)
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
