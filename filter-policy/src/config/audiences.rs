//! What lists and rules are for: audiences, of which the kernel holds bit masks for each group.

use super::{
    actions::Keys,
    error::{At, Located},
    file::Text,
    naming::Naming,
};
use std::collections::HashMap;

use filter_core::{AUDIENCES_OF_BANK, Actions, BANKS};
use toml::Spanned;

/// Audiences that a configuration can have, the first one included.
pub const MOST_AUDIENCES: usize = (BANKS * AUDIENCES_OF_BANK) as usize;

/// Whom lists and rules are for, when, and what becomes of what they block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Audience {
    /// The numbers of the groups, in order, each once; `None` for everybody who is not exempt. The
    /// group with number `n` is the `n`-th of the configuration, from 1; clients in no group have
    /// the number 0, which is never here.
    pub groups: Option<Vec<usize>>,
    /// The index of the schedule; `None` for all times.
    pub schedule: Option<usize>,
    /// What becomes of what they block.
    pub actions: Actions,
}

/// What is wrong with what lists and rules are for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudiencesError {
    /// There are no groups in brackets.
    #[error(
        "this is for no group: name some, or leave out `groups`, which means all that are not exempt"
    )]
    NoGroups,
    /// There are more combinations than there can be.
    #[error(
        "with this there are more combinations of groups, schedule and action than the {} that lists and rules can have \
         besides that of all groups at all times, {audiences} in all: use the same of these for several of them, or join groups",
        MOST_AUDIENCES - 1
    )]
    TooMany {
        /// How many there are, besides that one.
        audiences: usize,
    },
}

/// What a list or rules say of their audience.
pub(super) struct Scope<'a> {
    pub groups: Option<&'a Spanned<Vec<Text>>>,
    pub schedule: Option<&'a Text>,
    pub keys: Keys<'a>,
    /// True if nothing of them blocks.
    pub allows: bool,
}

/// The audience of a list or of rules.
pub(super) struct Member {
    pub audience: usize,
    /// True if what they would block passes.
    pub trial: bool,
}

/// The audiences, as they come up.
pub(super) struct AudiencesOfFile<'a> {
    pub groups: Naming<'a>,
    pub schedules: Naming<'a>,
    known: Vec<Audience>,
    numbers: HashMap<Audience, usize>,
    /// Where the first stands that is too much.
    beyond: Option<Spanned<()>>,
}

impl<'a> AudiencesOfFile<'a> {
    pub fn new(groups: Naming<'a>, schedules: Naming<'a>) -> Self {
        let (known, numbers) = (
            vec![Audience::default()],
            HashMap::from([(Audience::default(), 0)]),
        );
        Self {
            groups,
            schedules,
            known,
            numbers,
            beyond: None,
        }
    }

    /// The audience of what stands at `place`; the next one, if there is none like it.
    pub fn of<T>(&mut self, scope: &Scope, place: &Spanned<T>) -> Result<Member, Located> {
        let groups = scope.groups.map(|names| self.numbers(names)).transpose()?;
        let schedule = scope
            .schedule
            .map(|name| self.schedules.index(name))
            .transpose()?;
        let (actions, trial) = scope.keys.read(scope.allows)?;
        let audience = Audience {
            groups,
            schedule,
            actions,
        };
        if let Some(audience) = self.numbers.get(&audience) {
            return Ok(Member {
                audience: *audience,
                trial,
            });
        }
        if self.known.len() == MOST_AUDIENCES {
            self.beyond = Some(Spanned::new(place.span(), ()));
        }
        let number = self.known.len();
        self.numbers.insert(audience.clone(), number);
        self.known.push(audience);
        Ok(Member {
            audience: number,
            trial,
        })
    }

    /// Fails if there are too many, with how many there are.
    pub fn check(&self) -> Result<(), Located> {
        let Some(beyond) = &self.beyond else {
            return Ok(());
        };
        Err(AudiencesError::TooMany {
            audiences: self.known.len() - 1,
        })
        .at(beyond)
    }

    pub fn into_audiences(self) -> Vec<Audience> {
        self.known
    }

    fn numbers(&self, names: &Spanned<Vec<Text>>) -> Result<Vec<usize>, Located> {
        if names.get_ref().is_empty() {
            return Err(AudiencesError::NoGroups).at(names);
        }
        let numbers = names
            .get_ref()
            .iter()
            .map(|name| Ok(self.groups.index(name)? + 1));
        let mut numbers = numbers.collect::<Result<Vec<_>, Located>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}
