//! The keys of Initial packets, which follow from the client's first destination connection ID
//! (RFC 9001 §5.2).

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{aes::Block, sha256::State};

/// What packets of one direction are protected by.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct InitialKeys {
    /// The key of AES-128-GCM.
    pub(crate) key: Block,
    /// The key of header protection.
    pub(crate) header_key: Block,
    /// The initialization vector.
    pub(crate) iv: [u32; 3],
    pub(crate) reserved: u32,
}

/// Hashes of HMAC behind the block with the key (RFC 2104 §2).
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct HmacKey {
    pub inner: State,
    pub outer: State,
}
