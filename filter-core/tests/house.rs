//! What holds of this crate's sources: bounds that a change may only lower.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Methods of the traits between the decision and where it runs that are written by hand. 20 are
/// the aim.
const SEAM_METHODS: usize = 31;
/// These traits, and where they are.
const SEAM: [(&str, &str); 6] = [
    ("packet.rs", "Packet"),
    ("packet.rs", "Replace"),
    ("patterns.rs", "Patterns"),
    ("rules.rs", "Rules"),
    ("maps/mod.rs", "Maps"),
    ("flows/table.rs", "Flows"),
];

fn source(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap()
}

/// The methods of a trait; those that the table of subprograms makes are not in its text.
fn methods(source: &str, name: &str) -> Vec<String> {
    let head = format!("pub trait {name}");
    let lines = source.lines().skip_while(|line| {
        line.strip_prefix(&head)
            .is_none_or(|rest| rest.starts_with(char::is_alphanumeric))
    });
    let methods = lines
        .take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix("    fn "));
    methods
        .map(|method| method.split(['(', '<']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_seam_has_no_more_methods_by_hand_than_it_had() {
    let methods: BTreeMap<_, _> = SEAM
        .iter()
        .map(|(file, name)| (*name, methods(&source(file), name)))
        .collect();
    assert!(
        methods.values().all(|methods| !methods.is_empty()),
        "{methods:?}"
    );
    let all: usize = methods.values().map(Vec::len).sum();
    assert!(all <= SEAM_METHODS, "{all} methods: {methods:#?}");
}

#[test]
fn no_trait_of_the_seam_is_left_out() {
    let traits: Vec<_> = [
        "packet.rs",
        "patterns.rs",
        "rules.rs",
        "maps/mod.rs",
        "flows/table.rs",
    ]
    .iter()
    .flat_map(|file| {
        source(file)
            .lines()
            .filter_map(|line| {
                Some(
                    line.strip_prefix("pub trait ")?
                        .split([':', ' ', '<'])
                        .next()?
                        .to_owned(),
                )
            })
            .collect::<Vec<_>>()
    })
    .collect();
    assert_eq!(traits, SEAM.map(|(_, name)| name));
}

/// Modules at the ground, parsers and what is known of flows: what they may use.
const LAYERS: [(&str, &[&str]); 16] = [
    ("bounds", &[]),
    ("loops", &[]),
    ("subprograms", &[]),
    ("intrinsics", &["bounds"]),
    ("hash", &["intrinsics"]),
    ("buffer", &["bounds", "intrinsics", "loops"]),
    ("packet", &["buffer", "loops"]),
    ("cursor", &["packet"]),
    ("headers", &["hash", "packet", "reason"]),
    ("name", &["abi", "buffer", "hash", "intrinsics", "packet"]),
    ("tls", &["buffer", "cursor", "packet", "reason"]),
    ("dns", &["name", "packet", "reason"]),
    ("flow_key", &["abi", "headers", "packet"]),
    (
        "quic",
        &["abi", "bounds", "buffer", "flow_key", "packet", "reason"],
    ),
    (
        "rules",
        &[
            "abi",
            "clients",
            "hash",
            "name",
            "packet",
            "patterns",
            "subprograms",
        ],
    ),
    ("effect", &["abi", "headers", "reason", "rules"]),
];

/// Of each module of the crate, those that it uses.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in files(&sources) {
        let module = path
            .strip_prefix(&sources)
            .unwrap()
            .components()
            .next()
            .unwrap();
        let module = Path::new(module.as_os_str())
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if module == "lib" || path.ends_with("tests.rs") {
            continue;
        }
        let found = used(&fs::read_to_string(&path).unwrap());
        uses.entry(module.clone())
            .or_default()
            .extend(found.into_iter().filter(|found| *found != module));
    }
    uses
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The modules behind each `crate::` outside of comments and tests.
fn used(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let source: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap().to_owned() + "\n")
        .collect();
    let word = |text: &str| {
        text.trim()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap()
            .to_owned()
    };
    let mut used = BTreeSet::new();
    for behind in source.split("crate::").skip(1) {
        let Some(list) = behind.strip_prefix('{') else {
            used.insert(word(behind));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (place, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if c.is_alphanumeric() && begins => {
                    used.insert(word(&list[place..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn no_module_leads_back_to_itself() {
    let uses = uses();
    let in_circle = |module: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![module]);
        while let Some(module) = next.pop() {
            next.extend(
                uses.get(module)
                    .into_iter()
                    .flatten()
                    .filter(|used| seen.insert(*used)),
            );
        }
        seen.contains(module)
    };
    let circles: Vec<_> = uses.keys().filter(|module| in_circle(module)).collect();
    assert!(uses.len() > 20, "{uses:?}");
    assert_eq!(circles, [""; 0]);
}

#[test]
fn the_ground_and_the_parsers_use_what_is_below_them_alone() {
    let uses = uses();
    for (module, below) in LAYERS {
        let found: Vec<_> = uses[module].iter().collect();
        assert_eq!(found, below, "{module}");
    }
}
