//! System calls that fail when a test wants them to: a supervisor answers for the kernel
//! (`seccomp_unotify(2)`).

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    sync::mpsc,
    thread,
};

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JUMP, BPF_K, BPF_LD, BPF_RET, BPF_STMT, BPF_W,
    SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND,
    SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF, SECCOMP_SET_MODE_FILTER,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE, seccomp_notif, seccomp_notif_resp, sock_filter, sock_fprog,
};

/// A system call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// bpf(2) with this command.
    Bpf(u64),
    /// dup3(2)
    Dup3,
}

impl Call {
    /// A program is loaded.
    pub const PROG_LOAD: Self = Self::Bpf(5);
    /// The object's types are loaded.
    pub const BTF_LOAD: Self = Self::Bpf(18);
    /// Another program takes the place of one that is attached.
    pub const LINK_UPDATE: Self = Self::Bpf(29);
}

/// Which calls fail, from the one with a number on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// That one alone.
    Once,
    /// That one and those behind it that do the same: who loads a program tries again.
    Alike,
    /// That one and all behind it.
    All,
}

impl Failing {
    /// True if the last of these calls is to fail.
    fn fails(self, from: usize, calls: &[Call]) -> bool {
        match (self, calls.get(from)) {
            (_, None) => false,
            (Self::Once, _) => calls.len() == from + 1,
            (Self::Alike, first) => first == calls.last(),
            (Self::All, _) => true,
        }
    }
}

/// Does some work in a thread of its own, and gives the calls of bpf(2) and dup3(2) that it made,
/// it and the threads that it started. The one with this number, from 0 on, fails for want of
/// memory, and so do those behind it that do the same.
pub fn with_failing<T: Send>(
    fails: Option<usize>,
    work: impl FnOnce() -> T + Send,
) -> (T, Vec<Call>) {
    with_failing_as(Failing::Alike, fails, work)
}

/// The same, with others behind it that fail.
pub fn with_failing_as<T: Send>(
    failing: Failing,
    fails: Option<usize>,
    work: impl FnOnce() -> T + Send,
) -> (T, Vec<Call>) {
    let (listener, listeners) = mpsc::channel();
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            listener
                .send(listen().expect("a supervisor of system calls"))
                .unwrap();
            work()
        });
        let listener: OwnedFd = listeners.recv().unwrap();
        let mut calls = Vec::new();
        while let Some(call) = next(&listener) {
            let is_bpf = libc::c_long::from(call.data.nr) == libc::SYS_bpf;
            calls.push(if is_bpf {
                Call::Bpf(call.data.args[0])
            } else {
                Call::Dup3
            });
            let answer = if fails.is_some_and(|from| failing.fails(from, &calls)) {
                Err(libc::ENOMEM)
            } else {
                Ok(())
            };
            reply(&listener, call.id, answer);
        }
        (worker.join().unwrap(), calls)
    })
}

/// Has the calls of this thread and of those that it will start wait for the listener's answer.
fn listen() -> io::Result<OwnedFd> {
    const NUMBER: u32 = 0;

    let load = (BPF_LD | BPF_W | BPF_ABS) as u16;
    let (equal, give) = ((BPF_JMP | BPF_JEQ | BPF_K) as u16, (BPF_RET | BPF_K) as u16);
    // SAFETY: these only make values.
    let mut program: [sock_filter; 5] = unsafe {
        [
            BPF_STMT(load, NUMBER),
            BPF_JUMP(equal, libc::SYS_bpf as u32, 2, 0),
            BPF_JUMP(equal, libc::SYS_dup3 as u32, 1, 0),
            BPF_STMT(give, SECCOMP_RET_ALLOW),
            BPF_STMT(give, SECCOMP_RET_USER_NOTIF),
        ]
    };
    let program = sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the program is one of classic BPF, and outlives the call.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    if listener < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for this process.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}

/// The next call; none once all of these threads have ended.
fn next(listener: &OwnedFd) -> Option<seccomp_notif> {
    let mut ready = libc::pollfd {
        fd: listener.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    loop {
        // SAFETY: it is one descriptor to look at.
        unsafe { libc::poll(&raw mut ready, 1, -1) };
        if ready.revents & libc::POLLIN == 0 && ready.revents & libc::POLLHUP != 0 {
            return None;
        }
        // SAFETY: integers, of which zeros are a value; the kernel asks for them.
        let mut call: seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes a call there.
        if unsafe {
            libc::ioctl(
                listener.as_raw_fd(),
                SECCOMP_IOCTL_NOTIF_RECV,
                &raw mut call,
            )
        } == 0
        {
            return Some(call);
        }
    }
}

/// Lets the kernel go on with a call, or has it fail.
fn reply(listener: &OwnedFd, id: u64, answer: Result<(), i32>) {
    let flags = if answer.is_ok() {
        SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32
    } else {
        0
    };
    let mut reply = seccomp_notif_resp {
        id,
        val: 0,
        error: answer.err().map_or(0, |error| -error),
        flags,
    };
    // SAFETY: the kernel reads the answer.
    let replied = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            SECCOMP_IOCTL_NOTIF_SEND,
            &raw mut reply,
        )
    };
    assert_eq!(replied, 0, "{}", io::Error::last_os_error());
}
