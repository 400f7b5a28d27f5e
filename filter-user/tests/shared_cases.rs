//! The inputs of ../shared/cases/lists, with the verdict of each name that public reports want.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use filter_core::{HashKey, Offline, Options, Reason, Settings};
use filter_lists::{Format, ListError, ListOptions};
use filter_policy::compiled::{Builder, CompiledPolicy, hash_key};
use frames::Wrap;
use serde::Deserialize;

/// The cases that are not right yet.
///
/// `L24` stays: it wants `.*` to block every name, and nothing says yet for whom everything is to
/// be blocked. `D4` stays as well: it wants `*.x` in a list of wildcards to be about the names
/// below x alone, and `L32` wants x, too, as publishers do.
const NOT_RIGHT: [&str; 2] = ["D4", "L24"];

#[test]
fn every_case_from_public_reports_meets_the_wanted_verdicts() {
    let mut wrong = BTreeSet::new();
    for case in cases() {
        let faults = case.faults();
        if !faults.is_empty() {
            println!("{}: {}\n  {}", case.id, case.about, faults.join("\n  "));
            wrong.insert(case.id);
        }
    }
    let expected: BTreeSet<String> = NOT_RIGHT.map(str::to_owned).into();
    assert_eq!(
        wrong, expected,
        "cases that are not right (left), and those of NOT_RIGHT"
    );
}

#[test]
fn every_case_is_read() {
    let cases = cases();
    assert_eq!(cases.len(), 80);
    assert_eq!(cases.iter().filter(|case| case.refused).count(), 7);
    assert_eq!(
        cases.iter().map(|case| case.names.len()).sum::<usize>(),
        232
    );
}

#[derive(Deserialize)]
struct Case {
    id: String,
    about: String,
    list: String,
    format: Option<String>,
    options: Vec<String>,
    allow: Vec<String>,
    refused: bool,
    names: Vec<Asked>,
}

/// A name as text or in the form of a message, and what is wanted for it.
#[derive(Deserialize)]
struct Asked {
    name: Option<String>,
    wire: Option<String>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Blocked,
    Passes,
}

impl Case {
    /// What is not as it is wanted.
    fn faults(&self) -> Vec<String> {
        let hash_key = hash_key();
        let compiled = match (self.compile(hash_key), self.refused) {
            (Ok(_), true) => return vec!["it is not refused".to_owned()],
            (Err(_), true) => return Vec::new(),
            (Err(error), false) => return vec![error.to_string()],
            (Ok(compiled), false) => compiled,
        };
        let options = Options {
            flows: 8,
            ..Options::default()
        };
        let mut offline = Offline::new(Settings::new(hash_key, &options), compiled);
        let faults = self.names.iter().filter_map(|asked| {
            let verdict = match offline.decide(&Wrap::v4(53).udp(&asked.query())) {
                Reason::DnsBlocked => Verdict::Blocked,
                Reason::DnsNotListed | Reason::DnsAllowed => Verdict::Passes,
                other => panic!("{}: {other:?}", asked.shown()),
            };
            (verdict != asked.verdict).then(|| format!("{}: {verdict:?}", asked.shown()))
        });
        faults.collect()
    }

    fn compile(&self, hash_key: HashKey) -> Result<CompiledPolicy, ListError> {
        let format = self
            .format
            .as_ref()
            .map(|format| format.parse::<Format>().expect("a format"));
        let mut options = ListOptions {
            format,
            ..ListOptions::default()
        };
        for option in &self.options {
            assert_eq!(option, "--subtrees", "{}", self.id);
            options.widen = true;
        }
        let mut builder = Builder::new(hash_key);
        filter_lists::load(
            &folder().join(&self.list),
            &options,
            &mut builder.list(&self.list, 0),
            &mut |_| {},
        )?;
        for list in &self.allow {
            let options = ListOptions {
                allow: true,
                ..ListOptions::default()
            };
            filter_lists::load(
                &folder().join(list),
                &options,
                &mut builder.list(list, 0),
                &mut |_| {},
            )?;
        }
        Ok(builder.finish().expect("a rule book"))
    }
}

impl Asked {
    /// A DNS query for the name.
    fn query(&self) -> Vec<u8> {
        match (&self.name, &self.wire) {
            (Some(name), None) => frames::query(name),
            (None, Some(wire)) => query_in_wire_form(&octets(wire)),
            _ => panic!("either name or wire: {}", self.shown()),
        }
    }

    fn shown(&self) -> &str {
        self.name
            .as_ref()
            .or(self.wire.as_ref())
            .map_or("", |shown| shown)
    }
}

/// A query for a name that no text says.
fn query_in_wire_form(name: &[u8]) -> Vec<u8> {
    const HEADER: [u8; 12] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    const A_IN: [u8; 4] = [0, 1, 0, 1];
    [&HEADER, name, &A_IN].concat()
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal
        .as_bytes()
        .chunks(2)
        .map(|pair| str::from_utf8(pair).expect("ASCII"));
    digits
        .map(|pair| u8::from_str_radix(pair, 16).expect("two digits"))
        .collect()
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("cases.jsonl"))
        .expect("../shared/cases/lists/cases.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/lists")
}
