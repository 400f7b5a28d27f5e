//! What holds of the crates of this repository: which of the others each may know, and how large
//! it may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// Of the crates of the filter, those of this repository that each depends on.
const DEPENDS_ON: [(&str, &[&str]); 5] = [
    ("filter-api", &[]),
    ("filter-core", &[]),
    ("filter-lists", &["filter-core"]),
    ("filter-policy", &["filter-core", "filter-lists"]),
    (
        "filter-user",
        &[
            "filter-api",
            "filter-core",
            "filter-lists",
            "filter-policy",
            "test-programs",
        ],
    ),
];

/// Crates by others that these must do without: the kernel, servers, and what waits.
const WITHOUT: [(&str, &[&str]); 3] = [
    ("filter-api", &["aya", "aya-obj", "axum"]),
    (
        "filter-lists",
        &["aya", "aya-obj", "axum", "hyper", "tokio"],
    ),
    (
        "filter-policy",
        &["aya", "aya-obj", "axum", "hyper", "tokio"],
    ),
];

/// Lines that a crate may have without its tests.
const MAX_LINES: usize = 8_000;

/// Crates that are larger than that: a change may only lower these numbers.
const LARGER: [(&str, usize); 3] = [
    ("filter-core", 17_500),
    ("filter-policy", 10_200),
    ("filter-user", 17_200),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &Path) -> Table {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    text.parse().unwrap()
}

/// The crates of the workspace.
fn members() -> BTreeSet<String> {
    let members = manifest(&root())["workspace"]["members"].clone();
    let members = members.as_array().unwrap().iter();
    members
        .map(|member| member.as_str().unwrap().to_owned())
        .collect()
}

/// What a crate is built with, tests left out.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = manifest(&root().join(name));
    assert!(
        !manifest.contains_key("target"),
        "{name}: dependencies of a target are not looked at here"
    );
    let dependencies = manifest["dependencies"].as_table().unwrap();
    dependencies.keys().cloned().collect()
}

#[test]
fn a_crate_knows_no_other_than_those_below_it() {
    let members = members();
    for (name, below) in DEPENDS_ON {
        let known: Vec<_> = dependencies(name)
            .into_iter()
            .filter(|dependency| members.contains(dependency))
            .collect();
        assert_eq!(known, below, "{name}");
    }
}

#[test]
fn lists_policy_and_the_clients_of_the_api_need_no_kernel_and_no_server() {
    for (name, without) in WITHOUT {
        let dependencies = dependencies(name);
        for other in without {
            assert!(!dependencies.contains(*other), "{name} depends on {other}");
        }
    }
}

#[test]
fn no_crate_is_larger_than_it_may_be() {
    let larger = BTreeMap::from(LARGER);
    for name in members() {
        let lines = lines_below(&root().join(&name).join("src"));
        let most = larger.get(&*name).copied().unwrap_or(MAX_LINES);
        println!("{name}: {lines} of {most}");
        assert!(lines > 0, "{name} has no source");
        assert!(lines <= most, "{name} has {lines} lines of at most {most}");
        assert!(
            most == MAX_LINES || lines > MAX_LINES,
            "take {name} out of the list: it has {lines} lines"
        );
    }
}

/// Lines of all sources in a folder, without tests.
fn lines_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| match path.file_name().unwrap().to_str().unwrap() {
            "tests" | "tests.rs" => 0,
            _ if path.is_dir() => lines_below(&path),
            name if Path::new(name).extension().is_some_and(|it| it == "rs") => lines(&path),
            _ => 0,
        })
        .sum()
}

fn lines(path: &Path) -> usize {
    let source = fs::read_to_string(path).unwrap();
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    source.lines().count()
}
