//! Internet Explorer's tracking protection lists: `-d x` blocks x with all below it, `+d x` allows
//! it. What has a path is about URLs.

use crate::{
    Action, Scope, Unusable,
    pattern::{Anchor, glob},
    reading::{Guard, Meaning, Reading, Taken},
};

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let line = line.trim_ascii();
    if let [] | [b'#' | b':', ..] | b"msFilterList" = line {
        return Ok(());
    }
    let mut words = super::Words(line);
    let action = match words.next() {
        Some(b"-d") => reading.action(),
        Some(b"+d") => Action::Allow,
        Some([b'-' | b'+', ..]) => return reading.without_rule(Unusable::Url, line),
        _ => return reading.without_rule(Unusable::Foreign, line),
    };
    match (words.next(), words.next()) {
        // Internet Explorer takes no dot at the end.
        (Some([.., b'.']), None) => reading.without_rule(Unusable::NoName, line),
        (Some(name), None) if name.contains(&b'*') => {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            reading.pattern(&glob(&name, Anchor::Label, true), action, false, line)
        }
        (Some(name), None) => reading.name(
            name,
            Meaning::new(Scope::Subtree, action, Guard::Registries),
        ),
        (Some(_), Some(_)) => reading.without_rule(Unusable::Url, line),
        (None, _) => reading.without_rule(Unusable::Foreign, line),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_domain_is_blocked_or_allowed_with_all_below_it() {
        let text = "msFilterList\n: Expires=1\n# title\n-d a.example\n+d b.example \n";
        assert_eq!(
            tpl(text),
            ["block subtree a.example", "allow subtree b.example"]
        );
        assert_eq!(
            tpl("-d masto*.top"),
            [r"block pattern (?:^|\.)masto.*\.top$"]
        );
    }

    #[test]
    fn what_is_about_urls_is_counted() {
        assert_eq!(
            tpl("-d a.example /ads\n- /banner\n+d net\n-d\na.example"),
            ["- url", "- url", "- single_label", "- foreign", "- foreign"]
        );
    }

    fn tpl(text: &str) -> Vec<String> {
        lines_of(Format::Tpl, text, ListOptions::default())
    }
}
