//! The Bloom filter in front of the rules changes no verdict: over a million names, with and
//! without it.

use std::fs;

use filter_core::HashKey;
use filter_lists::{Domain, ListOptions, Names};
use filter_policy::{compiled::CompiledPolicy, groups::Groups};
use filter_user::kernel::{Filter, LoadOptions, draw_hash_key};
use frames::Wrap;

use crate::policy::{can_be_asked, collection};

/// Names that are asked for.
const NAMES: usize = 1_000_000;
/// Of the names, each of so many is no rule.
const LEFT_OUT: usize = 4;

#[test]
fn over_a_million_names_the_bloom_filter_changes_no_verdict() {
    let names = names();
    let hash_key = draw_hash_key().unwrap();
    let rules = names
        .iter()
        .enumerate()
        .filter(|(place, _)| place % LEFT_OUT != 0)
        .map(|(_, name)| name.as_str());
    let compiled = CompiledPolicy::blocking_all(hash_key, "rules", rules).unwrap();
    let (mut with, mut without) = (filter(hash_key, &compiled), filter(hash_key, &compiled));
    without.open_bloom().unwrap();
    let (mut with, mut without) = (with.test_bed().unwrap(), without.test_bed().unwrap());
    let (mut asked, mut blocked) = (0, 0);
    for name in &names {
        let query = Wrap::v4(53).udp(&frames::query(name.as_str()));
        let reason = with.judge(&query).unwrap().reason;
        assert_eq!(reason, without.judge(&query).unwrap().reason, "{name}");
        asked += 1;
        blocked += usize::from(reason.is_blocked());
    }
    println!(
        "{asked} names, {blocked} of them blocked, beside {} rules",
        compiled.entries_in_force()
    );
    assert!(
        blocked > NAMES / 2 && asked - blocked > NAMES / 10,
        "{blocked} of {asked}"
    );
}

fn filter(hash_key: HashKey, compiled: &CompiledPolicy) -> Filter {
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
            compiled,
            &Groups::default(),
            |_| {},
        )
        .unwrap();
    filter
}

/// Names of real lists, and if these have too few, names below them.
fn names() -> Vec<Domain> {
    let mut files: Vec<_> = fs::read_dir(collection().join("hagezi"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.retain(|file| file.to_string_lossy().contains(".domains"));
    files.sort();
    let mut names = Names::default();
    for file in files {
        filter_lists::load(&file, &ListOptions::default(), &mut names, &mut |_| {}).unwrap();
    }
    let real = names.iter().map(|(name, _)| name.to_owned());
    let below = ["cdn-x", "long-label.x"];
    let below = below
        .iter()
        .flat_map(|below| names.iter().map(move |(name, _)| format!("{below}.{name}")));
    let all = real
        .chain(below)
        .filter_map(|name| Domain::parse(&name).ok())
        .filter(can_be_asked);
    let all: Vec<_> = all.take(NAMES).collect();
    assert_eq!(all.len(), NAMES, "the collection has too few names");
    all
}
