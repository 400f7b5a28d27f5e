//! What users see of their errors: one sentence on standard error that says what happened, where
//! and what to do, nothing on standard output, and an exit code. The sentences stand here as they
//! are printed.

use std::{fs, process::Command};

use rustix::process::Signal;

use crate::home::{Home, NAMEGATE, finish};

/// Of the command line; the exit code is 2.
const OF_OPTIONS: [(&str, &str); 22] = [
    ("frobnicate", "unrecognized subcommand 'frobnicate'"),
    ("status --jsn", "unexpected argument '--jsn' found"),
    ("rollback now", "unexpected argument 'now' found"),
    (
        "test",
        "the following required arguments were not provided: <NAME>...",
    ),
    (
        "run",
        "the following required arguments were not provided: --iface <IF>...",
    ),
    (
        "reload --cancel --accept-shrink a",
        "the argument '--cancel' cannot be used with '--accept-shrink <LIST>...'",
    ),
    (
        "status --timeout ten",
        "invalid value 'ten' for '--timeout <SECONDS>': write a whole number",
    ),
    (
        "status --timeout 0",
        "invalid value '0' for '--timeout <SECONDS>': 0 is not within 1 to 4294967295",
    ),
    (
        "stats --top x",
        "invalid value 'x' for '--top <N>': write a whole number",
    ),
    (
        "test a --client lan0",
        "invalid value 'lan0' for '--client <ADDRESS>': write an IP address, such as 192.0.2.17 or 2001:db8::17",
    ),
    (
        "test a --at yesterday",
        "invalid value 'yesterday' for '--at <TIME>': write a time as in RFC 3339, such as 2026-11-25T21:00:00+01:00",
    ),
    (
        "run --iface x --action frob",
        "invalid value 'frob' for '--action <[IF=]ACTION>...': there is no action `frob`: write `drop`, `nxdomain`, \
         `nodata`, `refused`, `null`, `address` or `audit`",
    ),
    (
        "run --iface x --tcp frob",
        "invalid value 'frob' for '--tcp <[IF=]ACTION>...': no connection is ended by `frob`: write `drop`, `reset` or `alert`",
    ),
    (
        "run --iface x --quic frob",
        "invalid value 'frob' for '--quic <[IF=]QUIC>...': `frob` is none of `inspect`, `pass` and `refuse`",
    ),
    (
        "run --iface x --judge x=frob",
        "invalid value 'x=frob' for '--judge <[IF=]SIDES>...': `frob` is none of `queries`, `responses` and `both`",
    ),
    (
        "run --iface x --code frob",
        "invalid value 'frob' for '--code <CODE>': there is no code `frob`: write `blocked`, `censored` or `filtered`",
    ),
    (
        "run --iface x --max-rules 0",
        "invalid value '0' for '--max-rules <N>': 0 is not within 1 to 33554432",
    ),
    (
        "run --iface x --max-shrink 101",
        "invalid value '101' for '--max-shrink <PERCENT>': 101 is not within 0 to 100",
    ),
    (
        "run --iface x --dns-port 70000",
        "invalid value '70000' for '--dns-port <PORT>...': 70000 is not within 1 to 65535",
    ),
    (
        "run --iface x --address 1.2.3",
        "invalid value '1.2.3' for '--address <ADDR>...': write an IP address, such as 192.0.2.17 or 2001:db8::17",
    ),
    (
        "run --iface x --mode fast",
        "invalid value 'fast' for '--mode <MODE>' [possible values: auto, native, generic]",
    ),
    (
        "check frob:list",
        "invalid value 'frob:list' for '[[FORMAT:]FILE]...': there is no list format `frob`: it is one of hosts, domains, \
         wildcard, adblock, dnsmasq, unbound, rpz, bind, dnscrypt, regex, v2fly, maltrail, tpl, privoxy",
    ),
];

