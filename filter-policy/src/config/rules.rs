//! Lists, and rules that stand in the configuration itself.

use std::path::{Path, PathBuf};

use filter_core::ListName;
use filter_lists::{Trust, UnknownTrust};
use toml::Spanned;

use super::{
    audiences::{AudiencesOfFile, Member},
    error::{At, Located, shown},
    file::{ListTable, RulesTable, Text},
    place::{Entry, Lines},
};

/// A list: a file of names and rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The file. A relative path is one from where the configuration was named from.
    pub file: PathBuf,
    /// What those whom it blocks see of it; `None` for the name of the file.
    pub name: Option<String>,
    /// The name of its format; `None` if its content tells.
    pub format: Option<Entry>,
    /// True if what it would block is allowed instead.
    pub allow: bool,
    /// True if its names are meant with all names below them, where the format means the name
    /// alone.
    pub subtrees: bool,
    /// What it may do to the rules of other lists.
    pub trust: Trust,
    /// True if what it would block passes, and is reported.
    pub trial: bool,
    /// The index of the audience that says for whom it is, when, and what becomes of what it
    /// blocks.
    pub audience: usize,
    /// The line of the configuration that names the file.
    pub line: u32,
}

/// Rules that stand in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is blocked. A text here is one line and not empty; what it says is not looked at.
    pub block: Vec<Entry>,
    /// What is allowed, likewise.
    pub allow: Vec<Entry>,
    /// True if what they would block passes, and is reported.
    pub trial: bool,
    /// The index of the audience that says for whom they are, when, and what becomes of what they
    /// block.
    pub audience: usize,
}

/// What is wrong with a list or rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// There is no file.
    #[error("`file` is empty: name the file of the list")]
    NoFile,
    /// The file is standard input, which could be read only once.
    #[error(
        "`-` names no file: lists are read again when they change, so standard input cannot be one"
    )]
    StandardInput,
    /// The name has no character.
    #[error(
        "`name` is empty: give the list one that blocked clients may see, or leave it out for the file's name"
    )]
    NoName,
    /// The name is longer than an answer has room for.
    #[error(
        "`name` has {} bytes, and blocked clients see {} at most: shorten it",
        .0,
        ListName::MOST
    )]
    LongName(usize),
    /// Its trust is none that there is.
    #[error(transparent)]
    Trust(#[from] UnknownTrust),
    /// What is trusted to block only cannot allow.
    #[error(
        "`trust` says what a list that blocks may do to others, and this one allows: take one of the two out"
    )]
    TrustOfAllow,
    /// There is nothing to block and nothing to allow.
    #[error(
        "these [[rules]] neither block nor allow: add block = [\"example.com\"], or take the table out"
    )]
    NoRules,
    /// A rule has no character.
    #[error("this rule is empty: write a name, as in \"example.com\", or take it out")]
    EmptyRule,
    /// The text has control characters.
    #[error("`{}` has line breaks or other control characters: write each rule in quotes of its own", shown(.0))]
    Control(String),
    /// A name has control characters.
    #[error("the name `{}` has control characters: leave these out", shown(.0))]
    ControlInName(String),
}

/// The lists, with paths relative to the folder of the configuration.
pub(super) fn lists(
    tables: Vec<Spanned<ListTable>>,
    folder: &Path,
    audiences: &mut AudiencesOfFile,
    lines: &Lines,
) -> Result<Vec<List>, Located> {
    tables
        .into_iter()
        .map(|table| list(table, folder, audiences, lines))
        .collect()
}

fn list(
    table: Spanned<ListTable>,
    folder: &Path,
    audiences: &mut AudiencesOfFile,
    lines: &Lines,
) -> Result<List, Located> {
    let Member { audience, trial } = audiences.of(&table.get_ref().scope(), &table)?;
    let ListTable {
        file,
        name,
        format,
        allow,
        subtrees,
        trust,
        ..
    } = table.into_inner();
    match file.get_ref().as_str() {
        "" => return Err(RulesError::NoFile).at(&file),
        "-" => return Err(RulesError::StandardInput).at(&file),
        _ => {}
    }
    let line = lines.of(&file);
    let format = format.map(|format| lines.entry(format));
    let name = name.map(shown_name).transpose()?;
    let trust = trust.map_or(Ok(Trust::default()), |trust| trust_of(&trust, allow))?;
    Ok(List {
        file: folder.join(file.into_inner()),
        name,
        format,
        allow,
        subtrees,
        trust,
        trial,
        audience,
        line,
    })
}

fn trust_of(trust: &Text, allow: bool) -> Result<Trust, Located> {
    if allow {
        return Err(RulesError::TrustOfAllow).at(trust);
    }
    trust.get_ref().parse().map_err(RulesError::from).at(trust)
}

/// A name that clients may see.
fn shown_name(name: Text) -> Result<String, Located> {
    let text = name.get_ref();
    if text.trim().is_empty() {
        return Err(RulesError::NoName).at(&name);
    }
    if text.contains(char::is_control) {
        return Err(RulesError::ControlInName(text.clone())).at(&name);
    }
    if text.len() > ListName::MOST {
        return Err(RulesError::LongName(text.len())).at(&name);
    }
    Ok(name.into_inner())
}

/// The rules.
pub(super) fn rules(
    tables: &[Spanned<RulesTable>],
    audiences: &mut AudiencesOfFile,
    lines: &Lines,
) -> Result<Vec<Rules>, Located> {
    tables
        .iter()
        .map(|table| rules_of(table, audiences, lines))
        .collect()
}

fn rules_of(
    table: &Spanned<RulesTable>,
    audiences: &mut AudiencesOfFile,
    lines: &Lines,
) -> Result<Rules, Located> {
    let RulesTable { block, allow, .. } = table.get_ref();
    if block.is_none() && allow.is_none() {
        return Err(RulesError::NoRules).at(table);
    }
    let Member { audience, trial } = audiences.of(&table.get_ref().scope(), table)?;
    Ok(Rules {
        block: entries(block.as_deref(), lines)?,
        allow: entries(allow.as_deref(), lines)?,
        trial,
        audience,
    })
}

fn entries(texts: Option<&[Text]>, lines: &Lines) -> Result<Vec<Entry>, Located> {
    texts
        .into_iter()
        .flatten()
        .map(|text| entry(text, lines))
        .collect()
}

fn entry(text: &Text, lines: &Lines) -> Result<Entry, Located> {
    let rule = text.get_ref();
    if rule.trim().is_empty() {
        return Err(RulesError::EmptyRule).at(text);
    }
    if rule.contains(char::is_control) {
        return Err(RulesError::Control(rule.clone())).at(text);
    }
    Ok(Entry {
        text: rule.clone(),
        line: lines.of(text),
    })
}
