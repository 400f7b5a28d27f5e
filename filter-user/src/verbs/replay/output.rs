//! What a replay prints: names to standard output, all else to standard error.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use filter_user::{
    printable::{printable, printable_lines},
    replay::{Line, Replayed, record_type},
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{self, BLOCKED, FAILURE, FAINT, PASSED, plural};

/// Bytes of captures from which on a bar shows how far it is.
const LARGE: u64 = 16 << 20;
/// Bytes that go out together.
const BUFFER: usize = 64 << 10;

/// Lines on their way out, past the progress bar.
pub struct Output {
    json: bool,
    /// True where lines say which file they are from.
    with_file: bool,
    waiting: Vec<u8>,
    /// Bytes that may wait: none where a person looks on.
    most_waiting: usize,
    bar: ProgressBar,
}

impl Output {
    /// For captures of so many bytes in all.
    pub fn new(json: bool, with_file: bool, bytes: u64) -> anyhow::Result<Self> {
        let bar = if bytes < LARGE {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(bytes)
        };
        let bar = bar.with_style(ProgressStyle::with_template(
            "{wide_bar} {bytes}/{total_bytes}, {eta} left",
        )?);
        let most_waiting = if io::stdout().is_terminal() {
            0
        } else {
            BUFFER
        };
        Ok(Self {
            json,
            with_file,
            waiting: Vec::new(),
            most_waiting,
            bar,
        })
    }

    /// The bar, which is drawn in a terminal only.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Prints a name.
    pub fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        if self.json {
            output::json_line(&mut self.waiting, line)?;
        } else {
            self.columns(line)?;
        }
        if self.waiting.len() > self.most_waiting {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn columns(&mut self, line: &Line<'_>) -> io::Result<()> {
        let Line {
            file,
            frame,
            protocol,
            kind,
            name,
            verdict,
            action,
            rule,
            record,
            list,
            line: place,
            ..
        } = line;
        let out = &mut self.waiting;
        let [file, name] = [file, name].map(|text| printable(text));
        let rule = rule.as_deref().map(printable);
        let list = list.map(printable);
        if self.with_file {
            write!(out, "{FAINT}{file}{FAINT:#}  ")?;
        }
        let style = if rule.is_some() || *verdict == "drop" {
            BLOCKED
        } else {
            PASSED
        };
        write!(
            out,
            "{frame:>7}  {protocol}  {kind:<12}  {style}{verdict:<4}{style:#}  {name}"
        )?;
        if let Some(record) = record {
            write!(out, "  {FAINT}({}){FAINT:#}", record_type(*record))?;
        }
        match (rule, list, place) {
            (Some(rule), Some(list), Some(place)) => write!(out, "  rule {rule} ({list}:{place})")?,
            (Some(rule), ..) => write!(out, "  rule {rule}")?,
            (None, ..) => {}
        }
        match action.filter(|action| *action != "default") {
            Some(action) => writeln!(out, "  {action}"),
            None => writeln!(out),
        }
    }

    /// Hands over what waits.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let Self { waiting, bar, .. } = self;
        let written = bar.suspend(|| {
            let mut out = output::stdout();
            out.write_all(waiting).and_then(|()| out.flush())
        });
        waiting.clear();
        written
    }

    /// Tells people something about a file.
    pub fn say(&self, text: &str) {
        // Where nobody reads it, the names still count.
        self.bar.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{}", printable_lines(text));
        });
    }

    /// As [`Output::say`], of what went wrong.
    pub fn failure(&self, error: &dyn Display) {
        let text = printable_lines(&error.to_string());
        self.bar.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{FAILURE}namegate:{FAILURE:#} {text}");
        });
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// What all files came to.
#[derive(Debug, Default)]
pub struct Totals {
    files: u64,
    frames: u64,
    dns: u64,
    tls: u64,
    quic: u64,
    blocked: u64,
    not_taken: u64,
    /// Files that could not be read to their end.
    pub broken: u64,
}

