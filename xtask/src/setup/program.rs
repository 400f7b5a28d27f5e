//! Programs that the lab runs.

use std::process::Command;

use super::Need;

/// A program and the Debian package that it is in.
pub struct Program {
    /// What it is called where the set-up speaks of it.
    name: &'static str,
    command: &'static str,
    version_flag: &'static str,
    package: &'static str,
    services: &'static [&'static str],
}

impl Program {
    pub const fn new(
        command: &'static str,
        version_flag: &'static str,
        package: &'static str,
    ) -> Self {
        Self {
            name: command,
            command,
            version_flag,
            package,
            services: &[],
        }
    }

    /// The same, called by what it is there for: a module of Python, whose version the flag asks
    /// for.
    pub const fn shown_as(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The same, with services in its package that are not to run.
    pub const fn without_services(mut self, services: &'static [&'static str]) -> Self {
        self.services = services;
        self
    }
}

impl Need for Program {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> Option<String> {
        version_of(lab::program(self.command).arg(self.version_flag))
    }

    fn packages(&self) -> Vec<String> {
        vec![self.package.to_owned()]
    }

    fn services(&self) -> &[&str] {
        self.services
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        if !debian {
            return Some(format!(
                "the program `{}` (Debian's package {})",
                self.name, self.package
            ));
        }
        let services = self.services.join(" ");
        (!services.is_empty())
            .then(|| format!("systemctl mask {services}  (before, unless they are to run here)"))
    }
}

/// The version that a program prints; `None` where it cannot be run or fails.
pub fn version_of(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let printed = [output.stdout, output.stderr].concat();
    Some(version_in(&String::from_utf8_lossy(&printed)).to_owned())
}

/// The first number with a point in it.
fn version_in(printed: &str) -> &str {
    let mut words = printed.split(|letter: char| letter.is_whitespace() || "-,()".contains(letter));
    let version = words.find_map(|word| {
        let start = word.find(|letter: char| letter.is_ascii_digit())?;
        let version = &word[start..];
        version.contains('.').then_some(version)
    });
    version.unwrap_or("version unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        for (printed, version) in [
            ("ip utility, iproute2-6.1.0, libbpf 1.1.0", "6.1.0"),
            ("DiG 9.18.49-1~deb12u3-Debian", "9.18.49"),
            (
                "OpenSSL 3.0.17 1 Jul 2025 (Library: OpenSSL 3.0.17 1 Jul 2025)",
                "3.0.17",
            ),
            (
                "Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley",
                "2.90",
            ),
            ("clippy 0.1.96", "0.1.96"),
            ("nothing", "version unknown"),
        ] {
            assert_eq!(version_in(printed), version);
        }
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_has_no_version() {
        assert_eq!(version_of(&mut Command::new("false")), None);
        assert_eq!(version_of(&mut Command::new("no-such-program")), None);
        assert!(version_of(Command::new("sh").args(["-c", "echo 1.2"])).is_some());
    }
}
