//! Telling a list's format by its content.
//!
//! The first 64 KiB are read line by line. Each line that only one format has is a mark of that format, and the format
//! with most marks is the list's. Names alone, which several formats have, count for lists of names. Lists in v2fly's or
//! dnscrypt-proxy's format have many names and few lines of their own, so one such line outweighs a thousand names or a
//! hundred, and a rule for ad blockers twenty. What is only ever a header settles the question: `msFilterList`,
//! `[Adblock Plus]`, `{+block}`, `$TTL`, an SOA record, Maltrail's name in a comment.
//!
//! A list that is in such a format and has nothing of its own in its head (dnscrypt-proxy's names alone) is taken for a
//! list of names, unless its format is said.

use super::{
    Format,
    formats::{Words, before_comment, is_adblock, is_address},
};

/// Bytes that are looked at.
pub(super) const HEAD: u64 = 64 * 1024;

/// Marks that settle the question.
const CERTAIN: u32 = 1_000_000;

/// The format that the start of a list has most of.
pub(super) fn format(head: &[u8]) -> Format {
    let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
    // Where the head is cut, so is its last line.
    let whole = match memchr::memrchr(b'\n', head) {
        Some(end) if head.len() as u64 >= HEAD => &head[..end],
        _ => head,
    };
    let mut marks = [0; Format::ALL.len()];
    for line in whole.split(|byte| *byte == b'\n') {
        if let Some((format, weight)) = mark(line.trim_ascii()) {
            marks[format as usize] += weight;
        }
    }
    let most = Format::ALL.into_iter().rev().max_by_key(|format| marks[*format as usize]);
    most.filter(|format| marks[*format as usize] > 0).unwrap_or_default()
}

/// The format that has such lines, and how much that says.
fn mark(line: &[u8]) -> Option<(Format, u32)> {
    match line {
        [] | [b'!' | b';', ..] => None,
        [b'#', ..] => comment(line),
        b"msFilterList" => Some((Format::Tpl, CERTAIN)),
        [b'[', rest @ .., b']'] if is_agent(rest) => Some((Format::AdBlock, CERTAIN)),
        [b'{', b'+' | b'-', ..] => Some((Format::Privoxy, CERTAIN)),
        [b'-' | b'+', b'd', b' ', ..] => Some((Format::Tpl, 1)),
        _ if is_adblock(line) => Some((Format::AdBlock, 20)),
        [b'/', .., b'/'] => Some((Format::Regex, 1)),
        _ => by_first_word(line),
    }
}

fn comment(line: &[u8]) -> Option<(Format, u32)> {
    if is_adblock(line) {
        return Some((Format::AdBlock, 20));
    }
    memchr::memmem::find(line, b"Maltrail developers").map(|_| (Format::Maltrail, CERTAIN))
}

fn is_agent(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    [&b"adblock"[..], b"adguard", b"ublock"].iter().any(|agent| text.starts_with(agent))
}

fn by_first_word(line: &[u8]) -> Option<(Format, u32)> {
    let mut words = Words(before_comment(line)?);
    let first = words.next()?;
    let second = words.next();
    match (first, second) {
        (b"server:" | b"local-zone:" | b"local-data:", _) => Some((Format::Unbound, 1)),
        (b"zone", Some([b'"', ..])) => Some((Format::Bind, 1)),
        (b"$TTL" | b"$ORIGIN" | b"$INCLUDE" | b"$GENERATE", Some(_)) => Some((Format::Rpz, CERTAIN)),
        (first, Some(_)) if is_address(first) => Some((Format::Hosts, 1)),
        (_, Some([b'@' | b'&', ..])) if !first.starts_with(b"@") => Some((Format::V2fly, 1000)),
        (_, Some(_)) => record(line),
        (first, None) => word(first),
    }
}

fn record(line: &[u8]) -> Option<(Format, u32)> {
    let mut words = Words(line).take(5).skip(1);
    words.find_map(|word| match word {
        b"SOA" | b"soa" => Some((Format::Rpz, CERTAIN)),
        b"CNAME" | b"cname" | b"A" | b"AAAA" | b"TXT" => Some((Format::Rpz, 1)),
        _ => None,
    })
}

