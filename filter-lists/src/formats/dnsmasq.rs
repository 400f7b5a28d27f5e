//! dnsmasq's configuration, as release 2.90 reads it.
//!
//! `address=/x/`, `server=/x/` and `local=/x/` answer for x and all below it; one line may have
//! several names. `/.x/` is the same as `/x/`, `/*x/` is about names that end so, and `/*.x/` about
//! those below x. An address that leads nowhere blocks; another address is an answer, and left out.
//! `server=/x/1.2.3.4` forwards, and blocks nothing. `server=/x/#` takes x out of wider rules,
//! which is said here by allowing it: a rule for a name below x, which dnsmasq would put first,
//! gives way to it.

use std::net::IpAddr;

use super::words::without_comment;
use crate::{
    Action, Scope, Unusable,
    pattern::{Anchor, glob},
    reading::{Guard, Meaning, Reading, Taken},
};

/// Settings that lists have and that make no rule.
const SETTINGS: [&str; 20] = [
    "alias",
    "bogus-nxdomain",
    "cname",
    "conf-dir",
    "conf-file",
    "dns-rr",
    "filter-rr",
    "host-record",
    "ignore-address",
    "interface-name",
    "ipset",
    "mx-host",
    "nftset",
    "ptr-record",
    "rebind-domain-ok",
    "rev-server",
    "srv-host",
    "strict-order",
    "synth-domain",
    "txt-record",
];

/// What the part behind the names says.
enum Answer {
    Nothing,
    Standard,
    Forward,
    Nowhere,
    Address,
}

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let line = without_comment(line).trim_ascii();
    if line.is_empty() {
        return Ok(());
    }
    let Some((key, value)) = key_and_value(line) else {
        return reading.without_rule(Unusable::Foreign, line);
    };
    match key {
        "address" | "server" | "local" => names(key, value, line, reading),
        other => reading.without_rule(setting(other), line),
    }
}

fn names(key: &str, value: &[u8], line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let Some((names, target)) = value.strip_prefix(b"/").and_then(split_last_slash) else {
        let all = if key == "address" {
            Unusable::Answer
        } else {
            Unusable::Forwarding
        };
        return reading.without_rule(all, line);
    };
    let action = match answer(key, target) {
        Answer::Nothing | Answer::Nowhere => reading.action(),
        Answer::Standard => Action::Allow,
        Answer::Forward if reading.options.allow => Action::Allow,
        Answer::Forward => return reading.without_rule(Unusable::Forwarding, line),
        Answer::Address => return reading.without_rule(Unusable::Answer, line),
    };
    names
        .split(|byte| *byte == b'/')
        .try_for_each(|text| name(text, action, reading))
}

fn name(text: &[u8], action: Action, reading: &mut Reading<'_>) -> Taken {
    let meaning = |scope| Meaning::new(scope, action, Guard::Open);
    match text {
        b"#" | b"*" => reading.without_rule(Unusable::TooGeneral, text),
        // Names without a dot.
        b"" => reading.without_rule(Unusable::NoName, text),
        [b'*', b'.', parent @ ..] => reading.name(parent, meaning(Scope::Subdomains)),
        [b'*', end @ ..] => {
            let end = String::from_utf8_lossy(end).to_ascii_lowercase();
            reading.pattern(&glob(&end, Anchor::None, true), action, false, text)
        }
        [b'.', name @ ..] | name => reading.name(name, meaning(Scope::Subtree)),
    }
}

fn answer(key: &str, target: &[u8]) -> Answer {
    match (key, target) {
        (_, b"") => Answer::Nothing,
        ("address", b"#") => Answer::Nowhere,
        ("address", target) if is_nowhere(target) => Answer::Nowhere,
        ("address", _) => Answer::Address,
        (_, b"#") => Answer::Standard,
        _ => Answer::Forward,
    }
}

