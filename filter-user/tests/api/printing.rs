//! No verb prints what a terminal obeys, whatever a controller answers or a list holds.
//!
//! A controller that answers each request with an object of its schema has texts in it that would
//! clear a screen, or turn what follows around.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use fastrand::Rng;
use filter_api::routes::{Answer, Route};
use filter_user::{
    printable::is_obeyed,
    server::{ApiSocket, Limits, serve},
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const NAMEGATE: &str = env!("CARGO_BIN_EXE_namegate");

const HOSTILE: [&str; 8] = [
    "\x1b[2J\x1b[38;5;9m",
    "a\u{9b}2Jb",
    "evil\u{202e}elpmaxe",
    "a\r\nb\x07",
    "\u{7f}\u{85}\u{2028}",
    "\x1b]0;title\x07",
    "tab\there",
    "\0",
];

/// Words that have verbs take other paths.
const PLAIN: [&str; 12] = [
    "ads.example.com",
    "drop",
    "pass",
    "audit",
    "both",
    "responses",
    "manual",
    "default",
    "blocked",
    "block_important",
    "2026-01-02T03:04:05Z",
    "allow",
];

/// Styles of Namegate's own, and their end.
const STYLES: [&str; 7] = [
    "\x1b[0m",
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[31m",
    "\x1b[32m",
    "\x1b[1m\x1b[31m",
    "\x1b[H\x1b[J",
];

const ROUNDS: u64 = 12;

const VERBS: [&[&str]; 12] = [
    &["status"],
    &["stats"],
    &["stats", "--all"],
    &["test", "a.example"],
    &["explain", "a.example"],
    &["events"],
    &["reload"],
    &["reload", "--cancel"],
    &["rollback"],
    &["block", "list"],
    &["block", "add", "a.example"],
    &["block", "remove", "a.example"],
];

#[tokio::test]
async fn no_verb_prints_what_a_terminal_obeys_for_any_answer() {
    let dir = TempDir::new().unwrap();
    let socket = ApiSocket::claim(&dir.path().join("socket")).unwrap();
    let listener = tokio::net::UnixListener::from_std(socket.listener().unwrap()).unwrap();
    let answers = Router::new().fallback(answer);
    tokio::spawn(async move { serve(&listener, answers, Limits::default()).await });
    let path = socket.path().to_owned();
    let mut ended_well = 0;
    let mut printed = 0;
    for round in 0..ROUNDS {
        for verb in VERBS {
            for json in [&[][..], &["--json"]] {
                let (path, args) = (path.clone(), [verb, json].concat());
                let run = move || run(&path, &args);
                let output = tokio::task::spawn_blocking(run).await.unwrap();
                assert_harmless(&output, &format!("{verb:?} {json:?}, round {round}"));
                ended_well += usize::from(output.status.success());
                printed += output.stdout.len();
            }
        }
    }
    // One answer in eight is a failure, and `events` ends with one.
    assert!(ended_well > VERBS.len() * 2 * 6, "{ended_well}");
    assert!(printed > 100_000, "{printed}");
}

fn run(socket: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(NAMEGATE);
    command
        .args(args)
        .arg("--socket")
        .arg(socket)
        // In a pipe, escape sequences would be taken out, whosever they are.
        .env("CLICOLOR_FORCE", "1")
        .stdin(Stdio::null());
    command.output().unwrap()
}

fn assert_harmless(output: &Output, what: &str) {
    for bytes in [&output.stdout, &output.stderr] {
        let mut text = str::from_utf8(bytes).unwrap().to_owned();
        assert!(!text.contains("panicked"), "{what}: {text}");
        for style in STYLES {
            text = text.replace(style, "");
        }
        let obeyed = |character: char| is_obeyed(character) && character != '\n';
        assert!(!text.contains(obeyed), "{what}: {text:?}");
    }
}

/// An answer of the type that the request has.
async fn answer(request: Request) -> Response {
    let mut rng = Rng::with_seed(SEED.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let document = filter_api::openapi::document();
    let make =
        |rng: &mut Rng, name: &str| made(rng, &document, &document["components"]["schemas"][name]);
    let path = request.uri().path();
    if path != "/v1" && rng.u8(..8) == 0 {
        let body = make(&mut rng, "ErrorBody").to_string();
        return (StatusCode::CONFLICT, body).into_response();
    }
    let body = match Route::find(request.method().as_str(), path).map(|route| route.answer) {
        Some(Answer::Object(name)) => make(&mut rng, name).to_string(),
        Some(Answer::Lines(name)) => (0..10)
            .map(|_| make(&mut rng, name).to_string() + "\n")
            .collect(),
        _ => panic!("{path}"),
    };
    Body::from(body).into_response()
}

static SEED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

/// A value of this schema.
fn made(rng: &mut Rng, document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return made(rng, document, &document["components"]["schemas"][name]);
    }
    if let Some(either) = schema["oneOf"].as_array() {
        let one = &either[rng.usize(..either.len())];
        return made(rng, document, one);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut all = Map::new();
        for part in parts {
            all.extend(made(rng, document, part).as_object().unwrap().clone());
        }
        return all.into();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[rng.usize(..words.len())].clone();
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().collect(),
        one => vec![one],
    };
    match types[rng.usize(..types.len())].as_str().unwrap() {
        "null" => Value::Null,
        "boolean" => rng.bool().into(),
        "integer" => rng.u16(..).into(),
        "string" => text(rng).into(),
        "array" => (0..rng.usize(..4))
            .map(|_| made(rng, document, &schema["items"]))
            .collect(),
        "object" => object(rng, document, schema),
        other => panic!("{other}"),
    }
}

fn object(rng: &mut Rng, document: &Value, schema: &Value) -> Value {
    if let Some(values) = schema.get("additionalProperties") {
        let pairs = (0..rng.usize(..4)).map(|_| (text(rng), made(rng, document, values)));
        return Value::Object(pairs.collect());
    }
    let properties = schema["properties"].as_object().unwrap();
    let pairs = properties
        .iter()
        .map(|(name, schema)| (name.clone(), made(rng, document, schema)));
    Value::Object(pairs.collect())
}

fn text(rng: &mut Rng) -> String {
    if rng.bool() {
        PLAIN[rng.usize(..PLAIN.len())].to_owned()
    } else {
        let [one, other] = [rng.usize(..HOSTILE.len()), rng.usize(..HOSTILE.len())];
        format!("{}{}", HOSTILE[one], HOSTILE[other])
    }
}

/// Lists of each format, with entries of which a part is hostile.
#[test]
fn check_and_replay_print_nothing_that_a_terminal_obeys_for_any_list() {
    const ENTRIES: [(&str, &[&str]); 6] = [
        ("hosts", &["0.0.0.0 a{}.example", "0.0.0.0 b.example # {}"]),
        ("domains", &["a{}.example", "b.example"]),
        (
            "adblock",
            &[
                "||a{}.example^$important",
                "||a.example^${}",
                "@@||a{}.example^",
                "/ads{}[0-9]/",
                "||b.example^",
            ],
        ),
        ("dnsmasq", &["address=/a{}.example/", "local=/b.example/{}"]),
        ("regex", &["(^|\\.)a{}\\.example$", "^b{}(s|x)[0-9]\\."]),
        ("dnscrypt", &["=a{}.example", "b.example @{}", "*a{}*"]),
    ];
    let dir = TempDir::new().unwrap();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/curl.pcap");
    let mut rng = Rng::with_seed(20_261_130);
    let mut refused = 0;
    for round in 0..40 {
        let (format, entries) = ENTRIES[round % ENTRIES.len()];
        let lines: Vec<_> = (0..30)
            .map(|_| entries[rng.usize(..entries.len())].replace("{}", &text(&mut rng)))
            // A list with NUL bytes is a binary file.
            .map(|line| line.replace('\0', ""))
            .collect();
        let folder = dir.path().join(format!("{round}\x1b[2J\u{202e}"));
        fs::create_dir(&folder).unwrap();
        let list = folder.join("li\x1b[8mst");
        fs::write(&list, lines.join("\n")).unwrap();
        let named = folder.join("cap\x07ture");
        fs::copy(&capture, &named).unwrap();
        for json in [&[][..], &["--json"]] {
            let list = format!("{format}:{}", list.display());
            let output = offline("check", &[list.as_ref(), list.as_ref()], json);
            refused += usize::from(!output.status.success());
            assert_harmless(&output, &format!("check {lines:?} {json:?}"));
            let output = offline("check", &[&folder], json);
            assert_harmless(&output, "check of a folder");
            let more = [&["--engine", "user", "--list", &list], json].concat();
            let output = offline("replay", &[&named, &named], &more);
            assert_harmless(&output, &format!("replay {lines:?} {json:?}"));
        }
    }
    // Some formats take a control character for a sign of a binary file; others are read.
    assert!(refused <= 60, "{refused}");
}

fn offline(verb: &str, files: &[&Path], more: &[&str]) -> Output {
    let mut command = Command::new(NAMEGATE);
    command.arg(verb).args(files).args(more);
    command.env("CLICOLOR_FORCE", "1").stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn what_is_looked_for_is_found() {
    for text in HOSTILE {
        assert!(text.contains(is_obeyed), "{text:?}");
    }
    let value = json!({"a": "\u{9b}"}).to_string();
    assert!(value.contains(is_obeyed), "JSON itself leaves it as it is");
}
