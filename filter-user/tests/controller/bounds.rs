//! Lists that would take the controller's memory or time, or that lost their rules: the policy in
//! force stays.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    process::Command,
    thread,
    time::Duration,
};

use lab::wait_until;
use serde_json::json;

use super::home::{Home, LIMIT, Running};

const STILL: &str = "the policy that was in force is in force still";

/// Names of the policy in force.
const NAMES: usize = 50_000;

#[test]
fn a_list_of_too_many_names_takes_no_more_than_twice_the_memory_of_an_ordinary_reload() {
    let home = Home::new(&[]);
    write_names(&home, NAMES);
    let controller = home.start(&["--iface", "lan", "--max-rules", "200000"]);
    let ordinary = peak_of(&controller, || drop(home.json(&["reload"])));
    write_names(&home, 2_000_000);
    let too_many = peak_of(&controller, || {
        let (code, words) = home.fails(&["reload"]);
        assert_eq!(code, 1);
        assert!(
            words.starts_with("namegate: the lists have more than 865,536 rules"),
            "{words}"
        );
        assert!(
            words.contains("raise --max-rules (reached in line 865537 of the list `")
                && words.contains(STILL)
        );
    });
    assert!(
        too_many <= 2 * ordinary,
        "{too_many} kB beside {ordinary} kB of an ordinary reload"
    );
    assert!(home.is_attached("lan") && !home.asks("n7.example") && home.asks("n100007.example"));
    // One that has room may be larger than the policy before.
    write_names(&home, 180_000);
    assert_eq!(home.json(&["reload"])["rules"], 180_000);
}

#[test]
fn bytes_memory_and_time_are_bounded() {
    for (bound, words) in [
        (
            "--max-unpacked",
            "the lists have more than 1 MiB unpacked: take lists out, or raise --max-unpacked",
        ),
        (
            "--max-memory",
            "the rules of the lists take more than 1 MiB of memory: take lists out, or raise --max-memory",
        ),
    ] {
        let home = Home::new(&["a.example"]);
        let _controller = home.start(&["--iface", "lan", bound, "1"]);
        write_names(&home, 300_000);
        let (code, said) = home.fails(&["reload"]);
        assert!(
            code == 1 && said.contains(words) && said.contains(STILL),
            "{said}"
        );
        assert!(!home.asks("a.example"));
    }
}

#[test]
fn line_ends_without_end_are_not_read_to_the_end() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan", "--max-unpacked", "4"]);
    let mut packed = zstd::Encoder::new(File::create(home.path("list")).unwrap(), 1).unwrap();
    let line_ends = vec![b'\n'; 1 << 20];
    (0..1024).for_each(|_| packed.write_all(&line_ends).unwrap());
    packed.finish().unwrap();
    let (code, said) = home.fails(&["reload"]);
    assert!(
        code == 1 && said.contains("more than 4 MiB unpacked") && said.contains(STILL),
        "{said}"
    );
    assert!(!home.asks("a.example"));
}

#[test]
fn a_reload_reads_regular_files_alone_and_the_next_one_works() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let list = home.path("list");
    let make = |command: &str, args: &[&str]| {
        let made = Command::new(command)
            .args(args)
            .arg(&list)
            .status()
            .unwrap();
        assert!(made.success(), "{command}");
    };
    for (command, args, words) in [
        (
            "mkfifo",
            &[][..],
            "is no regular file: a pipe or a device can be read at the start alone; name a file",
        ),
        (
            "ln",
            &["-s", "/dev/zero"],
            "is no regular file: a pipe or a device can be read at the start alone",
        ),
        (
            "mkdir",
            &[],
            "is a directory: name the files in it one by one",
        ),
    ] {
        fs::remove_file(&list).unwrap();
        make(command, args);
        let (code, said) = home.fails(&["reload"]);
        assert!(
            code == 1 && said.contains(words) && said.contains(STILL),
            "{said}"
        );
        assert!(!home.asks("a.example"));
        if fs::symlink_metadata(&list).unwrap().is_dir() {
            fs::remove_dir(&list)
        } else {
            fs::remove_file(&list)
        }
        .unwrap();
        fs::write(&list, "a.example\n").unwrap();
        assert_eq!(home.json(&["reload"])["rules"], 1);
    }
}

