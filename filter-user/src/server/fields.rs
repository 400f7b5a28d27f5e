//! Parameters and fields: which there are, and whether a value fits.

use std::{fmt, net::IpAddr};

use filter_api::{
    error::ErrorCode,
    routes::{Field, Kind, Route},
};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::ApiError;

/// Characters of a value that a sentence has at most.
const MOST_SHOWN: usize = 60;

/// How like a known name another has to be for it to be what was meant (Jaro-Winkler).
const ALIKE: f64 = 0.8;

/// The query or the body of a request.
pub(super) struct Place {
    /// `parameter` or `field`.
    what: &'static str,
    /// As in `the body of POST /v1/rules`.
    of: String,
    fields: &'static [Field],
    is_query: bool,
}

impl Place {
    pub fn query(route: &Route) -> Self {
        Self {
            what: "parameter",
            of: format!("{} {}", route.method, route.path),
            fields: route.parameters,
            is_query: true,
        }
    }

    pub fn body(route: &Route) -> Self {
        Self {
            what: "field",
            of: format!("the body of {} {}", route.method, route.path),
            fields: route.body.unwrap_or_default(),
            is_query: false,
        }
    }

    const fn code(&self, of_query: ErrorCode, of_body: ErrorCode) -> ErrorCode {
        if self.is_query { of_query } else { of_body }
    }

    /// The field of this name.
    pub fn find(&self, name: &str) -> Result<&'static Field, ApiError> {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> ApiError {
        let Self {
            what, of, fields, ..
        } = self;
        let hint = match (nearest(name, fields), fields) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, []) => "it takes none".into(),
            (None, fields) => {
                let names: Vec<_> = fields.iter().map(|it| format!("`{}`", it.name)).collect();
                format!("it takes {}", names.join(", "))
            }
        };
        let code = self.code(ErrorCode::UnknownParameter, ErrorCode::UnknownField);
        let name = shown(name);
        ApiError::new(code, format!("{of} has no {what} `{name}`: {hint}"))
    }

    pub fn repeated(&self, name: &str) -> ApiError {
        let Self { what, of, .. } = self;
        let sentence = format!("{of} has the {what} `{name}` more than once: write it once");
        ApiError::new(ErrorCode::Repeated, sentence)
    }

    /// An error if something is missing that the request needs.
    pub fn lacks_nothing(&self, values: &Map<String, Value>) -> Result<(), ApiError> {
        let needed = self.fields.iter().filter(|field| field.required);
        let mut missing = needed.filter(|field| !values.contains_key(field.name));
        let Some(Field { name, kind, .. }) = missing.next() else {
            return Ok(());
        };
        let Self { what, of, .. } = self;
        let code = self.code(ErrorCode::MissingParameter, ErrorCode::MissingField);
        let kind = self.words(*kind);
        Err(ApiError::new(
            code,
            format!("{of} lacks the {what} `{name}`: add it, with {kind}"),
        ))
    }

    /// The value that this text of a query stands for.
    pub fn value_of(&self, field: &Field, text: &str) -> Result<Value, ApiError> {
        let value = match field.kind {
            Kind::Number => text.parse::<u64>().ok().map(Value::from),
            Kind::Flag => text.parse::<bool>().ok().map(Value::from),
            Kind::Names | Kind::Texts => Some(vec![text].into()),
            _ => Some(text.into()),
        };
        let fits = value.filter(|value| fits(field.kind, value));
        fits.ok_or_else(|| self.invalid(field, &format!("`{}`", shown(text))))
    }

    fn check(&self, field: &Field, value: &Value) -> Result<(), ApiError> {
        if fits(field.kind, value) {
            return Ok(());
        }
        let value = match value {
            Value::Null => "null".into(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::String(text) => format!("`{}`", shown(text)),
            Value::Array(_) => "a list that does not fit".into(),
            Value::Object(_) => "an object".into(),
        };
        Err(self.invalid(field, &value))
    }

    fn invalid(&self, field: &Field, value: &str) -> ApiError {
        let Self { what, of, .. } = self;
        let (name, kind) = (field.name, self.words(field.kind));
        let code = self.code(ErrorCode::InvalidParameter, ErrorCode::InvalidField);
        ApiError::new(
            code,
            format!("the {what} `{name}` of {of} is {value}: write {kind}"),
        )
    }

    /// What a value may be, as a sentence goes on.
    fn words(&self, kind: Kind) -> String {
        match kind {
            Kind::Text => "a text".into(),
            Kind::Name => "a DNS name".into(),
            Kind::Texts => "a list of texts".into(),
            Kind::Names if self.is_query => {
                "a DNS name; several names take it several times".into()
            }
            Kind::Names => "a list of one or more DNS names".into(),
            Kind::Number => format!("a whole number up to {}", u32::MAX),
            Kind::Address => "an IP address, such as 192.0.2.17".into(),
            Kind::Mac => "a MAC address, such as 02:00:5e:10:00:01".into(),
            Kind::Time => "a time as in RFC 3339, such as 2026-11-25T21:00:00Z".into(),
            Kind::Flag => "true or false".into(),
            Kind::Word(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(" or ")
            }
        }
    }
}

