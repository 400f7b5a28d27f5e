//! `namegate replay` over the repository's own captures, as people run it. Needs no privileges.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const NAMEGATE: &str = env!("CARGO_BIN_EXE_namegate");

#[test]
fn each_name_of_a_capture_is_a_line_with_its_frame() {
    let lines = json_lines(&replay(&[&corpus("dig.pcap")], &[]));
    let name = |frame: u64| -> Vec<_> {
        let here = lines.iter().filter(|line| line["frame"] == frame);
        here.map(|line| {
            (
                line["kind"].as_str().unwrap(),
                line["name"].as_str().unwrap(),
            )
        })
        .collect()
    };
    // As tcpdump and tshark print these frames.
    assert_eq!(name(1), [("query", "www.example.com")]);
    assert_eq!(name(6), [("response", "ads.example.net")]);
    assert_eq!(name(11), []);
    assert_eq!(name(14), [("query", "www.example.com")]);
    assert_eq!(name(26), [("response", "ads.example.net")]);
    assert_eq!(name(31), [("query", ".")]);
    assert_eq!(name(37), [("query", "odd\\x2edot.and\\x00zero.example")]);
    assert_eq!(name(41), []);
    assert_eq!(
        lines[0],
        json!({
            "file": corpus("dig.pcap"), "frame": 1, "protocol": "dns", "kind": "query", "name": "www.example.com",
            "verdict": "pass", "reason": "dns_not_listed", "rule": null, "list": null, "line": null,
        })
    );
}

#[test]
fn another_dns_port_is_read_only_where_it_is_given() {
    let with_port = replay(
        &[&corpus("dig.pcap")],
        &["--dns-port", "53", "--dns-port", "5353"],
    );
    let lines = json_lines(&with_port);
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["frame"], &last["name"]),
        (&json!(41), &json!("other.port.example"))
    );
    assert_eq!(
        json_lines(&replay(&[&corpus("dig.pcap")], &[])).len(),
        lines.len() - 1
    );
}

#[test]
fn a_name_that_a_list_blocks_has_its_rule_list_and_line() {
    let directory = TempDir::new().unwrap();
    let list = directory.path().join("hosts.txt");
    fs::write(&list, "# a list\nexample.net\n").unwrap();
    let lines = json_lines(&replay(
        &[&corpus("gnutls.pcap")],
        &["--subtrees", "--list", list.to_str().unwrap()],
    ));
    let [passed, blocked] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (&passed["name"], &passed["verdict"]),
        (&json!("www.example.com"), &json!("pass"))
    );
    assert_eq!(
        *blocked,
        json!({
            "file": corpus("gnutls.pcap"), "frame": 22, "protocol": "tls", "kind": "client_hello",
            "name": "ads.example.net", "verdict": "drop", "action": "default", "reason": "tls_blocked", "rule": "example.net",
            "list": list, "line": 2,
        })
    );
}

#[test]
fn a_broken_file_is_an_error_and_what_was_read_before_it_stands_and_other_files_are_read() {
    let directory = TempDir::new().unwrap();
    let cut = directory.path().join("cut.pcap");
    let whole = fs::read(corpus("dig.pcap")).unwrap();
    fs::write(&cut, &whole[..3000]).unwrap();
    let output = replay(&[&cut, &corpus("gnutls.pcap")], &[]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(
        errors.contains(
            "cut.pcap` is cut: it ends in the middle of frame 27 (byte 2927 of the capture)"
        ),
        "{errors}"
    );
    assert!(errors.contains("2 files (1 not to the end)"), "{errors}");
    let lines = json_lines(&output);
    assert_eq!(
        lines
            .iter()
            .filter(|line| line["file"] == json!(cut))
            .count(),
        14
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line["file"] == json!(corpus("gnutls.pcap")))
            .count(),
        2
    );
}

#[test]
fn what_is_no_capture_and_what_is_not_there_are_errors() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    for (file, expected) in [
        (manifest, "Cargo.toml` is not a pcap or pcapng file"),
        (
            PathBuf::from("/nowhere/a.pcap"),
            "there is no capture `/nowhere/a.pcap`: check the path",
        ),
    ] {
        let output = replay(&[&file], &[]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(
            text(&output.stderr).contains(expected),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_reader_that_has_had_enough_ends_it_quietly() {
    let files = vec![corpus("dig.pcap"); 400];
    let mut replay = Command::new(NAMEGATE)
        .args(["replay", "--engine", "user"])
        .args(files)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    replay
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    let output = replay.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");
}

fn replay(files: &[&Path], options: &[&str]) -> Output {
    let mut command = Command::new(NAMEGATE);
    command
        .args(["replay", "--engine", "user", "--json"])
        .args(options)
        .arg("--")
        .args(files);
    command.output().unwrap()
}

fn json_lines(output: &Output) -> Vec<Value> {
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(name)
}
