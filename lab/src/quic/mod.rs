//! HTTP/3 over QUIC in the lab: quinn with rustls at both ends. What a browser needs besides is
//! [`QuicServer::key_hash`].

mod aioquic;
mod authority;
mod client;
mod server;

pub use aioquic::{
    Aioquic, AioquicServer, Note, Reply, Request, ServerOptions, TRANSPORT_PAGE, Version,
};
pub use authority::SignedCertificate;
pub use client::{Got, KeyExchange, QuicClient};
pub use server::{QUIC_PAGE, QuicServer};

/// The application protocol of HTTP/3 (RFC 9114 §3.1).
const ALPN: &[u8] = b"h3";
const PORT: u16 = 443;
