//! The lab's QUIC client and server in Python, in an environment of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use lab::{AIOQUIC, AIOQUIC_PACKAGES};

use super::program::version_of;
use super::{Need, host};
use crate::progress;
use crate::workspace::Workspace;

/// Debian's own Python, and the package that has it make environments.
const PYTHON: &str = "/usr/bin/python3";
const PACKAGE: &str = "python3-venv";

const VERSION: &str = "import aioquic; print(aioquic.__version__)";
const PIP: [&str; 6] = [
    "-mpip",
    "install",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary=:all:",
    "--requirement",
];

/// aioquic and what it needs, in the versions that the lab names, below the folder that cargo gives
/// tests.
pub struct Aioquic;

impl Need for Aioquic {
    fn name(&self) -> &'static str {
        AIOQUIC
    }

    fn version(&self) -> Option<String> {
        let installed = fs::read_to_string(marker().ok()?).ok()?;
        let python = python().ok()?;
        // A newer Python of Debian's does not find what is there for an older one.
        let version = version_of(Command::new(python).args(["-c", VERSION]))?;
        (installed == AIOQUIC_PACKAGES).then_some(version)
    }

    fn packages(&self) -> Vec<String> {
        let is_missing = !host::is_installed(PACKAGE);
        is_missing.then(|| PACKAGE.to_owned()).into_iter().collect()
    }

    fn finish(&self) -> Result<()> {
        install().with_context(|| {
            "cannot install aioquic: make `/usr/bin/python3 -m pip download aioquic` work, then run \
             `cargo xtask setup`"
        })
    }

    fn by_hand(&self, _debian: bool) -> Option<String> {
        let folder =
            folder().map_or_else(|_| AIOQUIC.to_owned(), |path| path.display().to_string());
        Some(format!(
            "python3 -m venv {folder}, then `{folder}/bin/python {} lab/src/quic/aioquic.txt` and a \
             copy of that file as {folder}/packages.txt",
            PIP.join(" ")
        ))
    }
}

fn install() -> Result<()> {
    let folder = folder()?;
    let mut environment = Command::new(PYTHON);
    environment.args(["-mvenv", "--clear"]).arg(&folder);
    progress::step("aioquic: a Python environment", environment)?;
    let list = folder.join("packages.new");
    fs::write(&list, AIOQUIC_PACKAGES)?;
    let mut pip = Command::new(python()?);
    pip.args(PIP).arg(&list);
    progress::step("aioquic", pip)?;
    fs::rename(list, marker()?)?;
    Ok(())
}

/// The list of what is installed, once it is.
fn marker() -> Result<PathBuf> {
    Ok(folder()?.join("packages.txt"))
}

fn python() -> Result<PathBuf> {
    Ok(folder()?.join("bin/python"))
}

fn folder() -> Result<PathBuf> {
    Ok(Workspace::read()?.target().join("tmp").join(AIOQUIC))
}
