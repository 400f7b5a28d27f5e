//! A program that is unpacked and not installed: its package would have the machine resolve names by it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use lab::SYSTEMD_RESOLVED;

use super::program::version_of;
use super::{Need, host};
use crate::workspace::Workspace;

/// The program's, and that of the library that goes with it alone.
const PACKAGES: [&str; 2] = [SYSTEMD_RESOLVED, "libsystemd-shared"];

/// systemd-resolved with its library, in a folder below the one that cargo gives tests.
pub struct Resolved;

impl Need for Resolved {
    fn name(&self) -> &str {
        SYSTEMD_RESOLVED
    }

    fn version(&self) -> Option<String> {
        let folder = folder().ok()?;
        version_of(Command::new(folder.join(SYSTEMD_RESOLVED)).env("LD_LIBRARY_PATH", &folder).arg("--version"))
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        let folder = folder()?;
        let is_wanted = |name: &str| name == SYSTEMD_RESOLVED || name.starts_with("libsystemd-shared-");
        host::unpack(&PACKAGES, is_wanted, &folder).with_context(|| {
            let packages = PACKAGES.join(" ");
            format!(
                "cannot unpack systemd-resolved to {}: make `apt-get download {packages}` work, then run `cargo xtask setup`",
                folder.display()
            )
        })
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        let folder = folder().map_or_else(|_| SYSTEMD_RESOLVED.to_owned(), |folder| folder.display().to_string());
        Some(if debian {
            let [program, library] = PACKAGES;
            format!(
                "apt-get download {program} {library}, then `dpkg-deb -x` of each (not installed: it would change how this \
                 machine resolves names); {program} and {library}-*.so go to {folder}"
            )
        } else {
            format!("the program `systemd-resolved` and its libsystemd-shared-*.so, copied to {folder}")
        })
    }
}

fn folder() -> Result<PathBuf> {
    Ok(Workspace::read()?.target().join("tmp").join(SYSTEMD_RESOLVED))
}