impl Totals {
    /// Counts a name.
    pub fn count(&mut self, line: &Line<'_>) {
        match line.protocol {
            "dns" => self.dns += 1,
            "quic" => self.quic += 1,
            _ => self.tls += 1,
        }
        self.blocked += u64::from(line.verdict == "drop");
    }

    /// Adds a file.
    pub fn add(&mut self, replayed: &Replayed) {
        self.files += 1;
        self.frames += replayed.frames;
        self.not_taken += replayed.not_taken;
        self.broken += u64::from(replayed.broken.is_some());
    }

    /// For people, in one sentence.
    pub fn text(&self) -> String {
        let Self {
            files,
            frames,
            dns,
            tls,
            quic,
            blocked,
            not_taken,
            broken,
        } = self;
        let broken = if *broken > 0 {
            format!(" ({} not to the end)", output::count(*broken))
        } else {
            String::new()
        };
        let not_run = if *not_taken > 0 {
            format!(
                " ({} not judged: below 14 bytes, or over 65,535)",
                output::count(*not_taken)
            )
        } else {
            String::new()
        };
        let names = plural(dns + tls + quic, "name");
        let [dns, tls, quic, blocked] =
            [dns, tls, quic, blocked].map(|count| output::count(*count));
        let (files, frames) = (plural(*files, "file"), plural(*frames, "frame"));
        format!(
            "{files}{broken}, {frames}{not_run}, {names} (dns {dns}, tls {tls}, quic {quic}), {blocked} blocked"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str) -> Line<'static> {
        Line {
            file: "a.pcap",
            frame: 3,
            protocol: "dns",
            kind: "query",
            name,
            verdict: "pass",
            action: None,
            reason: "dns_not_listed",
            rule: None,
            record: None,
            list: None,
            line: None,
        }
    }

    fn printed(line: &Line<'_>, with_file: bool) -> String {
        let mut output = Output::new(false, with_file, 0).unwrap();
        output.columns(line).unwrap();
        anstream::adapter::strip_str(str::from_utf8(&output.waiting).unwrap()).to_string()
    }

    #[test]
    fn columns_stand_below_each_other() {
        let blocked = Line {
            frame: 1_234_567,
            protocol: "tls",
            kind: "client_hello",
            verdict: "drop",
            action: Some("default"),
            rule: Some("example".into()),
            list: Some("hosts.txt"),
            line: Some(7),
            ..line("a.example")
        };
        assert_eq!(
            printed(&line("a.example"), false),
            "      3  dns  query         pass  a.example\n"
        );
        let expected = "1234567  tls  client_hello  drop  a.example  rule example (hosts.txt:7)\n";
        assert_eq!(printed(&blocked, false), expected);
        let refused = Line {
            action: Some("refused"),
            ..blocked
        };
        assert_eq!(
            printed(&refused, false),
            expected.replace('\n', "  refused\n")
        );
    }

    #[test]
    fn a_further_name_says_its_record_and_a_line_of_several_files_its_file() {
        let further = Line {
            kind: "response",
            record: Some(5),
            ..line("a.example")
        };
        assert_eq!(
            printed(&further, true),
            "a.pcap        3  dns  response      pass  a.example  (CNAME)\n"
        );
    }

    #[test]
    fn totals_say_what_was_not_judged_and_what_is_broken_only_where_there_is_such() {
        let mut totals = Totals::default();
        totals.add(&Replayed {
            frames: 1000,
            ..Replayed::default()
        });
        totals.count(&line("a.example"));
        assert_eq!(
            totals.text(),
            "1 file, 1,000 frames, 1 name (dns 1, tls 0, quic 0), 0 blocked"
        );
        totals.add(&Replayed {
            frames: 2,
            not_taken: 1,
            ..Replayed::default()
        });
        totals.count(&Line {
            verdict: "drop",
            protocol: "tls",
            ..line("a.example")
        });
        let text = totals.text();
        assert!(
            text.contains("1,002 frames (1 not judged: below 14 bytes, or over 65,535)"),
            "{text}"
        );
        assert!(
            text.ends_with("2 names (dns 1, tls 1, quic 0), 1 blocked"),
            "{text}"
        );
    }
}
