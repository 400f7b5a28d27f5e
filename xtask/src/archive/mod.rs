//! Debian's archive, read with an apt state of its own: suites and architectures that this machine
//! does not install from.

mod index;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{cache, progress};
pub use index::{Package, newest};
pub use sources::own_suite;

/// A name and a version for each package of a set.
pub type Versions = BTreeMap<String, String>;

/// An architecture, by Debian's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// x86-64.
    Amd64,
    /// `AArch64`, little-endian.
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        })
    }
}

/// The package lists of some suites for one architecture, just read from the archive.
pub struct Archive {
    folder: PathBuf,
    architecture: Architecture,
}

impl Archive {
    /// Reads the lists. The machine's own state of apt is not touched; its configuration (a proxy)
    /// holds.
    pub fn open(architecture: Architecture, suites: &[&str]) -> Result<Self> {
        let folder = cache::folder("apt")?.join(architecture.to_string());
        for part in ["state/lists/partial", "cache/archives/partial", "etc"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        }
        let archive = Self {
            folder,
            architecture,
        };
        archive.write("sources.list", &sources::lines(architecture, suites)?)?;
        archive.write("status", "")?;
        archive.write("apt.conf", &configuration(&archive.folder, architecture))?;
        let mut update = archive.apt("apt-get");
        update.args(["--error-on=any", "update"]);
        progress::step(&format!("Debian's package lists ({architecture}: {})", suites.join(", ")), update).context(
            "Debian's archive cannot be reached: make `apt-get update` work on this machine, then try again",
        )?;
        Ok(archive)
    }

    /// The packages of a suite.
    pub fn packages(&self, suite: &str) -> Result<Vec<Package>> {
        let format = "$(RELEASE) $(FILENAME)";
        let listed = output(self.apt("apt-get").args([
            "indextargets",
            "--format",
            format,
            "Created-By: Packages",
        ]))?;
        let files = listed.lines().filter_map(|line| line.split_once(' '));
        let mut packages = Vec::new();
        for (_, file) in files.filter(|(release, _)| *release == suite) {
            // It knows every compression that apt may have chosen.
            let text = output(self.apt("/usr/lib/apt/apt-helper").args(["cat-file", file]))?;
            packages.extend(index::parse(&text));
        }
        ensure!(
            !packages.is_empty(),
            "Debian's suite {suite} has no packages for {}",
            self.architecture
        );
        Ok(packages)
    }

    /// Downloads packages and unpacks them below `tree`; nothing is installed, and no script of
    /// theirs runs.
    pub fn unpack(&self, what: &str, packages: &Versions, tree: &Path) -> Result<()> {
        let downloads = tree.with_extension("debs");
        clear(&downloads)?;
        fs::create_dir_all(&downloads)
            .with_context(|| format!("cannot make {}", downloads.display()))?;
        let mut download = self.apt("apt-get");
        download.arg("download").args(
            packages
                .iter()
                .map(|(name, version)| format!("{name}={version}")),
        );
        download.current_dir(&downloads);
        progress::step(what, download)?;
        for package in fs::read_dir(&downloads)? {
            output(
                Command::new("dpkg-deb")
                    .arg("-x")
                    .arg(package?.path())
                    .arg(tree),
            )?;
        }
        clear(&downloads)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-c").arg(self.folder.join("apt.conf"));
        command
    }
}

/// Removes a folder with all that is in it, if it is there.
pub fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// What apt is told beside the machine's configuration.
fn configuration(folder: &Path, architecture: Architecture) -> String {
    let folder = folder.display();
    format!(
        "Dir::State \"{folder}/state\";
Dir::State::status \"{folder}/status\";
Dir::Cache \"{folder}/cache\";
Dir::Etc::sourcelist \"{folder}/sources.list\";
Dir::Etc::sourceparts \"{folder}/etc\";
Dir::Etc::preferences \"{folder}/etc/preferences\";
Dir::Etc::preferencesparts \"{folder}/etc\";
APT::Architecture \"{architecture}\";
#clear APT::Architectures;
APT::Architectures {{ \"{architecture}\"; }};
// Its own user need not have a way to the folder.
APT::Sandbox::User \"root\";
Acquire::Languages \"none\";
// Of apt-file, AppStream and others that add lists of their own.
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"
    )
}

/// What a command prints; an error has what it said.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{command:?} failed ({}): {}",
        output.status,
        errors.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
