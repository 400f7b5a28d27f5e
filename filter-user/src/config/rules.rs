//! Lists, and rules that stand in the configuration itself.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::{
    classes::Classes,
    error::{At, Located, shown},
    file::{ListTable, RulesTable, Text},
    place::{Entry, Lines},
};

/// A list: a file of names and rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The file. A relative path is one from where the configuration was named from.
    pub file: PathBuf,
    /// The name of its format; `None` if its content tells.
    pub format: Option<Entry>,
    /// True if what it would block is allowed instead.
    pub allow: bool,
    /// True if its names are meant with all names below them, where the format means the name alone.
    pub subtrees: bool,
    /// The index of the class that says for whom it is, and when.
    pub class: usize,
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
    /// The index of the class that says for whom they are, and when.
    pub class: usize,
}

/// What is wrong with a list or rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// There is no file.
    #[error("`file` is empty: name the file of the list")]
    NoFile,
    /// The file is standard input, which could be read only once.
    #[error("`-` names no file: lists are read again when they change, so standard input cannot be one")]
    StandardInput,
    /// There is nothing to block and nothing to allow.
    #[error("these [[rules]] neither block nor allow: add block = [\"example.com\"], or take the table out")]
    NoRules,
    /// A rule has no character.
    #[error("this rule is empty: write a name, as in \"example.com\", or take it out")]
    EmptyRule,
    /// The text has control characters.
    #[error("`{}` has line breaks or other control characters: write each rule in quotes of its own", shown(.0))]
    Control(String),
}

/// The lists, with paths relative to the folder of the configuration.
pub(super) fn lists(
    tables: Vec<Spanned<ListTable>>,
    folder: &Path,
    classes: &mut Classes,
    lines: &Lines,
) -> Result<Vec<List>, Located> {
    tables.into_iter().map(|table| list(table, folder, classes, lines)).collect()
}

fn list(table: Spanned<ListTable>, folder: &Path, classes: &mut Classes, lines: &Lines) -> Result<List, Located> {
    let class = classes.index(table.get_ref().groups.as_ref(), table.get_ref().schedule.as_ref(), &table)?;
    let ListTable { file, format, allow, subtrees, .. } = table.into_inner();
    match file.get_ref().as_str() {
        "" => return Err(RulesError::NoFile).at(&file),
        "-" => return Err(RulesError::StandardInput).at(&file),
        _ => {}
    }
    let line = lines.of(&file);
    let format = format.map(|format| lines.entry(format));
    Ok(List { file: folder.join(file.into_inner()), format, allow, subtrees, class, line })
}

/// The rules.
pub(super) fn rules(
    tables: &[Spanned<RulesTable>],
    classes: &mut Classes,
    lines: &Lines,
) -> Result<Vec<Rules>, Located> {
    tables.iter().map(|table| rules_of(table, classes, lines)).collect()
}

fn rules_of(table: &Spanned<RulesTable>, classes: &mut Classes, lines: &Lines) -> Result<Rules, Located> {
    let RulesTable { block, allow, groups, schedule } = table.get_ref();
    let class = classes.index(groups.as_ref(), schedule.as_ref(), table)?;
    if block.is_none() && allow.is_none() {
        return Err(RulesError::NoRules).at(table);
    }
    Ok(Rules { block: entries(block.as_deref(), lines)?, allow: entries(allow.as_deref(), lines)?, class })
}

fn entries(texts: Option<&[Text]>, lines: &Lines) -> Result<Vec<Entry>, Located> {
    texts.into_iter().flatten().map(|text| entry(text, lines)).collect()
}

fn entry(text: &Text, lines: &Lines) -> Result<Entry, Located> {
    let rule = text.get_ref();
    if rule.trim().is_empty() {
        return Err(RulesError::EmptyRule).at(text);
    }
    if rule.contains(char::is_control) {
        return Err(RulesError::Control(rule.clone())).at(text);
    }
    Ok(Entry { text: rule.clone(), line: lines.of(text) })
}
