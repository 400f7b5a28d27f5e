//! QUIC Initial packets: rustls derives the keys, encrypts, and makes the hello.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore, Side, Tls13CipherSuite,
    crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
    pki_types::ServerName,
    quic::{ClientConnection, Keys, Version},
};

/// A client's Initial packet (RFC 9000 §17.2.2).
#[derive(Clone, Debug)]
pub struct Initial {
    /// The version in its header.
    pub version: u32,
    /// The connection ID that the keys follow from.
    pub keys_of: Vec<u8>,
    /// The destination connection ID in the header.
    pub destination: Vec<u8>,
    /// The source connection ID.
    pub source: Vec<u8>,
    /// The token.
    pub token: Vec<u8>,
    /// The packet number.
    pub number: u8,
    /// Octets of the packet number, 1 to 4.
    pub number_bytes: usize,
    /// The bit behind the form bit, which may be 0 where the server takes that (RFC 9287).
    pub fixed_bit: bool,
    /// True for a packet that the server sends.
    pub of_server: bool,
    /// Its frames.
    pub frames: Vec<u8>,
}

impl Initial {
    /// Version 1.
    pub const V1: u32 = 1;
    /// Version 2.
    pub const V2: u32 = 0x6b33_43cf;
    /// Draft 29.
    pub const DRAFT_29: u32 = 0xff00_001d;

    /// The first packet of a connection to this connection ID.
    #[must_use]
    pub fn to(destination: &[u8]) -> Self {
        Self {
            version: Self::V1,
            keys_of: destination.to_vec(),
            destination: destination.to_vec(),
            source: vec![7; 5],
            token: Vec::new(),
            number: 0,
            number_bytes: 1,
            fixed_bit: true,
            of_server: false,
            frames: Vec::new(),
        }
    }

    /// The same with these frames, and padding up to 1,200 octets of the datagram (RFC 9000 §14.1).
    #[must_use]
    pub fn carrying(self, frames: &[Vec<u8>]) -> Self {
        let mut packet = Self {
            frames: frames.concat(),
            ..self
        };
        let missing = 1200_usize.saturating_sub(packet.sealed().len());
        packet.frames.extend(vec![0; missing]);
        packet
    }

    /// The packet as it is sent.
    ///
    /// # Panics
    /// If rustls knows no such version.
    #[must_use]
    pub fn sealed(&self) -> Vec<u8> {
        let version = rustls_version(self.version);
        let suite = suite();
        let side = if self.of_server {
            Side::Server
        } else {
            Side::Client
        };
        let keys = Keys::initial(
            version,
            suite,
            suite.quic.expect("QUIC"),
            &self.keys_of,
            side,
        )
        .local;
        let kind = if self.version == Self::V2 { 0x90 } else { 0x80 }
            | if self.fixed_bit { 0x40 } else { 0 };
        let mut packet = vec![kind | (self.number_bytes as u8 - 1)];
        packet.extend(self.version.to_be_bytes());
        for id in [&self.destination, &self.source] {
            packet.push(id.len() as u8);
            packet.extend(id);
        }
        packet.extend(integer(self.token.len() as u64));
        packet.extend(&self.token);
        // RFC 9001 §5.4.2: there are octets enough for a sample.
        let mut payload = self.frames.clone();
        let shortest = 4_usize.saturating_sub(self.number_bytes);
        payload.resize(payload.len().max(shortest), 0);
        packet.extend(
            (0x4000 | (self.number_bytes + payload.len() + keys.packet.tag_len()) as u16)
                .to_be_bytes(),
        );
        let number_at = packet.len();
        packet.extend(&u32::from(self.number).to_be_bytes()[4 - self.number_bytes..]);
        let tag = keys
            .packet
            .encrypt_in_place(self.number.into(), &packet, &mut payload)
            .expect("a sealed packet");
        packet.extend(payload);
        packet.extend(tag.as_ref());
        let sample = packet[number_at + 4..][..keys.header.sample_len()].to_vec();
        let (first, rest) = packet.split_at_mut(1);
        let number = &mut rest[number_at - 1..][..self.number_bytes];
        keys.header
            .encrypt_in_place(&sample, &mut first[0], number)
            .expect("a protected header");
        packet
    }
}

