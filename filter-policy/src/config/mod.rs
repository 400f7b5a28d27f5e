//! The configuration: which lists and rules there are, for which groups of clients, and when.
//!
//! [`Config::read`] reads a file in TOML, of which `example.toml` in this folder shows all. What
//! comes out is consistent: groups, schedules and audiences are referred to by numbers that exist,
//! and there are no more of them than the kernel holds. Files that are named in it are not looked
//! at.

mod actions;
mod audiences;
mod error;
mod file;
mod groups;
mod member;
mod naming;
mod place;
mod rules;
mod schedules;
mod service;
mod week;
mod words;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use toml::Spanned;

use audiences::AudiencesOfFile;
use error::Located;
use file::File;
use naming::Naming;
use place::Lines;

pub use actions::{ActionsError, Addresses, BlockAction, error_code, quic_action, tcp_action};
pub use audiences::{Audience, AudiencesError, MOST_AUDIENCES};
pub use error::{ConfigError, Fault};
pub use groups::{Group, GroupsError, MOST_CLIENTS, MOST_GROUPS};
pub use member::{Member, MemberError};
pub use naming::{Named, NamingError};
pub use place::Entry;
pub use rules::{List, Rules, RulesError};
pub use schedules::{Schedule, SchedulesError};
pub use service::{InterfaceOptions, Service, ServiceError, ServiceOption, ServiceValue};
pub use week::TimesError;

use crate::audiences::Audiences;

/// Bytes that a configuration can have: a million clients take about twenty million.
pub const MAX_FILE: usize = 1 << 25;

/// A configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The folder in which the compiled policy is kept. A relative path is one from the file's
    /// folder.
    pub cache: Option<PathBuf>,
    /// The lists, in the order of the file, as all that follows.
    pub lists: Vec<List>,
    /// Rules that stand in the file itself.
    pub rules: Vec<Rules>,
    /// Groups of clients. The group with the number `n` is `groups[n - 1]`; 0 is the number of
    /// clients in no group.
    pub groups: Vec<Group>,
    /// Schedules.
    pub schedules: Vec<Schedule>,
    /// What it says of the service itself.
    pub service: Service,
    audiences: Vec<Audience>,
}

impl Default for Config {
    /// No lists, no rules and no groups.
    fn default() -> Self {
        Self {
            cache: None,
            lists: Vec::new(),
            rules: Vec::new(),
            groups: Vec::new(),
            schedules: Vec::new(),
            service: Service::default(),
            audiences: vec![Audience::default()],
        }
    }
}

impl Config {
    /// Reads the configuration at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut text = Vec::new();
        let file = fs::File::open(path).map_err(|error| ConfigError::read(path, error))?;
        file.take(MAX_FILE as u64 + 1)
            .read_to_end(&mut text)
            .map_err(|error| ConfigError::read(path, error))?;
        if text.len() > MAX_FILE {
            return Err(ConfigError::TooLarge(path.into()));
        }
        let text = str::from_utf8(&text).map_err(|error| {
            let line = Lines::new(&text).at(error.valid_up_to());
            ConfigError::Binary {
                file: path.into(),
                line,
            }
        })?;
        Self::parse(text, path)
    }

    /// Reads a configuration that would be at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let lines = Lines::new(text.as_bytes());
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::of(text, folder, &lines).map_err(|Located { at, fault }| ConfigError::At {
            file: path.into(),
            line: lines.at(at),
            column: lines.column(at),
            fault,
        })
    }

    fn of(text: &str, folder: &Path, lines: &Lines) -> Result<Self, Located> {
        let file: File = toml::from_str(text).map_err(|error| Located::toml(&error))?;
        let mut names = Naming::new(Named::Group, lines);
        let groups = groups::groups(file.group, &mut names, lines)?;
        let mut schedule_names = Naming::new(Named::Schedule, lines);
        let schedules = schedules::schedules(file.schedule, &mut schedule_names)?;
        let mut audiences = AudiencesOfFile::new(names, schedule_names);
        // Where several of them block a name, the one that stands first says what becomes of it.
        let lists_in_order = file
            .list
            .iter()
            .map(|table| (table.span().start, table.get_ref().scope()));
        let rules_in_order = file
            .rules
            .iter()
            .map(|table| (table.span().start, table.get_ref().scope()));
        let mut scopes: Vec<_> = lists_in_order.chain(rules_in_order).collect();
        scopes.sort_by_key(|(start, _)| *start);
        for (start, scope) in scopes {
            audiences.of(&scope, &Spanned::new(start..start, ()))?;
        }
        audiences.check()?;
        let lists = rules::lists(file.list, folder, &mut audiences, lines)?;
        let rules = rules::rules(&file.rules, &mut audiences, lines)?;
        let service = service::service(file.run, file.interface, lines)?;
        let cache = file.cache.map(|cache| folder.join(cache.into_inner()));
        Ok(Self {
            cache,
            lists,
            rules,
            groups,
            schedules,
            service,
            audiences: audiences.into_audiences(),
        })
    }

    /// Whom lists and rules are for, when, and what becomes of what they block. The first audience
    /// is for all groups that are not exempt, at all times, with whatever the interface does; the
    /// others are in the order of the file. No two are alike, and there are no more than
    /// [`MOST_AUDIENCES`].
    pub fn audiences(&self) -> &[Audience] {
        &self.audiences
    }

    /// The audiences that a group meets at a time. None for a group that is exempt, and for a
    /// number that is no group's.
    pub fn audiences_of(&self, group: usize, at: Timestamp) -> Audiences {
        self.audiences_of_all(at)
            .get(group)
            .cloned()
            .unwrap_or_default()
    }

    /// The audiences that each group meets at a time; the first is that of the clients in no group.
    pub fn audiences_of_all(&self, at: Timestamp) -> Vec<Audiences> {
        let on: Vec<_> = self
            .schedules
            .iter()
            .map(|schedule| schedule.is_on(at))
            .collect();
        let is_on = |audience: &Audience| {
            audience
                .schedule
                .is_none_or(|index| on.get(index).copied().unwrap_or_default())
        };
        let in_force = || {
            (0..)
                .zip(&self.audiences)
                .filter(|(_, audience)| is_on(audience))
        };
        let of_everybody: Audiences = in_force()
            .filter(|(_, audience)| audience.groups.is_none())
            .map(|(audience, _)| audience)
            .collect();
        let mut all = vec![of_everybody; self.groups.len() + 1];
        for (audience, Audience { groups, .. }) in in_force() {
            for group in groups.iter().flatten() {
                if let Some(audiences) = all.get_mut(*group) {
                    audiences.insert(audience);
                }
            }
        }
        for (audiences, group) in all.iter_mut().skip(1).zip(&self.groups) {
            if group.exempt {
                *audiences = Audiences::default();
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
