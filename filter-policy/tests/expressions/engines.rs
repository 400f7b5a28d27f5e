//! The engines.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use pcre2::bytes::RegexBuilder;
use tempfile::NamedTempFile;

/// What says of an expression which names it matches.
pub trait Engine {
    /// For each name whether the expression finds something in it, in any case; `None` if it is no
    /// expression, and an error if it takes the engine too long.
    fn matching(
        &mut self,
        expression: &str,
        names: &[String],
    ) -> Result<Option<Vec<bool>>, TooLong>;
}

/// An engine gave up.
pub struct TooLong;

/// TRE, which Pi-hole has built in, by its program `tre-agrep`.
pub struct Tre {
    names: NamedTempFile,
}

impl Default for Tre {
    fn default() -> Self {
        Self {
            names: NamedTempFile::new().expect("a file"),
        }
    }
}

impl Engine for Tre {
    fn matching(
        &mut self,
        expression: &str,
        names: &[String],
    ) -> Result<Option<Vec<bool>>, TooLong> {
        fs::write(self.names.path(), names.join("\n") + "\n").expect("a file");
        let mut agrep = Command::new("tre-agrep");
        agrep
            .env("LC_ALL", "C.UTF-8")
            .args(["-i", "--record-number", "-e", expression])
            .arg(self.names.path());
        let output = agrep
            .output()
            .expect("tre-agrep runs: `cargo xtask setup` installs it");
        if !matches!(output.status.code(), Some(0 | 1)) {
            return Ok(None);
        }
        let mut matching = vec![false; names.len()];
        for line in str::from_utf8(&output.stdout).expect("UTF-8").lines() {
            let number: usize = line
                .split(':')
                .next()
                .and_then(|number| number.parse().ok())
                .expect("a number");
            matching[number - 1] = true;
        }
        Ok(Some(matching))
    }
}

/// JavaScript's expressions, as Node has them.
pub struct Node {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// For each line with an expression and names, in JSON, a line with the verdicts. Node tries all
/// ways, which may take for ever: then `false` stands in their place.
const SCRIPT: &str = r"
const vm = require('vm');
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const [expression, names] = JSON.parse(line);
    let verdicts = null;
    try {
        const regexp = new RegExp(expression, 'i');
        const judge = () => names.map((name) => regexp.test(name));
        verdicts = vm.runInNewContext('judge()', { judge }, { timeout: 1000 });
    } catch (error) {
        if (error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') verdicts = false;
        else if (!(error instanceof SyntaxError)) throw error;
    }
    console.log(JSON.stringify(verdicts));
});
";

impl Node {
    pub fn start() -> Self {
        let mut node = Command::new("node");
        node.args(["-e", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = node
            .spawn()
            .expect("node runs: `cargo xtask setup` installs it");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            stdin,
            stdout,
        }
    }
}

impl Engine for Node {
    fn matching(
        &mut self,
        expression: &str,
        names: &[String],
    ) -> Result<Option<Vec<bool>>, TooLong> {
        let question = serde_json::to_string(&(expression, names)).expect("JSON");
        writeln!(self.stdin, "{question}").expect("it reads");
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).expect("it answers");
        if answer == "false\n" {
            return Err(TooLong);
        }
        Ok(serde_json::from_str(&answer).expect("verdicts"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// PCRE2.
pub struct Pcre2;

impl Engine for Pcre2 {
    fn matching(
        &mut self,
        expression: &str,
        names: &[String],
    ) -> Result<Option<Vec<bool>>, TooLong> {
        let Ok(regex) = RegexBuilder::new().caseless(true).build(expression) else {
            return Ok(None);
        };
        let verdicts = names
            .iter()
            .map(|name| regex.is_match(name.as_bytes()).map_err(|_| TooLong));
        verdicts.collect::<Result<_, _>>().map(Some)
    }
}
