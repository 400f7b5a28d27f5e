//! Names that a list in AdBlock syntax may be about.

use std::{collections::BTreeSet, fs, path::Path};

use filter_user::{
    lists::{self, Domain, Format, ListOptions},
    policy::Names,
};

use crate::asked;

/// Names that the list's rules are about, what is around them, and names of other lists.
pub fn around(list: &Path, collection: &Path) -> Vec<Domain> {
    let from_text = from_text(&fs::read_to_string(list).expect("a list"));
    let names: BTreeSet<Domain> = from_text.iter().filter_map(|name| Domain::parse(name).ok()).collect();
    let names = names.into_iter().chain(asked::around(&listed(list), collection));
    names.collect::<BTreeSet<_>>().into_iter().collect()
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
