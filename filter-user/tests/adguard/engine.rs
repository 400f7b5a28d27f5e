//! AdGuard's DNS engine under Node, installed below the target directory.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
};

use filter_lists::Domain;

const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
    ("judge.js", include_str!("judge.js")),
];

/// The engine, ready to be started.
pub struct Engine {
    directory: &'static Path,
}

/// What the engine says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    /// The rule that decides, if one does.
    pub rule: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Block,
    Allow,
    Pass,
}

impl Engine {
    pub fn new() -> Self {
        static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
        Self {
            directory: DIRECTORY.get_or_init(install),
        }
    }

    /// Its verdicts, in the order of the names.
    pub fn judge(&self, list: &Path, names: &[Domain]) -> Vec<Judgement> {
        let mut node = Command::new("node");
        node.current_dir(self.directory).arg("judge.js").arg(list);
        let started = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.expect("node runs: `cargo xtask setup` installs it");
        let mut stdin = child.stdin.take().expect("a pipe");
        let names: Vec<&str> = names.iter().map(Domain::as_str).collect();
        let text = names.join("\n") + "\n";
        let writer = thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().expect("its output");
        writer
            .join()
            .expect("a thread")
            .expect("it reads all names");
        assert!(output.status.success(), "node judge.js: {}", output.status);
        String::from_utf8(output.stdout)
            .expect("UTF-8")
            .lines()
            .map(judgement)
            .collect()
    }
}

fn judgement(line: &str) -> Judgement {
    let (verdict, rule) = line.split_once('\t').expect("two columns");
    let verdict = match verdict {
        "block" => Verdict::Block,
        "allow" => Verdict::Allow,
        "pass" => Verdict::Pass,
        other => panic!("the verdict {other}"),
    };
    Judgement {
        verdict,
        rule: rule.to_owned(),
    }
}

/// Installs the packages of the lock file, unless they are there.
fn install() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adguard");
    fs::create_dir_all(&directory).expect("a directory below the target directory");
    let done = directory.join("installed");
    let lock = FILES[1].1;
    let is_there = fs::read_to_string(&done).is_ok_and(|installed| installed == lock);
    for (name, text) in FILES {
        fs::write(directory.join(name), text).expect(name);
    }
    if !is_there {
        let mut npm = Command::new("npm");
        npm.current_dir(&directory)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let status = npm
            .status()
            .expect("npm runs: `cargo xtask setup` installs it");
        assert!(status.success(), "npm ci: {status}");
        fs::write(done, lock).expect("a file");
    }
    directory
}
