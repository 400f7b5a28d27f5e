//! Lists in the formats of resolvers, against these resolvers reading the same lists: Unbound with
//! response policy zones and with local zones, BIND with response policy zones, and dnsmasq.
//!
//! Each resolver runs in the lab and asks a server that answers every name: what passes has that
//! server's answer. For names that are decided otherwise, `differences.tsv` has the reasons.

#[path = "../asked/mod.rs"]
mod asked;
mod asking;
mod names;
mod resolver;
mod rules;
mod zones;

use std::{
    fs,
    path::{Path, PathBuf},
};

use filter_lists::{Domain, ListOptions};
use filter_policy::compiled::{CompiledPolicy, EVERYBODY};
use filter_user::check::{Check, Checked};
use regex::Regex;

use asking::Verdict;
use resolver::{Kind, Resolver};

lab::fail_on_kernel_damage!();

/// What is decided otherwise on purpose.
const DIFFERENCES: &str = include_str!("differences.tsv");

const ZONES: [&str; 4] = [
    "hagezi/light.rpz.zst",
    "oisd/small.rpz.zst",
    "hagezi/tif.medium.rpz.zst",
    "urlhaus-filter/urlhaus.rpz",
];

const LOCAL_ZONES: [&str; 3] = [
    "hagezi/light.unbound.conf.zst",
    "oisd/small.unbound.conf.zst",
    "urlhaus-filter/urlhaus.unbound.conf",
];

/// Those that forward nothing: no question may leave the lab.
const LINES: [&str; 4] = [
    "hagezi/light.dnsmasq.conf.zst",
    "oisd/small.dnsmasq2.conf.zst",
    "blocklistproject/facebook.dnsmasq.conf",
    "urlhaus-filter/urlhaus.dnsmasq.conf",
];

/// Names that each list is asked for, at least.
const MIN_NAMES: usize = 50_000;
/// Names that each list blocks at least, and that it lets pass, so that no verdict is given without
/// the list.
const MIN_BLOCKED: usize = 5_000;

#[test]
fn response_policy_zones_mean_what_unbound_takes_them_for() {
    compare(Kind::Rpz, &ZONES);
}

#[test]
fn local_zones_mean_what_unbound_takes_them_for() {
    compare(Kind::LocalZones, &LOCAL_ZONES);
}

#[test]
fn dnsmasqs_lines_mean_what_dnsmasq_takes_them_for() {
    compare(Kind::Dnsmasq, &LINES);
}

fn compare(kind: Kind, lists: &[&str]) {
    let mut reviewed = reviewed(kind);
    let mut unreviewed = Vec::new();
    for list in lists {
        let path = collection().join(list);
        let text = asked::text_of(&path);
        let names = names::around(&text, &collection());
        assert!(names.len() >= MIN_NAMES, "{list}");
        let ours = judge(&compile(&text, kind), &names);
        let theirs = Resolver::start(kind, &text).judge(&names);
        let blocked = theirs
            .iter()
            .filter(|verdict| **verdict == Verdict::Blocks)
            .count();
        println!(
            "{list}: {} names, {blocked} of them blocked there",
            names.len()
        );
        assert!(
            blocked >= MIN_BLOCKED && names.len() - blocked >= MIN_BLOCKED,
            "{list}"
        );
        for ((name, ours), theirs) in names.iter().zip(ours).zip(theirs) {
            if ours == theirs {
                continue;
            }
            match reviewed.iter_mut().find(|row| row.covers(name, ours)) {
                Some(row) => row.names += 1,
                None => unreviewed.push(format!("{list}: {name} {ours:?} here and not there")),
            }
        }
    }
    for Reviewed { names, reason, .. } in &reviewed {
        println!("{names} names are decided otherwise: {reason}");
    }
    let some = &unreviewed[..unreviewed.len().min(100)];
    assert!(
        unreviewed.is_empty(),
        "{} names are decided otherwise:\n{}",
        unreviewed.len(),
        some.join("\n")
    );
    let unused: Vec<_> = reviewed
        .iter()
        .filter(|row| row.names == 0)
        .map(|row| row.reason)
        .collect();
    assert!(
        unused.is_empty(),
        "rows of differences.tsv that make no difference: {unused:?}"
    );
}

/// A row of `differences.tsv`.
struct Reviewed {
    matching: Regex,
    here: Verdict,
    reason: &'static str,
    /// How many names it was the reason for.
    names: usize,
}

impl Reviewed {
    fn covers(&self, name: &Domain, here: Verdict) -> bool {
        self.here == here && self.matching.is_match(name.as_str())
    }
}

fn reviewed(kind: Kind) -> Vec<Reviewed> {
    let rows = DIFFERENCES
        .lines()
        .filter(|row| !row.starts_with('#'))
        .map(|row| {
            let columns: Vec<&str> = row.split('\t').collect();
            let [of, names, here, reason] = columns[..] else {
                panic!("four columns: {row}")
            };
            let here = if here == "blocked" {
                Verdict::Blocks
            } else {
                Verdict::Passes
            };
            (
                of,
                Reviewed {
                    matching: Regex::new(names).expect(names),
                    here,
                    reason,
                    names: 0,
                },
            )
        });
    rows.filter(|(of, _)| *of == kind.format().as_str())
        .map(|(_, row)| row)
        .collect()
}

fn judge(compiled: &CompiledPolicy, names: &[Domain]) -> Vec<Verdict> {
    let verdict = |name| {
        if compiled.judge(name, EVERYBODY).precedence.blocks() {
            Verdict::Blocks
        } else {
            Verdict::Passes
        }
    };
    names.iter().map(verdict).collect()
}

fn compile(list: &str, kind: Kind) -> CompiledPolicy {
    let options = ListOptions {
        format: Some(kind.format()),
        ..ListOptions::default()
    };
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), list).expect("a file");
    let mut check = Check::default();
    check
        .read(file.path(), &options, &mut |_| {})
        .expect("a list");
    let Checked { compiled, .. } = check.finish().expect("a rule book");
    compiled
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}
