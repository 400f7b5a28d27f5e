//! What a browser makes of what is blocked.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use lab::{Family, Options, SERVER};

use crate::{
    asking::words,
    network::{LISTED, Network, OTHER},
};

/// What the page takes, with starting the browser on a machine that is busy.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn chromium_says_at_once_that_there_is_no_such_name() {
    let mut network = Network::new(&Options::default());
    for (args, said) in [
        (&[][..], "net::ERR_NAME_NOT_RESOLVED"),
        (&["--action", "nodata"], "net::ERR_NAME_NOT_RESOLVED"),
        (&["--action", "refused"], "net::ERR_NAME_NOT_RESOLVED"),
        (&["--action", "null"], "net::ERR_CONNECTION_REFUSED"),
    ] {
        network.filter_on("lan", "generic", args);
        for scheme in ["https", "http"] {
            assert_eq!(
                error(&network, &format!("{scheme}://{LISTED}/"), &[]).as_deref(),
                Some(said),
                "{args:?}"
            );
        }
        assert_eq!(
            error(&network, &format!("https://{OTHER}/"), &[]),
            None,
            "{args:?}"
        );
    }
}

#[test]
fn chromium_says_at_once_how_a_connection_ended() {
    let mut network = Network::new(&Options::default());
    for (tcp, said) in [
        ("reset", "net::ERR_CONNECTION_RESET"),
        ("alert", "net::ERR_SSL_UNRECOGNIZED_NAME_ALERT"),
    ] {
        network.filter_on("lan", "generic", &["--tcp", tcp]);
        for family in Family::ALL {
            // It has the address already.
            let to = match family {
                Family::V4 => format!("--host-resolver-rules=MAP * {}", SERVER.v4),
                Family::V6 => format!("--host-resolver-rules=MAP * [{}]", SERVER.v6),
            };
            assert_eq!(
                error(&network, &format!("https://{LISTED}/"), &[&to]).as_deref(),
                Some(said),
                "{family}"
            );
            assert_eq!(
                error(&network, &format!("https://{OTHER}/"), &[&to]),
                None,
                "{family}"
            );
        }
    }
}

/// Why the page does not come, if it does not.
fn error(network: &Network, url: &str, further: &[&str]) -> Option<String> {
    let (took, text) = browse(
        network,
        url,
        &[&["--ignore-certificate-errors"], further].concat(),
    );
    assert!(took < SOON, "{url}: {took:?}");
    let error = error_in(&text);
    eprintln!("{took:>10.1?} {url} {further:?}: {error:?}");
    assert!(error.is_some() || text.contains("GnuTLS"), "{url}: {text}");
    error.map(str::to_owned)
}

/// How long Chromium takes for a page, with starting, and what it prints: the page, or why there is
/// none.
pub fn browse(network: &Network, url: &str, further: &[&str]) -> (Duration, String) {
    let begun = Instant::now();
    let mut command = network.lab.client().command("timeout");
    command.args([
        "60",
        "chromium-headless-shell",
        "--no-sandbox",
        "--disable-gpu",
    ]);
    command
        .arg(format!("--user-data-dir={}", network.path("browser")))
        .args(further)
        .args(["--dump-dom", url]);
    command
        .env("HOME", network.lab.directory())
        .stdin(Stdio::null());
    let text = words(&command.output().unwrap());
    (begun.elapsed(), text)
}

/// The error that Chromium names.
pub fn error_in(text: &str) -> Option<&str> {
    text.split("Page load failed: ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
}
