//! Lists in AdBlock syntax, against AdGuard's own DNS engine reading the same lists.
//!
//! Names that are decided otherwise are grouped by the rule that decides, there or here, and
//! `differences.tsv` has the reasons.

#[path = "../asked/mod.rs"]
mod asked;
mod engine;
mod names;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
};

use filter_lists::{Domain, Format, ListOptions};
use filter_policy::compiled::{CompiledPolicy, EVERYBODY, Rule};
use filter_user::check::{Check, Checked};
use regex::bytes::{Regex, RegexBuilder};

use engine::{Engine, Verdict};

/// What is decided otherwise on purpose.
const DIFFERENCES: &str = include_str!("differences.tsv");

/// The lists, the ones made for DNS first.
const LISTS: [&str; 18] = [
    "hagezi/light.adblock.zst",
    "hagezi/spam-tlds.adblock",
    "hagezi/spam-tlds.ubo",
    "hagezi/whitelist.adblock",
    "oisd/small.adblock.zst",
    "dandelionsprout/antimalware.adguardhome",
    "dandelionsprout/adguardhome-compilation.adguardhome.zst",
    "perflyst/smarttv.adguardhome",
    "urlhaus-filter/urlhaus.adguardhome.zst",
    "dandelionsprout/antimalware.adblock",
    "nocoin/nocoin.adblock",
    "hagezi/spam-tlds-adblock.adblock",
    "hagezi/doh-vpn-proxy-bypass.adblock",
    "ublock-origin/easylist.adblock.zst",
    "ublock-origin/ublock-filters.ubo.zst",
    "ublock-origin/ublock-privacy.ubo",
    "ublock-origin/easyprivacy.adblock.zst",
    "ublock-origin/ublock-badware.ubo",
];

/// Names that each list is asked for, at least.
const MIN_NAMES: usize = 50_000;

#[test]
fn every_name_meets_the_verdict_of_adguards_engine() {
    let reviewed = reviewed();
    let mut seen = BTreeSet::new();
    let mut unreviewed = Vec::new();
    for list in LISTS {
        for difference in differences(list) {
            match reviewed.iter().position(|row| row.covers(&difference)) {
                Some(row) => _ = seen.insert(row),
                None => unreviewed.push(format!("{list}: {difference}")),
            }
        }
    }
    assert!(
        unreviewed.is_empty(),
        "{} rules decide otherwise:\n{}",
        unreviewed.len(),
        unreviewed.join("\n")
    );
    assert_eq!(
        seen.len(),
        reviewed.len(),
        "rows of differences.tsv that make a difference"
    );
}

#[test]
fn the_rules_of_the_readme_do_what_it_says() {
    for (rules, blocked, passing) in [
        (
            "||example.com^",
            &["example.com", "a.example.com"][..],
            &["notexample.com", "example.com.evil.net"][..],
        ),
        ("|example.com^", &["example.com"], &["a.example.com"]),
        ("example.com", &["example.com"], &["a.example.com"]),
        ("0.0.0.0 example.com", &["example.com"], &["a.example.com"]),
        // What stands in a comment is no modifier.
        (
            "0.0.0.0 example.com # cost $5",
            &["example.com"],
            &["a.example.com"],
        ),
        (
            "||example.com",
            &["example.com", "a.example.com", "example.community"],
            &["notexample.com"],
        ),
        (
            "||ads*.example.com^",
            &["ads1.example.com", "x.ads2.example.com", "ads.example.com"],
            &["example.com", "bads.example.com"],
        ),
        (r"/^ad[0-9]+\./", &["ad1.foo.com"], &["xad1.foo.com"]),
        (
            "||example.com^$important\n@@||example.com^",
            &["example.com"],
            &["example.org"],
        ),
    ] {
        let names: Vec<Domain> = blocked
            .iter()
            .chain(passing)
            .map(|name| name.parse().expect("a name"))
            .collect();
        let expected: Vec<bool> = names
            .iter()
            .map(|name| blocked.contains(&name.as_str()))
            .collect();
        let list = text_file(rules);
        let theirs = Engine::new().judge(list.path(), &names);
        assert_eq!(
            theirs
                .iter()
                .map(|it| it.verdict == Verdict::Block)
                .collect::<Vec<_>>(),
            expected,
            "{rules}"
        );
        let compiled = compile(list.path());
        assert_eq!(
            judge(&compiled, &names)
                .iter()
                .map(|rule| blocks(rule.as_ref()))
                .collect::<Vec<_>>(),
            expected,
            "{rules}"
        );
    }
}

