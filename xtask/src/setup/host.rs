//! The machine: its distribution and its packages.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

use crate::progress;
use crate::workspace::is_root;

/// What decides whether the set-up can install anything.
pub struct Host {
    os_release: String,
    root: bool,
}

impl Host {
    pub fn read() -> Self {
        Self {
            os_release: fs::read_to_string("/etc/os-release").unwrap_or_default(),
            root: is_root(),
        }
    }

    /// Why the set-up cannot install here, as a predicate; `None` where it can.
    pub fn obstacle(&self) -> Option<String> {
        if !self.is_debian() {
            let name = self.field("PRETTY_NAME").unwrap_or("an unknown system");
            return Some(format!("installs on Debian only, and this is {name}"));
        }
        (!self.root).then(|| "needs root to install them".to_owned())
    }

    pub fn is_debian(&self) -> bool {
        let ids = [self.field("ID"), self.field("ID_LIKE")];
        let mut ids = ids.into_iter().flatten().flat_map(str::split_whitespace);
        ids.any(|id| id == "debian")
    }

    /// A field of os-release(5), without its quotes.
    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self
            .os_release
            .lines()
            .filter_map(|line| line.split_once('='));
        let (_, value) = fields.find(|(key, _)| *key == name)?;
        Some(value.trim_matches(['"', '\'']))
    }
}

/// Where the administrator's units of systemd are (systemd.unit(5)).
const UNITS: &str = "/etc/systemd/system";

/// Installs Debian packages; does nothing for none. Nothing that is installed is ever removed for
/// them. Services that come with them and that nobody has set up before are masked: they do not
/// start, now and with the machine.
pub fn install(packages: &[String], services: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    update_index()?;
    let names = packages.join(" ");
    let mut install = apt();
    install
        .args(["install", "-y", "--no-install-recommends", "--no-remove"])
        .args(packages);
    let masked = mask(Path::new(UNITS), services).with_context(|| {
        format!(
            "cannot keep {} from starting: make {UNITS} writable",
            services.join(", ")
        )
    })?;
    let installed = progress::step(&format!("Debian packages {names}"), install).with_context(|| {
        format!("cannot install Debian's packages: make `apt-get install {names}` work, then run `cargo xtask setup`")
    });
    if installed.is_err() {
        for unit in masked {
            let _ = fs::remove_file(unit);
        }
    }
    installed
}

/// Puts files of Debian packages into a folder: those for which `wanted` has a name there. It is
/// asked with their paths in the packages. These are not installed, and what they would do then is
/// not done.
pub fn unpack(
    packages: &[&str],
    wanted: impl Fn(&Path) -> Option<String>,
    folder: &Path,
) -> Result<()> {
    update_index()?;
    let work = folder.with_extension("new");
    let (downloads, tree) = (work.join("packages"), work.join("tree"));
    remove(&work)?;
    fs::create_dir_all(&downloads)?;
    let mut download = apt();
    // Its own user need not have a way to the folder.
    download
        .args(["-o", "APT::Sandbox::User=root", "download"])
        .args(packages)
        .current_dir(&downloads);
    progress::step(
        &format!("Debian packages {}, not installed", packages.join(" ")),
        download,
    )?;
    for package in fs::read_dir(&downloads)? {
        let mut extract = Command::new("dpkg-deb");
        extract.arg("-x").arg(package?.path()).arg(&tree);
        ensure!(extract.status()?.success(), "`{extract:?}` failed");
    }
    remove(folder)?;
    fs::create_dir_all(folder)?;
    for file in files_in(&tree)? {
        if let Some(name) = wanted(file.strip_prefix(&tree)?) {
            fs::rename(&file, folder.join(name))?;
        }
    }
    remove(&work)?;
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The files below `folder`.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files_in(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Reads Debian's package index, once.
pub fn update_index() -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.get().is_none() {
        let mut update = apt();
        update.arg("update");
        progress::step("Debian's package index", update)
            .context("cannot read Debian's package index: make `apt-get update` work, then run `cargo xtask setup`")?;
        UPDATED.get_or_init(|| ());
    }
    Ok(())
}

/// Masks the units that there are not, as `systemctl mask` does, which would ask for a running
/// systemd. Gives the links.
fn mask(units: &Path, services: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut masked = Vec::new();
    if services.is_empty() {
        return Ok(masked);
    }
    fs::create_dir_all(units)?;
    for service in services {
        let unit = units.join(service);
        match symlink("/dev/null", &unit) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => masked.push(made.map(|()| unit)?),
        }
    }
    Ok(masked)
}

