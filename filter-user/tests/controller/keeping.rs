//! What stays when a controller ends, and who may take it over.

use std::{fs, path::Path};

use filter_user::kernel::detach_links_of;
use lab::{BpfFileSystem, wait_until};
use rustix::process::Signal;

use crate::{
    home::{Home, LIMIT, NAMEGATE, Running, finish},
    interfaces::rewire_with,
};

#[test]
fn sigterm_and_a_crash_leave_the_filter_and_ctrl_c_takes_it_off() {
    let place = Place::new();
    let mut controller = place.start();
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    let said = controller.said();
    let expected = format!(
        "told to end: the kernel goes on filtering lan by the policy in force; `namegate detach --pins {}` ends that\n",
        place.pins
    );
    assert!(said.ends_with(&expected), "{said}");
    assert!(place.filters());

    let controller = place.start();
    assert_eq!(place.home.json(&["status"])["pins"], place.pins.as_str());
    controller.process.kill().unwrap();
    assert!(place.filters());

    let mut controller = place.start();
    assert!(place.filters());
    assert_eq!(controller.signal(Signal::INT), Some(0));
    assert!(!place.home.is_attached("lan") && !Path::new(&place.pins).exists());
}

#[test]
fn detach_takes_off_what_a_controller_left_and_nothing_of_one_that_runs() {
    let place = Place::new();
    let mut controller = place.start();
    let (code, said) = place.detach();
    assert_eq!(code, 1);
    assert!(
        said.starts_with("namegate: another controller has its pins in `"),
        "{said}"
    );
    assert!(place.filters());
    controller.signal(Signal::TERM);
    assert_eq!(place.detach(), (0, "detached from lan\n".into()));
    assert!(!place.home.is_attached("lan") && !Path::new(&place.pins).exists());
    let nothing = format!("nothing was attached by pins in {}\n", place.pins);
    assert_eq!(place.detach(), (0, nothing));
}

#[test]
fn of_two_controllers_the_second_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let _controller = place.start();
    let socket = place.home.path("second.sock");
    let (code, said) = place.run_fails(&["--iface", "wan", "--socket", &socket]);
    let expected = format!(
        "namegate: another controller has its pins in `{}`: stop it, or name another folder with --pins\n",
        place.pins
    );
    assert_eq!((code, said), (1, expected));
    assert!(place.filters() && !place.home.is_attached("wan"));
}

#[test]
fn interfaces_that_are_no_longer_named_are_let_go_and_new_ones_are_attached() {
    let place = Place::new();
    let mut controller = place.start();
    controller.signal(Signal::TERM);
    let _next = place.home.start(&["--iface", "wan", "--pins", &place.pins]);
    assert!(place.home.is_attached("wan") && !place.home.is_attached("lan"));
}

#[test]
fn an_interface_that_was_made_again_stays_filtered_when_the_controller_ends() {
    let place = Place::new();
    let gateway = place.home.lab.gateway();
    let mut controller = place.start();
    // The second time, its index is beyond what there is room for.
    for lan in ["lan", "lan index 50000"] {
        gateway.ip("link delete lan").unwrap();
        rewire_with(&place.home, lan);
        wait_until("the interface", LIMIT, || Ok(place.home.is_attached("lan"))).unwrap();
        assert!(place.filters());
    }
    detach_links_of(controller.process.id()).unwrap();
    wait_until("the program", LIMIT, || Ok(place.home.is_attached("lan"))).unwrap();
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    assert!(place.filters());
    assert_eq!(place.entries(), ["links", "object"]);

    let controller = place.start();
    assert!(place.filters());
    controller.process.kill().unwrap();
    gateway.ip("link delete lan").unwrap();
    rewire_with(&place.home, "lan");
    let mut controller = place.start();
    assert!(place.filters());
    assert_eq!(controller.signal(Signal::INT), Some(0));
    assert!(!place.home.is_attached("lan") && !Path::new(&place.pins).exists());
}

#[test]
fn another_mode_is_taken_at_the_next_start() {
    let place = Place::new();
    for mode in ["native", "generic", "auto", "native"] {
        let mut controller = place.start_with(&["--mode", mode]);
        let attached = &place.home.json(&["status"])["interfaces"][0]["mode"];
        assert_eq!(attached, if mode == "auto" { "generic" } else { mode });
        controller.signal(Signal::TERM);
        assert!(place.filters());
    }
}

