//! What holds of this crate's sources: bounds that a change may only lower.

use std::{collections::BTreeMap, fs, path::Path};

/// Methods of the traits between the decision and where it runs that are written by hand. 20 are the aim.
const SEAM_METHODS: usize = 29;
/// These traits, and where they are.
const SEAM: [(&str, &str); 6] = [
    ("packet.rs", "Packet"),
    ("packet.rs", "Replace"),
    ("patterns.rs", "Patterns"),
    ("rules.rs", "Rules"),
    ("maps.rs", "Maps"),
    ("flows/table.rs", "Flows"),
];

fn source(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap()
}

/// The methods of a trait; those that the table of subprograms makes are not in its text.
fn methods(source: &str, name: &str) -> Vec<String> {
    let head = format!("pub trait {name}");
    let lines = source
        .lines()
        .skip_while(|line| line.strip_prefix(&head).is_none_or(|rest| rest.starts_with(char::is_alphanumeric)));
    let methods = lines.take_while(|line| *line != "}").filter_map(|line| line.strip_prefix("    fn "));
    methods.map(|method| method.split(['(', '<']).next().unwrap().to_owned()).collect()
}

#[test]
fn the_seam_has_no_more_methods_by_hand_than_it_had() {
    let methods: BTreeMap<_, _> = SEAM.iter().map(|(file, name)| (*name, methods(&source(file), name))).collect();
    assert!(methods.values().all(|methods| !methods.is_empty()), "{methods:?}");
    let all: usize = methods.values().map(Vec::len).sum();
    assert!(all <= SEAM_METHODS, "{all} methods: {methods:#?}");
}

#[test]
fn no_trait_of_the_seam_is_left_out() {
    let traits: Vec<_> = ["packet.rs", "patterns.rs", "rules.rs", "maps.rs", "flows/table.rs"]
        .iter()
        .flat_map(|file| {
            source(file)
                .lines()
                .filter_map(|line| Some(line.strip_prefix("pub trait ")?.split([':', ' ', '<']).next()?.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(traits, SEAM.map(|(_, name)| name));
}
