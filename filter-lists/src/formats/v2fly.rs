//! v2fly's domain lists: `full:x` is x alone, `domain:x` and plain `x` with all below, `keyword:x`
//! any name that has x in it, `regexp:` an expression of Go's. `@attributes` say nothing about
//! names.

use super::{regex::pattern, words::head};
use crate::{
    Scope, Unusable,
    pattern::{Anchor, Dialect, glob},
    reading::{Guard, Meaning, Reading, Taken},
};

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let Some((word, mut words)) = head(line) else {
        return Ok(());
    };
    if !words.all(|word| matches!(word, [b'@' | b'&', ..])) {
        return reading.without_rule(Unusable::SeveralWords, line);
    }
    let meaning = |scope| Meaning::new(scope, reading.action(), Guard::Open);
    match split(word) {
        ("full", name) => reading.name(name, meaning(Scope::Name)),
        ("domain", name) => reading.name(name, meaning(Scope::Subtree)),
        ("keyword", keyword) => {
            let keyword = String::from_utf8_lossy(keyword).to_ascii_lowercase();
            reading.pattern(
                &glob(&keyword, Anchor::None, false),
                reading.action(),
                false,
                word,
            )
        }
        ("regexp", regex) => pattern(regex, Dialect::Re2, word, reading),
        ("include", _) => reading.without_rule(Unusable::Setting("include"), word),
        _ => reading.without_rule(Unusable::Foreign, word),
    }
}

fn split(word: &[u8]) -> (&str, &[u8]) {
    match memchr::memchr(b':', word) {
        Some(colon) => (
            str::from_utf8(&word[..colon]).unwrap_or_default(),
            &word[colon + 1..],
        ),
        None => ("domain", word),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn each_kind_of_entry_has_its_scope() {
        let text = "a.example\ndomain:b.example @cn\nfull:c.example @ads &d # why\nkeyword:track.er\nzip\n";
        assert_eq!(
            v2fly(text),
            [
                "block subtree a.example",
                "block subtree b.example",
                "block name c.example",
                r"block pattern track\.er",
                "block subtree zip"
            ]
        );
    }

    #[test]
    fn an_expression_is_a_name_where_it_says_no_more() {
        assert_eq!(
            v2fly(r"regexp:(^|\.)a\.example$ @cn"),
            ["block subtree a.example"]
        );
        assert_eq!(
            v2fly(r"regexp:^ad\d+\.example$"),
            [r"block pattern ^ad\d+\.example$"]
        );
    }

    #[test]
    fn other_files_and_kinds_are_counted() {
        assert_eq!(v2fly("include:google @ads"), ["- setting include"]);
        assert_eq!(v2fly("geosite:google"), ["- foreign"]);
        assert_eq!(v2fly("a.example b.example"), ["- several_words"]);
    }

    fn v2fly(text: &str) -> Vec<String> {
        lines_of(Format::V2fly, text, ListOptions::default())
    }
}
