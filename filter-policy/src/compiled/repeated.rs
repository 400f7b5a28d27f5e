//! Rules that say nothing new, as those who look after lists want to know of them.

use super::{kind::Kind, sources::Origins};

/// The rules of a list for names of which earlier rules say the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// How many there are.
    pub rules: u64,
    /// The first few of them, in the order of their lines and names.
    pub first: Vec<RepeatedRule>,
}

/// A rule that says nothing new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepeatedRule {
    /// Its line.
    pub line: u32,
    /// The name that it is about.
    pub name: Box<str>,
    /// What it says of it.
    pub kind: Kind,
}

impl Repeated {
    /// Rules that are kept.
    pub const FIRST: usize = 3;
}

/// For the rules of each origin, how many are the first for their name, and how many repeat others.
#[derive(Default)]
pub(super) struct Tally(Vec<Counted>);

#[derive(Default)]
struct Counted {
    first: u64,
    repeated: u64,
    /// The first few that repeat others, in their order: lines and names.
    examples: Vec<(u32, Box<str>)>,
}

impl Tally {
    /// Counts the first rule for a name.
    pub fn first(&mut self, origin: u32) {
        self.of(origin).first += 1;
    }

    /// Counts a rule that says nothing new.
    pub fn repeated(&mut self, origin: u32, line: u32, name: &[u8]) {
        let counted = self.of(origin);
        counted.repeated += 1;
        let is_among_first = counted
            .examples
            .get(Repeated::FIRST - 1)
            .is_none_or(|(last, _)| line <= *last);
        if is_among_first {
            counted.add_example((line, String::from_utf8_lossy(name).into()));
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: Self) {
        for (
            origin,
            Counted {
                first,
                repeated,
                examples,
            },
        ) in (0..).zip(other.0)
        {
            let counted = self.of(origin);
            counted.first += first;
            counted.repeated += repeated;
            for example in examples {
                counted.add_example(example);
            }
        }
    }

    /// For each of so many lists, the names that it is the first to have, and what it repeats.
    /// Rules that take others out repeat nothing.
    pub fn of_lists(self, lists: usize, origins: &Origins) -> Vec<(u64, Repeated)> {
        let mut of_lists = vec![(0, Repeated::default()); lists];
        for (origin, counted) in origins
            .iter()
            .zip(self.0)
            .filter(|(origin, _)| !origin.cancels)
        {
            let Some((first, of_list)) = of_lists.get_mut(origin.list) else {
                continue;
            };
            *first += counted.first;
            of_list.rules += counted.repeated;
            let kind = origin.kind;
            of_list.first.extend(
                counted
                    .examples
                    .into_iter()
                    .map(|(line, name)| RepeatedRule { line, name, kind }),
            );
            of_list.first.sort();
            of_list.first.truncate(Repeated::FIRST);
        }
        of_lists
    }

    fn of(&mut self, origin: u32) -> &mut Counted {
        let place = origin as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, Default::default);
        }
        &mut self.0[place]
    }
}

impl Counted {
    fn add_example(&mut self, example: (u32, Box<str>)) {
        let place = self.examples.partition_point(|known| *known <= example);
        self.examples.insert(place, example);
        self.examples.truncate(Repeated::FIRST);
    }
}