fn word(word: &[u8]) -> Option<(Format, u32)> {
    let is_name = |word: &[u8]| word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    let starts = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| word.starts_with(prefix));
    match word {
        _ if is_name(word) => Some((Format::Domains, 1)),
        [b'*', b'.', name @ ..] if is_name(name) => Some((Format::Wildcard, 1)),
        [b'=', name @ ..] if is_name(name) => Some((Format::Dnscrypt, 100)),
        _ if starts(&[b"full:", b"domain:", b"keyword:", b"regexp:", b"include:"]) => Some((Format::V2fly, 1000)),
        _ if starts(&[b"address=/", b"server=/", b"local=/", b"bogus-nxdomain=", b"ipset=/", b"nftset=/"]) => {
            Some((Format::Dnsmasq, 1))
        }
        [.., b'.', b'*'] if !has(word, b"\\()[]^$|") => Some((Format::Dnscrypt, 1)),
        _ if has(word, b"\\") || (has(word, b"^$") && has(word, b"()[].*+")) => Some((Format::Regex, 1)),
        _ => None,
    }
}

fn has(word: &[u8], bytes: &[u8]) -> bool {
    word.iter().any(|byte| bytes.contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_told_by_its_lines() {
        for (text, expected) in [
            ("0.0.0.0 a.example\n0.0.0.0 b.example", Format::Hosts),
            ("a.example\nb.example # why", Format::Domains),
            ("*.a.example\n*.b.example\n", Format::Wildcard),
            ("! title\n||a.example^", Format::AdBlock),
            ("[Adblock Plus]\na.example\nb.example", Format::AdBlock),
            ("# title\naddress=/a.example/#\n", Format::Dnsmasq),
            ("server:\n  local-zone: \"a.example.\" refuse\n", Format::Unbound),
            ("; title\n$TTL 300\n@ IN SOA localhost. root.localhost. 1 2 3 4 5\na.example CNAME .", Format::Rpz),
            ("a.example CNAME .\n*.a.example CNAME .", Format::Rpz),
            ("zone \"a.example\" { type master; };", Format::Bind),
            ("a.example\n=b.example\nads.*", Format::Dnscrypt),
            ("(^|\\.)a\\.example$\n^ad[0-9]+", Format::Regex),
            ("/(\\.|^)a\\.example$/", Format::Regex),
            ("a.example\nb.example\nfull:c.example", Format::V2fly),
            ("a.example @cn\nb.example", Format::V2fly),
            ("# Copyright (c) Maltrail developers\na.example\n192.0.2.1:80", Format::Maltrail),
            ("\u{feff}msFilterList\n-d a.example", Format::Tpl),
            ("{+block{ads}}\n.a.example", Format::Privoxy),
        ] {
            assert_eq!(format(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn few_lines_of_another_format_do_not_change_it() {
        let names = "a.example\n".repeat(100);
        assert_eq!(format(format!("{names}*.b.example\nb\\.example$\n").as_bytes()), Format::Domains);
        assert_eq!(format(format!("{names}||b.example^\n").as_bytes()), Format::Domains);
        assert_eq!(format(format!("{names}{}", "||b.example^\n".repeat(6)).as_bytes()), Format::AdBlock);
    }

    #[test]
    fn a_list_that_tells_nothing_has_names() {
        for text in ["", "# title\n", "???\n"] {
            assert_eq!(format(text.as_bytes()), Format::Domains, "{text}");
        }
    }

    #[test]
    fn a_line_that_is_cut_says_nothing() {
        let mut text = "a.example\n".repeat(HEAD as usize / 10 + 1).into_bytes();
        text.truncate(HEAD as usize - 5);
        text.extend_from_slice(b"\n||b^");
        assert_eq!(text.len() as u64, HEAD);
        assert_eq!(format(&text), Format::Domains);
    }
}
