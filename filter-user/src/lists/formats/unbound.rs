//! Unbound's configuration: `local-zone: "x" TYPE`.
//!
//! A zone is about its name and all below it. The types that answer instead of the name's owner block; the transparent
//! ones do not.

use crate::lists::Scope;
use crate::lists::{
    Unusable,
    reading::{Guard, Meaning, Reading, Taken},
};

/// Types of unbound.conf(5), 1.22, under which a name is answered or dropped. `always_null` is in no release's manual as
/// such but in published lists.
const BLOCKING: [&str; 11] = [
    "deny",
    "refuse",
    "static",
    "redirect",
    "inform_deny",
    "inform_redirect",
    "always_refuse",
    "always_nxdomain",
    "always_nodata",
    "always_deny",
    "always_null",
];

const TRANSPARENT: [&str; 8] =
    ["transparent", "typetransparent", "always_transparent", "inform", "block_a", "noview", "nodefault", "ipset"];

const SETTINGS: [&str; 13] = [
    "access-control",
    "domain-insecure",
    "forward-addr",
    "forward-zone",
    "include",
    "include-toplevel",
    "local-data",
    "local-data-ptr",
    "local-zone-override",
    "local-zone-tag",
    "name",
    "rpz",
    "stub-zone",
];

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let line = line.trim_ascii();
    if let [] | [b'#', ..] | b"server:" = line {
        return Ok(());
    }
    let Some((key, value)) = key_and_value(line) else {
        return reading.without_rule(Unusable::Foreign, line);
    };
    if key != "local-zone" {
        let known = SETTINGS.into_iter().find(|setting| *setting == key);
        return reading.without_rule(Unusable::Setting(known.unwrap_or("another setting")), line);
    }
    let Some((name, kind)) = zone(value) else {
        return reading.without_rule(Unusable::Foreign, line);
    };
    if let Some(kind) = TRANSPARENT.into_iter().find(|known| *known == kind) {
        return reading.without_rule(Unusable::Setting(kind), line);
    }
    match (name, BLOCKING.contains(&kind)) {
        (_, false) => reading.without_rule(Unusable::Foreign, line),
        (b".", true) => reading.without_rule(Unusable::TooGeneral, line),
        (name, true) => reading.name(name, Meaning::new(Scope::Subtree, reading.action(), Guard::Open)),
    }
}

fn key_and_value(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let key = str::from_utf8(&line[..colon]).ok()?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_key.then_some((key, line[colon + 1..].trim_ascii()))
}

/// The name and the type of a zone, each in quotes or not.
fn zone(value: &[u8]) -> Option<(&[u8], &str)> {
    let (name, rest) = word(value)?;
    let (kind, rest) = word(rest.trim_ascii_start())?;
    let ends = matches!(rest.trim_ascii_start(), [] | [b'#', ..]);
    ends.then_some((name, str::from_utf8(kind).ok()?))
}

fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text {
        [] => None,
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let end = memchr::memchr(*quote, rest)?;
            Some((&rest[..end], &rest[end + 1..]))
        }
        _ => {
            let end = text.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'#').unwrap_or(text.len());
            Some(text.split_at(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_zone_that_unbound_answers_for_is_blocked_with_all_below_it() {
        for kind in BLOCKING {
            assert_eq!(unbound(&format!("local-zone: \"a.example.\" {kind}")), ["block subtree a.example"], "{kind}");
        }
        for line in ["local-zone: a.example static", "local-zone: 'a.example'  \"static\" # why"] {
            assert_eq!(unbound(line), ["block subtree a.example"], "{line}");
        }
        assert_eq!(unbound("local-zone: \"zip\" refuse"), ["block subtree zip"]);
    }

    #[test]
    fn a_transparent_zone_blocks_nothing() {
        for kind in TRANSPARENT {
            let line = format!("local-zone: \"a.example.\" {kind}");
            assert_eq!(unbound(&line), [format!("- setting {kind}")]);
        }
    }

    #[test]
    fn other_lines_are_counted_by_what_they_are() {
        assert_eq!(unbound("server:\n  # a comment\n"), [""; 0]);
        assert_eq!(unbound("local-data: \"a.example A 0.0.0.0\""), ["- setting local-data"]);
        assert_eq!(unbound("verbosity: 1"), ["- setting another setting"]);
        assert_eq!(unbound("local-zone: \"a.example\" allways_nxdomain"), ["- foreign"]);
        assert_eq!(unbound("local-zone: \"a.example\""), ["- foreign"]);
        assert_eq!(unbound("local-zone: \".\" refuse"), ["- too_general"]);
        assert_eq!(unbound("a.example"), ["- foreign"]);
    }

    fn unbound(text: &str) -> Vec<String> {
        lines_of(Format::Unbound, text, ListOptions::default())
    }
}
