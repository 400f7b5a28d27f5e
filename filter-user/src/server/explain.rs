//! What a name would meet, for a client at a time: `test` in short, and `explain` with all rules
//! and the lines of the lists.

use std::{collections::BTreeMap, fs, path::Path, sync::RwLock, time::SystemTime};

use filter_api::{
    error::ErrorCode,
    questions::{ActionOn, Explained, ExplainedRule, Judgement, Question},
};
use filter_core::{Actions, Found, Message, Protocol, Quic, ResponseAction, Verdict};
use filter_lists::{Action, Domain};
use filter_policy::{
    at::PolicyAt,
    audiences::Audiences,
    compiled::{Explanation, Matching, Policy},
    config::{Config, Group, Member},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{ApiError, domain};
use crate::{
    answers,
    controller::{NamedInterface, reading},
};

/// What somebody wants to know.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Asked(Question);

impl Asked {
    /// Whether the name would be blocked, and by which rule.
    pub fn test(
        self,
        policy: &Policy,
        interfaces: &[NamedInterface],
    ) -> Result<Judgement, ApiError> {
        let case = self.case(policy)?;
        let deciding = policy.compiled.deciding(&case.name, &case.audiences);
        let (rule, list, line) = deciding.map_or((None, None, None), |it| {
            (Some(it.rule.into()), Some(it.list.into()), it.line)
        });
        Ok(Judgement {
            name: case.name.to_string(),
            verdict: case.verdict().as_str().into(),
            actions: case.actions(interfaces),
            client: self.asked_about(),
            group: case.group().map(|group| group.name.clone()),
            exempt: case.group().is_some_and(|group| group.exempt),
            at: case.at.to_string(),
            rule,
            list,
            line,
        })
    }

    /// All that is said of the name, with the lines of the lists. These are read while nobody waits
    /// for the policy.
    pub fn explain_with_lines(
        self,
        policy: &RwLock<Policy>,
        interfaces: &[NamedInterface],
    ) -> Result<Explained, ApiError> {
        let (mut explained, read_at) = {
            let policy = reading(policy);
            (self.explain(&policy, interfaces)?, policy.read_at)
        };
        let mut lines = Lines {
            read_at,
            known: BTreeMap::new(),
        };
        for rule in &mut explained.rules {
            rule.text = rule
                .source
                .line
                .and_then(|line| lines.text(&rule.source.list, line));
        }
        Ok(explained)
    }

    /// All that is said of the name.
    fn explain(
        self,
        policy: &Policy,
        interfaces: &[NamedInterface],
    ) -> Result<Explained, ApiError> {
        let case = self.case(policy)?;
        let Explanation { outcome, rules } = policy.compiled.explain(&case.name, &case.audiences);
        Ok(Explained {
            name: case.name.to_string(),
            verdict: case.verdict().as_str().into(),
            outcome: outcome.as_str().into(),
            actions: case.actions(interfaces),
            client: self.asked_about(),
            group: case.group().map(|group| group.name.clone()),
            exempt: case.group().is_some_and(|group| group.exempt),
            at: case.at.to_string(),
            rules: rules
                .into_iter()
                .map(|matching| rule(matching, &policy.config))
                .collect(),
        })
    }

    /// What prevails for the client at the time.
    fn case<'p>(&self, policy: &'p Policy) -> Result<Case<'p>, ApiError> {
        let name = domain(&self.0.name)?;
        let at = self.0.at.unwrap_or_else(Timestamp::now);
        let in_force = PolicyAt::new(policy, at);
        let group = in_force.groups().group_of(self.mac()?, self.0.client) as usize;
        let audiences = in_force
            .groups()
            .audiences
            .get(group)
            .cloned()
            .unwrap_or_default();
        let found = policy.compiled.judge(&name, &audiences);
        Ok(Case {
            config: &policy.config,
            in_force,
            name,
            at,
            group,
            audiences,
            found,
        })
    }

    fn mac(&self) -> Result<Option<[u8; 6]>, ApiError> {
        match self.0.mac.as_deref().map(str::parse).transpose() {
            Ok(None) => Ok(None),
            Ok(Some(Member::Mac(mac))) => Ok(Some(mac)),
            _ => Err(ApiError::new(
                ErrorCode::InvalidParameter,
                "`mac` is the address of no station: write one such as 02:00:5e:10:00:01".into(),
            )),
        }
    }

    fn asked_about(self) -> Option<String> {
        self.0
            .client
            .map(|client| client.to_string())
            .or(self.0.mac)
    }
}

