//! What an answer goes by while it is made, and what its client was given.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What an OPT record says. It lives in a map: the kernel's stack is short.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Edns {
    /// The version; beyond 255 if there is no OPT record.
    pub(crate) version: u32,
    /// The byte of the flags with the DO bit (RFC 3225 §3).
    pub(crate) flags: u32,
    /// Where a COOKIE option is in the frame that has one of a server (RFC 7873 §4).
    pub(crate) cookie_at: u32,
    /// Its octets with code and length; 0 if there is none.
    pub(crate) cookie_bytes: u32,
    /// Where a message ends that has a question and perhaps an OPT record; of others, where its
    /// question does.
    pub(crate) message_end: u32,
}

impl Edns {
    /// No OPT record.
    pub(crate) const NONE: Self = Self {
        version: 256,
        flags: 0,
        cookie_at: 0,
        cookie_bytes: 0,
        message_end: 0,
    };
}

/// What is around the packet that is answered. It lives in a map: the kernel's stack is short.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Envelope {
    /// Addresses, laid out as in [`crate::Endpoints`].
    pub(crate) source: [u64; 2],
    pub(crate) destination: [u64; 2],
    /// 1 if the answer goes back, 0 if it goes on.
    pub(crate) is_back: u32,
    pub(crate) is_v6: u32,
    pub(crate) is_pppoe: u32,
    /// 1 if the device that sends the packet on makes the transport's checksum.
    pub(crate) is_checksum_left: u32,
    pub(crate) hops: u32,
    /// 1 if more of the packet is in other fragments.
    pub(crate) is_fragment: u32,
}

/// What an answer in a stream goes by. It lives in a map: the kernel's stack is short.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Stream {
    /// Sequence number of the segment that is answered.
    pub(crate) server: u32,
    /// What it acknowledges: where the client expects to go on.
    pub(crate) client: u32,
    /// Sequence number behind it.
    pub(crate) behind: u32,
    /// 1 if the client sends timestamps.
    pub(crate) has_timestamps: u32,
    /// Its timestamp, and the one that it echoes, as they are in memory.
    pub(crate) timestamps: [u32; 2],
    /// Where the DNS message is in the draft; 0 if the answer is none in a stream.
    pub(crate) message_at: u32,
}

/// What the client was given.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Given {
    /// A [`ResponseAction`], or [`Given::ANSWERED`].
    pub(crate) action: u32,
    /// One more than the index of the counter of what stood against the action that was meant; 0 if
    /// nothing did.
    pub(crate) hindrance: u32,
}