pub fn is_installed(package: &str) -> bool {
    let query = ["-W", "-f", "${db:Status-Status}", package];
    let output = Command::new("dpkg-query").args(query).output();
    output.is_ok_and(|output| output.stdout == b"installed")
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(["-o", "DPkg::Lock::Timeout=600"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        // It would restart services that use an upgraded library.
        .env("NEEDRESTART_SUSPEND", "1");
    apt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_what_is_like_it_is_debian() {
        for os_release in [
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n",
            "ID=ubuntu\nID_LIKE=debian\n",
            "ID=pop\nID_LIKE=\"ubuntu debian\"\n",
        ] {
            assert!(host(os_release, true).is_debian(), "{os_release}");
        }
    }

    #[test]
    fn other_systems_are_not_debian() {
        for os_release in [
            "",
            "ID=fedora\n",
            "ID=arch\nHOME_URL=debian\n",
            "VARIANT_ID=debian\nID=x\n",
        ] {
            assert!(!host(os_release, true).is_debian(), "{os_release}");
        }
    }

    #[test]
    fn an_obstacle_says_which_system_or_that_root_is_missing() {
        let fedora = "ID=fedora\nPRETTY_NAME=\"Fedora Linux 42\"\n";
        let obstacle = "installs on Debian only, and this is Fedora Linux 42";
        assert_eq!(host(fedora, true).obstacle().as_deref(), Some(obstacle));
        let obstacle = "needs root to install them";
        assert_eq!(
            host("ID=debian", false).obstacle().as_deref(),
            Some(obstacle)
        );
        assert_eq!(host("ID=debian", true).obstacle(), None);
    }

    #[test]
    fn units_that_somebody_set_up_are_left_alone() -> io::Result<()> {
        let units = std::env::temp_dir().join(format!("namegate-units-{}", std::process::id()));
        fs::create_dir_all(&units)?;
        fs::write(units.join("a.service"), "mine")?;
        assert_eq!(
            mask(&units, &["a.service", "b.service"])?,
            [units.join("b.service")]
        );
        assert_eq!(
            fs::read_link(units.join("b.service"))?,
            Path::new("/dev/null")
        );
        assert_eq!(fs::read_to_string(units.join("a.service"))?, "mine");
        fs::remove_dir_all(units)
    }

    #[test]
    fn files_are_found_in_whatever_folder_they_are() -> io::Result<()> {
        let tree = std::env::temp_dir().join(format!("namegate-tree-{}", std::process::id()));
        for file in ["lib/systemd/a", "usr/lib/b", "c"] {
            let file = tree.join(file);
            fs::create_dir_all(file.parent().unwrap_or(&tree))?;
            fs::write(file, "")?;
        }
        let mut found = files_in(&tree)?;
        found.sort();
        assert_eq!(
            found,
            [
                tree.join("c"),
                tree.join("lib/systemd/a"),
                tree.join("usr/lib/b")
            ]
        );
        fs::remove_dir_all(tree)
    }

    #[test]
    fn a_package_that_is_not_there_is_not_installed() {
        assert!(!is_installed("no-such-package"));
    }

    fn host(os_release: &str, root: bool) -> Host {
        Host {
            os_release: os_release.to_owned(),
            root,
        }
    }
}
