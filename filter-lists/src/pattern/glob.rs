//! Wildcards as regular expressions.

/// Where a wildcard pattern begins in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Anywhere.
    None,
    /// Where a label does.
    Label,
    /// Where the name does.
    Start,
}

/// A regular expression for text in which `*` is any number of characters and all else stands for
/// itself.
pub(crate) fn glob(text: &str, begins: Anchor, ends: bool) -> String {
    let (text, begins) = match text.trim_start_matches('*') {
        rest if rest.len() < text.len() => (rest, Anchor::None),
        _ => (text, begins),
    };
    let (text, ends) = match text.trim_end_matches('*') {
        rest if rest.len() < text.len() => (rest, false),
        _ => (text, ends),
    };
    let mut regex = String::with_capacity(text.len() * 2);
    regex.push_str(match begins {
        Anchor::None => "",
        Anchor::Label => r"(?:^|\.)",
        Anchor::Start => "^",
    });
    for (index, part) in text.split('*').filter(|part| !part.is_empty()).enumerate() {
        if index > 0 {
            regex.push_str(".*");
        }
        regex_syntax::escape_into(part, &mut regex);
    }
    if ends {
        regex.push('$');
    }
    regex
}
