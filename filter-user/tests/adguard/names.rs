//! Names that a list in AdBlock syntax may be about.

use std::{fs, path::Path};

use filter_lists::{Domain, Format, ListOptions, Names};

use crate::asked;

const OTHERS: &str = "oisd/small.domains";

/// Names that the list's rules are about, what is around them, and names of other lists.
pub fn around(list: &Path, collection: &Path) -> Vec<Domain> {
    let mut names = asked::around(&listed(list), collection);
    let from_text = from_text(&fs::read_to_string(list).expect("a list"));
    let others = asked::plain(&collection.join(OTHERS));
    names.extend(
        from_text
            .iter()
            .chain(&others)
            .filter_map(|name| Domain::parse(name).ok()),
    );
    names.into_iter().collect()
}

/// Names out of the texts of patterns: what is between their special characters, with something put
/// in there.
fn from_text(text: &str) -> Vec<String> {
    let is_pattern = |line: &&str| {
        !line.starts_with(['!', '#', '['])
            && !line.contains("##")
            && line.contains(['*', '/', '\\'])
    };
    let filled = text.lines().filter(is_pattern).map(|line| {
        let pattern = line.split('$').next().unwrap_or_default();
        pattern
            .trim_matches(['|', '@', '^', '/'])
            .replace("\\.", ".")
            .replace('*', "1")
    });
    let names = filled
        .filter(|name| name.len() > 2 && name.len() < 100)
        .flat_map(|name| {
            let end = if name.ends_with('.') { "com" } else { "" };
            [
                format!("{name}{end}"),
                format!("a.{name}{end}"),
                format!("{name}{end}.com"),
                format!("a{name}{end}"),
            ]
        });
    names.collect()
}

fn listed(list: &Path) -> Vec<String> {
    let mut names = Names::default();
    let options = ListOptions {
        format: Some(Format::AdBlock),
        ..ListOptions::default()
    };
    filter_lists::load(list, &options, &mut names, &mut |_| {}).expect("a list");
    names.iter().map(|(name, _)| name.to_owned()).collect()
}
