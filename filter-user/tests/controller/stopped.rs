//! Verbs meet a controller that does not answer, or that their user may not ask.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    process::{Pid, Signal, kill_process},
};

use crate::home::{Home, NAMEGATE, Running, finish};

/// Nobody and nogroup, who own nothing.
const NOBODY: u32 = 65_534;

#[test]
fn each_verb_says_within_its_time_that_a_stopped_controller_does_not_answer() {
    let home = Home::new(&["a.example"]);
    let controller = home.start(&["--iface", "lan"]);
    send(&controller, Signal::STOP);
    let socket = home.socket();
    let sentence = |seconds: u32| {
        format!(
            "namegate: the controller on `{}` gave no answer within {seconds} s: it may be stopped or busy, and may still do \
             what it was told; see whether its process runs, or wait longer with --timeout\n",
            socket.display()
        )
    };
    for verb in [
        &["status"][..],
        &["stats"],
        &["stats", "--watch"],
        &["test", "a.example"],
        &["explain", "a.example"],
        &["events"],
        &["reload"],
        &["reload", "--cancel"],
        &["rollback"],
        &["block", "list"],
        &["block", "add", "b.example"],
        &["block", "remove", "a.example"],
        &["allow", "a.example"],
    ] {
        let since = Instant::now();
        let failed = home.fails(&[verb, &["--timeout", "1"]].concat());
        assert_eq!(failed, (1, sentence(1)), "{verb:?}");
        assert!(since.elapsed() < Duration::from_secs(4), "{verb:?}");
    }
    // A change has ten minutes, and the controller ten seconds to say that it is there.
    assert_eq!(home.fails(&["reload"]), (1, sentence(10)));
    send(&controller, Signal::CONT);
    assert_eq!(home.json(&["test", "a.example"])["verdict"], "drop");
}

#[test]
fn a_queue_that_is_full_is_waited_for_and_not_for_ever() {
    let home = Home::new(&["a.example"]);
    let controller = home.start(&["--iface", "lan"]);
    send(&controller, Signal::STOP);
    let mut waiting = Vec::new();
    for _ in 0..1000 {
        let stream = connected(&home.socket());
        let Some(stream) = stream else { break };
        waiting.push(stream);
    }
    let (code, words) = home.fails(&["status", "--timeout", "1"]);
    assert!(
        code == 1 && words.contains("gave no answer within 1 s"),
        "{words}"
    );
    drop(waiting);
    send(&controller, Signal::CONT);
    assert_eq!(home.json(&["test", "a.example"])["verdict"], "drop");
}

/// A connection, or nothing where the queue is full.
fn connected(path: &std::path::Path) -> Option<rustix::fd::OwnedFd> {
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
    let address = SocketAddrUnix::new(path).unwrap();
    connect(&socket, &address).ok().map(|()| socket)
}

#[test]
fn somebody_elses_lock_on_the_sockets_folder_keeps_no_controller_from_starting() {
    let home = Home::new(&["a.example"]);
    let folder = fs::File::open(home.lab.directory()).unwrap();
    flock(&folder, FlockOperation::LockExclusive).unwrap();
    let _controller = home.start(&["--iface", "lan"]);
    assert!(home.is_attached("lan"));
}

#[test]
fn a_user_without_rights_is_told_which_are_missing_and_not_to_choose_another_socket() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("namegate");
    fs::copy(NAMEGATE, &program).unwrap();
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    // The socket is found, and is not for this user.
    fs::set_permissions(home.lab.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = |capabilities: &str, args: &[&str]| {
        let mut command = home.lab.gateway().command("setpriv");
        command.args([
            &format!("--reuid={NOBODY}"),
            &format!("--regid={NOBODY}"),
            "--clear-groups",
        ]);
        for kind in ["inh-caps", "ambient-caps", "bounding-set"] {
            command.arg(format!("--{kind}={capabilities}"));
        }
        command.arg(&program).args(args);
        let output = finish(&mut command);
        assert!(output.stdout.is_empty());
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let socket = home.socket();
    let socket = socket.to_str().unwrap();
    let expected = format!(
        "namegate: you may not use `{socket}`: run this as the user who runs the controller (root)\n"
    );
    assert_eq!(
        as_nobody("-all", &["status", "--socket", socket]),
        (1, expected)
    );

    let run = [
        "run",
        "--iface",
        "lan",
        "--socket",
        "/run/namegate-of-nobody.sock",
    ];
    let (code, words) = as_nobody("-all", &run);
    assert_eq!(
        (code, &*words),
        (
            1,
            "namegate: missing CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, without which the kernel takes no program; run as root, \
             or give CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON with `setcap` or systemd's AmbientCapabilities\n"
        )
    );
    let (code, words) = as_nobody("-all,+bpf,+net_admin,+perfmon", &run);
    assert_eq!(
        (code, &*words),
        (
            1,
            "namegate: you may not make the socket `/run/namegate-of-nobody.sock`: run namegate as root, or name a path with \
             --socket in a folder that you may write to\n"
        )
    );
}

fn send(controller: &Running, signal: Signal) {
    let id = Pid::from_raw(controller.process.id().cast_signed()).unwrap();
    kill_process(id, signal).unwrap();
}
