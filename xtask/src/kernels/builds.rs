//! Building what a guest runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::cross::{self, Cross};
use crate::workspace::{self, Workspace, cargo};

const TEST_FEATURES: &str = "filter-user/root-tests,filter-user/shared-tests";

/// How a guest's programs are built.
pub struct Build<'a> {
    workspace: &'a Workspace,
    /// What cargo is told about packages and features, for the programs of a debug build.
    debug: Option<Vec<String>>,
}

impl<'a> Build<'a> {
    /// As they are released; the test programs with the same optimisations.
    pub fn release(workspace: &'a Workspace) -> Self {
        Self { workspace, debug: None }
    }

    /// As `cargo xtask test` has built them already, if these are the arguments that it gave to cargo.
    pub fn debug(workspace: &'a Workspace, args: Vec<String>) -> Self {
        Self { workspace, debug: Some(args) }
    }

    /// Our programs under their places in a guest, with these test programs of filter-user.
    pub fn run(&self, cross: Option<&Cross>, tests: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
        let mut programs = match &self.debug {
            None => self.run_release(cross, tests)?,
            Some(args) => self.run_debug(args, tests)?,
        };
        let mut take = |place: String, name: &str| {
            let program = programs.remove(name).with_context(|| format!("cargo did not build `{name}`"))?;
            anyhow::Ok((place, program))
        };
        let mut placed =
            BTreeMap::from([take("init".to_owned(), "guest")?, take("bin/namegate".to_owned(), "namegate")?]);
        for test in tests {
            placed.extend([take(format!("tests/{test}"), test)?]);
        }
        Ok(placed)
    }

    fn run_release(&self, cross: Option<&Cross>, tests: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
        let cargo = || {
            let mut command = cross.map_or_else(cargo, |cross| cross.cargo(self.workspace));
            command.args(["build", "--release"]);
            command.args(cross.iter().flat_map(|_| ["--target", cross::TARGET]));
            command
        };
        // In one command: filter-user is then built once for all of them, with the features that measuring and tests need.
        let mut others = cargo();
        others.args(["--package", "guest", "--bin", "guest", "--package", "filter-user", "--features", TEST_FEATURES]);
        others.args(tests.iter().flat_map(|test| ["--test", test]));
        let mut programs = build(&mut others)?;
        // Last: with tests of a package, cargo builds the package's program as well, and this one takes its place.
        let mut namegate = cargo();
        namegate.args(["--package", "filter-user", "--bin", "namegate"]);
        programs.extend(build(&mut namegate)?);
        Ok(programs)
    }

    fn run_debug(&self, args: &[String], tests: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
        let mut all = cargo();
        all.arg("build").args(args).args(["--bin", "guest", "--bin", "namegate"]);
        all.args(tests.iter().flat_map(|test| ["--test", test]));
        let mut programs = build(&mut all)?;
        let folder = self.workspace.target().join("kernels/stripped");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, program) in &mut programs {
            *program = strip(program, &folder.join(name))?;
        }
        Ok(programs)
    }
}

/// A copy without what debuggers want, which is most of a program and would lie in the guest's memory.
fn strip(program: &Path, copy: &Path) -> Result<PathBuf> {
    workspace::run(Command::new("strip").arg("--strip-debug").arg("-o").arg(copy).arg(program))?;
    Ok(copy.to_owned())
}

/// Runs cargo, and gives the programs that it says it made.
fn build(command: &mut Command) -> Result<BTreeMap<String, PathBuf>> {
    command.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed ({})", output.status);
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

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
