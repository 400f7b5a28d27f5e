//! One policy of all real lists: what the kernel decides about names is what the compiled policy
//! explains.

use std::{fs, path::PathBuf, time::Instant};

use filter_core::{HashKey, Reason};
use filter_lists::{Domain, ListError, ListOptions};
use filter_policy::{
    compiled::{Builder, CompiledPolicy, EVERYBODY, Outcome, Position},
    groups::Groups,
};
use filter_user::kernel::{Filter, LoadOptions, TestBed, draw_hash_key};
use frames::Wrap;

/// Patterns of real lists that are run, at least.
const PATTERNS: usize = 1_000;
/// Names that are asked for, at least.
const NAMES: usize = 100_000;

/// Lists of what may pass; the others block.
const ALLOW: [&str; 3] = [
    "hagezi/whitelist.domains",
    "hagezi/whitelist.regex",
    "hagezi/whitelist.adblock",
];
/// No lists of what to block.
const NOT_READ: [&str; 3] = ["psl/", "popular/", "dnsmasq-china-list/"];

#[test]
fn over_real_lists_and_names_the_kernel_decides_as_the_compiled_policy_explains() {
    let hash_key = draw_hash_key().unwrap();
    let start = Instant::now();
    let compiled = compile(&hash_key);
    let patterns = compiled.patterns().count();
    println!(
        "{} rules, {} in the kernel, {patterns} patterns in {} parts, {:?}",
        compiled.len(),
        compiled.entries_in_force(),
        compiled.automata().parts.len(),
        start.elapsed()
    );
    for (pattern, refusal) in compiled.refused_patterns() {
        println!("not in force: {pattern}: {refusal}");
    }
    assert!(patterns >= PATTERNS, "{patterns} patterns");
    let names = names(&compiled);
    assert!(names.len() >= NAMES, "{} names", names.len());

    let max_rules = u32::try_from(compiled.entries_in_force()).unwrap();
    let options = LoadOptions {
        hash_key: Some(hash_key),
        max_rules,
        ..LoadOptions::default()
    };
    let mut filter = Filter::load(&options).unwrap();
    filter
        .install(
            &CompiledPolicy::empty(hash_key),
            &compiled,
            &Groups::default(),
            |_| {},
        )
        .unwrap();
    let mut outcomes = [0; 4];
    let mut of_patterns = 0;
    let mut bed = filter.test_bed().unwrap();
    for name in &names {
        let explained = compiled.explain(name, EVERYBODY);
        let kernel = decided(&mut bed, name);
        assert_eq!(kernel, explained.outcome, "{name}: {:?}", explained.rules);
        outcomes[kernel as usize] += 1;
        of_patterns += usize::from(
            explained
                .rules
                .iter()
                .any(|it| it.prevails && it.rule.scope.is_none()),
        );
    }
    println!(
        "{} names: {outcomes:?} not listed, on trial, blocked, allowed; {of_patterns} by patterns",
        names.len()
    );
    assert!(
        outcomes.iter().all(|count| *count > 1_000) && of_patterns > 100,
        "{outcomes:?}, {of_patterns}"
    );
}

fn decided(bed: &mut TestBed<'_>, name: &Domain) -> Outcome {
    let query = Wrap::v4(53).udp(&frames::query(name.as_str()));
    match bed.judge(&query).unwrap().reason {
        Reason::DnsNotListed => Outcome::NotListed,
        Reason::DnsAudited => Outcome::Audited,
        Reason::DnsBlocked => Outcome::Blocked,
        Reason::DnsAllowed => Outcome::Allowed,
        other => panic!("{name}: {other:?}"),
    }
}

/// Of the lists, each of so many is in audit mode.
const LISTS_A_TRIAL: usize = 4;

/// All lists that can be read; there are some that hold nothing but addresses.
fn compile(hash_key: &HashKey) -> CompiledPolicy {
    let of_folder = |folder: PathBuf| {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let folders = of_folder(collection()).filter(|path| path.is_dir());
    let mut files: Vec<_> = folders.flat_map(of_folder).collect();
    files.sort();
    let name = |file: &PathBuf| {
        file.strip_prefix(collection())
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    files.retain(|file| !NOT_READ.iter().any(|start| name(file).starts_with(start)));
    let mut builder = Builder::new(*hash_key);
    for (number, file) in files.into_iter().enumerate() {
        let name = name(&file);
        let options = ListOptions {
            allow: ALLOW.contains(&&*name),
            ..ListOptions::default()
        };
        let rules = builder.list(&name, 0);
        let mut rules = if number % LISTS_A_TRIAL == 0 {
            rules.on_trial()
        } else {
            rules
        };
        if let Err(error) = filter_lists::load(&file, &options, &mut rules, &mut |_| {}) {
            assert!(matches!(error, ListError::Empty { .. }), "{error}");
        }
    }
    builder.finish().unwrap()
}

/// The most visited sites, and of the names in the lists each some, with one below and the one
/// above.
fn names(compiled: &CompiledPolicy) -> Vec<Domain> {
    let mut names = Vec::new();
    for list in ["opendns-top-10k.domains", "domain-stats-top-38k.domains"] {
        let text = fs::read_to_string(collection().join("popular").join(list)).unwrap();
        names.extend(text.lines().filter_map(|line| Domain::parse(line).ok()));
    }
    let mut from = Some(Position::default());
    while let Some(position) = from {
        let (rules, next) = compiled.page(position, 100);
        for rule in rules.into_iter().step_by(75) {
            let above = rule
                .rule
                .split_once('.')
                .map_or(&*rule.rule, |(_, rest)| rest);
            let below = [format!("ad7.{}", rule.rule), format!("cdn-x.{}", rule.rule)];
            let all = [&*rule.rule, above]
                .into_iter()
                .chain(below.iter().map(|name| &**name));
            names.extend(all.filter_map(|name| Domain::parse(name).ok()));
        }
        from = next;
    }
    names.retain(can_be_asked);
    names
}

/// The encoder takes no label with a hyphen at its start or end.
pub fn can_be_asked(name: &Domain) -> bool {
    name.as_str()
        .split('.')
        .all(|label| !label.starts_with('-') && !label.ends_with('-'))
}

pub fn collection() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}
