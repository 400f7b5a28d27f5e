//! What can go wrong with the kernel, in words that say what to do.

use std::io;

use aya::{maps::MapError, programs::ProgramError};

use super::{
    pins::PinError,
    requirements::{Features, Refusal},
};

/// Why the kernel does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// No interface has the name.
    #[error(
        "there is no interface `{name}`; `ip link` lists those there are, and with `--wait` namegate starts without it and \
         attaches when it appears"
    )]
    NoInterface {
        /// What was asked for.
        name: String,
    },
    /// The memory of a map cannot be had.
    #[error(
        "the kernel does not share the memory of its maps ({0}): look for a limit of memory (`ulimit -v`)"
    )]
    Shared(io::Error),
    /// Programs cannot have a map of others.
    #[error(
        "the maps that are there cannot be given to larger programs ({0}): look for a limit of open files (`ulimit -n`)"
    )]
    SharedMap(io::Error),
    /// The table of effect is full.
    #[error(
        "the lists overlap in more combinations of groups, schedules and actions than the kernel has room for: use fewer \
         groups and schedules"
    )]
    EffectsFull,
    /// An interface was named twice.
    #[error("interface `{name}` is named twice; name it once")]
    InterfaceTwice {
        /// What was asked for.
        name: String,
    },
    /// Another XDP program is there.
    #[error(
        "`{interface}` already has an XDP program: id {id}, `{name}`; stop what attached it, or take it off: a link with \
         `bpftool link detach` (`bpftool link list` has its id), and else with `ip link set dev {interface} xdp off`"
    )]
    Occupied {
        /// The interface.
        interface: String,
        /// Id of the program that is there.
        id: u32,
        /// Its name.
        name: String,
    },
    /// Frames of the interface have no Ethernet header.
    #[error(
        "`{interface}` carries no Ethernet frames but packets of type {kind} (a tunnel, PPP or WireGuard, for example): \
         name the interface below it, or the bridge or LAN port that its clients are behind"
    )]
    NotEthernet {
        /// The interface.
        interface: String,
        /// Its ARPHRD type in words.
        kind: String,
    },
    /// The driver cannot run XDP.
    #[error(
        "`{interface}` cannot run XDP in its driver ({error}); use `--mode generic` or `--mode auto`"
    )]
    NotNative {
        /// The interface.
        interface: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// Frames of a veth may take several buffers.
    #[error(
        "`{interface}` is a veth with an MTU of {mtu}, whose driver takes frames of one buffer alone (about 3,500 bytes): with \
         programs for frames in several buffers, some kernels panic (docs/kernel-bugs.md); use `--mode generic` or `--mode auto`, \
         or lower the MTU of both ends"
    )]
    VethMtu {
        /// The interface.
        interface: String,
        /// In bytes.
        mtu: u32,
    },
    /// The kernel refused to attach.
    #[error("cannot attach to `{interface}`: {}", attach_words(error))]
    Attach {
        /// The interface.
        interface: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// The process lacks capabilities.
    #[error(
        "missing {capabilities}, without which the kernel takes no program; run as root, or give CAP_BPF, CAP_NET_ADMIN and \
         CAP_PERFMON with `setcap` or systemd's AmbientCapabilities"
    )]
    Permission {
        /// All that are missing, as in capabilities(7).
        capabilities: String,
    },
    /// The process has the capabilities, and the kernel forbids it all the same.
    #[error(
        "the kernel forbids the bpf system call ({error}), though this process has the capabilities: {advice}"
    )]
    Forbidden {
        /// What the kernel said.
        error: io::Error,
        /// What may be in the way.
        advice: String,
    },
    /// The kernel lacks features.
    #[error("this kernel ({running}) lacks what the program needs: {features}")]
    Missing {
        /// The release that runs.
        running: String,
        /// All that is missing.
        features: Features,
    },
    /// The verifier refused a program.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The kernel made no map.
    #[error(
        "the kernel does not make the map `{name}` ({error}); where memory is short, lower --max-rules or --flows"
    )]
    NewMap {
        /// The map.
        name: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// The programs cannot be loaded for another reason.
    #[error("cannot load the programs: {0}")]
    Load(String),
    /// The rule map is full, and larger maps would do.
    #[error("the rule map is full at {capacity} rules")]
    RulesFull {
        /// Rules that it was made for.
        capacity: u32,
    },
    /// The maps of groups, clients, audiences and lists are full, and larger maps would do.
    #[error("the maps of groups, of their clients and of lists are full")]
    GroupsFull,
    /// A policy has more rules than there may be.
    #[error(
        "the policy takes {rules} entries in the kernel, and there may be {max_rules}: take lists out, or start namegate with \
         --max-rules {rules} or more"
    )]
    TooManyRules {
        /// Entries that its rules take.
        rules: u64,
        /// The bound.
        max_rules: u32,
    },
    /// A frame is empty, or longer than the room for it.
    #[cfg(feature = "feed")]
    #[error(
        "a frame of {len} bytes cannot be fed to the program: give it frames of 1 to {most} bytes"
    )]
    FrameLength {
        /// Bytes of the frame.
        len: usize,
        /// Bytes of the longest that can be.
        most: usize,
    },
    /// What was timed was not the program with all of the frames.
    #[cfg(feature = "feed")]
    #[error(
        "{fed} of {of} frames were fed to `{program}`, or it did not run: the time would be of something else"
    )]
    NotFed {
        /// The program.
        program: &'static str,
        /// How many frames were fed to it.
        fed: u64,
        /// How many were to be.
        of: u32,
    },
    /// Something is not in the embedded object.
    #[error("this build is broken: its kernel object has no `{what}`; build it again")]
    Object {
        /// The missing map or program.
        what: &'static str,
    },
    /// A file of the kernel's could not be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// No random numbers.
    #[error("the kernel gives no random numbers: {0}")]
    Random(#[source] io::Error),
    /// A netlink request failed.
    #[error("cannot ask the kernel about `{interface}`: {error}")]
    Netlink {
        /// The interface.
        interface: String,
        /// Why.
        error: io::Error,
    },
    /// The interfaces could not be had.
    #[error("cannot ask the kernel which interfaces there are: {0}")]
    Interfaces(#[source] io::Error),
    /// The routes could not be had.
    #[error(
        "cannot ask the kernel where the default route leads: {0}; name the interfaces with clients with --clients"
    )]
    Routes(#[source] io::Error),
    /// A controller before this one was in another network namespace.
    #[error(
        "the pins are of a controller that filters interface {interface} of another network namespace: run namegate there, \
         detach with `namegate detach` there, or name another folder with --pins"
    )]
    LeftElsewhere {
        /// The index of its interface.
        interface: u32,
    },
    /// What is to stay when the controller ends cannot.
    #[error(transparent)]
    Pins(#[from] PinError),
    /// An operation on a map failed.
    #[error("the kernel refuses an operation on a map: {0}")]
    Map(#[from] MapError),
    /// An operation on the program failed.
    #[error("the kernel refuses an operation on the program: {0}")]
    Program(#[source] ProgramError),
}

/// What the kernel said, and what to do where that is known.
fn attach_words(error: &io::Error) -> String {
    // Of the two reasons (net/core/dev.c), the other, a program on the interface itself, is looked
    // for before.
    if error.raw_os_error() == Some(libc::EEXIST) {
        return "a device above it (its bridge, bond or VLAN) has an XDP program: filter that device or those below it, and \
                not both"
            .into();
    }
    error.to_string()
}

impl From<ProgramError> for KernelError {
    fn from(error: ProgramError) -> Self {
        match error {
            // With the verifier's log, which belongs in no message.
            ProgramError::LoadError { io_error, .. } => Self::Load(io_error.to_string()),
            other => Self::Program(other),
        }
    }
}
