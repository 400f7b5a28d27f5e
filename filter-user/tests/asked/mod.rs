//! Names to ask for: those that a list is about, what is around them, and names that people visit.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
};

use filter_user::{
    lists::{self, Domain, Format, ListOptions},
    policy::Names,
};

/// Rules of a list around which names are made, spread over it.
const MOST_RULES: usize = 20_000;

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

/// Names that the list's rules are about, their parents, names below them and beside them; and names of other lists.
pub fn around(list: &Path, collection: &Path) -> Vec<Domain> {
    let mut names: BTreeSet<String> = OTHERS.iter().flat_map(|file| plain(&collection.join(file))).collect();
    let listed = listed(list);
    let step = listed.len().div_ceil(MOST_RULES).max(1);
    for name in listed.iter().step_by(step) {
        names.extend([name.clone(), format!("www.{name}"), format!("x{name}"), format!("{name}.example.net")]);
        names.extend(name.split_once('.').map(|(_, parent)| parent.to_owned()));
    }
    names.extend(from_text(&fs::read_to_string(list).expect("a list")));
    names.iter().filter_map(|name| Domain::parse(name).ok()).collect()
}

fn plain(path: &Path) -> Vec<String> {
    fs::read_to_string(path).expect("a list").lines().map(str::to_owned).collect()
}

/// Names out of the texts of patterns: what is between their special characters, with something put in there.
fn from_text(text: &str) -> Vec<String> {
    let is_pattern =
        |line: &&str| !line.starts_with(['!', '#', '[']) && !line.contains("##") && line.contains(['*', '/', '\\']);
    let filled = text.lines().filter(is_pattern).map(|line| {
        let pattern = line.split('$').next().unwrap_or_default();
        pattern.trim_matches(['|', '@', '^', '/']).replace("\\.", ".").replace('*', "1")
    });
    let names = filled.filter(|name| name.len() > 2 && name.len() < 100).flat_map(|name| {
        let end = if name.ends_with('.') { "com" } else { "" };
        [format!("{name}{end}"), format!("a.{name}{end}"), format!("{name}{end}.com"), format!("a{name}{end}")]
    });
    names.collect()
}

fn listed(list: &Path) -> Vec<String> {
    let mut names = Names::default();
    let options = ListOptions { format: Some(Format::AdBlock), ..ListOptions::default() };
    lists::load(list, &options, &mut names, &mut |_| {}).expect("a list");
    names.iter().map(|(name, _)| name.to_owned()).collect()
}