/// The pairs of the object that a body is, in their order.
pub(super) fn object(place: &Place, body: &[u8]) -> Result<Vec<(String, Value)>, ApiError> {
    let of = &place.of;
    let invalid = |sentence| ApiError::new(ErrorCode::InvalidJson, sentence);
    let Pairs(pairs) = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            _ if body.is_empty() => invalid(format!("{of} is empty: send a JSON object")),
            serde_json::error::Category::Data => {
                invalid(format!("{of} is no JSON object: put it in {{ and }}"))
            }
            _ => invalid(format!("{of} is no JSON: see line {line}, column {column}")),
        }
    })?;
    Ok(pairs)
}

/// The fields of a body, which are known, come once, and have values that fit.
pub(super) fn check_fields(
    place: &Place,
    pairs: Vec<(String, Value)>,
) -> Result<Map<String, Value>, ApiError> {
    let mut values = Map::new();
    for (name, value) in pairs {
        let field = place.find(&name)?;
        place.check(field, &value)?;
        if values.insert(name, value).is_some() {
            return Err(place.repeated(field.name));
        }
    }
    place.lacks_nothing(&values)?;
    Ok(values)
}

/// An object with all of its pairs: a map would have the last of those with one name.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

fn fits(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Text | Kind::Name, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => true,
        (Kind::Texts, Value::Array(values)) => values.iter().all(Value::is_string),
        (Kind::Names, Value::Array(names)) => {
            !names.is_empty() && names.iter().all(Value::is_string)
        }
        (Kind::Number, value) => value.as_u64().is_some_and(|it| u32::try_from(it).is_ok()),
        (Kind::Address, Value::String(text)) => text.parse::<IpAddr>().is_ok(),
        (Kind::Time, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        (Kind::Mac, Value::String(text)) => is_mac(text),
        (Kind::Word(words), Value::String(text)) => words.contains(&&**text),
        _ => false,
    }
}

fn is_mac(text: &str) -> bool {
    let octets: Vec<_> = text.split(':').collect();
    octets.len() == 6
        && octets
            .iter()
            .all(|octet| octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The name that was meant, if one is like it.
fn nearest(name: &str, fields: &'static [Field]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let alike = fields
        .iter()
        .map(|field| (strsim::jaro_winkler(&name, field.name), field.name))
        .filter(|(alike, _)| *alike >= ALIKE);
    alike
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// A text of a request as a sentence may have it: without control characters, and not too long.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST_SHOWN).collect::<String>();
    shown = shown.escape_debug().to_string();
    if text.chars().nth(MOST_SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(path: &str, body: &str) -> Result<Map<String, Value>, String> {
        let place = Place::body(Route::find("POST", path).unwrap());
        object(&place, body.as_bytes())
            .and_then(|pairs| check_fields(&place, pairs))
            .map_err(|error| error.sentence().to_owned())
    }

    #[test]
    fn a_name_that_is_nearly_one_is_taken_for_it_and_another_is_not() {
        let fields = Route::find("POST", "/v1/rules").unwrap().body.unwrap();
        for (written, meant) in [
            ("acton", Some("action")),
            ("Action", Some("action")),
            ("name", Some("names")),
            ("forced", Some("force")),
            ("policy", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, fields), meant, "{written}");
        }
    }

    #[test]
    fn each_body_that_does_not_fit_is_refused_with_what_to_write() {
        let of = "the body of POST /v1/rules";
        for (body, sentence) in [
            ("", format!("{of} is empty: send a JSON object")),
            (
                "{\"names\": [",
                format!("{of} is no JSON: see line 1, column 11"),
            ),
            ("[]", format!("{of} is no JSON object: put it in {{ and }}")),
            (
                "{}",
                format!(
                    "{of} lacks the field `names`: add it, with a list of one or more DNS names"
                ),
            ),
            (
                r#"{"names": "a.example"}"#,
                format!(
                    "the field `names` of {of} is `a.example`: write a list of one or more DNS names"
                ),
            ),
            (
                r#"{"names": [1]}"#,
                format!(
                    "the field `names` of {of} is a list that does not fit: write a list of one or more DNS names"
                ),
            ),
            (
                r#"{"names": ["a.example"], "action": "alow"}"#,
                format!("the field `action` of {of} is `alow`: write `block` or `allow`"),
            ),
            (
                r#"{"names": ["a.example"], "force": 1}"#,
                format!("the field `force` of {of} is 1: write true or false"),
            ),
            (
                r#"{"names": ["a.example"], "names": ["a.example"]}"#,
                format!("{of} has the field `names` more than once: write it once"),
            ),
            (
                r#"{"names": ["a.example"], "acton": "allow"}"#,
                format!("{of} has no field `acton`: did you mean `action`?"),
            ),
            (
                "{\"\u{1b}[2J\": 1}",
                format!("{of} is no JSON: see line 1, column 3"),
            ),
            (
                r#"{"\u001b[2J": 1}"#,
                format!(r"{of} has no field `\u{{1b}}[2J`: it takes `names`, `action`, `force`"),
            ),
        ] {
            assert_eq!(body_of("/v1/rules", body), Err(sentence), "{body}");
        }
        assert!(body_of("/v1/rules", r#"{"names": ["a.example"]}"#).is_ok());
    }

    #[test]
    fn what_is_shown_of_a_value_is_bounded() {
        assert_eq!(shown("a\x1b"), r"a\u{1b}");
        assert_eq!(shown(&"é".repeat(10_000)).chars().count(), MOST_SHOWN + 3);
    }
}
