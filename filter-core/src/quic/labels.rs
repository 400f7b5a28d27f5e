//! The labels that the keys of Initial packets are derived by (RFC 9001 §5.1, §5.2,
//! RFC 9369 §3.3.2). Each makes one block of a hash, always the same: its message schedule is
//! computed by the compiler.

use super::sha256::{self, ROUNDS};

/// A label: its place among [`LABELS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(u32);

/// The labels of a version, but for those of the secrets, which all have in common.
#[derive(Clone, Copy)]
pub(crate) struct Labels {
    /// Of the key of packets.
    pub key: Label,
    /// Of the initialization vector.
    pub iv: Label,
    /// Of the key of header protection.
    pub header_key: Label,
}

/// Of the client's secret.
pub(crate) const CLIENT_IN: Label = Label(0);
/// Of the server's.
pub(crate) const SERVER_IN: Label = Label(7);
/// RFC 9001 §5.1.
pub(crate) const LABELS_V1: Labels = Labels {
    key: Label(1),
    iv: Label(2),
    header_key: Label(3),
};
/// RFC 9369 §3.3.2.
pub(crate) const LABELS_V2: Labels = Labels {
    key: Label(4),
    iv: Label(5),
    header_key: Label(6),
};

static LABELS: [[u32; ROUNDS]; 8] = [
    scheduled(32, b"client in"),
    scheduled(16, b"quic key"),
    scheduled(12, b"quic iv"),
    scheduled(16, b"quic hp"),
    scheduled(16, b"quicv2 key"),
    scheduled(12, b"quicv2 iv"),
    scheduled(16, b"quicv2 hp"),
    scheduled(32, b"server in"),
];

impl Label {
    /// Its number.
    #[inline(always)]
    pub(crate) fn index(self) -> u32 {
        self.0
    }

    /// The message schedule of the last block that is hashed with the label of this number.
    #[inline(always)]
    pub(crate) fn schedule(index: u32) -> Option<&'static [u32; ROUNDS]> {
        LABELS.get(crate::bounds::within(index as usize, 0, LABELS.len() - 1)?)
    }
}

/// The block with `HkdfLabel` (RFC 8446 §7.1), the counter of HKDF-Expand (RFC 5869 §2.3) and the
/// padding of a message of two blocks, of which the first has the key.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler runs it, and stops where an index is wrong"
)]
const fn scheduled(bytes: u8, label: &[u8]) -> [u32; ROUNDS] {
    const PREFIX: &[u8] = b"tls13 ";

    let mut block = [0; 64];
    block[1] = bytes;
    block[2] = (PREFIX.len() + label.len()) as u8;
    let mut at = 3;
    let mut from = 0;
    while from < PREFIX.len() {
        block[at] = PREFIX[from];
        at += 1;
        from += 1;
    }
    from = 0;
    while from < label.len() {
        block[at] = label[from];
        at += 1;
        from += 1;
    }
    // An empty context, the counter, and the bit behind the message (FIPS 180-4 §5.1.1).
    block[at + 1] = 1;
    block[at + 2] = 0x80;
    let bits = ((64 + at + 2) * 8) as u16;
    [block[62], block[63]] = bits.to_be_bytes();
    sha256::constant::schedule(&block)
}
