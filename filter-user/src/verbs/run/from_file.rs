//! Options of `namegate run` that stand in the configuration: in `[run]` by their long names, and in
//! `[[interface]]` those that may be said of one interface.
//!
//! They are read as if they stood on the command line, by what reads that. What the command line
//! says counts more.

use std::{error::Error as _, ffi::OsString, path::Path};

use anyhow::{anyhow, bail};
use clap::{
    Arg, ArgAction, ArgMatches, Command, CommandFactory as _, Parser as _, ValueHint,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};
use filter_policy::config::{Config, InterfaceOptions, Service, ServiceOption, ServiceValue};

use super::Args;
use crate::cli::{Cli, Verb};

/// Options that the configuration has another place for.
const ELSEWHERE: [(&str, &str); 8] = [
    ("iface", "name interfaces with [[interface]]"),
    ("clients", "write clients = true into an [[interface]]"),
    ("list", "name lists with [[list]]"),
    ("allow", "name lists with [[list]], and add allow = true"),
    ("subtrees", "write it into a [[list]]"),
    ("trust", "write it into a [[list]]"),
    ("config", "a configuration names no other one"),
    ("cache", "write it above all tables"),
];

/// The arguments, with what the configuration says where the command line says nothing.
///
/// # Errors
/// If the configuration cannot be read, or says what `run` does not take.
pub fn completed(args: &Args, line: &[OsString]) -> anyhow::Result<Args> {
    let Some(file) = args.policy.config() else {
        return Ok(args.clone());
    };
    let service = Config::read(file)?.service;
    let args = with_service(line, &service, file)?;
    if args.iface.is_empty() {
        bail!(
            "no interface is named: add --iface IF, or [[interface]] with a name to `{}`",
            file.display()
        );
    }
    Ok(args)
}

/// The arguments that a configuration stands for, which may name no interface.
///
/// # Errors
/// If it cannot be read, or says what `run` does not take.
pub fn alone(file: &Path) -> anyhow::Result<Args> {
    let line = ["namegate", "run", "--config"].map(OsString::from);
    let line = [&line[..], &[file.into()]].concat();
    with_service(&line, &Config::read(file)?.service, file)
}

fn with_service(line: &[OsString], service: &Service, file: &Path) -> anyhow::Result<Args> {
    let mut cli = Cli::command();
    cli.build();
    let known = cli
        .find_subcommand("run")
        .ok_or_else(|| anyhow!("no verb run"))?;
    let matches = Cli::command().try_get_matches_from(line)?;
    let given = matches
        .subcommand_matches("run")
        .ok_or_else(|| anyhow!("another verb than run"))?;
    let mut further = Further {
        known,
        given,
        folder: file.parent().unwrap_or(Path::new("")),
        words: Vec::new(),
        said: Vec::new(),
    };
    let said = further.take(service);
    said.map_err(|(place, fault)| located(file, place, &fault))?;
    let all = [line, &further.words].concat();
    match Cli::try_parse_from(all).map(|cli| cli.verb) {
        Ok(Verb::Run(args)) => Ok(*args),
        Ok(_) => bail!("another verb than run"),
        Err(error) => Err(explained(error, &further.said, file)),
    }
}

/// Arguments out of the configuration.
struct Further<'c> {
    known: &'c Command,
    given: &'c ArgMatches,
    folder: &'c Path,
    words: Vec<OsString>,
    /// The keys that became arguments, with their places.
    said: Vec<(String, Place)>,
}

/// A line and a column of the configuration, and what is wrong there.
type Fault = (Place, String);

#[derive(Clone, Copy)]
struct Place {
    line: u32,
    column: u32,
}

impl Place {
    fn of(option: &ServiceOption) -> Self {
        let ServiceOption { line, column, .. } = *option;
        Self { line, column }
    }
}

impl<'c> Further<'c> {
    fn take(&mut self, service: &Service) -> Result<(), Fault> {
        for option in &service.run {
            let arg = self.of_run(option)?;
            if !self.is_given(arg) {
                self.add(arg, option)?;
            }
        }
        let named: Vec<_> = self
            .given
            .get_many::<String>("iface")
            .into_iter()
            .flatten()
            .collect();
        for interface in &service.interfaces {
            if named.is_empty() {
                self.words
                    .extend(["--iface".into(), (&interface.name).into()]);
            } else if !named.contains(&&interface.name) {
                continue;
            }
            self.take_interface(interface)?;
        }
        Ok(())
    }

    fn take_interface(&mut self, interface: &InterfaceOptions) -> Result<(), Fault> {
        let InterfaceOptions { name, options } = interface;
        for option in options {
            let arg = self.of_interface(option)?;
            if self.is_given(arg) {
                continue;
            }
            let word = match (&option.value, option.key == "clients") {
                (ServiceValue::Flag(true), true) => name.clone(),
                (ServiceValue::Flag(false), true) => continue,
                (ServiceValue::Words(_), true) => {
                    return Err((Place::of(option), "`clients` is true or false".to_owned()));
                }
                (value, false) => format!("{name}={}", one_word(option, value)?),
            };
            self.say(option);
            self.words.extend([dashed(arg).into(), word.into()]);
        }
        Ok(())
    }

