//! The programs of the kernel object.

/// A program that another one continues with. Each has a stack of its own, and is verified by
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Program {
    /// Frames that go on in other buffers.
    Layers,
    /// DNS messages of a datagram behind its first.
    Messages,
    /// TCP segments of interest.
    Segment,
    /// Answers to what is blocked.
    Answer,
    /// QUIC packets.
    Quic,
}

/// Programs that continue with each other. The kernel lets a program with the flag for frames in
/// several buffers (`BPF_F_XDP_HAS_FRAGS`) continue with others that have it, and with no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramSet {
    /// The program that is attached.
    pub entry: &'static str,
    /// The map of those that it continues with.
    pub map: &'static str,
    /// These, and their places in that map.
    pub programs: &'static [(Program, &'static str)],
}

impl ProgramSet {
    /// For frames that lie in one buffer: without the flag, so that a driver gives no others, and
    /// generic XDP makes each frame linear first.
    pub const LINEAR: Self = Self {
        entry: "namegate",
        map: "PROGRAMS",
        programs: &[
            (Program::Messages, "namegate_joined"),
            (Program::Segment, "namegate_tcp"),
            (Program::Answer, "namegate_answer"),
            (Program::Quic, "namegate_quic"),
        ],
    };

    /// For drivers that give frames in several buffers, as they do where the MTU is large.
    pub const FRAGS: Self = Self {
        entry: "namegate_frags",
        map: "FRAGS_PROGRAMS",
        programs: &[
            (Program::Layers, "frags_layers"),
            (Program::Messages, "frags_joined"),
            (Program::Segment, "frags_tcp"),
            (Program::Answer, "frags_answer"),
            (Program::Quic, "frags_quic"),
        ],
    };

    /// Places in a map of programs.
    pub const PLACES: u32 = 5;
}
