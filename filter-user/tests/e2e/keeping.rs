//! Filtering goes on without a gap: over crashes, restarts and upgrades.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use lab::{BpfFileSystem, Options, Process, wait_until};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    network::{LISTED, NAMEGATE, Network},
    prober::Prober,
};

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn crashes_at_any_moment_leave_no_gap() {
    let place = Place::new();
    let mut controller = place.start_and_wait();
    let prober = Prober::start(&place.network.lab);
    for round in 0..20_u64 {
        // Some of these end it while it starts, others while it reads the lists again.
        sleep(Duration::from_millis(round * 7_919 % 1_400));
        if round % 3 == 0 && place.answers() {
            signal(&controller, Signal::HUP);
            sleep(Duration::from_millis(round * 31 % 50));
        }
        controller.kill().unwrap();
        sleep(Duration::from_millis(round * 6_151 % 400));
        controller = place.start();
    }
    place.wait_for_answers();
    prober.was_right();
}

#[test]
fn restarts_and_upgrades_leave_no_gap_and_lose_no_counts() {
    let place = Place::new();
    let mut controller = place.start_and_wait();
    let prober = Prober::start(&place.network.lab);
    let mut counted = 0;
    for round in 0..6 {
        sleep(Duration::from_millis(200));
        let before = place.blocked();
        assert!(before > counted, "{before} of {counted}, in round {round}");
        controller.stop().unwrap();
        assert!(place.network.is_attached());
        let is_upgrade = round % 3 == 2;
        if is_upgrade {
            place.make_it_another_build();
        }
        controller = place.start_and_wait();
        counted = if is_upgrade { 0 } else { before };
        assert_eq!(place.objects().len(), 1, "the one in use");
    }
    prober.was_right();
    drop(controller);
}

/// The maps that a larger policy needs are pinned before a packet meets it.
#[test]
fn a_policy_that_outgrew_its_maps_stays_after_a_crash() {
    let place = Place::new();
    let controller = place.start_and_wait();
    let links = place.links();
    let prober = Prober::start(&place.network.lab);
    let names = (0..40_000).map(|number| format!("host-{number}.example.net"));
    let names: Vec<_> = names.chain([LISTED.to_owned()]).collect();
    fs::write(place.network.path("list"), names.join("\n")).unwrap();
    let mut reload = Command::new(NAMEGATE);
    reload
        .args(["reload", "--socket"])
        .arg(place.network.path("socket"));
    assert!(reload.output().unwrap().status.success());
    assert_eq!(place.objects().len(), 1);
    // A link that is pinned anew would end with a crash just then.
    assert_eq!(place.links(), links);
    controller.kill().unwrap();
    sleep(Duration::from_millis(500));
    let _controller = place.start_and_wait();
    assert_eq!(place.links(), links);
    prober.was_right();
}

/// What the other tests hold the filter to is seen where it is not so.
#[test]
fn without_pins_a_crash_leaves_a_gap() {
    let place = Place::new();
    let controller = place.start_with(&["--without-controller", "pass"]);
    place.wait_for_answers();
    let prober = Prober::start(&place.network.lab);
    sleep(Duration::from_millis(500));
    controller.kill().unwrap();
    sleep(Duration::from_millis(500));
    for wrong in prober.wrong() {
        assert!(!wrong.is_empty());
    }
}

/// A lab with a BPF file system of its own.
struct Place {
    network: Network,
    bpf: BpfFileSystem,
}

impl Place {
    fn new() -> Self {
        let network = Network::new(&Options::default());
        fs::write(network.path("list"), format!("{LISTED}\n")).unwrap();
        let bpf = BpfFileSystem::mount(network.path("bpf").as_ref()).unwrap();
        Self { network, bpf }
    }

    fn start(&self) -> Process {
        self.start_with(&["--pins", &self.pins().display().to_string()])
    }

    fn start_with(&self, args: &[&str]) -> Process {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.network.path("log"))
            .unwrap();
        let mut command = self.network.lab.gateway().command(NAMEGATE);
        command.args(["run", "--iface", "lan", "--mode", "generic", "--subtrees"]);
        command.args(["--action", "nxdomain", "--tcp", "reset"]);
        command.args(["--answers-per-second", "0", "--clients", "lan"]);
        command.args(["--list", &self.network.path("list")]);
        command.args(["--socket", &self.network.path("socket")]);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Process::spawn(&mut command).unwrap()
    }

    fn start_and_wait(&self) -> Process {
        let controller = self.start();
        self.wait_for_answers();
        controller
    }

    fn wait_for_answers(&self) {
        let answered = wait_until("the controller to answer", LIMIT, || Ok(self.answers()));
        assert!(answered.is_ok(), "{}", self.network.said());
    }

    fn answers(&self) -> bool {
        self.network.verb("status").is_some()
    }

    /// DNS messages that were blocked, as the controller says.
    fn blocked(&self) -> u64 {
        let stats = self.network.verb("stats").unwrap();
        stats["counters"]["dns_blocked"].as_u64().unwrap()
    }

    fn pins(&self) -> PathBuf {
        self.bpf.path().join("namegate")
    }

    /// The pins of links, by their names and inodes.
    fn links(&self) -> Vec<(OsString, u64)> {
        let entries = fs::read_dir(self.pins().join("links")).unwrap();
        let inode = |entry: fs::DirEntry| (entry.file_name(), entry.metadata().unwrap().ino());
        let links: Vec<_> = entries.map(|entry| inode(entry.unwrap())).collect();
        assert_eq!(links.len(), 1);
        links
    }

    fn objects(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.pins()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| !path.ends_with("links")).collect()
    }

    /// What is pinned is then of a build that the next controller does not know.
    fn make_it_another_build(&self) {
        for object in self.objects() {
            fs::rename(&object, self.pins().join("object_0000000000000000_1")).unwrap();
        }
    }
}

fn signal(process: &Process, signal: Signal) {
    kill_process(Pid::from_raw(process.id().cast_signed()).unwrap(), signal).unwrap();
}
