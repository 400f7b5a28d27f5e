//! What it says to bad input. Nothing is attached afterwards.

use std::fs;

use crate::home::{Home, NAMEGATE, finish};

#[test]
fn of_several_interfaces_all_are_attached_or_none() {
    let home = Home::new(&["a.example"]);
    let (code, words) = home.run_fails(&["--iface", "lan", "nosuch0"]);
    assert_eq!(code, 1);
    assert_eq!(
        words,
        "namegate: there is no interface `nosuch0`; `ip link` lists those there are, and with `--wait` namegate starts without it \
         and attaches when it appears\n"
    );
    assert!(!home.is_attached("lan"));
}

#[test]
fn an_interface_that_has_an_xdp_program_is_left_to_it() {
    let home = Home::new(&["a.example"]);
    let _first = home.start(&["--iface", "lan"]);
    let id = home.json(&["status"])["program"]["id"].clone();
    let (code, words) = home.run_fails(&[
        "--iface",
        "wan",
        "lan",
        "--socket",
        &home.path("other.sock"),
    ]);
    assert_eq!(code, 1);
    let begins = format!("namegate: `lan` already has an XDP program: id {id}, `namegate`; ");
    assert!(words.starts_with(&begins), "{words}");
    assert!(!home.is_attached("wan") && home.is_attached("lan"));
    assert_eq!(home.json(&["status"])["program"]["id"], id);
}

#[test]
fn an_interface_without_ethernet_frames_is_refused() {
    let home = Home::new(&["a.example"]);
    home.lab
        .gateway()
        .ip("tuntap add dev tun0 mode tun")
        .unwrap();
    let (code, words) = home.run_fails(&["--iface", "tun0"]);
    assert_eq!(code, 1);
    assert!(
        words.starts_with("namegate: `tun0` carries no Ethernet frames but packets of type none "),
        "{words}"
    );
}

#[test]
fn sides_of_an_interface_that_is_not_filtered_are_refused() {
    let home = Home::new(&["a.example"]);
    let (code, words) = home.run_fails(&["--iface", "lan", "--judge", "wan=queries"]);
    assert_eq!(code, 1);
    assert_eq!(
        words,
        "namegate: --judge names `wan`, which --iface does not: name it there as well, or mend the name\n"
    );
}

#[test]
fn a_list_that_cannot_be_used_ends_it_before_anything_is_attached() {
    let home = Home::new(&["a.example"]);
    fs::write(home.path("binary"), b"a.example\n\0\0").unwrap();
    fs::write(home.path("empty"), "127.0.0.1 localhost\n").unwrap();
    fs::create_dir(home.path("directory")).unwrap();
    for (list, words) in [
        ("missing", "there is no list `LIST`: check the path"),
        (
            "directory",
            "the list `LIST` is a directory: name the files in it one by one",
        ),
        (
            "empty",
            "the list `LIST` has no rule that can be used: it has only comments and local names",
        ),
        (
            "binary",
            "the list `LIST` is a binary file and no list: name a text file",
        ),
    ] {
        let list = home.path(list);
        let (code, said) = home.run_fails(&["--iface", "lan", "--list", &list]);
        assert_eq!(
            (code, said.replace(&list, "LIST")),
            (1, format!("namegate: {words}\n"))
        );
    }
    assert!(!home.is_attached("lan") && !home.socket().exists());
}

#[test]
fn more_rules_than_asked_for_end_it() {
    let home = Home::new(&["a.example", "b.example"]);
    let (code, words) = home.run_fails(&["--iface", "lan", "--max-rules", "1"]);
    assert_eq!(
        (code, &*words),
        (
            1,
            "namegate: the policy takes 2 entries in the kernel, and there may be 1: take lists out, or start namegate with \
                                    --max-rules 2 or more\n"
        )
    );
    assert!(!home.is_attached("lan"));
}

#[test]
fn a_state_file_that_somebody_broke_ends_it() {
    let home = Home::new(&["a.example"]);
    let state = home.path("state");
    fs::write(&state, "b.example\nb/c\n").unwrap();
    let (code, words) = home.run_fails(&["--iface", "lan", "--state", &state]);
    let expected = "namegate: line 2 of the state file `STATE` is no rule: it has a character that no name has; \
                    correct it or take it out\n";
    assert_eq!((code, &*words.replace(&state, "STATE")), (1, expected));
    assert!(!home.is_attached("lan"));
}

#[test]
fn a_second_controller_on_the_same_socket_is_refused_and_the_first_goes_on() {
    let home = Home::new(&["a.example"]);
    let _first = home.start(&["--iface", "lan"]);
    let (code, words) = home.run_fails(&["--iface", "wan"]);
    assert_eq!(code, 1);
    assert!(
        words.starts_with("namegate: another controller answers on `"),
        "{words}"
    );
    assert!(!home.is_attached("wan"));
    assert_eq!(home.json(&["status"])["interfaces"][0]["name"], "lan");
}

#[test]
fn without_capabilities_it_says_which_is_missing() {
    let home = Home::new(&["a.example"]);
    let mut command = home.lab.gateway().command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", NAMEGATE]);
    let output = finish(command.args(home.run_args(&["--iface", "lan"])));
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.starts_with("namegate: missing CAP_") && words.lines().count() == 1,
        "{words}"
    );
    assert!(!home.is_attached("lan"));
}

#[test]
fn each_verb_says_when_no_controller_runs() {
    let home = Home::new(&["a.example"]);
    for verb in [
        &["status"][..],
        &["stats"],
        &["stats", "--watch"],
        &["test", "a.example"],
        &["events"],
        &["block", "list"],
        &["block", "add", "a.example"],
        &["block", "remove", "a.example"],
    ] {
        let (code, words) = home.fails(verb);
        let expected = format!(
            "namegate: no controller answers on `{}`: start one with `namegate run`, or name its socket with --socket\n",
            home.socket().display()
        );
        assert_eq!((code, words), (1, expected), "{verb:?}");
    }
}