#[test]
fn a_configuration_that_became_a_pipe_is_not_waited_for() {
    let home = Home::new(&["a.example"]);
    let config = home.path("config");
    fs::write(&config, "").unwrap();
    let _controller = home.start(&["--iface", "lan", "--config", &config]);
    fs::remove_file(&config).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&config)
            .status()
            .unwrap()
            .success()
    );
    let (code, said) = home.fails(&["reload"]);
    assert!(
        code == 1 && said.contains("is no regular file") && said.contains(STILL),
        "{said}"
    );
}

#[test]
fn a_reload_that_reads_can_be_cancelled() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    assert_eq!(
        home.fails(&["reload", "--cancel"]),
        (1, "namegate: no reload is under way\n".into())
    );
    write_names(&home, 4_000_000);
    thread::scope(|scope| {
        let reload = scope.spawn(|| home.fails(&["reload"]));
        wait_until("the reload to read", LIMIT, || {
            Ok(home.verb(&["reload", "--cancel"]).status.success())
        })
        .unwrap();
        let (code, said) = reload.join().unwrap();
        assert!(
            code == 1 && said.contains("reading the lists was cancelled") && said.contains(STILL),
            "{said}"
        );
    });
    assert!(!home.asks("a.example"));
}

#[test]
fn a_reload_ends_with_whoever_wanted_it() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    write_names(&home, 4_000_000);
    let mut reload = Running::spawn(
        Command::new(super::home::NAMEGATE)
            .arg("reload")
            .env("NAMEGATE_SOCKET", home.socket()),
        home.path("reload.log"),
    );
    thread::sleep(Duration::from_millis(300));
    assert_eq!(reload.signal(rustix::process::Signal::INT), None);
    fs::write(home.path("list"), "b.example\n").unwrap();
    assert_eq!(home.json(&["reload"])["rules"], 1);
    assert!(home.asks("a.example") && !home.asks("b.example"));
}

#[test]
fn a_list_that_lost_more_than_half_of_its_rules_is_taken_only_where_that_is_accepted() {
    let home = Home::new(&[]);
    write_names(&home, 100);
    fs::write(home.path("other"), "o.example\n").unwrap();
    let (list, other) = (home.path("list"), home.path("other"));
    let controller = home.start(&["--iface", "lan", "--list", &list, &other]);
    write_names(&home, 50);
    assert_eq!(home.json(&["reload"])["rules"], 51);
    write_names(&home, 24);
    fs::write(home.path("other"), "p.example\n").unwrap();
    let (code, said) = home.fails(&["reload"]);
    let words = format!(
        "the list `{list}` has 24 rules where it had 50: look at what it holds, and take it with"
    );
    assert!(
        code == 1 && said.contains(&words) && said.contains(STILL),
        "{said}"
    );
    assert!(!home.asks("n40.example") && !home.asks("o.example") && home.asks("p.example"));

    let (code, _) = home.fails(&["reload", "--accept-shrink", &other]);
    assert_eq!(code, 1);
    assert_eq!(
        home.json(&["reload", "--accept-shrink", &list])["rules"],
        25
    );
    assert!(home.asks("n40.example") && !home.asks("n7.example") && !home.asks("p.example"));
    drop(controller);
}

#[test]
fn how_much_a_list_may_lose_is_a_setting() {
    let home = Home::new(&[]);
    write_names(&home, 100);
    let _controller = home.start(&["--iface", "lan", "--max-shrink", "100"]);
    write_names(&home, 1);
    assert_eq!(home.json(&["reload"])["rules"], 1);
}

