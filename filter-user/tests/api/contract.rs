//! Each request takes what the table of requests says, and nothing else; what is refused has a
//! code and a sentence.

use axum::http::Method;
use filter_api::{
    client::ClientError,
    error::{ErrorCode, Failure},
    routes::{Answer, ROUTES, Route, described},
};
use serde_json::{Value, json};

use super::Server;

#[tokio::test]
async fn what_a_request_does_not_take_is_refused_with_what_was_meant() {
    let server = Server::start(&[]);
    for (target, code, sentence) in [
        (
            "/v1/test?nam=a.example",
            ErrorCode::UnknownParameter,
            "GET /v1/test has no parameter `nam`: did you mean `name`?",
        ),
        (
            "/v1/test?name=a.example&verbose=1",
            ErrorCode::UnknownParameter,
            "GET /v1/test has no parameter `verbose`: it takes `name`, `client`, `mac`, `at`",
        ),
        (
            "/v1/events?top=1",
            ErrorCode::UnknownParameter,
            "GET /v1/events has no parameter `top`: it takes none",
        ),
        (
            "/v1/test?name=a.example&name=b.example",
            ErrorCode::Repeated,
            "GET /v1/test has the parameter `name` more than once: write it once",
        ),
        (
            "/v1/test",
            ErrorCode::MissingParameter,
            "GET /v1/test lacks the parameter `name`: add it, with a DNS name",
        ),
        (
            "/v1/test?name=a.example&client=lan0",
            ErrorCode::InvalidParameter,
            "the parameter `client` of GET /v1/test is `lan0`: write an IP address, such as 192.0.2.17",
        ),
        (
            "/v1/explain?name=a.example&mac=1",
            ErrorCode::InvalidParameter,
            "the parameter `mac` of GET /v1/explain is `1`: write a MAC address, such as 02:00:5e:10:00:01",
        ),
        (
            "/v1/explain?name=a.example&mac=ff:ff:ff:ff:ff:ff",
            ErrorCode::InvalidParameter,
            "`mac` is the address of no station: write one such as 02:00:5e:10:00:01",
        ),
        (
            "/v1/test?name=a.example&at=tomorrow",
            ErrorCode::InvalidParameter,
            "the parameter `at` of GET /v1/test is `tomorrow`: write a time as in RFC 3339, such as 2026-11-25T21:00:00Z",
        ),
        (
            "/v1/test?name=%1b%5b2J",
            ErrorCode::InvalidName,
            r"`\u{1b}[2J` is no name: it has a character that no name has",
        ),
        (
            "/v1/%1b",
            ErrorCode::NotFound,
            "this API has no GET /v1/%1b: GET /v1 lists its requests",
        ),
    ] {
        let failure = refused(server.client.get::<Value>(target, &[]).await);
        assert_eq!(
            (failure.code, &*failure.message),
            (code, sentence),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_body_where_none_is_taken_is_refused_with_where_to_write_it() {
    let server = Server::start(&[]);
    let old = json!({"names": ["a.example"]});
    for (method, path, sentence) in [
        (
            Method::DELETE,
            "/v1/rules?name=a.example",
            "DELETE /v1/rules takes no body: write what is meant into the query, as in /v1/rules?name=...&name=...",
        ),
        (
            Method::DELETE,
            "/v1/reload",
            "DELETE /v1/reload takes no body: send none",
        ),
        (Method::GET, "/v1", "GET /v1 takes no body: send none"),
    ] {
        let failure = refused(server.client.send::<Value>(method, path, &old).await);
        assert_eq!(
            (failure.code, &*failure.message),
            (ErrorCode::UnexpectedBody, sentence)
        );
    }
}

/// For any request, whatever else is served.
#[tokio::test]
async fn each_request_refuses_a_parameter_and_a_field_that_it_does_not_have() {
    let server = Server::start(&[]);
    for route in ROUTES {
        let method: Method = route.method.parse().unwrap();
        let target = format!("{}?no_such=1", route.path);
        let failure = refused(
            server
                .client
                .send::<Value>(method.clone(), &target, &())
                .await,
        );
        assert_eq!(failure.code, ErrorCode::UnknownParameter, "{target}");
        if route.body.is_some() {
            let body = json!({"no_such": 1});
            let failure = refused(server.client.send::<Value>(method, route.path, &body).await);
            assert_eq!(failure.code, ErrorCode::UnknownField, "{target}");
        }
    }
}

#[tokio::test]
async fn the_api_describes_itself_and_its_document_has_each_request_and_no_other() {
    let server = Server::start(&[]);
    let api: Value = server.client.get("/v1", &[]).await.unwrap();
    let expected = described(env!("CARGO_PKG_VERSION"));
    assert_eq!(api, serde_json::to_value(expected).unwrap());
    assert_eq!(
        (&api["api"], &api["stability"]),
        (&json!("v1"), &json!("unstable"))
    );

    let document: Value = server.client.get("/v1/openapi.json", &[]).await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut documented = Vec::new();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let route = Route::find(&method.to_ascii_uppercase(), path);
            documented.push(route.unwrap_or_else(|| panic!("{method} {path}")).summary);
        }
    }
    assert_eq!(documented.len(), ROUTES.len());
}

/// Of those that are served without a kernel.
#[tokio::test]
async fn answers_have_the_fields_of_their_schemas_and_no_others() {
    let server = Server::start(&["ads.example.com"]);
    let document = filter_api::openapi::document();
    let asked = "name=x.ads.example.com&client=192.0.2.1";
    for (path, query) in [("/v1", ""), ("/v1/test", asked), ("/v1/explain", asked)] {
        let answer: Value = server
            .client
            .get(&format!("{path}?{query}"), &[])
            .await
            .unwrap();
        let Answer::Object(name) = Route::find("GET", path).unwrap().answer else {
            panic!("{path}");
        };
        fits(
            &document,
            &document["components"]["schemas"][name],
            &answer,
            path,
        );
    }
    for rule in server.rules("").await {
        let rule = serde_json::to_value(rule).unwrap();
        let schema = &document["components"]["schemas"]["RuleSource"];
        fits(&document, schema, &rule, "rule");
    }
    let event = serde_json::to_value(super::packet()).unwrap();
    let schema = &document["components"]["schemas"]["BlockedPacket"];
    fits(&document, schema, &event, "event");
}

/// Panics where a value is not what its schema says, or has fields that the schema does not have.
pub fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schemas = flat(document, schema);
    if let [one] = &schemas[..]
        && let Some(either) = one.get("oneOf").and_then(Value::as_array)
    {
        // Null, or what else it may be.
        let other = either.iter().find(|it| it["type"] != "null").unwrap();
        let nullable = either.iter().any(|it| it["type"] == "null");
        if !(nullable && value.is_null()) {
            fits(document, other, value, at);
        }
        return;
    }
    let types = schemas.iter().filter_map(|schema| schema.get("type"));
    for types in types {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert!(
            types == name
                || types
                    .as_array()
                    .is_some_and(|all| all.contains(&json!(name))),
            "{at}: {value} is no {types}"
        );
    }
    if let Some(words) = schemas[0].get("enum").and_then(Value::as_array) {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    if let Some(items) = schemas[0].get("items") {
        let values = value.as_array().into_iter().flatten();
        values.for_each(|value| fits(document, items, value, at));
    }
    let Some(object) = value.as_object() else {
        return;
    };
    if let Some(values) = schemas[0].get("additionalProperties") {
        object
            .values()
            .for_each(|value| fits(document, values, value, at));
        return;
    }
    let property = |name: &str| {
        schemas
            .iter()
            .find_map(|schema| schema["properties"].get(name))
    };
    for (name, value) in object {
        let schema = property(name).unwrap_or_else(|| panic!("{at}: {name} is in no schema"));
        fits(document, schema, value, &format!("{at}.{name}"));
    }
    for name in schemas
        .iter()
        .filter_map(|it| it["required"].as_array())
        .flatten()
    {
        assert!(
            object.contains_key(name.as_str().unwrap()),
            "{at} lacks {name}"
        );
    }
}

/// The schema, or those that it is made of.
fn flat<'d>(document: &'d Value, schema: &'d Value) -> Vec<&'d Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap();
        return flat(document, &document["components"]["schemas"][name]);
    }
    match schema.get("allOf").and_then(Value::as_array) {
        Some(parts) => parts.iter().flat_map(|part| flat(document, part)).collect(),
        None => vec![schema],
    }
}

fn refused(answer: Result<Value, ClientError>) -> Failure {
    match answer {
        Err(ClientError::Refused(failure)) => failure,
        other => panic!("{other:?}"),
    }
}
