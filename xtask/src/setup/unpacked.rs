//! What is unpacked and not installed: a program whose package would have the machine resolve names
//! by it, and pages that tests read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use lab::{PAGES, SYSTEMD_RESOLVED};

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
        version_of(
            Command::new(folder.join(SYSTEMD_RESOLVED))
                .env("LD_LIBRARY_PATH", &folder)
                .arg("--version"),
        )
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        let folder = folder()?;
        let wanted = |file: &Path| {
            let name = file.file_name()?.to_str()?;
            let is_wanted = name == SYSTEMD_RESOLVED || name.starts_with("libsystemd-shared-");
            (is_wanted && file.parent()?.ends_with("systemd")).then(|| name.to_owned())
        };
        host::unpack(&PACKAGES, wanted, &folder).with_context(|| {
            let packages = PACKAGES.join(" ");
            format!(
                "cannot unpack systemd-resolved to {}: make `apt-get download {packages}` work, then run `cargo xtask setup`",
                folder.display()
            )
        })
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        let folder = folder().map_or_else(
            |_| SYSTEMD_RESOLVED.to_owned(),
            |folder| folder.display().to_string(),
        );
        Some(if debian {
            let [program, library] = PACKAGES;
            format!(
                "apt-get download {program} {library}, then `dpkg-deb -x` of each (not installed: it would change how this \
                 machine resolves names); {program} and {library}-*.so go to {folder}"
            )
        } else {
            format!(
                "the program `systemd-resolved` and its libsystemd-shared-*.so, copied to {folder}"
            )
        })
    }
}

fn folder() -> Result<PathBuf> {
    below_target(SYSTEMD_RESOLVED)
}

/// Packages whose pages were made by different programs and by hand.
const DOCUMENTS: [&str; 4] = ["apache2-doc", "cmake-doc", "git-doc", "sqlite3-doc"];

/// Pages that these packages have at least.
const MIN_PAGES: usize = 1_500;

/// The pages, in one folder, each with the folders that it comes from in its name.
pub struct Pages;

impl Need for Pages {
    fn name(&self) -> &'static str {
        "HTML pages"
    }

    fn version(&self) -> Option<String> {
        let pages = fs::read_dir(below_target(PAGES).ok()?).ok()?.count();
        (pages >= MIN_PAGES).then(|| format!("{pages} of {}", DOCUMENTS.join(", ")))
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        let folder = below_target(PAGES)?;
        let wanted = |file: &Path| {
            let name = file.file_name()?.to_str()?;
            let is_page =
                [".html", ".htm"].iter().any(|end| name.ends_with(end)) || name.contains(".html.");
            is_page.then(|| file.to_string_lossy().replace('/', "_"))
        };
        host::unpack(&DOCUMENTS, wanted, &folder).with_context(|| {
            let packages = DOCUMENTS.join(" ");
            format!(
                "cannot unpack HTML pages to {}: make `apt-get download {packages}` work, then run `cargo xtask setup`",
                folder.display()
            )
        })
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        let folder = below_target(PAGES)
            .map_or_else(|_| PAGES.to_owned(), |folder| folder.display().to_string());
        Some(if debian {
            let packages = DOCUMENTS.join(" ");
            format!(
                "apt-get download {packages}, then `dpkg-deb -x` of each; their HTML pages go to {folder}"
            )
        } else {
            format!("{MIN_PAGES} HTML pages or more, copied to {folder}")
        })
    }
}

fn below_target(name: &str) -> Result<PathBuf> {
    Ok(Workspace::read()?.target().join("tmp").join(name))
}