#[test]
fn a_start_that_fails_leaves_what_was_there() {
    let place = Place::new();
    let mut controller = place.start();
    controller.signal(Signal::TERM);
    let missing = place.home.path("missing");
    for args in [
        &["--iface", "lan", "--list", &missing][..],
        &["--iface", "lan", "nonesuch"],
    ] {
        let (code, said) = place.run_fails(args);
        let note = format!(
            "the kernel goes on filtering lan by the policy of the controller before; `namegate detach --pins {}` ends that\n",
            place.pins
        );
        assert!(code == 1 && said.starts_with(&note), "{said}");
        assert!(place.filters());
    }
    // The object of the start that got as far as the interfaces is gone again.
    assert_eq!(place.entries(), ["links", "object"]);
}

#[test]
fn a_start_that_fails_where_nothing_was_leaves_nothing() {
    let place = Place::new();
    let (code, said) = place.run_fails(&["--iface", "nonesuch"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("namegate: there is no interface"),
        "{said}"
    );
    assert!(!Path::new(&place.pins).exists());
}

#[test]
fn pins_of_somebody_else_are_left_alone() {
    let place = Place::new();
    fs::create_dir_all(Path::new(&place.pins).join("theirs")).unwrap();
    let (code, said) = place.run_fails(&["--iface", "lan"]);
    let expected = format!(
        "namegate: `{}/theirs` is no pin of namegate's: remove it, or name another folder with --pins\n",
        place.pins
    );
    assert_eq!((code, said), (1, expected));
    assert_eq!(place.detach().0, 1);
    assert!(Path::new(&place.pins).join("theirs").exists());
}

#[test]
fn without_a_bpf_file_system_the_filter_ends_with_the_controller_and_says_so() {
    let home = Home::new(&["ads.example.com"]);
    let nowhere = home.path("nowhere");
    let asked_for = finish(
        home.lab
            .gateway()
            .command(NAMEGATE)
            .args(home.run_args(&["--iface", "lan", "--pins", &nowhere])),
    );
    let said = String::from_utf8_lossy(&asked_for.stderr);
    assert!(
        said.contains("nowhere` is in no BPF file system, where programs stay"),
        "{said}"
    );
    // `ip netns exec` has a /sys of its own, without one.
    let mut command = home.lab.gateway().command(NAMEGATE);
    command.args(["run", "--iface", "lan", "--socket"]);
    command.arg(home.socket());
    command.args(["--list", &home.path("list")]);
    let mut controller = Running::spawn(&mut command, home.path("controller.log"));
    home.wait_for(&mut controller);
    let said = controller.said();
    let warning = "all packets pass once this controller ends: `/sys/fs/bpf/namegate` is in no BPF file system";
    assert!(said.starts_with(warning), "{said}");
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    assert!(!home.is_attached("lan"));
}

/// A gateway with a BPF file system of its own.
struct Place {
    home: Home,
    pins: String,
    _bpf: BpfFileSystem,
}

impl Place {
    fn new() -> Self {
        let home = Home::new(&["ads.example.com"]);
        let bpf = BpfFileSystem::mount(home.path("bpf").as_ref()).unwrap();
        Self {
            pins: home.path("bpf/namegate"),
            home,
            _bpf: bpf,
        }
    }

    fn start(&self) -> Running {
        self.start_with(&[])
    }

    fn start_with(&self, args: &[&str]) -> Running {
        let all = [&["--iface", "lan", "--pins", &self.pins], args].concat();
        self.home.start(&all)
    }

    fn run_fails(&self, args: &[&str]) -> (i32, String) {
        self.home
            .run_fails(&[args, &["--pins", &self.pins]].concat())
    }

    /// True if the kernel filters: a listed name does not get through, and another one does.
    fn filters(&self) -> bool {
        !self.home.asks("ads.example.com") && self.home.asks("web.example.com")
    }

    /// Exit code and words of `namegate detach`, in the gateway.
    fn detach(&self) -> (i32, String) {
        let mut command = self.home.lab.gateway().command(NAMEGATE);
        let output = finish(command.args(["detach", "--pins", &self.pins]));
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// What is in the folder of pins, objects without their build and number.
    fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.pins).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.split('_').next().unwrap_or_default().to_owned()
            })
            .collect();
        names.sort();
        names
    }
}
