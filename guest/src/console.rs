//! Writing to the console: lines of the report, and text for people, which is bounded.

use std::io::Write as _;

use guest::report::{Line, MARK};

/// Bytes of text that one failure may add to the console.
const TEXT: usize = 16_384;

/// Writes a line of the report.
pub fn report(line: &Line) {
    write(&line.text());
}

/// Writes text for people; of a long one the end, where programs say how they failed.
pub fn say(text: &str) {
    let text = tail(text, TEXT);
    for line in text.lines() {
        // It must not pass for a line of the report.
        let indent = if line.starts_with(MARK.trim_end()) {
            " "
        } else {
            ""
        };
        write(&format!("{indent}{line}"));
    }
}

fn write(line: &str) {
    let mut console = std::io::stdout().lock();
    // Where the console cannot be written to there is nobody to tell.
    let _ = writeln!(console, "{line}").and_then(|()| console.flush());
}

/// The last bytes of a text, from the beginning of a line on.
fn tail(text: &str, bytes: usize) -> &str {
    let Some(cut) = text.len().checked_sub(bytes).filter(|cut| *cut > 0) else {
        return text;
    };
    let cut = (cut..text.len())
        .find(|at| text.as_bytes()[at - 1] == b'\n')
        .unwrap_or(text.len());
    &text[cut..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_text_is_whole_lines() {
        assert_eq!(tail("one\ntwo\nthree\n", 100), "one\ntwo\nthree\n");
        assert_eq!(tail("one\ntwo\nthree\n", 12), "two\nthree\n");
        assert_eq!(tail("one\ntwo\nthree\n", 10), "two\nthree\n");
        assert_eq!(tail("one\ntwo\nthree\n", 9), "three\n");
        assert_eq!(tail("ü\nü\n", 4), "ü\n");
    }
}
