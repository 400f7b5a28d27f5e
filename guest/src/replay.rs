//! `namegate replay`, by the kernel and by user space.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use guest::plan::Plan;

use crate::console::say;
use crate::runner::{Passed, Runner, passed};
use crate::world::NAMEGATE;

const LIMIT: Duration = Duration::from_hours(1);
/// Names of well-known captures that a rule is made of, besides those that the first replay finds.
const NAMES_A_RULE: usize = 3;
/// Lines of a difference that are shown.
const SHOWN: usize = 20;

/// Compares what both say of all captures of the plan, with every third of the names in them on a
/// list.
pub fn check(runner: &mut Runner, plan: &Plan) {
    let captures = plan.captures.clone();
    runner.check("replay", LIMIT, move || {
        let captures = captures.context("the plan names no captures: set `captures`")?;
        compare(&files(&captures)?)
    });
}

fn compare(files: &[PathBuf]) -> Result<Passed<()>> {
    let list = Path::new("/tmp/replay.list");
    fs::write(list, "placeholder.invalid.example\n").context("cannot write a list")?;
    let names = names(&replay("user", list, files)?)?;
    let rules: Vec<_> = names
        .iter()
        .step_by(NAMES_A_RULE)
        .map(String::as_str)
        .collect();
    ensure!(!rules.is_empty(), "the captures have no names");
    fs::write(list, rules.join("\n") + "\n").context("cannot write a list")?;
    let user = replay("user", list, files)?;
    let kernel = replay("kernel", list, files)?;
    let (lines, blocked) = (
        user.lines().count(),
        user.matches("\"verdict\":\"drop\"").count(),
    );
    ensure!(
        blocked > 0 && blocked < lines,
        "{blocked} of {lines} names are blocked: the list tells nothing apart"
    );
    let different: Vec<_> = user
        .lines()
        .zip(kernel.lines())
        .filter(|(user, kernel)| user != kernel)
        .collect();
    for (user, kernel) in different.iter().take(SHOWN) {
        say(&format!("user space {user}\nkernel     {kernel}"));
    }
    let by_kernel = kernel.lines().count();
    ensure!(
        by_kernel == lines,
        "the kernel finds {by_kernel} names, user space {lines}"
    );
    ensure!(
        different.is_empty(),
        "{} of {lines} lines differ",
        different.len()
    );
    Ok(passed(format!(
        "the same {lines} names in {} captures, {blocked} of them blocked",
        files.len()
    )))
}

/// What a replay prints, one object a line.
fn replay(engine: &str, list: &Path, files: &[PathBuf]) -> Result<String> {
    let mut command = Command::new(NAMEGATE);
    command
        .args(["replay", "--engine", engine, "--json", "--list"])
        .arg(list)
        .arg("--")
        .args(files);
    let output = command
        .output()
        .with_context(|| format!("cannot run {NAMEGATE}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // 1 says that a capture could not be read to its end.
    if !matches!(output.status.code(), Some(0 | 1)) || output.stdout.is_empty() {
        say(&said);
        bail!(
            "the replay by the {engine} engine failed ({})",
            output.status
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The names that a replay found, each once, in order.
fn names(lines: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for line in lines.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).context("a line of the replay is no JSON")?;
        let name = line["name"].as_str().unwrap_or_default();
        // A list has no names of one label, and none with other octets than those of host names.
        if name.contains('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        {
            names.push(name.to_lowercase());
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// All files below a folder that are captures by their names, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if is_capture(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_capture(path: &Path) -> bool {
    const ENDINGS: [&str; 3] = ["pcap", "cap", "pcapng"];
    path.extension()
        .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_a_list_can_hold() {
        let lines = "{\"name\":\"B.example\"}\n{\"name\":\"a.example\"}\n{\"name\":\"b.example\"}\n{\"name\":\"com\"}\n\
            {\"name\":\"x\\\\000.example\"}\n";
        assert_eq!(names(lines).unwrap(), ["a.example", "b.example"]);
        assert!(names("no object").is_err());
    }

    #[test]
    fn captures_are_told_by_their_names() {
        assert!(is_capture(Path::new("/a/b.pcap")) && is_capture(Path::new("c.pcapng")));
        assert!(!is_capture(Path::new("MANIFEST.tsv")) && !is_capture(Path::new("pcap")));
    }
}
