//! The questions: which name, by which program, over which family, and what is right.

use std::fmt;
use std::process::{ExitStatus, Stdio};

use anyhow::Result;
use lab::{Family, Namespace, SERVER};

use super::controller::Counted;

/// Seconds until a client gives up that hears nothing.
const PATIENCE: &str = "1";

/// Names, and whether the sample list blocks them.
const NAMES: [(&str, bool); 7] = [
    ("www.debian.org", false),
    ("example.com", false),
    ("notdoubleclick.net", false),
    ("doubleclick.net.example.org", false),
    ("stats.g.doubleclick.net", true),
    ("WWW.Google-Analytics.com", true),
    ("ads.example.com", true),
];

/// How a name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Dig,
    Curl,
    OpenSsl,
}

/// A name asked for in one way.
pub struct Question {
    pub name: &'static str,
    pub program: Program,
    pub family: Family,
    pub blocked: bool,
}

/// What the client got.
pub struct Seen {
    pub text: String,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Answer,
    /// It was told at once that there is none.
    Refusal,
    /// Neither: nothing was heard, or the question shows nothing.
    Failure,
}

/// A question with what came of it.
pub struct Row {
    pub question: Question,
    pub seen: Seen,
    pub counted: Counted,
}

/// Every name, by every program, over both families.
pub fn all() -> Vec<Question> {
    let mut questions = Vec::new();
    for (name, blocked) in NAMES {
        for program in [Program::Dig, Program::Curl, Program::OpenSsl] {
            questions.extend(Family::ALL.map(|family| Question {
                name,
                program,
                family,
                blocked,
            }));
        }
    }
    questions
}

impl Question {
    /// Asks, from inside a namespace.
    pub fn ask(&self, client: &Namespace) -> Result<Seen> {
        match self.program {
            Program::Dig => self.dig(client),
            Program::Curl => self.curl(client),
            Program::OpenSsl => self.openssl(client),
        }
    }

    /// The protocol in which the filter sees the name.
    pub fn protocol(&self) -> &'static str {
        match self.program {
            Program::Dig => "dns",
            Program::Curl | Program::OpenSsl => "tls",
        }
    }

    /// The counter that is to move, and no other of the protocol.
    pub fn expected_counter(&self) -> &'static str {
        match (self.protocol(), self.blocked) {
            ("dns", true) => "dns_blocked",
            ("dns", false) => "dns_not_listed",
            (_, true) => "tls_blocked",
            (_, false) => "tls_not_listed",
        }
    }

    fn dig(&self, client: &Namespace) -> Result<Seen> {
        let record = match self.family {
            Family::V4 => "A",
            Family::V6 => "AAAA",
        };
        let at = format!("@{}", SERVER.of(self.family));
        let args = ["+tries=1", "+time=1", &at, self.name, record];
        let output = client.command("dig").args(args).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut records = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(';'));
        let answer = records
            .next()
            .and_then(|record| record.split_whitespace().next_back());
        Ok(match (output.status.code(), answer) {
            (Some(0), _)
                if text.contains("status: NXDOMAIN") && text.contains("EDE: 15 (Blocked)") =>
            {
                Seen::refusal("NXDOMAIN, blocked")
            }
            (Some(0), Some(answer)) => Seen::answer(format!("answer {answer}")),
            _ => Seen::failure("dig", output.status),
        })
    }

    fn curl(&self, client: &Namespace) -> Result<Seen> {
        let to = match self.family {
            Family::V4 => format!("{}:443:{}", self.name, SERVER.v4),
            Family::V6 => format!("{}:443:[{}]", self.name, SERVER.v6),
        };
        let url = format!("https://{}/", self.name);
        let options = [
            "-sSk",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--max-time",
            PATIENCE,
            "--resolve",
            &to,
        ];
        let output = client.command("curl").args(options).arg(&url).output()?;
        let code = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(match output.status.code() {
            Some(0) => Seen::answer(format!("HTTP {code}")),
            // While connecting to a TLS server, or while receiving (curl(1)).
            Some(35 | 56) if is_reset(&output.stderr, "reset") => Seen::refusal("connection reset"),
            _ => Seen::failure("curl", output.status),
        })
    }

    fn openssl(&self, client: &Namespace) -> Result<Seen> {
        let at = match self.family {
            Family::V4 => format!("{}:443", SERVER.v4),
            Family::V6 => format!("[{}]:443", SERVER.v6),
        };
        // An end of input makes s_client end after the handshake.
        let args = [
            PATIENCE,
            "openssl",
            "s_client",
            "-brief",
            "-servername",
            self.name,
            "-connect",
            &at,
        ];
        let output = client
            .command("timeout")
            .args(args)
            .stdin(Stdio::null())
            .output()?;
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        let version = printed
            .lines()
            .find_map(|line| line.strip_prefix("Protocol version: "));
        Ok(match (output.status.code(), version) {
            (Some(0), Some(version)) => Seen::answer(format!("handshake {version}")),
            (Some(1), None) if is_reset(&output.stderr, "errno=104") => {
                Seen::refusal("connection reset")
            }
            _ => Seen::failure("openssl", output.status),
        })
    }
}

