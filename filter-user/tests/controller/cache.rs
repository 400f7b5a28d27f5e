//! The compiled policy that is kept for the next start.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use rustix::process::Signal;

use crate::home::Home;

const TAKEN: &str = "nothing that it was made of has changed";

#[test]
fn the_second_start_takes_the_policy_from_the_cache_and_blocks_the_same() {
    let home = Home::new(&["a.example", "b.example", "www.b.example"]);
    let first = start(&home);
    assert!(!first.contains("cache"), "{first}");
    let cache = fs::metadata(home.path("cache/policy")).unwrap();
    assert_eq!(cache.mode() & 0o777, 0o600);
    let list = fs::metadata(home.path("list")).unwrap();
    let second = run(&home, |home| {
        let passes = ["a.example", "x.www.b.example", "c.example"].map(|name| home.asks(name));
        assert_eq!(passes, [false, false, true]);
        let status = home.json(&["status"]);
        assert_eq!(
            (&status["rules"]["total"], &status["rules"]["in_kernel"]),
            (&3.into(), &2.into())
        );
        let explained = home.json(&["explain", "www.b.example"]);
        assert_eq!(explained["rules"][1]["line"], 3, "{explained}");
    });
    assert!(second.contains(TAKEN), "{second}");
    assert_eq!(fs::metadata(home.path("list")).unwrap().ino(), list.ino());
    assert_eq!(
        fs::metadata(home.path("cache/policy")).unwrap().ino(),
        cache.ino()
    );
}

#[test]
fn a_list_that_has_changed_is_read_again_and_kept() {
    let home = Home::new(&["a.example"]);
    start(&home);
    fs::write(home.path("list"), "b.example\n").unwrap();
    let second = run(&home, |home| {
        assert!(home.asks("a.example") && !home.asks("b.example"));
    });
    let expected = format!(
        "the cache `{}` is not used: the list `{}` has changed\n",
        home.path("cache/policy"),
        home.path("list")
    );
    assert!(second.contains(&expected), "{second}");
    assert!(start(&home).contains(TAKEN));
}

#[test]
fn a_list_that_is_to_be_read_in_another_way_is_read_again() {
    let home = Home::new(&["a.example"]);
    start(&home);
    let list = home.path("list");
    let mut controller = home.start(&[
        "--iface",
        "lan",
        "--cache",
        &home.path("cache"),
        "--allow",
        &list,
    ]);
    assert!(home.asks("a.example"));
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    assert!(
        controller
            .said()
            .contains("is not used: it was made of other lists"),
        "{}",
        controller.said()
    );
}

#[test]
fn a_damaged_cache_is_left_aside_and_written_anew() {
    let home = Home::new(&["a.example", "b.example"]);
    let cache = home.path("cache/policy");
    start(&home);
    let whole = fs::read(&cache).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let mut other_version = whole.clone();
    other_version[8] ^= 1;
    for (bytes, why) in [
        (&changed[..], "it is damaged"),
        (&whole[..whole.len() / 2], "it is damaged"),
        (b"", "it is damaged"),
        (&other_version, "it is of another version"),
    ] {
        fs::write(&cache, bytes).unwrap();
        let said = run(&home, |home| {
            assert!(!home.asks("a.example") && home.asks("c.example"));
        });
        assert!(
            said.contains(&format!("the cache `{cache}` is not used: {why}\n")),
            "{said}"
        );
        assert!(start(&home).contains(TAKEN));
    }
}

#[test]
fn a_cache_that_others_may_read_is_not_used() {
    let home = Home::new(&["a.example"]);
    start(&home);
    fs::set_permissions(home.path("cache/policy"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = start(&home);
    assert!(
        said.contains("is not used: it is not for its owner alone"),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told_of_and_stops_nothing() {
    let home = Home::new(&["a.example"]);
    // A file where the folder should be: root may write into any folder.
    fs::write(home.path("cache"), "").unwrap();
    let said = run(&home, |home| assert!(!home.asks("a.example")));
    let begins = format!(
        "the policy is not kept in the cache `{}`: ",
        home.path("cache/policy")
    );
    assert!(
        said.contains(&begins) && said.contains("name another folder with --cache, or none"),
        "{said}"
    );
}

#[test]
fn a_reload_keeps_the_policy_that_it_read_and_takes_one_that_has_not_changed() {
    let home = Home::new(&["a.example"]);
    let said = run(&home, |home| {
        fs::write(home.path("list"), "b.example\n").unwrap();
        assert_eq!(home.json(&["reload"])["added"], 1);
        assert!(home.asks("a.example") && !home.asks("b.example"));
        home.json(&["block", "add", "hand.example"]);
        assert_eq!(home.json(&["reload"])["added"], 0);
        assert!(!home.asks("b.example") && !home.asks("hand.example"));
    });
    assert_eq!(said.matches(TAKEN).count(), 1, "{said}");
    assert!(start(&home).contains(TAKEN));
}

#[test]
fn the_configuration_may_name_the_folder_and_its_rules_count() {
    let home = Home::new(&["a.example"]);
    let config = home.path("namegate.toml");
    let write = |rule: &str| {
        fs::write(
            &config,
            format!("cache = \"kept\"\n[[rules]]\nblock = [\"{rule}\"]\n"),
        )
        .unwrap();
    };
    let start = || {
        let mut controller = home.start(&["--iface", "lan", "--config", &config]);
        assert_eq!(controller.signal(Signal::TERM), Some(0));
        controller.said()
    };
    write("b.example");
    start();
    assert!(fs::exists(home.path("kept/policy")).unwrap());
    assert!(start().contains(TAKEN));
    write("c.example");
    assert!(start().contains("is not used: the rules in the configuration have changed"));
}

/// What a controller with a cache says from its start to its end.
fn start(home: &Home) -> String {
    run(home, |_| ())
}

/// The same with something done meanwhile.
fn run(home: &Home, meanwhile: impl FnOnce(&Home)) -> String {
    let mut controller = home.start(&["--iface", "lan", "--cache", &home.path("cache")]);
    meanwhile(home);
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    controller.said()
}
