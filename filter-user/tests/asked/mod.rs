//! Names to ask for: those that a list is about, what is around them, and names that people visit.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
};

use filter_lists::Domain;

/// Names of a list around which others are made, spread over it.
const MOST: usize = 20_000;

const VISITED: [&str; 2] = [
    "popular/domain-stats-top-38k.domains",
    "popular/opendns-top-10k.domains",
];

/// A list's text, unpacked.
pub fn text_of(path: &Path) -> String {
    let bytes = if path.extension().is_some_and(|extension| extension == "zst") {
        zstd::decode_all(File::open(path).expect("a list")).expect("zstd")
    } else {
        fs::read(path).expect("a list")
    };
    String::from_utf8(bytes).expect("UTF-8")
}

/// Some of these names with their parents, names below them and beside them; and names that people
/// visit.
pub fn around(listed: &[String], collection: &Path) -> BTreeSet<Domain> {
    let mut names: BTreeSet<String> = VISITED
        .iter()
        .flat_map(|file| plain(&collection.join(file)))
        .collect();
    let step = listed.len().div_ceil(MOST).max(1);
    for name in listed.iter().step_by(step) {
        names.extend([
            name.clone(),
            format!("www.{name}"),
            format!("x{name}"),
            format!("{name}.example.net"),
        ]);
        names.extend(name.split_once('.').map(|(_, parent)| parent.to_owned()));
    }
    names
        .iter()
        .filter_map(|name| Domain::parse(name).ok())
        .collect()
}

/// The lines of a list that has nothing but names.
pub fn plain(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .expect("a list")
        .lines()
        .map(str::to_owned)
        .collect()
}