#[test]
fn a_wildcard_of_a_domain_list_is_about_its_name_and_those_below() {
    let list = text_file("*.example.com\n");
    let names = ["a.example.com", "example.com", "notexample.com"]
        .map(|name| name.parse().expect("a name"));
    let wildcard = ListOptions {
        format: Some(Format::Wildcard),
        ..ListOptions::default()
    };
    let blocked = checked(list.path(), wildcard).blocked(&names);
    assert_eq!(
        blocked.iter().map(|it| &*it.name).collect::<Vec<_>>(),
        ["a.example.com", "example.com"]
    );
}

/// A rule that decides otherwise about some names.
struct Difference {
    rule: String,
    blocks: Side,
    /// How many names that concerns, and the first of them.
    names: usize,
    first: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            blocks,
            names,
            first,
        } = self;
        write!(
            f,
            "`{rule}` blocks {names} names only {blocks:?}, such as {first}"
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Here,
    There,
}

fn differences(list: &str) -> Vec<Difference> {
    let text = text_file(&asked::text_of(&collection().join(list)));
    let names = names::around(text.path(), &collection());
    println!("{list}: {} names", names.len());
    assert!(names.len() >= MIN_NAMES, "{list}");
    let compiled = compile(text.path());
    let ours = judge(&compiled, &names);
    let theirs = Engine::new().judge(text.path(), &names);
    assert_eq!(ours.len(), theirs.len(), "{list}");
    let mut differing: BTreeMap<(String, Side), Difference> = BTreeMap::new();
    for ((name, ours), theirs) in names.iter().zip(&ours).zip(&theirs) {
        let blocks = match (blocks(ours.as_ref()), theirs.verdict == Verdict::Block) {
            (true, false) => Side::Here,
            (false, true) => Side::There,
            _ => continue,
        };
        let rule = if theirs.rule.is_empty() {
            our_line(text.path(), ours.as_ref())
        } else {
            theirs.rule.clone()
        };
        let new = || Difference {
            rule: rule.clone(),
            blocks,
            names: 0,
            first: name.to_string(),
        };
        differing
            .entry((rule.clone(), blocks))
            .or_insert_with(new)
            .names += 1;
    }
    differing.into_values().collect()
}

fn our_line(list: &Path, rule: Option<&Rule<'_>>) -> String {
    let text = fs::read_to_string(list).expect("a list");
    let line = rule.and_then(|rule| text.lines().nth(rule.line? as usize - 1));
    line.unwrap_or_default().trim().to_owned()
}

fn blocks(rule: Option<&Rule<'_>>) -> bool {
    rule.is_some_and(|rule| rule.action.blocks())
}

/// The rule that decides about each name.
fn judge<'b>(compiled: &'b CompiledPolicy, names: &[Domain]) -> Vec<Option<Rule<'b>>> {
    names
        .iter()
        .map(|name| compiled.deciding(name, EVERYBODY))
        .collect()
}

fn compile(list: &Path) -> CompiledPolicy {
    let Checked { compiled, .. } = checked(
        list,
        ListOptions {
            format: Some(Format::AdBlock),
            ..ListOptions::default()
        },
    );
    assert_eq!(
        compiled.refused_patterns().collect::<Vec<_>>(),
        [],
        "{}",
        list.display()
    );
    compiled
}

fn checked(list: &Path, options: ListOptions) -> Checked {
    let mut check = Check::default();
    check.read(list, &options, &mut |_| {}).expect("a list");
    check.finish().expect("a rule book")
}

/// A row of `differences.tsv`.
struct Reviewed {
    rules: Regex,
    blocks: Side,
}

impl Reviewed {
    fn covers(&self, difference: &Difference) -> bool {
        self.blocks == difference.blocks && self.rules.is_match(difference.rule.as_bytes())
    }
}

fn reviewed() -> Vec<Reviewed> {
    let rows = DIFFERENCES.lines().filter(|row| !row.starts_with('#'));
    rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let [rules, side, _reason] = columns[..] else {
            panic!("three columns: {row}")
        };
        let blocks = if side == "here" {
            Side::Here
        } else {
            Side::There
        };
        Reviewed {
            rules: RegexBuilder::new(rules)
                .unicode(false)
                .build()
                .expect(rules),
            blocks,
        }
    })
    .collect()
}

fn text_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("a file");
    file
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}
