//! What the parser of TOML and serde say, in the words of the file.

/// How like a known key another has to be for it to be what was meant (Jaro-Winkler).
const ALIKE: f64 = 0.8;

/// What is wrong, and what to do.
pub(super) fn plain(message: &str) -> String {
    unknown_key(message)
        .or_else(|| other_type(message))
        .or_else(|| missing_key(message))
        .unwrap_or_else(|| match message {
            "duplicate key" => "the key is there twice: take one of them out".into(),
            other => other.into(),
        })
}

/// ``unknown field `acton`, expected one of `action`, `tcp` ``.
fn unknown_key(message: &str) -> Option<String> {
    let (key, known) = message
        .strip_prefix("unknown field `")?
        .split_once("`, expected ")?;
    let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    let alike = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known), *known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let hint = match alike {
        Some((_, meant)) => format!("did you mean `{meant}`?"),
        None => format!("there are `{}`", known.join("`, `")),
    };
    Some(format!("there is no key `{key}` here: {hint}"))
}

/// ``invalid type: integer `3`, expected a string``.
fn other_type(message: &str) -> Option<String> {
    let (found, needed) = message
        .strip_prefix("invalid type: ")?
        .rsplit_once(", expected ")?;
    let needed = match (found, needed) {
        ("map", "a sequence") => {
            "a table that there may be several of with two brackets, as [[list]]"
        }
        (_, "a sequence") => "a list in brackets, as [\"one\", \"two\"]",
        (_, "a boolean") => "true or false",
        (_, "a string") => "a text in quotes",
        (_, other) => other,
    };
    let found = found
        .replace("map", "a table")
        .replace("sequence", "a list");
    Some(format!("write {needed}, and not {found}"))
}

/// ``missing field `file` ``.
fn missing_key(message: &str) -> Option<String> {
    let key = message.strip_prefix("missing field ")?;
    Some(format!("the key {key} is missing: add it to this table"))
}
