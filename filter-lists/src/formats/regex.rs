//! One regular expression a line, as Pi-hole takes them: POSIX extended, in any case. Slashes
//! around one are taken off. `;reply=` behind one says what Pi-hole answers, and nothing about
//! which names are blocked.

use crate::{
    Unusable,
    pattern::{Dialect, translate},
    reading::{Reading, Taken},
};

/// What Pi-hole takes behind a `;`, and what is not known of a name.
const EXTENSIONS: [&str; 2] = ["invert", "querytype"];

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let line = line.trim_ascii();
    if let [] | [b'#' | b'!', ..] = line {
        return Ok(());
    }
    let mut parts = line.split(|byte| *byte == b';');
    let regex = parts.next().unwrap_or_default();
    if let Some(extension) = parts.map(name_of).find(|name| *name != b"reply") {
        let known = EXTENSIONS
            .into_iter()
            .find(|known| known.as_bytes() == extension);
        return reading.without_rule(
            Unusable::Setting(known.unwrap_or("another extension")),
            line,
        );
    }
    let inner = regex
        .strip_prefix(b"/")
        .and_then(|regex| regex.strip_suffix(b"/"))
        .unwrap_or(regex);
    pattern(inner, Dialect::Posix, line, reading)
}

/// What stands before the `=` of an extension.
fn name_of(extension: &[u8]) -> &[u8] {
    extension
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

/// Takes a regular expression of a dialect.
pub(super) fn pattern(
    regex: &[u8],
    dialect: Dialect,
    line: &[u8],
    reading: &mut Reading<'_>,
) -> Taken {
    let Ok(regex) = str::from_utf8(regex) else {
        return reading.unreadable("it is not UTF-8".into(), line);
    };
    match translate(regex, dialect) {
        Ok(regex) => reading.pattern(&regex, reading.action(), false, line),
        Err(error) => reading.unreadable(error, line),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn an_expression_is_a_name_where_it_says_no_more() {
        assert_eq!(regex(r"(\.|^)a\.example$"), ["block subtree a.example"]);
        assert_eq!(regex(r"\.zip$"), ["block subdomains zip"]);
        assert_eq!(regex(r"/(\.|^)a\.example$/"), ["block subtree a.example"]);
        assert_eq!(regex(r"^ad[0-9]+\."), [r"block pattern ^ad[0-9]+\."]);
    }

    #[test]
    fn comments_hold_nothing() {
        assert_eq!(regex("# ^ad\n\n  # ^ads\n"), [""; 0]);
    }

    #[test]
    fn what_pi_hole_has_besides_is_counted_by_its_name() {
        assert_eq!(regex("^ad;querytype=A"), ["- setting querytype"]);
        assert_eq!(regex("^ad;invert"), ["- setting invert"]);
        assert_eq!(
            regex("^ad;reply=NXDOMAIN;querytype=!A"),
            ["- setting querytype"]
        );
        assert_eq!(regex("^ad;x"), ["- setting another extension"]);
    }

    #[test]
    fn what_pi_hole_answers_changes_no_rule() {
        for line in [
            "^ad[0-9]",
            "^ad[0-9];reply=NODATA",
            "^ad[0-9];reply=192.0.2.1;reply=2001:db8::1",
            "/^ad[0-9]/;reply=IP",
        ] {
            assert_eq!(regex(line), ["block pattern ^ad[0-9]"], "{line}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        assert_eq!(regex(r"(a)\1"), ["- pattern"]);
        assert_eq!(regex("(a"), ["- pattern"]);
        assert_eq!(regex(".*"), ["- too_general"]);
        assert_eq!(regex(&"a".repeat(1001)), ["- pattern_too_long"]);
    }

    #[test]
    fn posix_classes_are_read() {
        assert_eq!(
            regex("^ad[[:digit:]]+x"),
            ["block pattern ^ad[[:digit:]]+x"]
        );
    }

    fn regex(text: &str) -> Vec<String> {
        lines_of(Format::Regex, text, ListOptions::default())
    }
}
