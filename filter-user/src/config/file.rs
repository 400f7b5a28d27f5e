//! The file as it is written, before anything in it is looked at.

use serde::Deserialize;
use toml::Spanned;

/// A text and where it stands.
pub(super) type Text = Spanned<String>;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub list: Vec<Spanned<ListTable>>,
    #[serde(default)]
    pub rules: Vec<Spanned<RulesTable>>,
    #[serde(default)]
    pub group: Vec<GroupTable>,
    #[serde(default)]
    pub schedule: Vec<ScheduleTable>,
}

/// A table `[[list]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTable {
    pub file: Text,
    pub format: Option<Text>,
    #[serde(default)]
    pub allow: bool,
    #[serde(default)]
    pub subtrees: bool,
    pub groups: Option<Spanned<Vec<Text>>>,
    pub schedule: Option<Text>,
}

/// A table `[[rules]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesTable {
    pub block: Option<Vec<Text>>,
    pub allow: Option<Vec<Text>>,
    pub groups: Option<Spanned<Vec<Text>>>,
    pub schedule: Option<Text>,
}

/// A table `[[group]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupTable {
    pub name: Text,
    #[serde(default)]
    pub clients: Vec<Text>,
    #[serde(default)]
    pub exempt: bool,
}

/// A table `[[schedule]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ScheduleTable {
    pub name: Text,
    pub time_zone: Option<Text>,
    pub times: Spanned<Vec<Text>>,
}
