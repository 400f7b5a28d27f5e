//! Building what a guest runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::cross::{self, Cross};
use crate::test;
use crate::workspace::{self, Workspace, cargo};

/// How a guest's programs are built.
pub struct Build<'a> {
    workspace: &'a Workspace,
    is_release: bool,
}

impl<'a> Build<'a> {
    /// The command as it is released.
    pub fn release(workspace: &'a Workspace) -> Self {
        Self {
            workspace,
            is_release: true,
        }
    }

    /// The command as `cargo xtask test` has built it already.
    pub fn debug(workspace: &'a Workspace) -> Self {
        Self {
            workspace,
            is_release: false,
        }
    }

    /// Our programs under their places in a guest, with these test programs of filter-user. All but
    /// the command are debug builds, those of `cargo xtask test`: to optimise them for linking
    /// takes longer than a guest runs.
    pub fn run(&self, cross: Option<&Cross>, tests: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
        let cargo = || {
            let mut command = cross.map_or_else(cargo, |cross| cross.cargo(self.workspace));
            command
                .arg("build")
                .args(cross.iter().flat_map(|_| ["--target", cross::TARGET]));
            command
        };
        let mut all = cargo();
        all.args(test::cargo_args(self.workspace))
            .args(["--bin", "guest", "--bin", "namegate"]);
        all.args(tests.iter().flat_map(|test| ["--test", test]));
        let mut programs = build(&mut all)?;
        if self.is_release {
            let mut release = cargo();
            release.args(["--release", "--package", "filter-user", "--bin", "namegate"]);
            programs.extend(build(&mut release)?);
        }
        let folder = self
            .workspace
            .target()
            .join("kernels")
            .join(cross.map_or("host", |_| cross::TARGET));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let take = |place: &str, name: &str| {
            let program = programs
                .get(name)
                .with_context(|| format!("cargo did not build `{name}`"))?;
            let copy = folder.join(name);
            strip(cross, program, &copy)?;
            anyhow::Ok((place.to_owned(), copy))
        };
        let mut placed =
            BTreeMap::from([take("init", "guest")?, take("bin/namegate", "namegate")?]);
        for test in tests {
            placed.extend([take(&format!("tests/{test}"), test)?]);
        }
        Ok(placed)
    }
}

/// Makes a copy without what debuggers want, which is most of a program and would lie in the
/// guest's memory.
fn strip(cross: Option<&Cross>, program: &Path, copy: &Path) -> Result<()> {
    let strip = cross.map_or("strip", |_| cross::STRIP);
    workspace::run(
        Command::new(strip)
            .arg("--strip-debug")
            .arg("-o")
            .arg(copy)
            .arg(program),
    )
}

/// Runs cargo, and gives the programs that it says it made.
fn build(command: &mut Command) -> Result<BTreeMap<String, PathBuf>> {
    command
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit());
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed ({})",
        output.status
    );
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = |message: Value| {
        let (name, path) = (
            message["target"]["name"].as_str()?,
            message["executable"].as_str()?,
        );
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
        assert_eq!(
            executables(messages),
            expected
                .map(|(name, path)| (name.to_owned(), path.into()))
                .into()
        );
    }
}
