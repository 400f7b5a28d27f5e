//! The file as it is written, before anything in it is looked at.

use serde::Deserialize;
use toml::Spanned;

use super::{actions::Keys, audiences::Scope, service::OptionTable};

/// A text and where it stands.
pub(super) type Text = Spanned<String>;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub cache: Option<Text>,
    #[serde(default)]
    pub list: Vec<Spanned<ListTable>>,
    #[serde(default)]
    pub rules: Vec<Spanned<RulesTable>>,
    #[serde(default)]
    pub group: Vec<GroupTable>,
    #[serde(default)]
    pub schedule: Vec<ScheduleTable>,
    pub run: Option<OptionTable>,
    #[serde(default)]
    pub interface: Vec<Spanned<OptionTable>>,
}

/// A table `[[list]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTable {
    pub file: Text,
    pub name: Option<Text>,
    pub format: Option<Text>,
    #[serde(default)]
    pub allow: bool,
    #[serde(default)]
    pub subtrees: bool,
    pub trust: Option<Text>,
    pub groups: Option<Spanned<Vec<Text>>>,
    pub schedule: Option<Text>,
    pub action: Option<Text>,
    pub address: Option<Spanned<Vec<Text>>>,
    pub tcp: Option<Text>,
    pub quic: Option<Text>,
    pub code: Option<Text>,
}

impl ListTable {
    /// For whom it is, when, and what becomes of what it blocks.
    pub fn scope(&self) -> Scope<'_> {
        let Self {
            groups,
            schedule,
            action,
            address,
            tcp,
            quic,
            code,
            ..
        } = self;
        let (action, address) = (action.as_ref(), address.as_ref());
        let keys = Keys {
            action,
            address,
            tcp: tcp.as_ref(),
            quic: quic.as_ref(),
            code: code.as_ref(),
        };
        Scope {
            groups: groups.as_ref(),
            schedule: schedule.as_ref(),
            keys,
            allows: self.allow,
        }
    }
}

/// A table `[[rules]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesTable {
    pub block: Option<Vec<Text>>,
    pub allow: Option<Vec<Text>>,
    pub groups: Option<Spanned<Vec<Text>>>,
    pub schedule: Option<Text>,
    pub action: Option<Text>,
    pub address: Option<Spanned<Vec<Text>>>,
    pub tcp: Option<Text>,
    pub quic: Option<Text>,
    pub code: Option<Text>,
}

impl RulesTable {
    /// For whom they are, when, and what becomes of what they block.
    pub fn scope(&self) -> Scope<'_> {
        let Self {
            block,
            allow,
            groups,
            schedule,
            action,
            address,
            tcp,
            quic,
            code,
        } = self;
        let (action, address) = (action.as_ref(), address.as_ref());
        let keys = Keys {
            action,
            address,
            tcp: tcp.as_ref(),
            quic: quic.as_ref(),
            code: code.as_ref(),
        };
        Scope {
            groups: groups.as_ref(),
            schedule: schedule.as_ref(),
            keys,
            allows: block.is_none() && allow.is_some(),
        }
    }
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
