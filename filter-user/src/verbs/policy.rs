//! Which policy, for the verbs that read one.

use std::path::{Path, PathBuf};

use clap::{
    ValueHint,
    builder::{OsStringValueParser, TypedValueParser as _},
};
use filter_lists::{ListFile, ListOptions, Trust};
use filter_policy::compiled::PolicySource;

/// Lists, and a configuration with groups and schedules.
#[derive(Clone, Debug, clap::Args)]
pub struct PolicyArgs {
    /// Lists of what to block, in a format that is told by their content or named (`rpz:FILE`); `-`
    /// reads standard input
    #[arg(long, num_args = 1.., value_name = "[FORMAT:]FILE", value_hint = ValueHint::FilePath, value_parser = list_file())]
    list: Vec<ListFile>,

    /// Lists of what to allow, whatever blocks it
    #[arg(long, num_args = 1.., value_name = "[FORMAT:]FILE", value_hint = ValueHint::FilePath, value_parser = list_file())]
    allow: Vec<ListFile>,

    /// Entries of hosts files and of lists of names are about all names below as well
    #[arg(long)]
    subtrees: bool,

    /// What the lists of --list may do to other lists' rules: nothing (block), or what their
    /// exceptions say (full)
    #[arg(long, value_name = "block|full", default_value = "full")]
    trust: Trust,

    /// A file with lists, single rules, groups of clients and schedules
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
}

impl PolicyArgs {
    /// The configuration.
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub fn source(&self) -> PolicySource {
        let options = |allow| ListOptions {
            format: None,
            allow,
            widen: self.subtrees,
            trust: self.trust,
        };
        let block = self.list.iter().map(|file| (file.clone(), options(false)));
        let allow = self.allow.iter().map(|file| (file.clone(), options(true)));
        PolicySource {
            config: self.config.clone(),
            lists: block.chain(allow).collect(),
            ..PolicySource::default()
        }
    }
}

/// A list's file, with the name of its format before it or not.
pub fn list_file() -> impl clap::builder::TypedValueParser<Value = ListFile> {
    OsStringValueParser::new().try_map(ListFile::try_from)
}
