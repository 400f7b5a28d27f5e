//! Names to ask for: those that a list is about, what is around them, and names that people visit.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
};

use filter_user::lists::Domain;

/// Names of a list around which others are made, spread over it.
const MOST: usize = 20_000;

const OTHERS: [&str; 3] =
    ["popular/domain-stats-top-38k.domains", "popular/opendns-top-10k.domains", "oisd/small.domains"];

/// A list's text, unpacked.
pub fn text_of(path: &Path) -> String {
    let bytes = if path.extension().is_some_and(|extension| extension == "zst") {
        zstd::decode_all(File::open(path).expect("a list")).expect("zstd")
    } else {
        fs::read(path).expect("a list")
    };
    String::from_utf8(bytes).expect("UTF-8")
}

/// These names, for some of them their parents, names below them and beside them; and names of other lists.
pub fn around(listed: &[String], collection: &Path) -> Vec<Domain> {
    let mut names: BTreeSet<String> = OTHERS.iter().flat_map(|file| plain(&collection.join(file))).collect();
    let step = listed.len().div_ceil(MOST).max(1);
    for name in listed.iter().step_by(step) {
        names.extend([format!("www.{name}"), format!("x{name}"), format!("{name}.example.net")]);
        names.extend(name.split_once('.').map(|(_, parent)| parent.to_owned()));
    }
    names.extend(listed.iter().cloned());
    let names: BTreeSet<Domain> = names.iter().filter_map(|name| Domain::parse(name).ok()).collect();
    names.into_iter().collect()
}

fn plain(path: &Path) -> Vec<String> {
    fs::read_to_string(path).expect("a list").lines().map(str::to_owned).collect()
}
