//! What holds of any expression and any name: the automata of the kernel match what another engine
//! finds.

use filter_lists::{Domain, Format, ListOptions, ListRule, Sink, Subject, TooManyNames};
use filter_policy::compiled::{Builder, EVERYBODY, hash_key};
use regex::bytes::RegexBuilder;

use super::with_file;

/// The first line is an expression, the second a name. Only what is left as a pattern is compared:
/// what became a name's rule has no other engine to ask.
///
/// # Panics
/// If they disagree about the name.
pub fn check(input: &[u8]) {
    let Some((expression, name)) = str::from_utf8(input)
        .ok()
        .and_then(|text| text.split_once('\n'))
    else {
        return;
    };
    let Ok(name) = Domain::parse(name) else {
        return;
    };
    for (format, line) in [
        (Format::Regex, expression.to_owned()),
        (Format::AdBlock, format!("/{expression}/")),
        (Format::AdBlock, expression.to_owned()),
        (Format::V2fly, format!("regexp:{expression}")),
        (Format::Dnscrypt, expression.to_owned()),
    ] {
        compare(format, &line, &name);
    }
}

fn compare(format: Format, line: &str, name: &Domain) {
    let options = ListOptions {
        format: Some(format),
        ..ListOptions::default()
    };
    let mut patterns = Patterns::default();
    if with_file(line.as_bytes(), |path| {
        filter_lists::load(path, &options, &mut patterns, &mut |_| {})
    })
    .is_err()
    {
        return;
    }
    let Patterns { patterns, others } = patterns;
    let ([pattern], 0) = (&patterns[..], others) else {
        return;
    };
    let mut builder = Builder::new(hash_key());
    with_file(line.as_bytes(), |path| {
        filter_lists::load(path, &options, &mut builder.list("list", 0), &mut |_| {})
    })
    .expect("a list");
    let Ok(compiled) = builder.finish() else {
        return;
    };
    if compiled.refused_patterns().next().is_some() {
        return;
    }
    let Ok(regex) = RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(1 << 22)
        .build()
    else {
        return;
    };
    let blocks = compiled.judge(name, EVERYBODY).precedence.blocks();
    assert_eq!(
        blocks,
        regex.is_match(name.as_str().as_bytes()),
        "{format}, {line}, as {pattern}: {name}"
    );
}

/// Patterns that block, and the number of other rules.
#[derive(Default)]
struct Patterns {
    patterns: Vec<String>,
    others: u64,
}

impl Sink for Patterns {
    fn rule(&mut self, rule: ListRule<'_>, _line: u32) -> Result<bool, TooManyNames> {
        match rule.subject {
            Subject::Pattern(pattern) if rule.action.blocks() && !rule.cancels => {
                self.patterns.push(pattern.to_owned());
            }
            _ => self.others += 1,
        }
        Ok(true)
    }
}