/// Of a start, and of verbs that need no controller; the exit code is 1. `DIR` is a folder with the
/// files of [`files`].
const OF_STARTS: [(&str, &str); 24] = [
    (
        "run --iface nosuch0",
        "there is no interface `nosuch0`; `ip link` lists those there are, and with `--wait` namegate starts without it and \
         attaches when it appears",
    ),
    (
        "run --iface lan lan",
        "interface `lan` is named twice; name it once",
    ),
    (
        "run --iface br0 lan",
        "cannot attach to `lan`: a device above it (its bridge, bond or VLAN) has an XDP program: filter that device or those below it, and not both",
    ),
    (
        "run --iface lan --clients wan",
        "--clients names `wan`, which --iface does not: name it there as well, or mend the name",
    ),
    (
        "run --iface lan --judge wan=queries",
        "--judge names `wan`, which --iface does not: name it there as well, or mend the name",
    ),
    (
        "run --iface lan --action address",
        "--action address has no address to answer with: add one, as in --address 192.0.2.1",
    ),
    (
        "run --iface lan --address 192.0.2.1",
        "--address is for --action address alone: add that, or take the address out",
    ),
    (
        "run --iface lan --list DIR/missing",
        "there is no list `DIR/missing`: check the path",
    ),
    (
        "run --iface lan --list DIR/folder",
        "the list `DIR/folder` is a directory: name the files in it one by one",
    ),
    (
        "run --iface lan --list DIR/empty",
        "the list `DIR/empty` has no rule that can be used: it has only comments and local names",
    ),
    (
        "run --iface lan --list DIR/binary",
        "the list `DIR/binary` is a binary file and no list: name a text file",
    ),
    (
        "run --iface lan --config DIR/missing",
        "there is no configuration `DIR/missing`: check the path",
    ),
    (
        "run --iface lan --config DIR/misspelt.toml",
        "the configuration `DIR/misspelt.toml`, line 3, column 1: there is no key `acton` here: did you mean `action`?",
    ),
    (
        "run --iface lan --config DIR/no.toml",
        "the configuration `DIR/no.toml`, line 1, column 8: unclosed array table, expected `]`",
    ),
    (
        "run --iface lan --state DIR/state",
        "line 1 of the state file `DIR/state` is no rule: it has a character that no name has; correct it or take it out",
    ),
    (
        "run --iface lan --max-rules 1 --list DIR/two",
        "the policy takes 2 entries in the kernel, and there may be 1: take lists out, or start namegate with --max-rules 2 or more",
    ),
    (
        "run --iface lan --socket DIR/none/socket",
        "there is no directory `DIR/none` for the socket: make it, or name another path with --socket",
    ),
    (
        "run --iface lan --socket DIR/two",
        "`DIR/two` is there and is no socket: remove it, or name another path with --socket",
    ),
    (
        "check DIR/missing",
        "there is no list `DIR/missing`: check the path",
    ),
    (
        "check --config DIR/misspelt.toml",
        "the configuration `DIR/misspelt.toml`, line 3, column 1: there is no key `acton` here: did you mean `action`?",
    ),
    (
        "replay --engine user DIR/missing",
        "there is no capture `DIR/missing`: check the path",
    ),
    (
        "replay --engine user DIR/two",
        "`DIR/two` is not a pcap or pcapng file: it is nothing that tcpdump or Wireshark writes; name a capture of theirs",
    ),
    (
        "status",
        "no controller answers on `DIR/namegate.sock`: start one with `namegate run`, or name its socket with --socket",
    ),
    (
        "block add a.example",
        "no controller answers on `DIR/namegate.sock`: start one with `namegate run`, or name its socket with --socket",
    ),
];

