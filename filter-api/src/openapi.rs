//! The API as an OpenAPI document: schemas come from the types, requests from
//! [`ROUTES`](crate::routes::ROUTES).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::{
    error::{ErrorBody, ErrorCode},
    events::EventLine,
    questions::{Explained, Judgement},
    reload::{Cancelled, Reloaded},
    routes::{Answer, Described, Field, Kind, ROUTES, Route},
    rules::{Added, Removed, RuleSource},
    status::{Stats, Status},
};

/// Fields that are left out where they say nothing; all others are always there.
const MAY_BE_LEFT_OUT: [(&str, &str); 2] =
    [("BlockedPacket", "vlans"), ("BlockedPacket", "tunnel")];

const OF_DNS: &str = "drop nxdomain nodata refused null address";

/// Fields whose texts are of a closed set of words. Lists and interfaces may add words of their own
/// to those of DNS.
const WORDS: [(&str, &str, &[&str]); 24] = [
    ("RuleSource", "scope", &["name subdomains subtree pattern"]),
    (
        "RuleSource",
        "action",
        &["audit block allow block_important allow_important"],
    ),
    ("Judgement", "verdict", &["drop pass"]),
    ("Explained", "verdict", &["drop pass"]),
    (
        "Explained",
        "outcome",
        &["blocked allowed audited not_listed"],
    ),
    ("ActionOn", "dns", &[OF_DNS, "pass"]),
    ("ActionOn", "tls", &["drop reset alert pass"]),
    ("ActionOn", "quic", &["drop close pass"]),
    ("ExplainedRule", "dns", &[OF_DNS, "default audit"]),
    ("ExplainedRule", "tcp", &["drop reset alert default"]),
    ("ExplainedRule", "quic", &["drop close default"]),
    ("Interface", "mode", &["native generic"]),
    ("Interface", "judged", &["queries responses both"]),
    ("Interface", "action", &[OF_DNS, "audit"]),
    ("Interface", "tcp", &["drop reset alert"]),
    ("Interface", "quic", &["drop close pass refuse"]),
    ("ListStatus", "action", &[OF_DNS, "default audit"]),
    ("ListStatus", "tcp", &["drop reset alert default"]),
    ("ListStatus", "quic", &["drop close default"]),
    ("BlockedPacket", "protocol", &["dns tls quic"]),
    ("BlockedPacket", "verdict", &[OF_DNS, OF_PACKETS]),
    ("BlockedPacket", "action", &[OF_DNS, OF_PACKETS]),
    ("Described", "stability", &["unstable stable"]),
    ("DescribedRoute", "method", &["GET POST DELETE"]),
];

/// What a client may get besides an answer of DNS.
const OF_PACKETS: &str = "pass format_error bad_version reset alert close";

/// Why any request may fail.
const ALWAYS: [ErrorCode; 6] = [
    ErrorCode::UnknownParameter,
    ErrorCode::UnexpectedBody,
    ErrorCode::Timeout,
    ErrorCode::BodyTooLong,
    ErrorCode::TooManyConnections,
    ErrorCode::Internal,
];

/// A name to ask about.
const EXAMPLE: &str = "ads.example.com";

#[derive(OpenApi)]
#[openapi(components(schemas(
    Added, Cancelled, Described, ErrorBody, EventLine, Explained, Judgement, Reloaded, Removed,
    RuleSource, Stats, Status,
)))]
struct Schemas;

/// The document.
pub fn document() -> Value {
    let mut document = json!(Schemas::openapi());
    document["info"] = json!({
        "title": "Namegate",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "HTTP/1.1 on a Unix socket, /run/namegate.sock by default. Not yet stable: requests and answers may \
                        change with any version. Ignore fields that are not known.",
    });
    document["servers"] =
        json!([{"url": "http://localhost", "description": "any host name, over the socket"}]);
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(&route);
    }
    document["paths"] = paths.into();
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas {
            require_all(name, schema);
            name_words(name, schema);
        }
    }
    document
}

/// Has all fields of an object required but for those that may be left out: those that may be null
/// are there, too.
fn require_all(name: &str, schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                let left_out = |field: &str| MAY_BE_LEFT_OUT.contains(&(name, field));
                let required: Vec<_> = properties
                    .keys()
                    .filter(|field| !left_out(field))
                    .cloned()
                    .collect();
                object.insert("required".into(), required.into());
            }
            object
                .values_mut()
                .for_each(|inner| require_all(name, inner));
        }
        Value::Array(inner) => inner.iter_mut().for_each(|inner| require_all(name, inner)),
        _ => {}
    }
}

