//! The collection of real lists beside the repository, as a policy of all of them takes it.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use fastrand::Rng;
use filter_lists::{
    Action, ListError, ListOptions, ListReport, ListRule, Sink, Subject, TooManyNames,
};

use crate::names::SEED;

/// Lists of what may pass; the others block.
const ALLOW: [&str; 3] = [
    "hagezi/whitelist.domains",
    "hagezi/whitelist.regex",
    "hagezi/whitelist.adblock",
];

/// No lists of what to block: suffixes, names that people visit, names and their resolvers, and
/// what is beside the lists.
const NOT_READ: [&str; 5] = [
    "psl/",
    "popular/",
    "dnsmasq-china-list/",
    "README.md",
    "counts.tsv",
];

/// A list of the collection.
pub struct ListFile {
    path: PathBuf,
    allow: bool,
}

/// A pattern that a list has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    pub text: String,
    pub action: Action,
}

/// Where the collection would be.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}

/// All lists of the collection in the order of their names; none where there is no collection.
pub fn lists() -> Vec<ListFile> {
    let mut files = Vec::new();
    for path in entries(&folder()).unwrap_or_default() {
        match entries(&path) {
            Ok(inside) => files.extend(inside),
            Err(_) => files.push(path),
        }
    }
    files.sort();
    let all = files.into_iter().map(|path| {
        let name = path
            .strip_prefix(folder())
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        (path, name)
    });
    let read = all.filter(|(_, name)| !NOT_READ.iter().any(|start| name.starts_with(start)));
    read.map(|(path, name)| ListFile {
        path,
        allow: ALLOW.contains(&&*name),
    })
    .collect()
}

/// What lies in a folder.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

impl ListFile {
    /// As a compiled policy names it.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Reads the list; `None` if it holds nothing that is a rule, like those of addresses.
    pub fn load(&self, sink: &mut dyn Sink) -> anyhow::Result<Option<ListReport>> {
        let options = ListOptions {
            allow: self.allow,
            ..ListOptions::default()
        };
        match filter_lists::load(&self.path, &options, sink, &mut |_| ()) {
            Ok(report) => Ok(Some(report)),
            Err(ListError::Empty { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The patterns of all lists, each once, in an order that is the same each time and not that of the
/// lists.
pub fn patterns() -> anyhow::Result<Vec<Pattern>> {
    let mut patterns = Patterns::default();
    for list in lists() {
        list.load(&mut patterns)?;
    }
    let mut all = patterns.in_order;
    all.retain(|pattern| !patterns.cancelled.contains(pattern));
    Rng::with_seed(SEED).shuffle(&mut all);
    Ok(all)
}

/// Takes patterns.
#[derive(Default)]
struct Patterns {
    in_order: Vec<Pattern>,
    known: HashSet<Pattern>,
    cancelled: HashSet<Pattern>,
}

impl Sink for Patterns {
    fn rule(&mut self, rule: ListRule<'_>, _: u32) -> Result<bool, TooManyNames> {
        let Subject::Pattern(text) = rule.subject else {
            return Ok(true);
        };
        let pattern = Pattern {
            text: text.into(),
            action: rule.action,
        };
        if rule.cancels {
            return Ok(self.cancelled.insert(pattern));
        }
        let new = self.known.insert(pattern.clone());
        if new {
            self.in_order.push(pattern);
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_taken_once_for_an_action_and_names_are_not() {
        let mut patterns = Patterns::default();
        let of = |subject, action| ListRule {
            subject,
            action,
            answer: None,
            cancels: false,
        };
        let pattern = Subject::Pattern("^ads?\\.");
        let name = Subject::Name("ads.example", filter_lists::Scope::Name);
        for (subject, action) in [
            (pattern, Action::Block),
            (pattern, Action::Block),
            (pattern, Action::Allow),
            (name, Action::Block),
        ] {
            patterns.rule(of(subject, action), 1).unwrap();
        }
        let taken: Vec<_> = patterns
            .in_order
            .iter()
            .map(|pattern| (&*pattern.text, pattern.action))
            .collect();
        assert_eq!(
            taken,
            [("^ads?\\.", Action::Block), ("^ads?\\.", Action::Allow)]
        );
    }
}
