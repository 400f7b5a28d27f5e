//! The one rule for expressions that are about nearly every name.

use regex_syntax::hir::Hir;

use super::places;

/// Names that have nothing in common: no character, no length, no number of labels. Each is of
/// letters alone and ends in two or three, as most names do.
const UNLIKE: [&str; 8] = [
    "radio.tv",
    "jobs.city.kiwi.hu",
    "mail.export.net",
    "weather.org",
    "blog.zebra.co",
    "ftp.quick.link.us",
    "sync.games.com",
    "forum.vox.de",
];

/// True for an expression that finds something in each of the names above: whoever asks for any
/// name will meet it.
///
/// `.*`, `.`, `\w`, `[a-z]`, `a*`, `\.` and `^.{3,}$` are alike in this.
pub(super) fn is_general(hir: &Hir) -> bool {
    UNLIKE
        .iter()
        .all(|name| places::matches(hir, name.as_bytes()) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_have_no_character_in_common() {
        for character in b'a'..=b'z' {
            assert!(
                !UNLIKE
                    .iter()
                    .all(|name| name.as_bytes().contains(&character)),
                "{}",
                char::from(character)
            );
        }
    }
}