/// Has the words of closed sets named.
fn name_words(name: &str, schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                for (_, field, words) in WORDS.iter().filter(|(of, ..)| *of == name) {
                    if let Some(property) = properties.get_mut(*field) {
                        let words = words.join(" ");
                        let words = words.split(' ').map(Value::from);
                        let is_nullable = property["type"].is_array();
                        property["enum"] =
                            words.chain(is_nullable.then_some(Value::Null)).collect();
                    }
                }
            }
            let inner = object.values_mut();
            inner.for_each(|inner| name_words(name, inner));
        }
        Value::Array(inner) => inner.iter_mut().for_each(|inner| name_words(name, inner)),
        _ => {}
    }
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": responses(route),
    });
    if !route.parameters.is_empty() {
        operation["parameters"] = route.parameters.iter().map(parameter).collect();
    }
    if let Some(fields) = route.body {
        operation["requestBody"] = json!({
            "required": !route.may_lack_body(),
            "content": {"application/json": {"schema": body(fields)}},
        });
    }
    operation
}

/// `get_rules`, `delete_reload`.
fn operation_id(route: &Route) -> String {
    let last = route.path.rsplit('/').next().unwrap_or_default();
    let last = last.trim_end_matches(".json");
    format!("{}_{last}", route.method.to_ascii_lowercase())
}

fn parameter(field: &Field) -> Value {
    json!({
        "name": field.name,
        "in": "query",
        "required": field.required,
        "description": field.summary,
        "schema": schema(field.kind),
    })
}

fn body(fields: &[Field]) -> Value {
    let properties: Map<_, _> = fields
        .iter()
        .map(|field| {
            let mut schema = schema(field.kind);
            schema["description"] = field.summary.into();
            (field.name.to_owned(), schema)
        })
        .collect();
    let required = fields.iter().filter(|field| field.required);
    let required: Vec<_> = required.map(|field| field.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Name => json!({"type": "string", "examples": [EXAMPLE]}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Names => json!({
            "type": "array",
            "items": schema(Kind::Name),
            "minItems": 1,
            "examples": [[EXAMPLE]],
        }),
        Kind::Number => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Address => json!({"anyOf": [
            {"type": "string", "format": "ipv4"},
            {"type": "string", "format": "ipv6"},
        ]}),
        Kind::Mac => json!({"type": "string", "pattern": "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$"}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
    }
}

fn responses(route: &Route) -> Value {
    let mut responses = BTreeMap::from([("200".to_owned(), success(route.answer))]);
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in ALWAYS.iter().chain(route.errors) {
        let word = json!(code);
        let words = by_status.entry(code.status()).or_default();
        words.push(word.as_str().unwrap_or_default().into());
    }
    for (status, words) in by_status {
        let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
        let response = json!({
            "description": words.join(", "),
            "content": {"application/json": {"schema": schema}},
        });
        responses.insert(status.to_string(), response);
    }
    json!(responses)
}

fn success(answer: Answer) -> Value {
    let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    match answer {
        Answer::Object(name) => json!({
            "description": "An object.",
            "content": {"application/json": {"schema": of(name)}},
        }),
        Answer::Lines(name) => json!({
            "description": format!("Objects of the type {name}, one a line."),
            "content": {"application/x-ndjson": {"schema": of(name)}},
        }),
        Answer::Document => json!({
            "description": "The document.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::{reload::ReloadOptions, rules::NameList};

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

    #[test]
    fn the_file_is_made_from_the_types() {
        let made = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("NAMEGATE_WRITE").is_some() {
            fs::write(FILE, &made).unwrap();
        }
        let kept = fs::read_to_string(FILE).unwrap_or_default();
        assert!(
            kept == made,
            "docs/openapi.json is not what the types say: \
             `NAMEGATE_WRITE=1 cargo test -p filter-api --features openapi` writes it"
        );
    }

    #[test]
    fn each_answer_has_a_schema_and_each_reference_leads_to_one() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut references = BTreeSet::new();
        find_references(&document, &mut references);
        for reference in references {
            let name = reference.rsplit('/').next().unwrap();
            assert!(schemas.contains_key(name), "{reference}");
        }
        for route in ROUTES {
            if let Answer::Object(name) | Answer::Lines(name) = route.answer {
                assert!(schemas.contains_key(name), "{name}");
            }
        }
    }

    #[test]
    fn each_set_of_words_is_of_a_field_that_there_is() {
        let document = document();
        for (name, field, _) in WORDS {
            let schema = &document["components"]["schemas"][name];
            let parts = schema["allOf"].as_array().into_iter().flatten();
            let mut parts = parts.chain([schema]);
            let found = parts.find_map(|part| part["properties"].get(field));
            assert!(
                found.is_some_and(|it| it["enum"].is_array()),
                "{name}.{field}"
            );
        }
    }

    #[test]
    fn bodies_have_the_fields_of_the_types_that_they_become() {
        let of = |path| {
            let fields = Route::find("POST", path).unwrap().body.unwrap();
            fields
                .iter()
                .map(|field| field.name.to_owned())
                .collect::<BTreeSet<_>>()
        };
        let keys = |value: Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(of("/v1/rules"), keys(json!(NameList::default())));
        assert_eq!(of("/v1/reload"), keys(json!(ReloadOptions::default())));
    }

    fn find_references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object {
                    if key == "$ref" {
                        found.insert(inner.as_str().unwrap().to_owned());
                    }
                    find_references(inner, found);
                }
            }
            Value::Array(inner) => inner.iter().for_each(|inner| find_references(inner, found)),
            _ => {}
        }
    }
}
