//! What a guest reports: lines of its console that begin with a mark, each a JSON object. All other
//! text is for people.

use serde::{Deserialize, Serialize};

/// What such a line begins with.
pub const MARK: &str = "@@ ";

/// The name of the check of the kernel log, which every guest has.
pub const LOG: &str = "log";

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// The guest runs.
    Booted {
        /// The kernel's release, as `uname -r` prints it.
        release: String,
        /// The machine, as `uname -m` prints it.
        machine: String,
        /// Bytes of a page.
        page_size: usize,
        /// Memory of the guest, in KiB.
        memory_kib: u64,
    },
    /// A kernel module was to be loaded.
    Module {
        /// The name of its file, without the number in front and the `.ko` behind.
        name: String,
        /// True if the kernel has it now.
        ok: bool,
        /// Why not.
        error: Option<String>,
    },
    /// The kernel took a program.
    Program {
        /// The program's name in the object.
        name: String,
        /// Instructions that the verifier went through.
        verified_instructions: u32,
    },
    /// A check has ended.
    Check {
        /// The word for its [`Group`](crate::plan::Group), and what is checked: `load`,
        /// `live native: TLS`.
        name: String,
        /// How.
        outcome: Outcome,
        /// One sentence: what was seen, or what was wrong.
        detail: String,
        /// How long it took.
        seconds: f64,
    },
    /// A line of the kernel log that is a sign of damage.
    Log {
        /// Its text.
        line: String,
    },
    /// All that was planned is done. A report without this line is no result.
    End {},
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// As it should.
    #[serde(rename = "passed")]
    Passed,
    /// Not as it should, or not in time.
    #[serde(rename = "failed")]
    Failed,
    /// The kernel that was booted lacks what the check needs, as a module.
    #[serde(rename = "not possible")]
    NotPossible,
}

impl Line {
    /// The line as it is printed, without the end of line.
    ///
    /// # Panics
    /// Never: all fields have a form in JSON.
    pub fn text(&self) -> String {
        let json = serde_json::to_string(self).expect("strings and numbers have a form in JSON");
        format!("{MARK}{json}")
    }

    /// Reads a line of a console: `None` if it is no line of a report, an error if it is one and
    /// cannot be read (the kernel may have printed something in the middle of it).
    pub fn parse(console: &str) -> Option<Result<Self, serde_json::Error>> {
        let json = console.trim_end_matches(['\r', '\n']).strip_prefix(MARK)?;
        Some(serde_json::from_str(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_printed() {
        let lines = [
            Line::Booted {
                release: "6.1.0".into(),
                machine: "x86_64".into(),
                page_size: 4096,
                memory_kib: 1 << 20,
            },
            Line::Module {
                name: "veth".into(),
                ok: false,
                error: Some("no such file".into()),
            },
            Line::Program {
                name: "namegate".into(),
                verified_instructions: 7,
            },
            Line::Check {
                name: "live native: TLS".into(),
                outcome: Outcome::NotPossible,
                detail: "the kernel has no module `veth`".into(),
                seconds: 0.5,
            },
            Line::Log {
                line: "[1.5] WARNING: \"quoted\"\n".into(),
            },
            Line::End {},
        ];
        for line in lines {
            let text = line.text();
            assert_eq!(text.lines().count(), 1, "{text}");
            assert_eq!(Line::parse(&format!("{text}\r\n")).unwrap().unwrap(), line);
        }
    }

    #[test]
    fn other_text_is_no_line_of_a_report_and_a_broken_line_is_an_error() {
        assert!(Line::parse("running 3 tests").is_none());
        assert!(Line::parse("[1.0] @@ {\"kind\":\"end\"}").is_none());
        assert!(Line::parse("@@ {\"kind\":\"e[1.0] nd\"}").unwrap().is_err());
        assert_eq!(
            Line::parse("@@ {\"kind\":\"end\"}").unwrap().unwrap(),
            Line::End {}
        );
    }
}