/// A CRYPTO frame (RFC 9000 §19.6).
#[must_use]
pub fn crypto_frame(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [
        vec![6],
        integer(offset as u64),
        integer(bytes.len() as u64),
        bytes.to_vec(),
    ]
    .concat()
}

/// The handshake message with a `ClientHello` for this name, as rustls makes it for QUIC.
///
/// # Panics
/// If rustls takes the text for no name.
#[must_use]
pub fn quic_hello(name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder
        .expect("versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a server name");
    let mut connection = ClientConnection::new(Arc::new(config), Version::V1, name, vec![1, 2])
        .expect("a connection");
    let mut hello = Vec::new();
    connection.write_hs(&mut hello);
    hello
}

/// What a client reads in an Initial packet of its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The version in its header.
    pub version: u32,
    /// The destination connection ID.
    pub destination: Vec<u8>,
    /// The source connection ID.
    pub source: Vec<u8>,
    /// The packet number.
    pub number: u64,
    /// Its frames.
    pub frames: Vec<u8>,
}

/// Opens a datagram with one Initial packet of a server without a token, whose client has chosen
/// this destination connection ID first; `None` if it is not protected as that says.
///
/// # Panics
/// If the header is not that of such a packet.
#[must_use]
pub fn opened_by_client(keys_of: &[u8], datagram: &[u8]) -> Option<Closing> {
    let version = u32::from_be_bytes(datagram[1..5].try_into().expect("four octets"));
    let keys = Keys::initial(
        rustls_version(version),
        suite(),
        suite().quic.expect("QUIC"),
        keys_of,
        Side::Client,
    )
    .remote;
    let id_at = |at: usize| {
        let end = at + 1 + usize::from(datagram[at]);
        (datagram[at + 1..end].to_vec(), end)
    };
    let (destination, at) = id_at(5);
    let (source, at) = id_at(at);
    assert_eq!(datagram[at], 0, "a server sends no token");
    let length = usize::from(u16::from_be_bytes([datagram[at + 1], datagram[at + 2]]) & 0x3fff);
    let number_at = at + 3;
    assert_eq!(datagram.len(), number_at + length, "one packet");
    let mut packet = datagram.to_vec();
    let sample = packet[number_at + 4..][..keys.header.sample_len()].to_vec();
    let (first, rest) = packet.split_at_mut(1);
    let number = &mut rest[number_at - 1..][..4];
    keys.header
        .decrypt_in_place(&sample, &mut first[0], number)
        .ok()?;
    let kind = if version == Initial::V2 { 0xd0 } else { 0xc0 };
    assert_eq!(
        first[0] & 0xfc,
        kind,
        "an Initial packet, no bit reserved set"
    );
    let octets = usize::from(first[0] & 3) + 1;
    let number = number[..octets]
        .iter()
        .fold(0, |number, octet| number << 8 | u64::from(*octet));
    let (header, payload) = packet.split_at_mut(number_at + octets);
    let frames = keys.packet.decrypt_in_place(number, header, payload).ok()?;
    Some(Closing {
        version,
        destination,
        source,
        number,
        frames: frames.to_vec(),
    })
}

/// The version of rustls that a version in a header is like.
fn rustls_version(version: u32) -> Version {
    match version {
        Initial::V2 => Version::V2,
        0xff00_001d..=0xff00_0020 => Version::V1Draft,
        _ => Version::V1,
    }
}

/// What all Initial packets are protected by (RFC 9001 §5.2).
fn suite() -> &'static Tls13CipherSuite {
    TLS13_AES_128_GCM_SHA256
        .tls13()
        .expect("a suite of TLS 1.3")
}

/// A variable-length integer in its shortest form (RFC 9000 §16).
fn integer(value: u64) -> Vec<u8> {
    match value {
        0..=0x3f => vec![value as u8],
        0x40..=0x3fff => (0x4000 | value as u16).to_be_bytes().to_vec(),
        _ => (0x8000_0000 | value as u32).to_be_bytes().to_vec(),
    }
}
