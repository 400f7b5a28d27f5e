//! Names to measure with: real ones where the collection beside the repository is, else names from
//! a seed.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use fastrand::Rng;
use filter_lists::{ListOptions, Names};

use crate::collection;

/// Each run takes the same names.
pub const SEED: u64 = 0x6e61_6d65_6761_7465;

/// Names to ask for that no rule may match: the most visited sites.
const POPULAR: &str = "popular/domain-stats-top-38k.domains";

/// Names for rules, and names that people visit.
pub struct RealNames {
    /// Names to block, without repetitions.
    pub rules: Vec<String>,
    /// Names to ask for; some of them may be blocked.
    pub popular: Vec<String>,
    generated_rules: usize,
    generated_popular: bool,
}

impl RealNames {
    /// At least `most` names for rules.
    pub fn gather(most: usize) -> anyhow::Result<Self> {
        let collection = collection::folder();
        let mut random = Rng::with_seed(SEED);
        let mut rules = rules_of(&collection, most)?;
        let missing = most - rules.len();
        rules.extend(generated(&mut random, "test", missing));
        let popular = match load(&[collection.join(POPULAR)], usize::MAX) {
            Ok(names) => texts(&names),
            Err(_) => generated(&mut random, "example", 40_000),
        };
        let generated_popular = popular.iter().all(|name| name.ends_with(".example"));
        Ok(Self {
            rules,
            popular,
            generated_rules: missing,
            generated_popular,
        })
    }

    /// So many of the rules, picked all over the lists.
    pub fn some_rules(&self, count: usize) -> Vec<&str> {
        some(&self.rules, count)
    }

    /// Where the names are from.
    pub fn describe(&self) -> String {
        let rules = match self.generated_rules {
            0 => "real blocklists".into(),
            all if all == self.rules.len() => "a seed".into(),
            some => format!(
                "real blocklists, and {some} of {} from a seed",
                self.rules.len()
            ),
        };
        let popular = if self.generated_popular {
            "a seed"
        } else {
            "a list of the most visited sites"
        };
        let names = format!(
            "The rules are names from {rules}; the names that are not listed are from {popular}."
        );
        if !collection::lists().is_empty() {
            return names;
        }
        let folder = collection::folder();
        format!(
            "{names}\nThe rows of patterns and of all lists are left out: they need real lists in {}.",
            folder.display()
        )
    }
}

/// So many of them, always the same ones.
pub fn some(names: &[String], count: usize) -> Vec<&str> {
    let mut random = Rng::with_seed(SEED);
    random.choose_multiple(names.iter().map(String::as_str), count)
}

/// True for what a TLS hello can name: letters, digits, dots and inner hyphens, and no number at
/// the end.
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let octets = label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        octets && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let numeric = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
    name.split('.').all(label) && !name.rsplit('.').next().is_some_and(numeric)
}

/// Names from the largest lists of the collection, `most` of them if it has as many, none where
/// there is no collection.
fn rules_of(collection: &Path, most: usize) -> anyhow::Result<Vec<String>> {
    let names = texts(&load(&lists_in(collection), most)?);
    if names.len() <= most {
        return Ok(names);
    }
    Ok(some(&names, most).into_iter().map(Into::into).collect())
}

/// All names of lists, one list after another until there are enough.
fn load(lists: &[PathBuf], enough: usize) -> anyhow::Result<Names> {
    let mut names = Names::default();
    for list in lists {
        if names.len() >= enough {
            break;
        }
        filter_lists::load(list, &ListOptions::default(), &mut names, &mut |_| ())?;
    }
    Ok(names)
}

fn texts(names: &Names) -> Vec<String> {
    names.iter().map(|(name, _)| name.to_owned()).collect()
}

/// The lists of names in the folders of a collection, the largest first, without the names that
/// people visit.
fn lists_in(collection: &Path) -> Vec<PathBuf> {
    let folders = collection::entries(collection).unwrap_or_default();
    let folders = folders.iter().filter(|folder| !folder.ends_with("popular"));
    let files = folders.flat_map(|folder| collection::entries(folder));
    let mut lists: Vec<_> = files.flatten().filter(|file| is_list(file)).collect();
    lists.sort_by_cached_key(|list| {
        (
            u64::MAX - fs::metadata(list).map_or(0, |metadata| metadata.len()),
            list.clone(),
        )
    });
    lists
}

fn is_list(file: &Path) -> bool {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let plain = Path::new(name.strip_suffix(".zst").unwrap_or(name));
    let names = plain
        .extension()
        .is_some_and(|format| format == "domains" || format == "hosts");
    names && !name.contains("whitelist")
}

/// Different names below one top-level domain, of which nobody has real ones.
fn generated(random: &mut Rng, top: &str, count: usize) -> Vec<String> {
    let mut names = HashSet::with_capacity(count);
    let mut in_order = Vec::with_capacity(count);
    while in_order.len() < count {
        let mut name = String::new();
        // As in real lists: two labels or three, sometimes four.
        for _ in 0..random.choice([1, 1, 2, 2, 2, 3]).unwrap_or(1) {
            let octets = random.usize(4..14);
            name.extend(std::iter::repeat_with(|| random.lowercase()).take(octets));
            name.push('.');
        }
        name.push_str(top);
        if names.insert(name.clone()) {
            in_order.push(name);
        }
    }
    in_order
}

/// Writes names as a list, one a line.
pub fn write_list(names: &[&str], file: &Path) -> anyhow::Result<()> {
    fs::write(file, names.join("\n") + "\n")
        .with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_names_and_another_gives_others() {
        let names = |seed| generated(&mut Rng::with_seed(seed), "test", 1000);
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }

    #[test]
    fn generated_names_are_canonical_and_different() {
        let names = generated(&mut Rng::with_seed(1), "test", 10_000);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 10_000);
        for name in &names {
            assert_eq!(
                filter_lists::Domain::parse_rule(name).unwrap().as_str(),
                name
            );
            assert!(is_host_name(name), "{name}");
        }
    }

    #[test]
    fn a_selection_is_the_same_each_time_and_repeats_nothing() {
        let names = generated(&mut Rng::with_seed(1), "test", 1000);
        let picked = some(&names, 100);
        assert_eq!(picked, some(&names, 100));
        assert_eq!(picked.iter().collect::<HashSet<_>>().len(), 100);
        assert_eq!(some(&names, 2000).len(), 1000);
    }

    #[test]
    fn what_a_client_hello_cannot_name_is_told() {
        for name in [
            "example.com",
            "a-b.example",
            "xn--bcher-kva.example",
            "1.example",
        ] {
            assert!(is_host_name(name), "{name}");
        }
        for name in [
            "_dmarc.example.com",
            "-a.example",
            "a-.example",
            "a..b",
            "",
            "10.0.0.1",
        ] {
            assert!(!is_host_name(name), "{name}");
        }
    }

    #[test]
    fn lists_of_names_are_told_by_their_endings() {
        for list in ["a.domains", "a.hosts.zst", "x.y.hosts"] {
            assert!(is_list(Path::new(list)), "{list}");
        }
        for other in ["a.adblock.zst", "README.md", "whitelist.domains", "a.conf"] {
            assert!(!is_list(Path::new(other)), "{other}");
        }
    }
}