/// True if a program said this of a connection that was reset.
fn is_reset(said: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(said).contains(words)
}

impl Seen {
    fn answer(text: String) -> Self {
        Self {
            text,
            outcome: Outcome::Answer,
        }
    }

    fn refusal(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            outcome: Outcome::Refusal,
        }
    }

    fn failure(program: &str, status: ExitStatus) -> Self {
        Self {
            text: format!("{program} failed ({status})"),
            outcome: Outcome::Failure,
        }
    }
}

impl Row {
    /// How much the counters of the question's protocol have moved.
    pub fn moved(&self) -> Vec<(&str, u64)> {
        self.counted.of_protocol(self.question.protocol())
    }

    /// Whether the client and the kernel agree with what was to happen.
    pub fn is_right(&self) -> bool {
        let question = &self.question;
        let counted = self.moved() == [(question.expected_counter(), 1)];
        counted
            && self.seen.outcome
                == if question.blocked {
                    Outcome::Refusal
                } else {
                    Outcome::Answer
                }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dig => "dig",
            Self::Curl => "curl",
            Self::OpenSsl => "openssl s_client",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_question_is_right_only_with_a_refusal_and_its_counter() {
        assert!(row(true, Outcome::Refusal, &[("dns_blocked", 1)]).is_right());
        assert!(!row(true, Outcome::Answer, &[("dns_blocked", 1)]).is_right());
        assert!(!row(true, Outcome::Failure, &[("dns_blocked", 1)]).is_right());
        assert!(!row(true, Outcome::Refusal, &[]).is_right());
        assert!(!row(true, Outcome::Refusal, &[("dns_blocked", 2)]).is_right());
        assert!(
            !row(
                true,
                Outcome::Refusal,
                &[("dns_blocked", 1), ("dns_malformed", 1)]
            )
            .is_right()
        );
        assert!(!row(true, Outcome::Refusal, &[("dns_not_listed", 1)]).is_right());
    }

    #[test]
    fn an_unblocked_question_is_right_only_with_an_answer_and_its_counter() {
        assert!(row(false, Outcome::Answer, &[("dns_not_listed", 1)]).is_right());
        assert!(!row(false, Outcome::Refusal, &[("dns_not_listed", 1)]).is_right());
        assert!(!row(false, Outcome::Answer, &[("dns_blocked", 1)]).is_right());
        assert!(!row(false, Outcome::Answer, &[("dns_not_listed", 2)]).is_right());
    }

    #[test]
    fn other_protocols_and_counters_that_stand_still_do_not_count() {
        let before = counted(&[
            ("dns_not_listed", 7),
            ("dns_blocked", 3),
            ("tls_blocked", 1),
        ]);
        let after = counted(&[
            ("dns_not_listed", 8),
            ("dns_blocked", 3),
            ("tls_blocked", 4),
            ("not_ip", 2),
        ]);
        assert_eq!(
            after.since(&before).of_protocol("dns"),
            [("dns_not_listed", 1)]
        );
    }

    #[test]
    fn every_name_is_asked_for_in_every_way() {
        let questions = all();
        assert_eq!(questions.len(), NAMES.len() * 3 * Family::ALL.len());
        assert!(questions.iter().any(|question| question.blocked));
        assert!(questions.iter().any(|question| !question.blocked));
    }

    fn row(blocked: bool, outcome: Outcome, moved: &[(&str, u64)]) -> Row {
        Row {
            question: Question {
                name: "example.com",
                program: Program::Dig,
                family: Family::V4,
                blocked,
            },
            seen: Seen {
                text: String::new(),
                outcome,
            },
            counted: counted(moved),
        }
    }

    fn counted(counters: &[(&str, u64)]) -> Counted {
        Counted(
            counters
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        )
    }
}
