//! The server name of a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3).
//!
//! A hello is told by its content, on any port, where it starts a segment. It is read as far as
//! there is of it: a name that is complete is judged even where the rest of the hello follows in
//! another segment.
//!
//! Nothing here knows of rules: names go to a [`Sink`].

mod hello;
mod records;
#[cfg(test)]
mod tests;

use core::ops::ControlFlow::{self, Break, Continue};

use crate::{
    buffer::Copying,
    packet::{LoopBody, Packet},
    reason::Reason,
};

pub use hello::{HelloEnd, HelloWalk, Sink};
pub(crate) use hello::{client_hello, handshake};
pub use records::HandshakeBytes;
pub(crate) use records::join_records;

/// ContentType `change_cipher_spec` (RFC 8446 §5.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
/// ContentType `handshake` (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// HandshakeType `client_hello` (RFC 8446 §4).
const CLIENT_HELLO: u8 = 1;
/// Major version of the record layer and of the hello in SSL 3.0 and all TLS (RFC 8446 §5.1,
/// RFC 6101 §5.2.1).
const MAJOR_VERSION: u8 = 3;
/// The first bit of a record of SSL 2.0 (RFC 5246 appendix E.2).
const SSLV2_LENGTH: u8 = 0x80;
const RECORD_HEADER_BYTES: u32 = 5;
/// Records that are passed over before a hello; OpenSSL takes 32 empty ones in a row
/// (`MAX_EMPTY_RECORDS`).
const RECORDS_BEFORE: u32 = 32;
const HANDSHAKE_HEADER_BYTES: u32 = 4;

/// What a segment starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A hello, all of it in one record and in the segment.
    Hello,
    /// The record header and handshake header of a hello, and the first octet of its version.
    SplitHello,
    /// Fewer octets than that, all of which could be its start, or that of a record before it.
    Part,
    /// A hello in the form of SSL 2.0.
    Sslv2,
    /// Something else.
    Other,
}

impl Start {
    /// True if a hello starts here, or may do so.
    #[inline(always)]
    pub(crate) fn is_of_hello(self) -> bool {
        matches!(self, Self::Hello | Self::SplitHello | Self::Part)
    }
}

/// Octets before a hello that are no part of it: records of type `change_cipher_spec`, which a
/// client that is asked for another hello may send first (RFC 8446 appendix D.4), and empty ones,
/// which `OpenSSL` and `GnuTLS` read over. An error if there are more than anybody takes.
#[inline(always)]
pub(crate) fn octets_before<P: Packet + ?Sized>(
    packet: &P,
    copying: &mut Copying,
    at: u32,
    end: u32,
) -> Result<u32, Reason> {
    if octets_of_other(packet, at, end) == 0 {
        return Ok(0);
    }
    copying.at = at;
    P::repeat(RECORDS_BEFORE, &RecordsBefore { packet, end }, copying);
    let behind = copying.at;
    if octets_of_other(packet, behind, end) == 0 {
        Ok(behind - at)
    } else {
        Err(Reason::TlsBeyond)
    }
}

/// Passes over records before a hello.
struct RecordsBefore<'p, P: ?Sized> {
    packet: &'p P,
    end: u32,
}

impl<P: Packet + ?Sized> LoopBody<Copying> for RecordsBefore<'_, P> {
    #[inline(always)]
    fn turn(&self, copying: &mut Copying) -> ControlFlow<()> {
        let octets = octets_of_other(self.packet, copying.at, self.end);
        copying.at += octets;
        if octets == 0 { Break(()) } else { Continue(()) }
    }
}

/// The octets of the record at `at`, if it ends before `end` and may stand before a hello; else 0.
#[inline(always)]
fn octets_of_other<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> u32 {
    if at + RECORD_HEADER_BYTES > end {
        return 0;
    }
    match packet.read(at) {
        Some([HANDSHAKE, MAJOR_VERSION, _, 0, 0]) => RECORD_HEADER_BYTES,
        Some([CHANGE_CIPHER_SPEC, MAJOR_VERSION, _, 0, 1])
            if at + RECORD_HEADER_BYTES < end
                && packet.read(at + RECORD_HEADER_BYTES) == Some([1]) =>
        {
            RECORD_HEADER_BYTES + 1
        }
        _ => 0,
    }
}