    /// The option of `[run]`.
    fn of_run(&self, option: &ServiceOption) -> Result<&'c Arg, Fault> {
        let key = &option.key;
        if let Some((_, instead)) = ELSEWHERE.iter().find(|(it, _)| it == key) {
            return Err((
                Place::of(option),
                format!("`{key}` has no place in [run]: {instead}"),
            ));
        }
        let has_place = |arg: &&Arg| ELSEWHERE.iter().all(|(it, _)| arg.get_long() != Some(*it));
        self.find(option, "[run]", has_place)
    }

    /// The option of an `[[interface]]`.
    fn of_interface(&self, option: &ServiceOption) -> Result<&'c Arg, Fault> {
        let is_of_one = |arg: &&Arg| {
            let names = arg.get_value_names().unwrap_or_default();
            arg.get_long() == Some("clients") || names.iter().any(|name| name.starts_with("[IF=]"))
        };
        self.find(option, "[[interface]]", is_of_one)
    }

    fn find(
        &self,
        option: &ServiceOption,
        table: &str,
        is_known: impl Fn(&&'c Arg) -> bool,
    ) -> Result<&'c Arg, Fault> {
        let key = &option.key;
        let args = self.known.get_arguments().filter(is_known);
        let mut known: Vec<_> = args
            .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
            .filter_map(|arg| Some((arg.get_long()?, arg)))
            .collect();
        if let Some((_, arg)) = known.iter().find(|(long, _)| long == key) {
            return Ok(arg);
        }
        known.sort_by(|(one, _), (other, _)| {
            strsim::jaro(other, key).total_cmp(&strsim::jaro(one, key))
        });
        let nearest = known.first().map_or("", |(long, _)| long);
        Err((
            Place::of(option),
            format!(
                "{table} has no key `{}`; the nearest is `{nearest}`, and `namegate run --help` has all",
                key.escape_debug()
            ),
        ))
    }

    /// True if the command line or the environment says it.
    fn is_given(&self, arg: &Arg) -> bool {
        matches!(
            self.given.value_source(arg.get_id().as_str()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    }

    fn add(&mut self, arg: &Arg, option: &ServiceOption) -> Result<(), Fault> {
        let key = &option.key;
        let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
        match (&option.value, is_flag) {
            (ServiceValue::Flag(is_on), true) => {
                if *is_on {
                    self.words.push(dashed(arg).into());
                }
            }
            (ServiceValue::Words(_), true) => {
                return Err((Place::of(option), format!("`{key}` is true or false")));
            }
            (ServiceValue::Flag(_), false) => {
                return Err((
                    Place::of(option),
                    format!("`{key}` takes a value, and not true or false"),
                ));
            }
            (ServiceValue::Words(words), false) => {
                let words = words.iter().map(|word| self.word(arg, word));
                let words: Vec<_> = [dashed(arg).into()].into_iter().chain(words).collect();
                self.words.extend(words);
            }
        }
        self.say(option);
        Ok(())
    }

    /// A word of an option. A relative path is one from the file's folder.
    fn word(&self, arg: &Arg, word: &str) -> OsString {
        match arg.get_value_hint() {
            ValueHint::FilePath | ValueHint::DirPath => self.folder.join(word).into(),
            _ => word.into(),
        }
    }

    fn say(&mut self, option: &ServiceOption) {
        self.said.push((option.key.clone(), Place::of(option)));
    }
}

fn one_word<'v>(option: &ServiceOption, value: &'v ServiceValue) -> Result<&'v str, Fault> {
    match value {
        ServiceValue::Words(words) if words.len() == 1 => Ok(&words[0]),
        _ => Err((
            Place::of(option),
            format!("`{}` takes one word in an [[interface]]", option.key),
        )),
    }
}

fn dashed(arg: &Arg) -> String {
    format!("--{}", arg.get_long().unwrap_or_default())
}

/// Says where in the configuration a value stands that an option does not take.
fn explained(error: clap::Error, said: &[(String, Place)], file: &Path) -> anyhow::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let arg = text(ContextKind::InvalidArg).unwrap_or_default();
    let key = arg
        .split(' ')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-');
    let Some((key, place)) = said.iter().find(|(it, _)| it == key) else {
        return error.into();
    };
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    let value = value.escape_debug();
    let fault = match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(source)) => format!("`{key}`: {source}"),
        (ErrorKind::InvalidValue, _) => {
            let valid = text(ContextKind::ValidValue).unwrap_or_default();
            format!("`{key}` does not take `{value}`; it takes one of {valid}")
        }
        _ => format!("`{key}` does not take so many values"),
    };
    located(file, *place, &fault)
}

fn located(file: &Path, Place { line, column }: Place, fault: &str) -> anyhow::Error {
    let file = file.display();
    anyhow!("the configuration `{file}`, line {line}, column {column}: {fault}")
}

#[cfg(test)]
mod tests;
