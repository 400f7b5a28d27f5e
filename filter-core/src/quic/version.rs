//! The versions of QUIC that are read, and what differs between them.

use super::{
    labels::{LABELS_V1, LABELS_V2, Labels},
    sha256::{self, State},
};

/// A version that is read: its place among [`VERSIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(u32);

/// What a version has of its own.
pub(crate) struct Row {
    /// The inner and outer hash of HMAC (RFC 2104 §2) behind the block with the salt of this
    /// version as the key.
    pub salted: [State; 2],
    /// The labels that keys are derived by.
    pub labels: Labels,
    /// What the two bits of the packet type say of an Initial; the other types follow in the order
    /// of RFC 9000 §17.2.
    pub initial: u8,
}

/// RFC 9001 §5.2, also in the drafts 33 and 34.
const SALT_V1: [u8; 20] =
    *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
/// RFC 9369 §3.3.1.
const SALT_V2: [u8; 20] =
    *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
/// draft-ietf-quic-tls-29 §5.2, up to draft 32.
const SALT_DRAFT_29: [u8; 20] =
    *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
/// draft-ietf-quic-tls-23 §5.2, up to draft 28.
const SALT_DRAFT_23: [u8; 20] =
    *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";

/// The rows, in the order that [`Version::from_wire`] gives them.
pub(crate) static VERSIONS: [Row; 4] = [
    Row {
        salted: salted(&SALT_V1),
        labels: LABELS_V1,
        initial: 0,
    },
    Row {
        salted: salted(&SALT_V2),
        labels: LABELS_V2,
        initial: 1,
    },
    Row {
        salted: salted(&SALT_DRAFT_29),
        labels: LABELS_V1,
        initial: 0,
    },
    Row {
        salted: salted(&SALT_DRAFT_23),
        labels: LABELS_V1,
        initial: 0,
    },
];

impl Version {
    /// The version with this number in a long header (RFC 9000 §15); `None` for one that is not
    /// read.
    #[inline(always)]
    pub(crate) fn from_wire(version: u32) -> Option<Self> {
        match version {
            // Version 1, and the drafts 33 and 34 with the same salt.
            1 | 0xff00_0021 | 0xff00_0022 => Some(Self(0)),
            // RFC 9369 §3.1.
            0x6b33_43cf => Some(Self(1)),
            // The drafts 29 to 32.
            0xff00_001d..=0xff00_0020 => Some(Self(2)),
            // The drafts 23 to 28, and Facebook's variants of draft 27 (IANA, QUIC Versions).
            0xff00_0017..=0xff00_001c | 0xface_b002 | 0xface_b00e => Some(Self(3)),
            _ => None,
        }
    }

    /// Its place among [`VERSIONS`].
    #[inline(always)]
    pub(crate) fn index(self) -> u32 {
        self.0
    }
}

/// The hashes of HMAC-SHA256 behind the first block of each, for a salt as the key.
const fn salted(salt: &[u8; 20]) -> [State; 2] {
    [keyed(salt, 0x36), keyed(salt, 0x5c)]
}

#[expect(
    clippy::indexing_slicing,
    reason = "the compiler runs it, and stops where an index is wrong"
)]
const fn keyed(salt: &[u8; 20], pad: u8) -> State {
    let mut block = [pad; 64];
    let mut at = 0;
    while at < salt.len() {
        block[at] ^= salt[at];
        at += 1;
    }
    sha256::constant::first_block(&block)
}