/// A first look: false for most of what is no hello. Octets behind the payload are looked at as
/// well.
#[inline(always)]
pub(crate) fn may_start<P: Packet + ?Sized>(packet: &P, at: u32) -> bool {
    match packet.read(at) {
        Some([HANDSHAKE | CHANGE_CIPHER_SPEC, _, _]) => true,
        Some([length, _, kind]) => length >= SSLV2_LENGTH && kind == CLIENT_HELLO,
        None => packet.read(at) == Some([HANDSHAKE]),
    }
}

/// What is between `at` and `end`.
#[inline(always)]
pub(crate) fn start<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> Start {
    const START_BYTES: u32 = RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES + 1;

    if at + START_BYTES > end {
        return if at < end && is_part(packet, at, end) {
            Start::Part
        } else {
            Start::Other
        };
    }
    match packet.read::<{ START_BYTES as usize }>(at) {
        Some(
            [
                HANDSHAKE,
                MAJOR_VERSION,
                _,
                r0,
                r1,
                CLIENT_HELLO,
                h0,
                h1,
                h2,
                MAJOR_VERSION,
            ],
        ) => {
            let record = u32::from(u16::from_be_bytes([r0, r1]));
            let message = HANDSHAKE_HEADER_BYTES + u32::from_be_bytes([0, h0, h1, h2]);
            let is_whole = message <= record && at + RECORD_HEADER_BYTES + message <= end;
            if is_whole {
                Start::Hello
            } else {
                Start::SplitHello
            }
        }
        // A record that ends within these octets says the type of the message at least.
        Some([HANDSHAKE, MAJOR_VERSION, _, 0, 1..=4, CLIENT_HELLO, ..]) => Start::SplitHello,
        Some([l0, l1, CLIENT_HELLO, ..])
            if l0 >= SSLV2_LENGTH && is_sslv2(packet, [l0, l1], at + 2, end) =>
        {
            Start::Sslv2
        }
        _ => Start::Other,
    }
}

#[inline(always)]
fn is_part<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> bool {
    let is =
        |offset: u32, octet: u8| at + offset >= end || packet.read(at + offset) == Some([octet]);
    let is_hello = is(0, HANDSHAKE) && is(RECORD_HEADER_BYTES, CLIENT_HELLO);
    // A record before a hello that is not all there.
    let is_before = is(0, CHANGE_CIPHER_SPEC)
        && is(3, 0)
        && is(4, 1)
        && is(RECORD_HEADER_BYTES, 1)
        && at + RECORD_HEADER_BYTES + 1 > end;
    is(1, MAJOR_VERSION) && (is_hello || is_before)
}

/// RFC 5246 appendix E.2: the record's length below its first bit, type and version, then the
/// lengths of three fields that fill the record. Ciphers take three octets each, the challenge 16
/// at least. The type is at `at`.
#[inline(always)]
fn is_sslv2<P: Packet + ?Sized>(packet: &P, [l0, l1]: [u8; 2], at: u32, end: u32) -> bool {
    /// All before the fields, from the type on: what the record's length counts.
    const HEADER_BYTES: u32 = 9;

    let Some([_, major, minor, c0, c1, s0, s1, r0, r1]) = packet.read(at) else {
        return false;
    };
    let length = |high: u8, low: u8| u32::from(u16::from_be_bytes([high, low]));
    let (ciphers, session, challenge) = (length(c0, c1), length(s0, s1), length(r0, r1));
    at + HEADER_BYTES <= end
        && matches!((major, minor), (0, 2) | (MAJOR_VERSION, _))
        && ciphers > 0
        && ciphers % 3 == 0
        && challenge >= 16
        && length(l0 - SSLV2_LENGTH, l1) == HEADER_BYTES + ciphers + session + challenge
}
