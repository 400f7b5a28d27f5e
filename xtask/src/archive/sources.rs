//! Sources of packages: the machine's own, with other suites.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Architecture, output};
use crate::setup;

/// Debian's keys, which sign every mirror's lists.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where this machine has Debian's packages from.
struct Mirrors {
    main: String,
    security: String,
}

/// The lines of sources.list(5) for these suites.
pub fn lines(architecture: Architecture, suites: &[&str]) -> Result<String> {
    let mirrors = mirrors()?;
    Ok(suites
        .iter()
        .map(|suite| mirrors.line(architecture, suite))
        .collect())
}

/// The suite that this machine is of (`bookworm`).
pub fn own_suite() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(codename
        .context("/etc/os-release has no VERSION_CODENAME: this needs a release of Debian")?
        .to_owned())
}

impl Mirrors {
    fn line(&self, architecture: Architecture, suite: &str) -> String {
        let address = if suite.ends_with("-security") {
            &self.security
        } else {
            &self.main
        };
        format!("deb [signed-by={KEYRING} arch={architecture}] {address} {suite} main\n")
    }
}

fn mirrors() -> Result<Mirrors> {
    if let Some(mirrors) = find(&targets()?) {
        return Ok(mirrors);
    }
    // apt knows the origin of a source only once it has read its lists.
    setup::update_index()?;
    find(&targets()?).context(
        "apt has no source of Debian's main archive, or none of its security archive: \
         the kernels are fetched from there, so add both to apt's sources",
    )
}

fn targets() -> Result<String> {
    const FORMAT: &str = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
    ensure!(
        fs::exists(KEYRING)?,
        "there is no {KEYRING}: install the package debian-archive-keyring"
    );
    output(Command::new("apt-get").args([
        "indextargets",
        "--format",
        FORMAT,
        "Created-By: Packages",
    ]))
}

fn find(targets: &str) -> Option<Mirrors> {
    let of = |label: &str| {
        let mut addresses = targets
            .lines()
            .filter_map(|line| line.strip_prefix("Debian|")?.strip_prefix(label));
        addresses.next().map(str::to_owned)
    };
    Some(Mirrors {
        main: of("Debian|")?,
        security: of("Debian-Security|")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "Node|Node|https://node.example/
Debian|Debian Backports|http://old.example/debian/
Debian|Debian|http://mirror.example/debian/
Debian|Debian-Security|http://mirror.example/security/
Debian|Debian|http://other.example/debian/
";

    #[test]
    fn other_suites_come_from_the_machines_own_mirrors() {
        let mirrors = find(TARGETS).expect("both are there");
        let line = |suite| mirrors.line(Architecture::Arm64, suite);
        let options = format!("deb [signed-by={KEYRING} arch=arm64]");
        assert_eq!(
            line("trixie-backports"),
            format!("{options} http://mirror.example/debian/ trixie-backports main\n")
        );
        assert_eq!(
            line("trixie-security"),
            format!("{options} http://mirror.example/security/ trixie-security main\n")
        );
    }

    #[test]
    fn a_machine_without_debians_sources_has_no_mirrors() {
        assert!(find("Ubuntu|Ubuntu|http://ubuntu.example/\n").is_none());
        assert!(find("Debian|Debian|http://mirror.example/debian/\n").is_none());
    }
}
