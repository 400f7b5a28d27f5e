use std::fs;

use filter_lists::{Domain, ListFile, ListOptions};
use tempfile::TempDir;

use crate::compiled::{EVERYBODY, HashKeyPolicy, Policy, PolicySource, Position, Rule, hash_key};

const FIRST: &str =
    "||example.com^\n||ads.example.com^\n@@||good.example.com^\n|one.example^\nad*.example.net\n";
const SECOND: &str = "||example.com^\n||one.example^$important\n/^track[0-9]+\\./\n||nodot^\n||x.example^$badfilter\n";

#[test]
fn a_policy_of_the_cache_says_what_the_one_that_was_read_says() {
    let (folder, source) = source();
    let read = open(&source);
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    let kept = open(&source);
    assert!(
        kept.notes[0].starts_with("the policy is from the cache"),
        "{:?}",
        kept.notes
    );
    // The compiled policy that was read has its table in the file as well; this one has it in
    // memory.
    let apart = source
        .read_or_open(HashKeyPolicy::Apart(hash_key()), &mut |_| ())
        .unwrap();
    for policy in [&kept, &apart] {
        assert_eq!(policy.reports, read.reports);
        assert_eq!(policy.compiled.lists(), read.compiled.lists());
        assert_eq!(rules(policy), rules(&read));
        assert_eq!(
            policy.compiled.entries_in_force(),
            read.compiled.entries_in_force()
        );
        assert_eq!(
            (policy.compiled.len(), policy.compiled.top()),
            (read.compiled.len(), read.compiled.top())
        );
        assert_eq!(
            policy.compiled.list_names().collect::<Vec<_>>(),
            read.compiled.list_names().collect::<Vec<_>>()
        );
        for asked in [
            "x.ads.example.com",
            "good.example.com",
            "a.one.example",
            "ad7.example.net",
            "track1.example.org",
        ] {
            let name = Domain::parse(asked).unwrap();
            assert_eq!(
                policy.compiled.explain(&name, EVERYBODY),
                read.compiled.explain(&name, EVERYBODY),
                "{asked}"
            );
            assert_eq!(
                policy.compiled.judge(&name, EVERYBODY).precedence,
                read.compiled.judge(&name, EVERYBODY).precedence,
                "{asked}"
            );
        }
    }
    drop(folder);
    // What is mapped stays when the file goes.
    assert_eq!(rules(&kept), rules(&read));
}

#[test]
fn a_cache_of_another_key_is_not_taken_for_a_filter_that_has_its_own() {
    let (_folder, source) = source();
    open(&source);
    let other = hash_key();
    let policy = kept(&source, HashKeyPolicy::ActivePolicy(other));
    assert!(
        policy.notes[0].ends_with("is not used: another controller wrote it"),
        "{:?}",
        policy.notes
    );
    let again = kept(&source, HashKeyPolicy::ActivePolicy(other));
    assert!(
        again.notes[0].starts_with("the policy is from the cache"),
        "{:?}",
        again.notes
    );
}

#[test]
fn a_policy_that_does_not_come_in_force_leaves_the_cache_as_it_was_and_no_file_beside_it() {
    let (folder, source) = source();
    let cache = folder.path().join("cache");
    let files = || {
        fs::read_dir(&cache)
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect::<Vec<_>>()
    };
    open(&source);
    let before = fs::read(cache.join("policy")).unwrap();
    fs::write(folder.path().join("first"), "||other.example^\n").unwrap();
    let refused = source
        .read_or_open(HashKeyPolicy::Drawn(hash_key()), &mut |_| ())
        .unwrap();
    assert_eq!(files().len(), 1, "what is written has no name yet");
    drop(refused);
    assert_eq!(
        (files(), fs::read(cache.join("policy")).unwrap()),
        (vec!["policy".into()], before)
    );
    open(&source);
    assert!(open(&source).notes[0].starts_with("the policy is from the cache"));
}

#[test]
fn what_is_done_by_hand_holds_on_a_policy_of_the_cache() {
    let (_folder, source) = source();
    open(&source);
    let mut compiled = open(&source).compiled;
    let name = |text| Domain::parse(text).unwrap();
    let before = compiled.entries_in_force();
    let removed = compiled.remove(&name("example.com")).unwrap();
    assert_eq!(removed.uncovered, [compiled.key(&name("ads.example.com"))]);
    assert_eq!(compiled.entries_in_force(), before);
    assert!(
        compiled.blocking(&name("x.ads.example.com")).is_some()
            && compiled.blocking(&name("example.com")).is_none()
    );
}

fn source() -> (TempDir, PolicySource) {
    let folder = TempDir::new().unwrap();
    let lists = [("first", FIRST), ("second", SECOND)].map(|(file, text)| {
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        (
            ListFile {
                path,
                format: Some(filter_lists::Format::AdBlock),
            },
            ListOptions::default(),
        )
    });
    let cache = Some(folder.path().join("cache"));
    (
        folder,
        PolicySource {
            config: None,
            lists: lists.into(),
            cache,
            ..PolicySource::default()
        },
    )
}

fn open(source: &PolicySource) -> Policy {
    kept(source, HashKeyPolicy::Drawn(hash_key()))
}

/// The policy, which is in the cache from then on.
fn kept(source: &PolicySource, with: HashKeyPolicy) -> Policy {
    let mut policy = source.read_or_open(with, &mut |_| ()).unwrap();
    assert_eq!(policy.keep(), None);
    policy
}

fn rules(policy: &Policy) -> Vec<Rule<'_>> {
    let mut rules: Vec<_> = policy
        .compiled
        .page(Position::default(), 100)
        .0
        .into_iter()
        .chain(policy.compiled.patterns())
        .collect();
    // The order is that of the keys, which are others with another key of the hash.
    rules.sort_by(|one, other| one.rule.cmp(&other.rule));
    rules
}
