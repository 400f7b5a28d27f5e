//! Package lists: stanzas of fields (deb-control(5)), of which few are read.

use std::process::Command;

/// A package of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The names that it depends on, the first of each choice.
    pub depends: Vec<String>,
}

/// Reads a list.
pub fn parse(text: &str) -> Vec<Package> {
    text.split("\n\n").filter_map(stanza).collect()
}

fn stanza(text: &str) -> Option<Package> {
    let mut package = Package::default();
    for line in text.lines() {
        let Some((field, value)) = line.split_once(": ") else {
            continue;
        };
        match field {
            "Package" => value.clone_into(&mut package.name),
            "Version" => value.clone_into(&mut package.version),
            "Depends" => {
                package.depends = value
                    .split(", ")
                    .filter_map(name_in)
                    .map(str::to_owned)
                    .collect();
            }
            _ => {}
        }
    }
    (!package.name.is_empty() && !package.version.is_empty()).then_some(package)
}

/// The `a` of `a:any (>= 1) | b`.
fn name_in(dependency: &str) -> Option<&str> {
    dependency
        .split([' ', ':', '|', '('])
        .next()
        .filter(|name| !name.is_empty())
}

/// The package of the highest version, by dpkg's order.
pub fn newest<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Option<&'a Package> {
    packages.into_iter().reduce(|best, next| {
        if is_later(&next.version, &best.version) {
            next
        } else {
            best
        }
    })
}

fn is_later(one: &str, other: &str) -> bool {
    let compared = Command::new("dpkg")
        .args(["--compare-versions", one, "gt", other])
        .status();
    compared.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Package: linux-image-7.3.4+deb13-cloud-amd64
Version: 7.3.4-1~bpo13+1
Depends: initramfs-tools (>= 0.120) | linux-initramfs-tool, linux-base-7.3.4+deb13-cloud-amd64 (= 7.3.4-1), kmod:any
Description: Linux: for
 continued: Version: 9

Package: other
Version: 1:2

Package: broken
";

    #[test]
    fn names_versions_and_first_choices_are_read() {
        let packages = parse(LIST);
        assert_eq!(packages.len(), 2, "a package without version is none");
        assert_eq!(packages[0].version, "7.3.4-1~bpo13+1");
        assert_eq!(
            packages[0].depends,
            [
                "initramfs-tools",
                "linux-base-7.3.4+deb13-cloud-amd64",
                "kmod"
            ]
        );
        assert_eq!(
            (packages[1].name.as_str(), packages[1].depends.len()),
            ("other", 0)
        );
    }

    #[test]
    fn the_highest_version_is_found_by_numbers_and_not_by_letters() {
        let package = |version: &str| Package {
            version: version.to_owned(),
            ..Package::default()
        };
        let packages = ["6.1.99-1", "6.1.192-3", "6.1.192-3~bpo"].map(package);
        assert_eq!(
            newest(&packages).map(|best| best.version.as_str()),
            Some("6.1.192-3")
        );
        assert_eq!(newest(&[]), None);
    }
}
