//! The programs of a guest: ours, built for its architecture, and Debian's.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::builds::Build;
use super::initramfs::Tree;
use super::libraries;
use crate::archive::Architecture;
use crate::cross::Cross;

/// Programs of Debian that are in every guest.
const DEBIANS: [&str; 3] = ["busybox", "ip", "ethtool"];
/// What is called by these names in a guest's shell; for people who look into one.
const APPLETS: [&str; 8] = [
    "sh", "ls", "cat", "dmesg", "mount", "ps", "grep", "poweroff",
];

/// Builds what a guest of this architecture runs, with these test programs of filter-user, and puts
/// it where the guest looks for it.
pub fn add(
    tree: &mut Tree,
    build: &Build,
    architecture: Architecture,
    tests: &[&str],
) -> Result<()> {
    let cross = match architecture {
        Architecture::Amd64 => None,
        Architecture::Arm64 => Some(Cross::find()?),
    };
    // Where Debian's files for the architecture are.
    let root = cross.as_ref().map_or(Path::new("/"), Cross::root);
    let mut programs = build.run(cross.as_ref(), tests)?;
    for name in DEBIANS {
        programs.insert(format!("bin/{name}"), debians(root, name)?);
    }
    let paths: Vec<_> = programs.values().map(PathBuf::as_path).collect();
    let libraries = libraries::of(&paths, root, architecture)?;
    for (place, file) in programs.into_iter().chain(libraries) {
        tree.copy(&place, file);
    }
    for applet in APPLETS {
        tree.link(&format!("bin/{applet}"), "busybox");
    }
    Ok(())
}

fn debians(root: &Path, name: &str) -> Result<PathBuf> {
    let folders = ["bin", "sbin", "usr/bin", "usr/sbin"].map(|folder| root.join(folder).join(name));
    let found = folders.into_iter().find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "there is no {name} below {}: run `cargo xtask setup`",
            root.display()
        )
    })
}
