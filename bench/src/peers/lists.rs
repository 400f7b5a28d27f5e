//! The same names in the form that each reads, and the queries for them.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::Context as _;

/// Queries in a file for dnsperf.
const QUERIES: usize = 10_000;
/// Room in a policy zone's names for `*.` before and the zone behind: a name has 255 octets at most
/// (RFC 1035, 2.3.4).
const LONGEST: usize = 240;

/// How a list is written. Each blocks the names and, but for one contestant, all names below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A name a line.
    Names,
    /// dnsmasq's servers-file.
    Servers,
    /// Unbound's local zones.
    LocalZones,
    /// A response policy zone.
    PolicyZone,
}

impl Form {
    const fn file(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Servers => "servers",
            Self::LocalZones => "zones",
            Self::PolicyZone => "block.rpz",
        }
    }

    fn line(self, name: &str) -> String {
        match self {
            Self::Names => format!("{name}\n"),
            Self::Servers => format!("server=/{name}/\n"),
            Self::LocalZones => format!("local-zone: \"{name}.\" always_nxdomain\n"),
            Self::PolicyZone => format!("{name} CNAME .\n*.{name} CNAME .\n"),
        }
    }

    /// What stands before the names. BIND takes a zone again if its number is higher.
    fn head(self, edition: usize) -> String {
        if self != Self::PolicyZone {
            return String::new();
        }
        format!(
            "$ORIGIN block.rpz.\n$TTL 60\n@ SOA localhost. root.localhost. {edition} 3600 600 86400 60\n@ NS localhost.\n"
        )
    }
}

/// Names that all contestants can have in a list.
pub fn usable(name: &str) -> bool {
    crate::names::is_host_name(name) && name.contains('.') && name.len() <= LONGEST
}

/// Names that come onto the list later, so many of them.
pub fn later(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("listed-later-{number}.example.org"))
        .collect()
}

/// Writes the list, and behind it the names that came onto it later.
pub fn write(form: Form, directory: &Path, names: &[&str], later: &[String]) -> anyhow::Result<()> {
    let path = directory.join(form.file());
    let lines = |out: &mut dyn Write| -> io::Result<()> {
        out.write_all(form.head(later.len() + 1).as_bytes())?;
        let all = names
            .iter()
            .copied()
            .chain(later.iter().map(String::as_str));
        all.into_iter()
            .try_for_each(|name| out.write_all(form.line(name).as_bytes()))?;
        out.flush()
    };
    // A new file in the place of the old one, as tools that update lists make it: nobody reads half
    // a list.
    let new = path.with_extension("new");
    File::create(&new)
        .and_then(|file| lines(&mut BufWriter::new(file)))
        .and_then(|()| fs::rename(&new, &path))
        .with_context(|| format!("the list {} cannot be written", path.display()))
}

/// Writes the queries that dnsperf asks.
pub fn write_queries(path: &Path, names: &[&str]) -> anyhow::Result<()> {
    let lines: Vec<_> = names.iter().map(|name| format!("{name} A\n")).collect();
    fs::write(path, lines.concat())
        .with_context(|| format!("the queries {} cannot be written", path.display()))
}

/// The names to ask for: the first ones, which are listed in no order.
pub fn sample<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().take(QUERIES).copied().collect()
}

/// Names of these that the list does not block: neither they nor a name above them is on it.
pub fn unlisted<'a>(names: &'a [String], listed: &[&str]) -> Vec<&'a str> {
    let listed: std::collections::HashSet<&str> = listed.iter().copied().collect();
    let above = |name: &'a str| {
        std::iter::successors(Some(name), |name| {
            name.split_once('.').map(|(_, above)| above)
        })
    };
    let free = |name: &&'a str| !above(name).any(|name| listed.contains(name)) && usable(name);
    names
        .iter()
        .map(String::as_str)
        .filter(free)
        .take(QUERIES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_below_a_listed_one_is_not_unlisted_and_its_neighbour_is() {
        let names = ["a.test", "b.a.test", "ba.test", "test"].map(str::to_owned);
        assert_eq!(unlisted(&names, &["a.test"]), ["ba.test"]);
    }

    #[test]
    fn a_list_has_the_names_that_came_later() {
        let directory = tempfile::tempdir().unwrap();
        write(Form::PolicyZone, directory.path(), &["a.test"], &later(1)).unwrap();
        let text = fs::read_to_string(directory.path().join("block.rpz")).unwrap();
        let end = "a.test CNAME .\n*.a.test CNAME .\nlisted-later-1.example.org CNAME .\n*.listed-later-1.example.org CNAME .\n";
        assert!(text.ends_with(end), "{text}");
        assert!(text.contains(" 2 3600 "), "the edition counts up: {text}");
    }

    #[test]
    fn names_that_some_contestant_cannot_have_are_left_out() {
        assert!(usable("ads.example.com"));
        for name in [
            "com",
            "_dmarc.example.com",
            &format!("{}com", "a.".repeat(119)),
        ] {
            assert!(!usable(name), "{name}");
        }
    }
}
