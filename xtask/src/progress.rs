//! Named steps: with a spinner, the time and the last line of output in a terminal, plain lines in
//! a pipe.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// How many lines of a failed step are shown.
const SHOWN: usize = 30;
const TICK: Duration = Duration::from_millis(100);

/// Good news.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// Bad news.
pub const RED: Style = AnsiColor::Red.on_default();
/// A heading.
pub const BOLD: Style = Style::new().bold();

/// Runs a command as a named step. Its output is shown only where it fails.
pub fn step(name: &str, mut command: Command) -> Result<()> {
    let begun = Instant::now();
    let spinner = spinner(name);
    let (status, tail) = follow(&mut command, |line| spinner.set_message(line.to_owned()))
        .with_context(|| format!("cannot run {command:?}"))?;
    spinner.finish_and_clear();
    if status.success() {
        let took = begun.elapsed().as_secs();
        anstream::eprintln!("set-up: {GREEN}done{GREEN:#}  {name} ({took} s)");
        return Ok(());
    }
    anstream::eprintln!("set-up: {RED}failed{RED:#}  {name}; the end of what it printed:");
    for line in tail {
        anstream::eprintln!("    {line}");
    }
    bail!("{} failed ({status})", command.get_program().display());
}

fn spinner(name: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        anstream::eprintln!("set-up: {name} ...");
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_prefix(format!("set-up: {name}"));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}")
    {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(TICK);
    spinner
}

/// Runs the command, tells each line of its output, and gives the last ones.
fn follow(
    command: &mut Command,
    mut tell: impl FnMut(&str),
) -> Result<(ExitStatus, VecDeque<String>)> {
    let (reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    // The command keeps its ends of the pipe, and the pipe ends when all of these are closed.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut tail = VecDeque::new();
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        // A program that draws over its own line is shown as it would be seen.
        let line = line.rsplit('\r').next().unwrap_or_default();
        tell(line);
        if tail.len() == SHOWN {
            tail.pop_front();
        }
        tail.push_back(line.to_owned());
    }
    Ok((child.wait()?, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_both_outputs_are_kept() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 100; echo over >&2; exit 3"]);
        let mut told = 0;
        let (status, tail) = follow(&mut command, |_| told += 1)?;
        assert_eq!(status.code(), Some(3));
        assert_eq!((told, tail.len()), (101, SHOWN));
        assert_eq!(tail.back().map(String::as_str), Some("over"));
        assert_eq!(tail.front().map(String::as_str), Some("72"));
        Ok(())
    }
}
