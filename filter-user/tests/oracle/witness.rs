//! The second witnesses: the host names that nDPI and Arkime report for their own captures.

use std::{collections::BTreeSet, fs, path::Path};

use filter_core::Message;
use serde_json::Value;

use crate::{
    compare::{Difference, Side},
    found::Found,
};

/// What nDPI calls the protocols that we are about, by its numbers of them.
const NDPI: [(&str, &str); 3] = [("5", "dns"), ("91", "tls"), ("188", "quic")];

/// The names that a witness has for this capture and we do not, and how many it has; `None` if no
/// witness knows it.
pub fn compare(
    collection: &Path,
    capture: &str,
    found: &[Found],
) -> Option<(usize, Vec<Difference>)> {
    let (folder, name) = capture.split_once('/')?;
    let expected = collection.join("expected").join(folder);
    let read = |ending: &str| fs::read_to_string(expected.join(format!("{name}.{ending}"))).ok();
    let names = match folder {
        "ndpi" => ndpi(&read("out")?),
        "arkime" => arkime(&read("json")?),
        _ => return None,
    };
    let is_it = if folder == "ndpi" {
        spelled_by_ndpi
    } else {
        spelled_by_arkime
    };
    let has = |protocol: &str, name: &str| {
        found
            .iter()
            .any(|found| found.message.protocol() == protocol && is_it(&found.seen.name, name))
    };
    let lacking = names.iter().filter(|(protocol, name)| !has(protocol, name));
    let differences = lacking.map(|(protocol, name)| Difference {
        capture: capture.into(),
        frame: None,
        message: match *protocol {
            "dns" => Message::Query,
            "quic" => Message::QuicHello,
            _ => Message::ClientHello,
        },
        name: name.clone(),
        side: Side::Missed,
    });
    Some((names.len(), differences.collect()))
}

/// nDPI keeps so many octets of a name, the last ones, and writes `_` or `?` for those that host
/// names do not have.
fn spelled_by_ndpi(ours: &str, theirs: &str) -> bool {
    const ROOM: usize = 79;

    let mut rest = ours;
    let ours: Vec<_> = std::iter::from_fn(|| {
        let octet = rest.chars().next()?;
        let is_odd = rest.starts_with("\\x");
        rest = rest.get(if is_odd { 4 } else { 1 }..)?;
        Some(if is_odd { '?' } else { octet })
    })
    .collect();
    let cut = ours.len().saturating_sub(theirs.len());
    let alike = |(our, their): (&char, char)| *our == their || ['_', '?'].contains(&their);
    ours.len() - cut == theirs.len()
        && (cut == 0 || theirs.len() == ROOM)
        && ours[cut..].iter().zip(theirs.chars()).all(alike)
}

fn spelled_by_arkime(ours: &str, theirs: &str) -> bool {
    ours == if theirs == "<root>" { "." } else { theirs }
}

/// A flow a line: `TCP a <-> b [proto: 91.126/TLS.Google]...[Hostname/SNI: name]...`.
fn ndpi(text: &str) -> BTreeSet<(&'static str, String)> {
    let flow = |line: &str| {
        let field = |key: &str| Some(line.split_once(key)?.1.split_once(']')?.0.to_owned());
        let (numbers, _) = field("[proto: ")?
            .split_once('/')
            .map(|(numbers, names)| (numbers.to_owned(), names.len()))?;
        let number = numbers.rsplit(':').next()?.split('.').next()?.to_owned();
        let (_, protocol) = NDPI.into_iter().find(|(known, _)| *known == number)?;
        // TLS over UDP is DTLS, which Namegate leaves alone.
        let is_tcp = line.split_whitespace().nth(1) == Some("TCP");
        let name = field("[Hostname/SNI: ")?.to_ascii_lowercase();
        (protocol != "tls" || is_tcp).then_some((protocol, name))
    };
    text.lines().filter_map(flow).collect()
}

/// A session an object. The server name of TLS is where the host of HTTP would be.
fn arkime(text: &str) -> BTreeSet<(&'static str, String)> {
    let all: Value = serde_json::from_str(text).expect("JSON");
    let mut names = BTreeSet::new();
    for session in all["sessions3"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|session| &session["body"])
    {
        let has = |protocol: &str| {
            session["protocol"]
                .as_array()
                .is_some_and(|all| all.iter().any(|it| it == protocol))
        };
        for query in session["dns"].as_array().into_iter().flatten() {
            names.extend(
                query["queryHost"]
                    .as_str()
                    .map(|name| ("dns", name.to_ascii_lowercase())),
            );
        }
        if has("tcp") && has("tls") && !has("http") {
            let hosts = session["http"]["host"].as_array().into_iter().flatten();
            names.extend(
                hosts.filter_map(|host| Some(("tls", host.as_str()?.to_ascii_lowercase()))),
            );
        }
    }
    names
}
