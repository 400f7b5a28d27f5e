//! The server name of a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3).
//!
//! A hello is told by its content, on any port. It is read as far as the segment and the record have it: a name that
//! is complete is judged even where the rest of the hello follows in another segment.

use core::ops::ControlFlow::{self, Break, Continue};

use crate::{
    cursor::Cursor,
    decide::Judge,
    packet::{Packet, Step},
    reason::Reason,
    rules::Rules,
};

/// ContentType `handshake` (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// HandshakeType `client_hello` (RFC 8446 §4).
const CLIENT_HELLO: u8 = 1;
/// Major version of the record layer and of the hello in SSL 3.0 and all TLS (RFC 8446 §5.1, RFC 6101 §5.2.1).
const MAJOR_VERSION: u8 = 3;
const RECORD_HEADER_BYTES: u32 = 5;
const HANDSHAKE_HEADER_BYTES: u32 = 4;
/// `legacy_version` and `random` (RFC 8446 §4.1.2).
const VERSION_AND_RANDOM_BYTES: u32 = 2 + 32;
/// `legacy_session_id<0..32>` (RFC 8446 §4.1.2).
const SESSION_ID_BYTES: u32 = 32;
/// ExtensionType `server_name` (RFC 6066 §3).
const SERVER_NAME: u32 = 0;
/// NameType `host_name` (RFC 6066 §3).
const HOST_NAME: u8 = 0;
/// No packet holds more: an extension takes at least four bytes of at most 65,535.
const EXTENSIONS: u32 = 65_535 / 4;
/// Names of a list that are judged. RFC 6066 §3 allows one of each type, and knows one type.
const SERVER_NAMES: u32 = 16;

/// Record header, handshake header and the first octet of the version.
const START_BYTES: u32 = RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES + 1;

/// Whether a ClientHello starts at `at`.
#[inline(always)]
pub(crate) fn starts_hello<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> Result<bool, Reason> {
    if at + START_BYTES > end {
        return Ok(false);
    }
    let start = packet.read::<{ START_BYTES as usize }>(at).ok_or(Reason::HeadersCut)?;
    Ok(matches!(start, [HANDSHAKE, MAJOR_VERSION, _, _, _, CLIENT_HELLO, _, _, _, MAJOR_VERSION]))
}

/// Judges the server names of the hello that starts at `at`, in a segment whose payload ends at `end`.
#[inline(always)]
pub(crate) fn client_hello<P: Packet + ?Sized, R: Rules>(
    judge: &mut Judge<'_, P, R>,
    at: u32,
    end: u32,
) -> Result<Reason, Reason> {
    let start = judge.packet.read::<{ START_BYTES as usize }>(at).ok_or(Reason::HeadersCut)?;
    let [_, _, _, r0, r1, _, h0, h1, h2, _] = start;
    let record_end = at + RECORD_HEADER_BYTES + u32::from(u16::from_be_bytes([r0, r1]));
    let body_at = at + RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES;
    let body_end = body_at + u32::from_be_bytes([0, h0, h1, h2]);
    let available = record_end.min(end);

    let cursor = Cursor::new(judge.packet, body_at, body_end.min(available));
    let ran_out = if body_end > available { Reason::TlsHelloSplit } else { Reason::TlsMalformed };
    server_names(judge, cursor, ran_out)
}

/// Judges the names of the hello whose body starts at the cursor. `ran_out` is the reason if its bytes do not do.
#[inline(always)]
fn server_names<'p, P: Packet + ?Sized, R: Rules>(
    judge: &mut Judge<'p, P, R>,
    mut hello: Cursor<'p, P>,
    ran_out: Reason,
) -> Result<Reason, Reason> {
    hello.skip(VERSION_AND_RANDOM_BYTES);
    let session_id = hello.u8().ok_or(ran_out)?;
    if session_id > SESSION_ID_BYTES {
        return Err(Reason::TlsMalformed);
    }
    hello.skip(session_id);
    let cipher_suites = hello.u16().ok_or(ran_out)?;
    hello.skip(cipher_suites);
    let compression_methods = hello.u8().ok_or(ran_out)?;
    hello.skip(compression_methods);
    // Before TLS 1.3, extensions may be left out altogether (RFC 5246 §7.4.1.2).
    if hello.left() == 0 && matches!(ran_out, Reason::TlsMalformed) {
        return Err(Reason::TlsNoServerName);
    }
    let extensions = hello.u16().ok_or(ran_out)?;
    let extensions_end = hello.at() + extensions;
    hello.shorten(extensions_end);

    let mut search = FindServerName { hello, extensions_end, found: Err(ran_out) };
    P::repeat(EXTENSIONS, &mut search);
    let list_bytes = search.found?;
    let mut names = search.hello;
    let list_end = names.at() + list_bytes;
    names.shorten(list_end);
    let mut each = JudgeNames { judge, names, list_end, ran_out, outcome: Err(ran_out) };
    P::repeat(SERVER_NAMES, &mut each);
    each.outcome
}

/// Goes from extension to extension until `server_name`.
struct FindServerName<'p, P: ?Sized> {
    hello: Cursor<'p, P>,
    extensions_end: u32,
    /// Length of the ServerNameList, with the cursor at its first entry.
    found: Result<u32, Reason>,
}

impl<P: Packet + ?Sized> Step for FindServerName<'_, P> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.hello.at() == self.extensions_end {
            self.found = Err(Reason::TlsNoServerName);
            return Break(());
        }
        let (Some(kind), Some(bytes)) = (self.hello.u16(), self.hello.u16()) else { return Break(()) };
        if kind != SERVER_NAME {
            self.hello.skip(bytes);
            return Continue(());
        }
        if let Some(list_bytes) = self.hello.u16() {
            self.found = Ok(list_bytes);
        }
        Break(())
    }
}

/// Judges each host name of a list until one is blocked.
struct JudgeNames<'j, 'p, P: ?Sized, R> {
    judge: &'j mut Judge<'p, P, R>,
    names: Cursor<'p, P>,
    list_end: u32,
    /// The reason if the list does not end where it says.
    ran_out: Reason,
    outcome: Result<Reason, Reason>,
}

impl<P: Packet + ?Sized, R: Rules> Step for JudgeNames<'_, '_, P, R> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.names.at() == self.list_end {
            return Break(());
        }
        let entry = self.names.array().map(|[kind, b0, b1]| (kind, u32::from(u16::from_be_bytes([b0, b1]))));
        let Some((kind, bytes)) = entry.filter(|(_, bytes)| *bytes <= self.names.left()) else {
            self.outcome = Err(self.ran_out);
            return Break(());
        };
        if kind == HOST_NAME {
            let at = self.names.at();
            self.outcome = host_name(self.judge, at, bytes);
            if matches!(self.outcome, Ok(Reason::TlsBlocked)) {
                return Break(());
            }
        } else if self.outcome == Err(self.ran_out) {
            self.outcome = Err(Reason::TlsNoServerName);
        }
        self.names.skip(bytes);
        Continue(())
    }
}

#[inline(always)]
fn host_name<P: Packet + ?Sized, R: Rules>(judge: &mut Judge<'_, P, R>, at: u32, bytes: u32) -> Result<Reason, Reason> {
    let named = judge.name.read_text(judge.packet, at, bytes, &judge.settings.hash_key);
    named.map_err(|_| Reason::TlsNameMalformed)?;
    Ok(if judge.is_blocked() { Reason::TlsBlocked } else { Reason::TlsNotListed })
}
