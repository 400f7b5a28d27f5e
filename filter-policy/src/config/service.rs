//! What the file says to `namegate run` of the service itself: as options, which whoever runs it
//! knows.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{
    error::{At as _, Located},
    place::Lines,
};

/// A table of options as it is written.
pub(super) type OptionTable = BTreeMap<Spanned<String>, Spanned<Written>>;

/// A value as it is written.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a text, a number, true or false, or several texts or numbers in brackets"
)]
pub(super) enum Written {
    Flag(bool),
    One(Word),
    Several(Vec<Word>),
}

/// A text or a number.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Word {
    Text(String),
    Number(u64),
}

/// The options of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The table `[run]`.
    pub run: Vec<ServiceOption>,
    /// The tables `[[interface]]`.
    pub interfaces: Vec<InterfaceOptions>,
}

impl Service {
    /// True if the other one says the same, wherever in the file.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let keys = |options: &[ServiceOption]| -> BTreeMap<String, ServiceValue> {
            let pair = |it: &ServiceOption| (it.key.clone(), it.value.clone());
            options.iter().map(pair).collect()
        };
        let tables = |service: &Self| -> Vec<_> {
            let table = |it: &InterfaceOptions| (it.name.clone(), keys(&it.options));
            service.interfaces.iter().map(table).collect()
        };
        keys(&self.run) == keys(&other.run) && tables(self) == tables(other)
    }
}

/// What is said of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceOptions {
    /// Its name.
    pub name: String,
    /// Its options.
    pub options: Vec<ServiceOption>,
}

/// An option of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOption {
    /// Its name, as that of an option of the command line without dashes.
    pub key: String,
    /// What is said.
    pub value: ServiceValue,
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes, from 1.
    pub column: u32,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceValue {
    /// Whether something is so.
    Flag(bool),
    /// One or several words or numbers.
    Words(Vec<String>),
}

/// What is wrong with a table `[[interface]]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// It has no name.
    #[error("an [[interface]] has no name: add one, as in name = \"eth0\"")]
    NoName,
    /// The name is no text.
    #[error("the name of an [[interface]] is no text: write it in quotes, as in name = \"eth0\"")]
    NameNoText,
    /// Two have one name.
    #[error("there are two [[interface]] of this name: put their options into one")]
    Twice,
}

/// The options of the file.
pub(super) fn service(
    run: Option<OptionTable>,
    interfaces: Vec<Spanned<OptionTable>>,
    lines: &Lines,
) -> Result<Service, Located> {
    let mut service = Service {
        run: run.map_or_else(Vec::new, |run| options(run, lines)),
        interfaces: Vec::new(),
    };
    for table in interfaces {
        let place = Spanned::new(table.span(), ());
        let mut all = options(table.into_inner(), lines);
        let named = all.iter().position(|option| option.key == "name");
        let named = named.ok_or(ServiceError::NoName).at(&place)?;
        let name = match all.remove(named).value {
            ServiceValue::Words(words) if words.len() == 1 => words.concat(),
            _ => return Err(ServiceError::NameNoText).at(&place),
        };
        if service.interfaces.iter().any(|it| it.name == name) {
            return Err(ServiceError::Twice).at(&place);
        }
        let options = all;
        service.interfaces.push(InterfaceOptions { name, options });
    }
    Ok(service)
}

fn options(table: OptionTable, lines: &Lines) -> Vec<ServiceOption> {
    let mut options: Vec<_> = table
        .into_iter()
        .map(|(key, value)| ServiceOption {
            line: lines.of(&key),
            column: lines.column(key.span().start),
            key: key.into_inner(),
            value: value.into_inner().into(),
        })
        .collect();
    options.sort_by_key(|option| option.line);
    options
}

impl From<Written> for ServiceValue {
    fn from(written: Written) -> Self {
        match written {
            Written::Flag(flag) => Self::Flag(flag),
            Written::One(word) => Self::Words(vec![word.into()]),
            Written::Several(words) => Self::Words(words.into_iter().map(Into::into).collect()),
        }
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        match word {
            Word::Text(text) => text,
            Word::Number(number) => number.to_string(),
        }
    }
}