#[test]
fn a_rollback_puts_the_policy_before_the_last_reload_in_force() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let none = "namegate: there is no previous policy: nothing was read again since the start\n";
    assert_eq!(home.fails(&["rollback"]), (1, none.into()));
    fs::write(home.path("list"), "b.example\n").unwrap();
    home.json(&["reload"]);
    home.json(&["block", "add", "hand.example"]);
    let passes = || ["a.example", "b.example", "hand.example"].map(|name| home.asks(name));
    assert_eq!(passes(), [true, false, false]);
    let back = home.json(&["rollback"]);
    assert_eq!(
        (&back["added"], &back["removed"]),
        (&json!(1), &json!(1)),
        "{back}"
    );
    assert_eq!(passes(), [false, true, false]);
    assert_eq!(home.rules(), ["hand.example", "a.example"]);
    home.json(&["rollback"]);
    assert_eq!(passes(), [true, false, false]);
}

#[test]
fn a_policy_that_has_no_room_beside_the_old_one_gets_its_own_up_to_the_bound() {
    let home = Home::new(&[]);
    write_names(&home, 10_000);
    let _controller = home.start(&[
        "--iface",
        "lan",
        "--max-rules",
        "12000",
        "--cache",
        &home.path("cache"),
    ]);
    let cache = || fs::read(home.path("cache/policy")).unwrap();
    let program = || home.json(&["status"])["program"]["id"].clone();
    let write_others = |count| {
        let names: Vec<_> = (0..count)
            .map(|number| format!("m{number}.example"))
            .collect();
        fs::write(home.path("list"), names.join("\n")).unwrap();
    };
    let (kept, first) = (cache(), program());
    write_others(12_001);
    let (code, said) = home.fails(&["reload"]);
    let words = "the policy takes 12001 entries in the kernel, and there may be 12000: take lists out, or start namegate with \
                 --max-rules 12001 or more";
    assert!(
        code == 1 && said.contains(words) && said.contains(STILL),
        "{said}"
    );
    assert!(!home.asks("n7.example") && home.asks("m7.example"));
    assert!(
        (cache(), program()) == (kept, first.clone()),
        "the cache has what is in force"
    );

    write_others(12_000);
    assert_eq!(home.json(&["reload"])["added"], 12_000);
    assert!(home.asks("n7.example") && !home.asks("m7.example") && !home.asks("m11999.example"));
    assert_ne!(program(), first);
    let rules = home.json(&["status"])["rules"].clone();
    assert_eq!(
        (&rules["capacity"], &rules["max_rules"]),
        (&json!(12_000), &json!(12_000))
    );
}

#[test]
fn a_reload_that_is_refused_leaves_the_cache_as_it_was() {
    let home = Home::new(&[]);
    write_names(&home, 100);
    let cache = home.path("cache");
    let mut controller = home.start(&["--iface", "lan", "--cache", &cache]);
    let kept = fs::read(home.path("cache/policy")).unwrap();
    write_names(&home, 10);
    assert!(home.fails(&["reload"]).1.contains("the list `"));
    assert_eq!(fs::read(home.path("cache/policy")).unwrap(), kept);
    assert_eq!(
        fs::read_dir(&cache).unwrap().count(),
        1,
        "nothing lies beside it"
    );
    let list = home.path("list");
    assert_eq!(
        home.json(&["reload", "--accept-shrink", &list])["rules"],
        10
    );
    assert_eq!(controller.signal(rustix::process::Signal::TERM), Some(0));
    let next = home.start(&["--iface", "lan", "--cache", &cache]);
    assert!(
        next.said()
            .contains("nothing that it was made of has changed"),
        "{}",
        next.said()
    );
    assert!(home.asks("n40.example") && !home.asks("n7.example"));
}

/// Has the list be of so many names.
fn write_names(home: &Home, count: usize) {
    let mut list = BufWriter::new(File::create(home.path("list")).unwrap());
    (0..count).for_each(|number| writeln!(list, "n{number}.example").unwrap());
    list.flush().unwrap();
}

/// The most memory that the controller had meanwhile, in kB (proc(5)).
fn peak_of(controller: &Running, meanwhile: impl FnOnce()) -> u64 {
    let proc = format!("/proc/{}", controller.process.id());
    fs::write(format!("{proc}/clear_refs"), "5").unwrap();
    meanwhile();
    let status = fs::read_to_string(format!("{proc}/status")).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
