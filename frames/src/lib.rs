//! Frames for tests and measurements. Expected bytes come from other people's encoders:
//! hickory-proto writes the DNS messages, rustls the `ClientHello`s, etherparse the headers around
//! them.
//!
//! Input is that of tests: what cannot be encoded panics.

mod around;
mod checksums;
mod dns;
mod drawn;
mod headers;
mod heard;
mod hello;
mod opened;
mod quic;
mod rewrite;
mod segments;
mod sslv2;
mod tls;
pub mod worst;

pub use around::{Tunnel, behind_labels, in_pppoe, in_snap};
pub use checksums::{with_checksums, with_partial_checksum};
pub use dns::{
    Asking, Data, Sections, over_tcp, query, query_numbered, query_of, query_without_edns,
    response, response_of, response_with, update,
};
pub use drawn::Drawn;
pub use headers::{Header, Network, Wrap};
pub use heard::{heard, heard_in_message};
pub use hello::{Extension, Hello};
pub use opened::{Answer, Edns, Opened, Segment, answer, opened};
pub use quic::{Closing, Initial, crypto_frame, opened_by_client, quic_hello};
pub use rewrite::{behind_extensions, from_ipv4, ipv4_fragment, ipv6_fragment, tagged};
pub use segments::{in_records, in_segments, segment};
pub use sslv2::sslv2_hello;
pub use tls::{client_hello, client_hello_without_name, server_name_at};
