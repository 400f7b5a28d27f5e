//! What a CPU works with on a QUIC packet.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{
    aes::AesKey,
    connection_id::ConnectionId,
    frames::FramesWalk,
    ghash::{Element, HashTable},
    keys::{HmacKey, InitialKeys},
    sha256::Sha256,
};
use crate::{abi::Allowance, buffer::MessageBuffer, packet::LoopState};

/// Octets that are copied of a packet that was sealed: not less than the longest has.
pub(crate) const SEALED_BYTES: usize = 128;

/// Memory for deriving keys and opening a packet; one entry of a map for each CPU.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
pub struct QuicRoom {
    // Deriving keys.
    pub(crate) hash: Sha256,
    pub(crate) hmac: HmacKey,
    /// The connection ID that keys are derived from.
    pub(crate) derive_from: ConnectionId,
    /// The keys that the packet is opened with.
    pub(crate) keys: InitialKeys,
    // Opening a packet.
    pub(crate) cipher: AesKey,
    pub(crate) header_cipher: AesKey,
    pub(crate) table: HashTable,
    pub(crate) opening: Opening,
    /// What this CPU may still open in this second.
    pub(crate) budget: Allowance,
    // Its frames.
    pub(crate) frames: FramesWalk,
    /// The packet. Its payload is decrypted in place. Then, the packet that is made for its client.
    pub(crate) packet: MessageBuffer,
}

impl QuicRoom {
    /// Eight octets of the packet that was sealed.
    #[inline(always)]
    pub(crate) fn sealed_word(&self, at: u32) -> Option<[u8; 8]> {
        self.packet.load(at)
    }
}

/// The packet that is opened; offsets are from its start.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Opening {
    /// The hash of GCM so far.
    pub hashed: Element,
    /// Where the next block starts that is hashed.
    pub hash_at: u32,
    /// Where the part ends that is hashed.
    pub hash_end: u32,
    /// Where the packet number starts.
    pub number_at: u32,
    /// Where the payload starts.
    pub payload_at: u32,
    /// Where it ends, and the tag starts.
    pub payload_end: u32,
    /// Up to where it is decrypted, and up to where it is to be.
    pub decrypted: u32,
    pub wanted: u32,
    /// The packet number.
    pub number: u32,
    /// 1 if the packet is made here, 0 if it has come.
    pub is_sealed: u32,
    pub reserved: u32,
}

impl LoopState for QuicRoom {}
