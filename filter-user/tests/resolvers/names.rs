//! Names that a list of a resolver may be about.

use std::{collections::BTreeSet, path::Path};

use filter_lists::Domain;

use crate::asked;

/// All words of the list that are names, also those that are no rule here; what is around them, and
/// names that people visit.
pub fn around(text: &str, collection: &Path) -> Vec<Domain> {
    let lines = text.lines().filter(|line| !line.starts_with([';', '#']));
    let is_of_a_name =
        |letter: char| letter.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&letter);
    let words = lines.flat_map(|line| line.split(|letter| !is_of_a_name(letter)));
    let words: BTreeSet<&str> = words.map(|word| word.trim_matches('.')).collect();
    let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
    let mut names = asked::around(&words, collection);
    names.extend(words.iter().filter_map(|word| Domain::parse(word).ok()));
    names.into_iter().collect()
}
