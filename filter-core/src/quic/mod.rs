//! Initial packets of QUIC (RFC 9000, RFC 9001, RFC 9369): their headers, their protection, their
//! frames, and what is known of a connection. No policy is known here; what is done with a packet is
//! in `decide`.

#![expect(
    clippy::many_single_char_names,
    reason = "words of a block or a hash value, named as in FIPS 180-4"
)]

mod aes;
mod connection_id;
mod flow;
mod frames;
mod ghash;
mod header;
mod keys;
mod labels;
mod protection;
mod room;
mod sha256;
mod version;

pub(crate) use aes::Block;
pub use connection_id::ConnectionId;
pub use flow::QuicFlow;
pub(crate) use frames::{FramesOf, FramesWalk, Step};
pub(crate) use header::{FIXED_BYTES, LONG, LongHeader, PacketType, may_start};
pub(crate) use labels::{CLIENT_IN, Label, SERVER_IN};
pub use room::QuicRoom;
pub(crate) use room::{Opening, SEALED_BYTES};
pub(crate) use sha256::{INITIAL, State};
pub(crate) use version::VERSIONS;