/// A name, for a client at a time.
struct Case<'p> {
    config: &'p Config,
    in_force: PolicyAt<'p>,
    name: Domain,
    at: Timestamp,
    /// The number of the client's group.
    group: usize,
    /// The audiences of lists that apply to it.
    audiences: Audiences,
    found: Found,
}

impl Case<'_> {
    fn verdict(&self) -> Verdict {
        if self.found.precedence.blocks() {
            Verdict::Drop
        } else {
            Verdict::Pass
        }
    }

    /// The client's group; `None` if it is in none.
    fn group(&self) -> Option<&Group> {
        self.config.groups.get(self.group.checked_sub(1)?)
    }

    /// What the client gets on each interface; nothing if the name is not blocked.
    fn actions(&self, interfaces: &[NamedInterface]) -> Vec<ActionOn> {
        if !self.found.precedence.blocks() {
            return Vec::new();
        }
        let on = |interface: &NamedInterface| {
            let settings = &interface.settings();
            let word = |message, protocol| {
                self.in_force
                    .effect(&self.found, settings, message, protocol)
                    .as_str()
                    .into()
            };
            let dns = word(Message::Query, Protocol::Udp);
            ActionOn {
                interface: interface.name().to_owned(),
                dns,
                tls: word(Message::ClientHello, Protocol::Tcp),
                quic: match settings.quic() {
                    Quic::Inspect => word(Message::QuicHello, Protocol::Udp),
                    Quic::Refuse if !settings.audits() => ResponseAction::Drop.as_str().into(),
                    Quic::Refuse | Quic::Pass => ResponseAction::Pass.as_str().into(),
                },
            }
        };
        interfaces.iter().map(on).collect()
    }
}

fn rule(matching: Matching<'_>, config: &Config) -> ExplainedRule {
    let audience = config.audiences().get(usize::from(matching.audience));
    let groups = audience
        .and_then(|audience| audience.groups.as_ref())
        .map(|groups| {
            let names = groups
                .iter()
                .filter_map(|number| config.groups.get(number.checked_sub(1)?));
            names.map(|group| group.name.clone()).collect()
        });
    let schedule = audience
        .and_then(|audience| config.schedules.get(audience.schedule?))
        .map(|it| it.name.clone());
    let actions = audience.map_or_else(Actions::default, |audience| audience.actions);
    let is_trial = matching.rule.action == Action::Audit;
    ExplainedRule {
        text: None,
        source: answers::rule_source(matching.rule),
        dns: if is_trial {
            "audit"
        } else {
            actions.dns().as_str()
        }
        .into(),
        tcp: actions.tcp().as_str().into(),
        quic: actions.quic().as_str().into(),
        groups,
        schedule,
        applies: matching.applies,
        prevails: matching.prevails,
        cancelled: matching.cancelled,
        redundant: matching.redundant,
    }
}

/// Lines of lists, which are read again for this.
struct Lines {
    /// When they were read.
    read_at: SystemTime,
    known: BTreeMap<(String, u32), Option<String>>,
}

impl Lines {
    /// The line, if the list is as it was when it was read.
    fn text(&mut self, list: &str, line: u32) -> Option<String> {
        let read_at = self.read_at;
        let known = self.known.entry((list.into(), line)).or_insert_with(|| {
            let path = Path::new(list);
            let unchanged = fs::metadata(path)
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|at| at <= read_at);
            unchanged.then(|| filter_lists::line(path, line)).flatten()
        });
        known.clone()
    }
}
