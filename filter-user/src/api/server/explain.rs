//! Why a name is blocked or not, with the lines of the lists.

use std::{collections::BTreeMap, fs, net::IpAddr, path::Path};

use filter_core::{Found, Message, Treatment, Verdict};
use jiff::Timestamp;
use serde::Deserialize;

use super::{ApiError, domain};
use crate::{
    api::{ActionOn, Explained, ExplainedRule, RuleSource},
    config::{Config, Member},
    kernel::{self, Attachment, Groups},
    lists::{self, Action},
    policy::{Matching, Outcome, Policy},
};

/// What somebody wants to know.
#[derive(Deserialize)]
pub(super) struct Question {
    name: String,
    client: Option<IpAddr>,
    mac: Option<String>,
    at: Option<Timestamp>,
}

impl Question {
    pub fn explain(self, policy: &Policy, interfaces: &[Attachment]) -> Result<Explained, ApiError> {
        let name = domain(&self.name)?;
        let at = self.at.unwrap_or_else(Timestamp::now);
        let group = self.group(&policy.config, at)?;
        let config = &policy.config;
        let classes = config.classes_of(group, at);
        let explanation = policy.book.explain(&name, classes);
        let verdict = if explanation.outcome == Outcome::Blocked { Verdict::Drop } else { Verdict::Pass };
        let of_group = group.checked_sub(1).and_then(|index| config.groups.get(index));
        let mut lines = Lines { policy, known: BTreeMap::new() };
        Ok(Explained {
            name: name.to_string(),
            verdict: verdict.as_str().into(),
            outcome: explanation.outcome.as_str().into(),
            actions: actions(&policy.book.judge(&name, classes), policy, interfaces),
            client: self.client.map(|client| client.to_string()).or(self.mac),
            group: of_group.map(|group| group.name.clone()),
            exempt: of_group.is_some_and(|group| group.exempt),
            at: at.to_string(),
            rules: explanation.rules.into_iter().map(|matching| rule(matching, config, &mut lines)).collect(),
        })
    }

    /// The number of the client's group.
    fn group(&self, config: &Config, at: Timestamp) -> Result<usize, ApiError> {
        let mac = match self.mac.as_deref().map(str::parse).transpose() {
            Ok(None) => None,
            Ok(Some(Member::Mac(mac))) => Some(mac),
            _ => return Err(ApiError::bad_request(&"`mac` is no MAC address: write 02:00:5e:10:00:01")),
        };
        Ok(Groups::of(config, at).group_of(mac, self.client) as usize)
    }
}

/// What becomes of a name for which this was found, on each interface; nothing if it is not blocked.
pub(super) fn actions(found: &Found, policy: &Policy, interfaces: &[Attachment]) -> Vec<ActionOn> {
    if !found.rank.blocks() {
        return Vec::new();
    }
    let of_classes: Vec<_> = policy.config.classes().iter().map(|class| class.treatment).collect();
    let treatment = policy.book.treatment(found, &of_classes);
    let on = |Attachment { interface, settings, .. }: &Attachment| {
        let outcome = kernel::Outcome::new(&treatment, settings);
        let word = |message, over_tcp| {
            if settings.audits() { Verdict::Pass.as_str() } else { outcome.word(message, over_tcp) }.to_owned()
        };
        let dns = word(Message::Query, false);
        ActionOn { interface: interface.clone(), dns, tls: word(Message::ClientHello, true) }
    };
    interfaces.iter().map(on).collect()
}

fn rule(matching: Matching<'_>, config: &Config, lines: &mut Lines<'_>) -> ExplainedRule {
    let class = config.classes().get(matching.classes.trailing_zeros() as usize);
    let groups = class.and_then(|class| class.groups.as_ref()).map(|groups| {
        let names = groups.iter().filter_map(|number| config.groups.get(number.checked_sub(1)?));
        names.map(|group| group.name.clone()).collect()
    });
    let schedule = class.and_then(|class| config.schedules.get(class.schedule?)).map(|it| it.name.clone());
    let treatment = class.map_or_else(Treatment::default, |class| class.treatment);
    let is_trial = matching.rule.action == Action::Audit;
    ExplainedRule {
        text: matching.rule.line.and_then(|line| lines.text(matching.rule.list, line)),
        source: RuleSource::from(matching.rule),
        dns: if is_trial { "audit" } else { treatment.dns().as_str() }.into(),
        tcp: treatment.tcp().as_str().into(),
        groups,
        schedule,
        applies: matching.applies,
        prevails: matching.prevails,
        cancelled: matching.cancelled,
        redundant: matching.redundant,
    }
}

/// Lines of lists, which are read again for this.
struct Lines<'p> {
    policy: &'p Policy,
    known: BTreeMap<(String, u32), Option<String>>,
}

impl Lines<'_> {
    /// The line, if the list is as it was when it was read.
    fn text(&mut self, list: &str, line: u32) -> Option<String> {
        let read_at = self.policy.read_at;
        let known = self.known.entry((list.into(), line)).or_insert_with(|| {
            let path = Path::new(list);
            let unchanged = fs::metadata(path).and_then(|metadata| metadata.modified()).is_ok_and(|at| at <= read_at);
            unchanged.then(|| lists::line(path, line)).flatten()
        });
        known.clone()
    }
}
