//! A name that was found, as it goes out with `--json`. Others rely on these names.

use std::{borrow::Cow, fmt};

use filter_policy::compiled::CompiledPolicy;
use serde::Serialize;

use super::Seen;

/// A name that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line<'a> {
    /// The capture, as it was named.
    pub file: &'a str,
    /// The frame in which the name became known, from 1.
    pub frame: u64,
    /// `dns` or `tls`.
    pub protocol: &'static str,
    /// `query`, `response` or `client_hello`.
    pub kind: &'static str,
    /// The name: lower case, odd bytes as `\xHH`, the root as `.`.
    pub name: &'a str,
    /// `drop` or `pass`.
    pub verdict: &'static str,
    /// What its client is to get if it is blocked: what its list or its rule says, or `default` for
    /// what the interface would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    /// The counter of the reason.
    pub reason: &'static str,
    /// The rule that blocks it.
    pub rule: Option<Cow<'a, str>>,
    /// Type of the resource record in which it stands; only for a further name of a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u16>,
    /// The rule's list.
    pub list: Option<&'a str>,
    /// Its line in the list.
    pub line: Option<u32>,
}

impl<'a> Line<'a> {
    /// The line for a name; `None` if it is none that replays are about.
    pub fn new(
        file: &'a str,
        frame: u64,
        seen: &'a Seen,
        compiled: &'a CompiledPolicy,
    ) -> Option<Self> {
        let message = seen.reason.message()?;
        let rule = seen.rule.and_then(|key| compiled.find(key));
        Some(Self {
            file,
            frame,
            protocol: message.protocol(),
            kind: message.as_str(),
            name: &seen.name,
            verdict: seen.reason.verdict().as_str(),
            action: seen.reason.is_blocked().then(|| seen.action.as_str()),
            reason: seen.reason.as_str(),
            rule: rule.as_ref().map(|rule| rule.rule.clone()),
            record: seen.record,
            list: rule.as_ref().map(|rule| rule.list),
            line: rule.and_then(|rule| rule.line),
        })
    }
}

/// The name of a record type, or `TYPE` and its number (RFC 3597 §5).
pub fn record_type(number: u16) -> impl fmt::Display {
    /// Of the types whose owners or data are judged (IANA, DNS parameters).
    const NAMES: [(u16, &str); 13] = [
        (1, "A"),
        (2, "NS"),
        (5, "CNAME"),
        (6, "SOA"),
        (12, "PTR"),
        (15, "MX"),
        (16, "TXT"),
        (28, "AAAA"),
        (33, "SRV"),
        (35, "NAPTR"),
        (39, "DNAME"),
        (64, "SVCB"),
        (65, "HTTPS"),
    ];
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => Cow::Borrowed(*name),
        None => Cow::Owned(format!("TYPE{number}")),
    }
}

#[cfg(test)]
mod tests {
    use filter_core::{Reason, ResponseAction, RuleKey};

    use super::*;
    use filter_lists::{Action, ListRule, Scope, Sink as _, Subject};
    use filter_policy::compiled::{Builder, hash_key};

    fn compile() -> (CompiledPolicy, RuleKey) {
        let key = hash_key();
        let mut builder = Builder::new(key);
        let subject = Subject::Name("ads.example", Scope::Subtree);
        builder
            .list("hosts.txt", 0)
            .rule(
                ListRule {
                    subject,
                    action: Action::Block,
                    answer: None,
                    cancels: false,
                },
                12,
            )
            .unwrap();
        (
            builder.finish().unwrap(),
            key.rule_key("ads.example").unwrap(),
        )
    }

    fn seen(reason: Reason, rule: Option<RuleKey>, record: Option<u16>) -> Seen {
        let flow = (([192, 0, 2, 1], 5000).into(), ([192, 0, 2, 2], 53).into());
        Seen {
            reason,
            action: ResponseAction::Pass,
            name: "x.ads.example".into(),
            rule,
            record,
            flow,
            sequence: None,
        }
    }

    #[test]
    fn a_name_that_passed_has_no_rule() {
        let (compiled, _) = compile();
        let seen = seen(Reason::TlsNotListed, None, None);
        let line = serde_json::to_string(&Line::new("a.pcap", 3, &seen, &compiled)).unwrap();
        let expected = r#"{"file":"a.pcap","frame":3,"protocol":"tls","kind":"client_hello","name":"x.ads.example","#
            .to_owned()
            + r#""verdict":"pass","reason":"tls_not_listed","rule":null,"list":null,"line":null}"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn a_blocked_name_has_its_rule_with_list_and_line_and_a_further_name_its_record() {
        let (compiled, key) = compile();
        let seen = Seen {
            action: ResponseAction::Refused,
            ..seen(Reason::DnsResponseBlocked, Some(key), Some(5))
        };
        let line = serde_json::to_string(&Line::new("a.pcap", 3, &seen, &compiled)).unwrap();
        let expected = r#"{"file":"a.pcap","frame":3,"protocol":"dns","kind":"response","name":"x.ads.example","#
            .to_owned()
            + r#""verdict":"drop","action":"refused","reason":"dns_response_blocked","rule":"ads.example","record":5,"#
            + r#""list":"hosts.txt","line":12}"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn what_is_about_no_name_gives_no_line() {
        let (compiled, _) = compile();
        assert_eq!(
            Line::new("a.pcap", 3, &seen(Reason::NotIp, None, None), &compiled),
            None
        );
    }

    #[test]
    fn record_types_have_their_name_or_number() {
        assert_eq!(record_type(5).to_string(), "CNAME");
        assert_eq!(record_type(62_347).to_string(), "TYPE62347");
    }
}
