//! Public suffixes: names under which others register theirs.

use psl::{List, Psl as _, Type};

use crate::Domain;

/// Which part of the public suffix list is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Suffixes of registries (`com`, `co.uk`): the list's ICANN section.
    Registries,
    /// Those, and suffixes of companies (`github.io`).
    All,
}

/// Top-level domains whose registries have no suffixes below them. Most names are there, and need
/// no look.
const WITHOUT_SUFFIXES: [&[u8; 4]; 3] = [b".com", b".net", b".org"];

/// True if this canonical name is a suffix itself. A top-level domain that the list does not know
/// is one.
pub(super) fn is_public_suffix(name: &str, section: Section) -> bool {
    let ending = name.as_bytes().last_chunk();
    if section == Section::Registries
        && ending.is_some_and(|ending| WITHOUT_SUFFIXES.contains(&ending))
    {
        return false;
    }
    let Some(suffix) = List.suffix(name.as_bytes()) else {
        return false;
    };
    if suffix.as_bytes().len() != name.len() {
        return false;
    }
    match section {
        Section::All => true,
        Section::Registries => suffix.typ() != Some(Type::Private),
    }
}

/// True if this name is one under which a registry has others register names (`com`, `co.uk`).
pub fn is_registry_suffix(name: &Domain) -> bool {
    let name = name.as_str();
    let suffix = List.suffix(name.as_bytes());
    suffix.is_some_and(|suffix| {
        suffix.as_bytes().len() == name.len() && suffix.typ() == Some(Type::Icann)
    })
}

/// True if this canonical name is a top-level domain that the list knows.
pub(super) fn is_top_level_domain(name: &[u8]) -> bool {
    !name.contains(&b'.') && List.suffix(name).is_some_and(|suffix| suffix.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_of_registries_are_told_from_names_under_them() {
        for suffix in ["com", "co.uk", "xn--p1ai", "gov.ac", "anything.ck", "zzz"] {
            assert!(is_public_suffix(suffix, Section::Registries), "{suffix}");
        }
        for name in [
            "example.com",
            "example.co.uk",
            "www.ck",
            "a.anything.ck",
            "a.zzz",
        ] {
            assert!(!is_public_suffix(name, Section::All), "{name}");
        }
    }

    #[test]
    fn names_of_registries_are_known_and_those_of_a_local_network_are_none() {
        let is_suffix = |name| is_registry_suffix(&Domain::parse(name).unwrap());
        for name in ["com", "co.uk", "zip", "xn--p1ai", "gov.ac"] {
            assert!(is_suffix(name), "{name}");
        }
        for name in ["example.com", "example", "lan", "github.io", "www.ck"] {
            assert!(!is_suffix(name), "{name}");
        }
    }

    #[test]
    fn suffixes_of_companies_are_names_unless_all_below_them_is_meant() {
        for suffix in ["github.io", "duckdns.org", "blogspot.com"] {
            assert!(!is_public_suffix(suffix, Section::Registries), "{suffix}");
            assert!(is_public_suffix(suffix, Section::All), "{suffix}");
        }
    }
}
