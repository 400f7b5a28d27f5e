//! The versions of the kernels' packages: `xtask/kernels.lock`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::choice::IMAGE;
use crate::archive::Versions;

const FILE: &str = "kernels.lock";
const HEAD: &str = "# Written by `cargo xtask kernels --update`: the packages of each kernel of kernels.toml, with their versions.\n";

/// The packages of each kernel, under its label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(BTreeMap<String, Versions>);

impl Lock {
    /// Reads the file in this folder; there need not be one.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        Ok(Self(toml::from_str(text)?))
    }

    /// Writes the file.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::write(&path, self.text()).with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (label, packages) in &self.0 {
            let _ = writeln!(text, "\n[\"{label}\"]");
            for (package, version) in packages {
                let _ = writeln!(text, "\"{package}\" = \"{version}\"");
            }
        }
        text
    }

    /// The packages of a kernel.
    pub fn get(&self, label: &str) -> Option<&Versions> {
        self.0.get(label)
    }

    /// Takes these packages for a kernel from now on.
    pub fn set(&mut self, label: &str, packages: Versions) {
        self.0.insert(label.to_owned(), packages);
    }

    /// The version in the name of a kernel's image (`7.3.4+deb13-cloud-amd64`).
    pub fn version_of(&self, label: &str) -> Option<&str> {
        version_in(self.get(label)?)
    }
}

/// The version in the name of the image among these packages.
pub fn version_in(packages: &Versions) -> Option<&str> {
    packages.keys().find_map(|name| name.strip_prefix(IMAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let mut lock = Lock::default();
        let packages = [
            ("linux-base-7.3.4-x", "7.3.4-1~bpo13+1"),
            ("linux-image-7.3.4-x", "7.3.4-1~bpo13+1"),
        ];
        lock.set(
            "7.3",
            packages
                .map(|(name, version)| (name.to_owned(), version.to_owned()))
                .into(),
        );
        let text = lock.text();
        assert!(text.starts_with(HEAD));
        assert_eq!(Lock::parse(&text).unwrap(), lock);
        assert_eq!(lock.version_of("7.3"), Some("7.3.4-x"));
        assert_eq!(lock.version_of("6.1"), None);
    }

    #[test]
    fn what_is_no_lock_is_an_error() {
        assert!(Lock::parse("[\"6.1\"]\nlinux = 6").is_err());
        assert!(Lock::parse("6.1 linux-image").is_err());
    }
}
