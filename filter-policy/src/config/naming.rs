//! The names of groups and schedules.

use std::{collections::HashMap, fmt};

use super::{
    error::{At, Located, shown},
    file::Text,
    place::Lines,
};

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A group of clients.
    Group,
    /// A schedule.
    Schedule,
}

/// What is wrong with a name, where it is given or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// The name has no character.
    #[error("the {0} has an empty name: give it one that lists and rules can refer to")]
    Empty(Named),
    /// The name has characters that cannot be shown.
    #[error("the name `{}` of a {named} has control characters: leave these out", shown(.name))]
    Control {
        /// Of what it is the name.
        named: Named,
        /// The name.
        name: String,
    },
    /// Two have one name.
    #[error(
        "there is a {named} `{}` in line {line} already: join the two, or give this one another name",
        shown(.name)
    )]
    Twice {
        /// Of what it is the name.
        named: Named,
        /// The name.
        name: String,
        /// Where the other one is.
        line: u32,
    },
    /// Nothing has the name.
    #[error("there is no {named} `{}`: {}", shown(.name), known_names(*.named, .known))]
    Unknown {
        /// Of what it should be the name.
        named: Named,
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Group => "group",
            Self::Schedule => "schedule",
        })
    }
}

/// Names, each with its index in the order of the file.
pub(super) struct Naming<'a> {
    named: Named,
    lines: &'a Lines,
    /// With the line of each.
    names: Vec<(String, u32)>,
    indices: HashMap<String, usize>,
}

impl<'a> Naming<'a> {
    pub fn new(named: Named, lines: &'a Lines) -> Self {
        Self {
            named,
            lines,
            names: Vec::new(),
            indices: HashMap::new(),
        }
    }

    /// Gives `name` the next index.
    pub fn add(&mut self, name: &Text) -> Result<(), Located> {
        let (named, text) = (self.named, name.get_ref());
        if text.trim().is_empty() {
            return Err(NamingError::Empty(named)).at(name);
        }
        if text.contains(char::is_control) {
            return Err(NamingError::Control {
                named,
                name: text.clone(),
            })
            .at(name);
        }
        if let Some(&index) = self.indices.get(text) {
            let line = self.names[index].1;
            return Err(NamingError::Twice {
                named,
                name: text.clone(),
                line,
            })
            .at(name);
        }
        self.indices.insert(text.clone(), self.names.len());
        self.names.push((text.clone(), self.lines.of(name)));
        Ok(())
    }

    /// The index of a name that is used.
    pub fn index(&self, name: &Text) -> Result<usize, Located> {
        let index = self.indices.get(name.get_ref()).copied();
        index.ok_or_else(|| self.unknown(name)).at(name)
    }

    fn unknown(&self, name: &Text) -> NamingError {
        let known = self.names.iter().map(|(name, _)| name.clone()).collect();
        NamingError::Unknown {
            named: self.named,
            name: name.get_ref().clone(),
            known,
        }
    }
}

/// Names that a message lists.
const LISTED: usize = 10;

fn known_names(named: Named, known: &[String]) -> String {
    if known.is_empty() {
        return format!("there is none at all; add one with [[{named}]]");
    }
    let listed: Vec<_> = known
        .iter()
        .take(LISTED)
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    let more = match known.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let plural = if known.len() == 1 { " is" } else { "s are" };
    format!("the {named}{plural} {}{more}", listed.join(", "))
}
