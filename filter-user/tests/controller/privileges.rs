//! The controller of a user with capabilities and nothing else.

use std::{fs, os::unix::fs::chown, path::PathBuf, process::Command, time::Duration};

use lab::wait_until;
use tempfile::TempDir;

use crate::home::{Home, NAMEGATE, Running, finish};

const NEEDED: [&str; 3] = ["bpf", "net_admin", "perfmon"];
/// How long a start may take, most of it in the verifier: on a busy machine many times what it
/// takes alone.
const START: Duration = Duration::from_secs(90);
/// Nobody and nogroup, who own nothing.
const NOBODY: u32 = 65_534;

/// A gateway, and a folder that an unprivileged user may write to.
struct Unprivileged {
    home: Home,
    folder: TempDir,
}

impl Unprivileged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let unprivileged = Self {
            home: Home::new(&[]),
            folder,
        };
        fs::write(unprivileged.path("list"), "ads.example.com\n").unwrap();
        fs::copy(NAMEGATE, unprivileged.path("namegate")).unwrap();
        for path in [
            unprivileged.folder.path().to_owned(),
            unprivileged.path("list"),
        ] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        unprivileged
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The controller on the gateway's interface to the client, as this user with these
    /// capabilities and no others.
    fn command(&self, capabilities: &[&str]) -> Command {
        let set = [&["-all"], capabilities].concat().join(",+");
        let mut command = self.home.lab.gateway().command("setpriv");
        command.args([
            &format!("--reuid={NOBODY}"),
            &format!("--regid={NOBODY}"),
            "--clear-groups",
        ]);
        for kind in ["inh-caps", "ambient-caps", "bounding-set"] {
            command.arg(format!("--{kind}={set}"));
        }
        command
            .arg(self.path("namegate"))
            .args([
                "run",
                "--iface",
                "lan",
                "--without-controller",
                "pass",
                "--list",
            ])
            .arg(self.path("list"));
        command
            .arg("--socket")
            .arg(self.path("socket"))
            .arg("--state")
            .arg(self.path("names"));
        command
    }
}

#[test]
fn three_capabilities_are_enough_to_filter() {
    let user = Unprivileged::new();
    let mut controller = Running::spawn(&mut user.command(&NEEDED), user.home.path("log"));
    wait_until("the controller to answer", START, || {
        assert!(
            controller.process.ended()?.is_none(),
            "{}",
            controller.said()
        );
        let mut status = Command::new(NAMEGATE);
        Ok(status
            .arg("status")
            .arg("--socket")
            .arg(user.path("socket"))
            .output()?
            .status
            .success())
    })
    .unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", controller.process.id())).unwrap();
    let effective = status
        .lines()
        .find(|line| line.starts_with("CapEff:"))
        .unwrap();
    assert_eq!(
        effective, "CapEff:\t000000c000001000",
        "the test gives it other capabilities"
    );
    assert!(user.home.is_attached("lan"));
    assert_eq!(controller.signal(rustix::process::Signal::TERM), Some(0));
    assert!(!user.home.is_attached("lan"), "{}", controller.said());
}

#[test]
fn each_that_is_missing_is_named_and_all_at_once() {
    let user = Unprivileged::new();
    let says = |capabilities: &[&str], missing: &str| {
        let output = finish(&mut user.command(capabilities));
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(
            words.starts_with(&format!("namegate: missing {missing}, without which ")),
            "{words}"
        );
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(!user.home.is_attached("lan"));
    };
    says(&["net_admin", "perfmon"], "CAP_BPF");
    says(&["bpf", "perfmon"], "CAP_NET_ADMIN");
    says(&["bpf", "net_admin"], "CAP_PERFMON");
    says(&["bpf"], "CAP_NET_ADMIN, CAP_PERFMON");
    says(&[], "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON");
}

#[test]
fn the_capability_of_administrators_stands_for_all_three() {
    let user = Unprivileged::new();
    let mut controller = Running::spawn(&mut user.command(&["sys_admin"]), user.home.path("log"));
    wait_until("a program at the interface", START, || {
        assert!(
            controller.process.ended()?.is_none(),
            "{}",
            controller.said()
        );
        Ok(user.home.is_attached("lan"))
    })
    .unwrap();
}
