//! The captures of ../shared/cases/packets: the names that each is to give, by the program in user
//! space.
//!
//! `expected.jsonl` has most of them. `shared_packets.tsv` beside this file has the others, and
//! those that are not right yet, each with what the program prints today and why.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const NAMEGATE: &str = env!("CARGO_BIN_EXE_namegate");
/// File, state, names as [`names_of`] writes them, reason.
const LISTED: &str = include_str!("shared_packets.tsv");
/// The rule of each capture for which expected.jsonl has none.
const RULE: &str = "||blocked.test^";

/// What is known of a capture that is listed.
struct Row {
    state: String,
    names: String,
}

#[test]
fn every_capture_gives_the_names_that_are_wanted_of_it() {
    let (expected, listed) = (expected(), listed());
    let mut wrong = Vec::new();
    for file in captures() {
        let (options, rule, wanted) = match expected.get(&file) {
            Some(line) => (
                strings(&line["options"]),
                line["list"].as_str().unwrap(),
                Some(wanted(line)),
            ),
            None => (Vec::new(), RULE, None),
        };
        let found = names_of(&file, &options, rule);
        match (wanted, listed.get(&file)) {
            (Some(wanted), None) if found != wanted => {
                wrong.push(format!("{file}: {found:?}, wanted {wanted:?}"));
            }
            (Some(wanted), Some(_)) if found == wanted => {
                wrong.push(format!("{file} is right: take it off the list"));
            }
            (None, None) => wrong.push(format!(
                "{file}: {found:?}; neither expected.jsonl nor the list has it"
            )),
            (_, Some(row)) if found != row.names => {
                wrong.push(format!(
                    "{file} ({}): {found:?}, listed {:?}",
                    row.state, row.names
                ));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_has_a_state_and_a_reason_for_captures_that_there_are() {
    let captures = captures();
    for (file, row) in listed() {
        assert!(captures.contains(&file), "{file}");
        assert!(
            ["right", "wrong", "limit"].contains(&&*row.state),
            "{file}: {}",
            row.state
        );
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/packets")
}

fn captures() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut captures: Vec<_> = names
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|kind| kind == "pcap")
        })
        .collect();
    captures.sort();
    assert!(!captures.is_empty());
    captures
}

fn expected() -> BTreeMap<String, Value> {
    let text = fs::read_to_string(folder().join("expected.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| (line["file"].as_str().unwrap().to_owned(), line))
        .collect()
}

fn listed() -> BTreeMap<String, Row> {
    let lines = LISTED.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let [file, state, names, reason] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(!reason.is_empty(), "{file} has no reason");
        (
            file.to_owned(),
            Row {
                state: state.to_owned(),
                names: names.to_owned(),
            },
        )
    };
    lines.map(row).collect()
}

fn wanted(line: &Value) -> String {
    joined(line["names"].as_array().unwrap().iter())
}

/// The names that the program prints of a capture, with kind and verdict.
fn names_of(file: &str, options: &[String], rule: &str) -> String {
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(&list, format!("{rule}\n")).unwrap();
    let output = Command::new(NAMEGATE)
        .args(["replay", "--engine", "user", "--json", "--list"])
        .arg(list.path())
        .args(options)
        .arg("--")
        .arg(folder().join(file))
        .output()
        .unwrap();
    assert!(output.status.success(), "{file}: {output:?}");
    let lines: Vec<Value> = str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    joined(lines.iter())
}

fn joined<'a>(names: impl Iterator<Item = &'a Value>) -> String {
    let word = |name: &Value, field: &str| name[field].as_str().unwrap().to_owned();
    let names = names.map(|name| {
        format!(
            "{} {} {}",
            word(name, "kind"),
            word(name, "name"),
            word(name, "verdict")
        )
    });
    names.collect::<Vec<_>>().join("; ")
}

fn strings(array: &Value) -> Vec<String> {
    array
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}
