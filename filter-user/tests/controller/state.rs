//! The files that a controller keeps: locked, tried at the start, and changed as a whole.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use crate::home::{Home, LIMIT, NAMEGATE, Running};

#[test]
fn a_second_controller_with_the_same_state_is_refused_and_told_which_process_has_it() {
    let home = Home::new(&["a.example"]);
    let state = home.path("state");
    let first = home.start(&["--iface", "lan", "--state", &state]);
    home.json(&["block", "add", "b.example"]);
    let other = home.path("other.sock");
    let second = ["--iface", "wan", "--state", &state, "--socket", &other];
    let (code, words) = home.run_fails(&second);
    let pid = home.json(&["status"])["pid"].clone();
    let wanted = format!(
        "namegate: the state file `{state}` is in use by another controller (process {pid}): name another file with \
         --state, or end that one\n"
    );
    assert_eq!((code, words), (1, wanted));
    assert!(!home.is_attached("wan"));
    home.json(&["block", "add", "c.example"]);
    drop(first);
    let _third = home.start(&["--iface", "lan", "--state", &state]);
    assert_eq!(home.rules(), ["b.example", "c.example", "a.example"]);
}

#[test]
fn a_state_that_cannot_be_written_is_told_of_at_the_start() {
    let home = Home::new(&["a.example"]);
    let state = home.path("none/state");
    let (code, words) = home.run_fails(&["--iface", "lan", "--state", &state]);
    let wanted = format!(
        "namegate: cannot write the state file `{state}`: No such file or directory (os error 2) at path "
    );
    assert_eq!(code, 1);
    assert!(
        words.starts_with(&wanted) && words.contains("make its folder"),
        "{words}"
    );
    assert!(!home.is_attached("lan"));
}

#[test]
fn what_is_done_by_hand_and_cannot_be_kept_is_not_done() {
    let home = Home::new(&["a.example", "x.a.example"]);
    let folder = home.path("kept");
    fs::create_dir(&folder).unwrap();
    let state = format!("{folder}/state");
    let _controller = home.start(&["--iface", "lan", "--state", &state]);
    home.json(&["block", "add", "b.example"]);
    fs::rename(&folder, home.path("moved")).unwrap();
    let verbs: [&[&str]; 4] = [
        &["block", "remove", "b.example"],
        &["block", "remove", "a.example", "b.example"],
        &["block", "add", "c.example", "d.example"],
        &["allow", "b.example"],
    ];
    for verb in verbs {
        let (code, words) = home.fails(verb);
        assert_eq!(code, 1);
        assert!(words.contains("cannot write the state file"), "{words}");
        assert_eq!(
            home.rules(),
            ["b.example", "a.example", "x.a.example"],
            "{verb:?}"
        );
        let passes = ["a.example", "x.a.example", "b.example", "c.example"];
        assert_eq!(
            passes.map(|name| home.asks(name)),
            [false, false, false, true],
            "{verb:?}"
        );
    }
    fs::rename(home.path("moved"), &folder).unwrap();
    home.json(&["block", "remove", "b.example"]);
    assert!(home.asks("b.example"));
    assert!(!fs::read_to_string(&state).unwrap().contains("b.example"));
}

#[test]
fn a_full_disk_leaves_the_state_and_the_rules_as_they_were() {
    let home = Home::new(&["a.example"]);
    let folder = home.path("small");
    fs::create_dir(&folder).unwrap();
    // Each command in a namespace has mounts of its own.
    let mut command = home.lab.gateway().command("sh");
    command.args([
        "-c",
        "mount -t tmpfs -o size=64k tmpfs \"$0\" && exec \"$@\"",
        &folder,
        NAMEGATE,
    ]);
    let state = format!("{folder}/state");
    command.args(home.run_args(&["--iface", "lan", "--state", &state]));
    let controller = Running::spawn(&mut command, home.path("controller.log"));
    lab::wait_until("the controller to answer", LIMIT, || {
        Ok(home.verb(&["status"]).status.success())
    })
    .unwrap();
    home.json(&["block", "add", "b.example"]);
    let kept = || fs::read_to_string(format!("/proc/{}/root{state}", controller.process.id()));
    let before = kept().unwrap();
    let names: Vec<_> = (0..4_000)
        .map(|number| format!("a-rather-long-name-{number}.example"))
        .collect();
    let names = names.iter().map(|name| &**name);
    let verb: Vec<_> = ["block", "add"].into_iter().chain(names).collect();
    let (code, words) = home.fails(&verb);
    assert_eq!(code, 1);
    assert!(words.contains("No space left on device"), "{words}");
    assert_eq!(kept().unwrap(), before);
    assert_eq!(home.rules(), ["b.example", "a.example"]);
    assert!(home.asks("a-rather-long-name-7.example"));
    home.json(&["block", "add", "c.example"]);
    assert!(kept().unwrap().contains("c.example"));
}

/// The file in place is cut short in any way, as with `cp` over it, while the policy is in force
/// that was read from it, or written to it.
#[test]
fn a_cache_that_is_cut_short_while_it_is_in_use_harms_nobody() {
    let names: Vec<_> = (0..5_000)
        .map(|number| format!("n{number}.example"))
        .collect();
    let home = Home::new(&names.iter().map(|name| &**name).collect::<Vec<_>>());
    let with_cache = ["--iface", "lan", "--cache", &home.path("cache")];
    let cache = home.path("cache/policy");
    // First it is written, then it is read.
    for _ in 0..2 {
        let mut controller = home.start(&with_cache);
        let whole = fs::read(&cache).unwrap();
        for len in [whole.len() as u64 / 2, 0] {
            let file = fs::File::options().write(true).open(&cache).unwrap();
            file.set_len(len).unwrap();
            for number in [0, 77, 4_999] {
                let name = format!("n{number}.example");
                assert_eq!(home.json(&["explain", &name])["verdict"], "drop");
            }
            assert_eq!(home.rules().len(), names.len());
        }
        fs::write(home.path("list"), "a.example\n").unwrap();
        let args = ["reload", "--accept-shrink", &home.path("list")];
        assert_eq!(home.json(&args)["rules"], 1);
        assert_eq!(home.json(&["rollback"])["rules"], json!(names.len()));
        assert!(!home.asks("n77.example"));
        assert_eq!(controller.signal(Signal::TERM), Some(0));
        fs::write(home.path("list"), names.join("\n")).unwrap();
        fs::write(&cache, whole).unwrap();
    }
}