/// The addresses that stand for none: unspecified and loopback.
fn is_nowhere(target: &[u8]) -> bool {
    let address = str::from_utf8(target)
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok());
    address.is_some_and(|address| address.is_unspecified() || address.is_loopback())
}

fn split_last_slash(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = memchr::memrchr(b'/', text)?;
    Some((&text[..slash], text[slash + 1..].trim_ascii()))
}

fn key_and_value(line: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr::memchr(b'=', line).unwrap_or(line.len());
    let key = str::from_utf8(line[..end].trim_ascii()).ok()?;
    let key = key.strip_prefix("--").unwrap_or(key);
    let is_key = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_key.then_some((key, line.get(end + 1..).unwrap_or_default().trim_ascii()))
}

fn setting(name: &str) -> Unusable {
    let known = SETTINGS.into_iter().find(|setting| *setting == name);
    Unusable::Setting(known.unwrap_or("another setting"))
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_name_that_dnsmasq_answers_for_is_blocked_with_all_below_it() {
        for line in [
            "address=/a.example/",
            "address=/a.example/#",
            "address=/a.example/0.0.0.0",
            "address=/a.example/::",
            "address=/a.example/127.0.0.1 # why",
            "server=/a.example/",
            "local=/a.example/",
            "--local=/a.example/",
            " local = /A.example/ ",
            "address=/.a.example/",
        ] {
            assert_eq!(dnsmasq(line), ["block subtree a.example"], "{line}");
        }
    }

    #[test]
    fn a_line_may_have_several_names() {
        assert_eq!(
            dnsmasq("local=/a.example/zip/"),
            ["block subtree a.example", "block subtree zip"]
        );
    }

    #[test]
    fn a_star_is_about_the_ends_of_names() {
        assert_eq!(
            dnsmasq("address=/*.a.example/"),
            ["block subdomains a.example"]
        );
        assert_eq!(
            dnsmasq("address=/*a.example/"),
            [r"block pattern a\.example$"]
        );
        assert_eq!(dnsmasq("address=/#/0.0.0.0"), ["- too_general"]);
        assert_eq!(dnsmasq("server=//"), ["- no_name"]);
    }

    #[test]
    fn forwarding_blocks_nothing_and_allows_where_that_is_asked_for() {
        for line in [
            "server=/a.example/192.0.2.1",
            "server=/a.example/192.0.2.1#5353",
            "server=192.0.2.1",
        ] {
            assert_eq!(dnsmasq(line), ["- forwarding"], "{line}");
        }
        let allow = ListOptions {
            allow: true,
            ..ListOptions::default()
        };
        let line = "server=/a.example/192.0.2.1";
        assert_eq!(
            lines_of(Format::Dnsmasq, line, allow),
            ["allow subtree a.example"]
        );
    }

    #[test]
    fn the_standard_servers_take_a_name_out_of_wider_rules() {
        assert_eq!(dnsmasq("server=/a.example/#"), ["allow subtree a.example"]);
    }

    #[test]
    fn an_address_that_leads_somewhere_is_an_answer() {
        assert_eq!(dnsmasq("address=/nas.example/192.0.2.7"), ["- answer"]);
        assert_eq!(dnsmasq("address=/nas.example/2001:db8::7"), ["- answer"]);
    }

    #[test]
    fn other_settings_are_counted_by_their_names() {
        assert_eq!(
            dnsmasq("bogus-nxdomain=192.0.2.1"),
            ["- setting bogus-nxdomain"]
        );
        assert_eq!(dnsmasq("strict-order"), ["- setting strict-order"]);
        assert_eq!(dnsmasq("foo-bar=1"), ["- setting another setting"]);
        assert_eq!(dnsmasq("||a.example^"), ["- foreign"]);
        assert_eq!(dnsmasq("# address=/a.example/"), [""; 0]);
    }

    fn dnsmasq(text: &str) -> Vec<String> {
        lines_of(Format::Dnsmasq, text, ListOptions::default())
    }
}
