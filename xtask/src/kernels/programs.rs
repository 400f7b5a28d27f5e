//! The programs of a guest: ours, built for its architecture, and Debian's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::initramfs::Tree;
use super::libraries;
use crate::archive::Architecture;
use crate::cross::{self, Cross};
use crate::workspace::{self, Workspace, cargo};

/// Programs of Debian that are in every guest.
const DEBIANS: [&str; 3] = ["busybox", "ip", "ethtool"];
const TEST_FEATURES: &str = "filter-user/root-tests,filter-user/shared-tests";
/// What is called by these names in a guest's shell; for people who look into one.
const APPLETS: [&str; 8] = ["sh", "ls", "cat", "dmesg", "mount", "ps", "grep", "poweroff"];

/// Builds what a guest of this architecture runs, with these test programs of filter-user, and puts it where the guest looks
/// for it.
pub fn add(tree: &mut Tree, workspace: &Workspace, architecture: Architecture, tests: &[&str]) -> Result<()> {
    let builder = Builder::new(workspace, architecture)?;
    let mut programs = builder.build(tests)?;
    for name in DEBIANS {
        programs.insert(format!("bin/{name}"), builder.debians(name)?);
    }
    let paths: Vec<_> = programs.values().map(PathBuf::as_path).collect();
    let libraries = libraries::of(&paths, builder.root(), architecture)?;
    for (place, file) in programs.into_iter().chain(libraries) {
        tree.copy(&place, file);
    }
    for applet in APPLETS {
        tree.link(&format!("bin/{applet}"), "busybox");
    }
    Ok(())
}

struct Builder<'a> {
    workspace: &'a Workspace,
    cross: Option<Cross>,
}

impl<'a> Builder<'a> {
    fn new(workspace: &'a Workspace, architecture: Architecture) -> Result<Self> {
        let cross = match architecture {
            Architecture::Amd64 => None,
            Architecture::Arm64 => Some(Cross::find()?),
        };
        Ok(Self { workspace, cross })
    }

    /// Where Debian's files for the architecture are.
    fn root(&self) -> &Path {
        self.cross.as_ref().map_or(Path::new("/"), Cross::root)
    }

    fn debians(&self, name: &str) -> Result<PathBuf> {
        let folders = ["bin", "sbin", "usr/bin", "usr/sbin"].map(|folder| self.root().join(folder).join(name));
        let found = folders.into_iter().find(|path| path.is_file());
        found.with_context(|| format!("there is no {name} below {}: run `cargo xtask setup`", self.root().display()))
    }

    /// Ours, under their places in the guest.
    fn build(&self, tests: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
        let mut namegate = self.cargo();
        namegate.args(["--package", "filter-user", "--bin", "namegate"]);
        workspace::run(&mut namegate)?;
        // In one command: filter-user is then built once for all of them, with the features that measuring and tests need.
        let mut others = self.cargo();
        others.args(["--package", "guest", "--bin", "guest", "--package", "filter-user", "--features", TEST_FEATURES]);
        others.args(tests.iter().flat_map(|test| ["--test", test]));
        let mut programs = executables(&messages(&mut others)?);
        let mut programs: BTreeMap<_, _> = tests
            .iter()
            .map(|test| (format!("tests/{test}"), *test))
            .chain([("init".to_owned(), "guest")])
            .map(|(place, name)| {
                Ok((place, programs.remove(name).with_context(|| format!("cargo did not build {name}"))?))
            })
            .collect::<Result<_>>()?;
        programs.insert("bin/namegate".to_owned(), self.target().join("release/namegate"));
        Ok(programs)
    }

    fn cargo(&self) -> Command {
        let mut command = match &self.cross {
            None => cargo(),
            Some(cross) => cross.cargo(self.workspace),
        };
        command.args(["build", "--release"]);
        if self.cross.is_some() {
            command.args(["--target", cross::TARGET]);
        }
        command
    }

    fn target(&self) -> PathBuf {
        match &self.cross {
            None => self.workspace.target().to_owned(),
            Some(_) => cross::target_folder(self.workspace).join(cross::TARGET),
        }
    }
}

/// What cargo prints for programs.
fn messages(build: &mut Command) -> Result<String> {
    build.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = build.output().with_context(|| format!("cannot run {build:?}"))?;
    ensure!(output.status.success(), "{build:?} failed ({})", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The programs that cargo says it made.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = |message: Value| {
        let (name, path) = (message["target"]["name"].as_str()?, message["executable"].as_str()?);
        Some((name.to_owned(), PathBuf::from(path)))
    };
    messages.filter_map(executable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"lab"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","target":{"name":"guest"},"profile":{"test":false},"executable":"/t/guest"}
{"reason":"compiler-artifact","target":{"name":"corpus"},"profile":{"test":true},"executable":"/t/corpus-1"}
some text
{"reason":"build-finished","success":true}"#;
        let expected = [("corpus", "/t/corpus-1"), ("guest", "/t/guest")];
        assert_eq!(executables(messages), expected.map(|(name, path)| (name.to_owned(), path.into())).into());
    }
}