/// Of verbs that a controller answers; the exit code is 1.
const OF_REQUESTS: [(&str, &str); 12] = [
    (
        "test a..b",
        "`a..b` is no name: it has an empty label (a dot in front, or two in a row)",
    ),
    (
        "test a.example --mac 02:00",
        "the parameter `mac` of GET /v1/test is `02:00`: write a MAC address, such as 02:00:5e:10:00:01",
    ),
    (
        "explain a..b",
        "`a..b` is no name: it has an empty label (a dot in front, or two in a row)",
    ),
    (
        "block add a/b",
        "`a/b` cannot be a rule: it has a character that no name has; nothing was changed",
    ),
    (
        "block add co.uk",
        "`co.uk` is a public suffix, under which others register names, and the rule would be about all of them: say --force (\"force\": true in the API) if that is meant; nothing was changed",
    ),
    (
        "allow com",
        "`com` cannot be a rule: it is a single label, which would block a whole top-level domain; nothing was changed",
    ),
    (
        "block remove a/b",
        "`a/b` cannot be a rule: it has a character that no name has; nothing was changed",
    ),
    ("reload --cancel", "no reload is under way"),
    (
        "rollback",
        "there is no previous policy: nothing was read again since the start",
    ),
    (
        "run --iface wan",
        "another controller answers on `DIR/namegate.sock`: stop it, or give this one a socket of its own with --socket",
    ),
    (
        "run --iface lan --socket DIR/other.sock",
        "`lan` already has an XDP program: id ID, `namegate`; stop what attached it, or take it off: a link with `bpftool link detach` (`bpftool link list` has its id), and else with `ip link set dev lan xdp off`",
    ),
    (
        "reload",
        "there is no list `DIR/list`: check the path; the policy that was in force is in force still",
    ),
];

fn files(home: &Home) {
    fs::create_dir(home.path("folder")).unwrap();
    for (name, text) in [
        ("empty", "127.0.0.1 localhost\n"),
        ("binary", "a.example\n\0\0"),
        (
            "misspelt.toml",
            "[[list]]\nfile = \"list\"\nacton = \"drop\"\n",
        ),
        ("no.toml", "[[list]\n"),
        ("state", "b/c\n"),
        ("two", "a.example\nb.example\n"),
    ] {
        fs::write(home.path(name), text).unwrap();
    }
    let gateway = home.lab.gateway();
    gateway.ip("link add br0 type bridge").unwrap();
    gateway.ip("link set lan master br0").unwrap();
}

#[test]
fn errors_of_options_are_sentences_without_words_of_the_language() {
    let mut wrong = Vec::new();
    for (line, sentence) in OF_OPTIONS {
        let mut command = Command::new(NAMEGATE);
        let output = finish(command.args(line.split_whitespace()));
        let said = String::from_utf8(output.stderr).unwrap();
        // Up to the usage, and in one line.
        let said = said.split("\n\n").next().unwrap();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = format!("error: {sentence}");
        let is_right = output.status.code() == Some(2) && output.stdout.is_empty();
        if !is_right || said != expected {
            wrong.push(format!("{line}\n  {expected}\n  {said}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn errors_of_a_start_say_what_happened_where_and_what_to_do() {
    let home = Home::new(&["a.example"]);
    files(&home);
    assert_said(&home, &OF_STARTS);
    assert!(!home.is_attached("lan"));
}

#[test]
fn errors_of_requests_say_what_happened_where_and_what_to_do() {
    let home = Home::new(&["a.example"]);
    let mut controller = home.start(&["--iface", "lan"]);
    let (reload, others) = OF_REQUESTS.split_last().unwrap();
    assert_said(&home, others);
    fs::remove_file(home.path("list")).unwrap();
    assert_said(&home, &[*reload]);
    assert_eq!(controller.signal(Signal::TERM), Some(0));
}

fn assert_said(home: &Home, errors: &[(&str, &str)]) {
    let folder = home.lab.directory().to_str().unwrap();
    let mut wrong = Vec::new();
    for (line, sentence) in errors {
        let line = line.replace("DIR", folder);
        let args: Vec<_> = line.split_whitespace().collect();
        let (code, said) = match &args[..] {
            ["run", args @ ..] => home.run_fails(args),
            args => home.fails(args),
        };
        let said = said.replace(folder, "DIR");
        // Another line sums up what was replayed.
        let said = match args[0] {
            "replay" => said.lines().next().unwrap_or_default().to_owned() + "\n",
            _ => without_id(&said),
        };
        let expected = format!("namegate: {sentence}\n");
        if code != 1 || said != expected {
            wrong.push(format!("{line}\n  {expected}  {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// The same with `ID` for the number of a program.
fn without_id(text: &str) -> String {
    let Some((before, after)) = text.split_once(": id ") else {
        return text.to_owned();
    };
    let after = after.trim_start_matches(|character: char| character.is_ascii_digit());
    format!("{before}: id ID{after}")
}
