//! Programs in Python that tests use, each in an environment of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use lab::{AIOQUIC, AIOQUIC_PACKAGES, SCHEMATHESIS, SCHEMATHESIS_PACKAGES};

use super::program::version_of;
use super::{Need, host};
use crate::progress;
use crate::workspace::Workspace;

/// Debian's own Python, and the package that has it make environments.
const PYTHON: &str = "/usr/bin/python3";
const PACKAGE: &str = "python3-venv";

const PIP: [&str; 6] = [
    "-mpip",
    "install",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary=:all:",
    "--requirement",
];

/// A program with all that it needs, in the versions that the lab names, below the folder that cargo
/// gives tests.
pub struct Python {
    name: &'static str,
    packages: &'static str,
    /// Where the list is in this repository.
    list: &'static str,
    /// Prints its version.
    version: &'static str,
}

/// The lab's QUIC client and server.
pub const QUIC: Python = Python {
    name: AIOQUIC,
    packages: AIOQUIC_PACKAGES,
    list: "lab/src/quic/aioquic.txt",
    version: "import aioquic; print(aioquic.__version__)",
};

/// What tries the API against its OpenAPI document.
pub const API: Python = Python {
    name: SCHEMATHESIS,
    packages: SCHEMATHESIS_PACKAGES,
    list: "lab/src/schemathesis.txt",
    version: "import schemathesis; print(schemathesis.__version__)",
};

impl Need for Python {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> Option<String> {
        let installed = fs::read_to_string(self.marker().ok()?).ok()?;
        let python = self.python().ok()?;
        // A newer Python of Debian's does not find what is there for an older one.
        let version = version_of(Command::new(python).args(["-c", self.version]))?;
        (installed == self.packages).then_some(version)
    }

    fn packages(&self) -> Vec<String> {
        let is_missing = !host::is_installed(PACKAGE);
        is_missing.then(|| PACKAGE.to_owned()).into_iter().collect()
    }

    fn finish(&self) -> Result<()> {
        self.install().with_context(|| {
            let name = self.name;
            format!(
                "cannot install {name}: make `/usr/bin/python3 -m pip download {name}` work, then run `cargo xtask setup`"
            )
        })
    }

    fn by_hand(&self, _debian: bool) -> Option<String> {
        let folder = self
            .folder()
            .map_or_else(|_| self.name.to_owned(), |path| path.display().to_string());
        Some(format!(
            "python3 -m venv {folder}, then `{folder}/bin/python {} {}` and a copy of that file as {folder}/packages.txt",
            PIP.join(" "),
            self.list
        ))
    }
}

impl Python {
    fn install(&self) -> Result<()> {
        let folder = self.folder()?;
        let mut environment = Command::new(PYTHON);
        environment.args(["-mvenv", "--clear"]).arg(&folder);
        progress::step(&format!("{}: a Python environment", self.name), environment)?;
        let list = folder.join("packages.new");
        fs::write(&list, self.packages)?;
        let mut pip = Command::new(self.python()?);
        pip.args(PIP).arg(&list);
        progress::step(self.name, pip)?;
        fs::rename(list, self.marker()?)?;
        Ok(())
    }

    /// The list of what is installed, once it is.
    fn marker(&self) -> Result<PathBuf> {
        Ok(self.folder()?.join("packages.txt"))
    }

    fn python(&self) -> Result<PathBuf> {
        Ok(self.folder()?.join("bin/python"))
    }

    fn folder(&self) -> Result<PathBuf> {
        Ok(Workspace::read()?.target().join("tmp").join(self.name))
    }
}
