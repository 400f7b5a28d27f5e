//! Maltrail's trails: a name is about itself and all below it, `.x` too, which is how a whole TLD
//! is written. Addresses and URLs are no names.

use super::words::head;
use crate::{
    Scope, Unusable,
    reading::{Guard, Meaning, Reading, Taken},
};

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let Some((word, mut words)) = head(line) else {
        return Ok(());
    };
    if words.next().is_some() {
        return reading.without_rule(Unusable::SeveralWords, line);
    }
    match word {
        [b'.', name @ ..] => reading.name(
            name,
            Meaning::new(Scope::Subtree, reading.action(), Guard::Open),
        ),
        name => reading.name(name, reading.subtree()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_name_is_blocked_with_all_below_it() {
        let text = "# Copyright Maltrail developers\na.example\n.zip\n";
        assert_eq!(
            maltrail(text),
            ["block subtree a.example", "block subtree zip"]
        );
    }

    #[test]
    fn addresses_and_urls_are_counted() {
        let text =
            "192.0.2.1\n192.0.2.1:80\nhttp://192.0.2.1\na.example/x.php\na.example:8080\nzip\n";
        assert_eq!(
            maltrail(text),
            [
                "- address",
                "- address",
                "- url",
                "- url",
                "- url",
                "- single_label"
            ]
        );
    }

    fn maltrail(text: &str) -> Vec<String> {
        lines_of(Format::Maltrail, text, ListOptions::default())
    }
}
