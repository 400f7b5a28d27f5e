//! Facts about the workspace, from cargo itself.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// What `cargo metadata` says about this workspace.
pub struct Workspace(Value);

impl Workspace {
    /// Asks cargo.
    pub fn read() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version=1"])
            .output()
            .context("cannot run cargo")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            errors.trim()
        );
        let metadata = serde_json::from_slice(&output.stdout);
        Ok(Self(metadata.context("cargo metadata is not JSON")?))
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        Path::new(self.0["workspace_root"].as_str().unwrap_or("."))
    }

    /// Where cargo puts what it builds.
    pub fn target(&self) -> &Path {
        Path::new(self.0["target_directory"].as_str().unwrap_or("target"))
    }

    /// The built command, of a profile's directory (`release` or `debug`).
    pub fn namegate(&self, profile: &str) -> PathBuf {
        self.target().join(profile).join("namegate")
    }

    /// The real lists and captures that lie beside a checkout and are no part of it.
    pub fn has_shared(&self) -> bool {
        self.root().join("../shared").is_dir()
    }

    /// `package/feature` for each package that has the feature.
    pub fn with_feature(&self, feature: &str) -> Vec<String> {
        let packages = self
            .packages()
            .filter(|package| package["features"].get(feature).is_some());
        packages
            .map(|package| format!("{}/{feature}", text(&package["name"])))
            .collect()
    }

    /// `package/target` for each test that needs the feature.
    pub fn tests_that_need(&self, feature: &str) -> Vec<String> {
        let mut tests = Vec::new();
        for package in self.packages() {
            for target in package["targets"].as_array().into_iter().flatten() {
                let mut needs = target["required-features"].as_array().into_iter().flatten();
                if needs.any(|needed| needed == feature) && target["kind"][0] == "test" {
                    tests.push(format!(
                        "{}/{}",
                        text(&package["name"]),
                        text(&target["name"])
                    ));
                }
            }
        }
        tests
    }

    fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().into_iter().flatten()
    }
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs a command to its end, with its output as it comes.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?} failed ({status})");
    Ok(())
}

/// Becomes another program.
pub fn become_program(command: &mut Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {command:?}"))
}

/// An error, unless this process is root's.
pub fn need_root(verb: &str, why: &str) -> Result<()> {
    if !is_root() {
        bail!("`cargo xtask {verb}` needs root, because it {why}: run it as root");
    }
    Ok(())
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tests_are_found_by_the_feature_they_need() {
        let workspace = sample();
        assert_eq!(
            workspace.tests_that_need("shared-tests"),
            ["filter-user/lists"]
        );
        assert_eq!(workspace.tests_that_need("other"), [""; 0]);
    }

    #[test]
    fn features_are_turned_on_only_where_they_are() {
        let workspace = sample();
        assert_eq!(
            workspace.with_feature("root-tests"),
            ["filter-user/root-tests"]
        );
        assert_eq!(workspace.with_feature("other"), [""; 0]);
    }

    fn sample() -> Workspace {
        Workspace(json!({ "packages": [
            { "name": "lab", "features": {}, "targets": [{ "name": "lab", "kind": ["lib"] }] },
            { "name": "filter-user", "features": { "root-tests": [], "shared-tests": [] }, "targets": [
                { "name": "namegate", "kind": ["bin"], "required-features": ["shared-tests"] },
                { "name": "cli", "kind": ["test"] },
                { "name": "lists", "kind": ["test"], "required-features": ["shared-tests"] },
            ] },
        ] }))
    }
}
