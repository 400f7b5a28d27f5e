//! `namegate check --config`

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use filter_policy::compiled::{HashKeyPolicy, PolicySource};
use filter_user::kernel::draw_hash_key;
use serde::Serialize;

use crate::{
    output::plural,
    verbs::run::{from_file, loading},
};

/// What a configuration says, when nothing is wrong with it.
#[derive(Serialize)]
pub struct Configuration {
    config: PathBuf,
    interfaces: Vec<String>,
    lists: Vec<List>,
    groups: Vec<String>,
    schedules: Vec<String>,
}

#[derive(Serialize)]
struct List {
    list: String,
    rules: u64,
}

/// Reads it as `run` does, with all lists that it names.
pub fn read(file: &Path) -> anyhow::Result<Configuration> {
    let args = from_file::alone(file)?;
    args.answers.check(&args.iface)?;
    let source = PolicySource {
        // What an earlier start has kept says nothing about the files.
        cache: None,
        ..args.source()
    };
    let policy = loading::read(&source, &HashKeyPolicy::Apart(draw_hash_key()?))?;
    let lists = policy.reports.iter().map(|report| List {
        list: report.list.clone(),
        rules: report.kinds.total(),
    });
    let names = |groups: &[filter_policy::config::Group]| {
        groups.iter().map(|group| group.name.clone()).collect()
    };
    let schedules = policy.config.schedules.iter();
    Ok(Configuration {
        config: file.into(),
        interfaces: args.iface,
        lists: lists.collect(),
        groups: names(&policy.config.groups),
        schedules: schedules.map(|it| it.name.clone()).collect(),
    })
}

impl Configuration {
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let rules = self.lists.iter().map(|list| list.rules).sum();
        let number = |things: usize, what| plural(things as u64, what);
        writeln!(
            out,
            "nothing is wrong with {}: {}, {} with {}, {}, {}",
            self.config.display(),
            number(self.interfaces.len(), "interface"),
            number(self.lists.len(), "list"),
            plural(rules, "rule"),
            number(self.groups.len(), "group"),
            number(self.schedules.len(), "schedule"),
        )
    }
}
