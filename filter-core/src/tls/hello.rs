//! Going through a hello.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{CLIENT_HELLO, HANDSHAKE_HEADER_BYTES, MAJOR_VERSION, RECORD_HEADER_BYTES};
use crate::{
    cursor::Cursor,
    decide::Judge,
    maps::Maps,
    packet::{Packet, Step},
    reason::{Counter, Message, Reason},
};

/// `legacy_version` and `random` (RFC 8446 §4.1.2).
const VERSION_AND_RANDOM_BYTES: u32 = 2 + 32;
/// `legacy_session_id<0..32>` (RFC 8446 §4.1.2).
const SESSION_ID_BYTES: u32 = 32;
/// ExtensionType `server_name` (RFC 6066 §3).
const SERVER_NAME: u32 = 0;
/// ExtensionType `encrypted_client_hello` (draft-ietf-tls-esni-22 §5).
const ENCRYPTED_CLIENT_HELLO: u32 = 0xfe0d;
/// NameType `host_name` (RFC 6066 §3).
const HOST_NAME: u8 = 0;
/// No packet holds more: an extension takes at least four bytes of at most 65,535.
const EXTENSIONS: u32 = 65_535 / 4;
/// Browsers send 15 to 18.
const EXTENSIONS_A_CALL: u32 = 6;
/// Names of a list that are judged. RFC 6066 §3 allows one of each type, and knows one type.
const SERVER_NAMES: u32 = 16;

/// What came of a hello.
#[derive(Clone, Copy, Debug)]
pub struct HelloEnd {
    /// Why.
    pub reason: Reason,
    /// True if the hello goes on behind what there is of it.
    pub goes_on: bool,
}

impl HelloEnd {
    #[inline(always)]
    fn whole(reason: Reason) -> Self {
        Self { reason, goes_on: false }
    }
}

/// Judges the server names of the hello that starts with its record at `at`, in a segment whose payload ends at `end`.
#[inline(always)]
pub(crate) fn client_hello<P: Packet + ?Sized, M: Maps>(judge: &mut Judge<'_, P, M>, at: u32, end: u32) -> HelloEnd {
    let at = at + RECORD_HEADER_BYTES;
    let Some(length) = judge.packet.read(at - 2).map(u16::from_be_bytes) else {
        return HelloEnd::whole(Reason::TlsMalformed);
    };
    handshake(judge, at, end.min(at + u32::from(length)))
}

/// The same for a handshake message, of which there is what is before `end`.
#[inline(always)]
pub(crate) fn handshake<P: Packet + ?Sized, M: Maps>(judge: &mut Judge<'_, P, M>, at: u32, end: u32) -> HelloEnd {
    let body_at = at + HANDSHAKE_HEADER_BYTES;
    if body_at + 1 > end {
        return HelloEnd { reason: Reason::TlsHelloSplit, goes_on: true };
    }
    let Some([CLIENT_HELLO, l0, l1, l2, MAJOR_VERSION]) = judge.packet.read(at) else {
        return HelloEnd::whole(Reason::TlsMalformed);
    };
    let body_end = body_at + u32::from_be_bytes([0, l0, l1, l2]);
    let is_cut = body_end > end;
    let mut hello = Extensions::of(Cursor::new(judge.packet, body_at, body_end.min(end)), is_cut);
    P::repeat_by::<EXTENSIONS_A_CALL, _>(EXTENSIONS, &mut hello);
    let Extensions { names_at, names_end, encrypted, walk, .. } = hello;
    let goes_on = is_cut && walk == Walk::RanOut;
    if encrypted && !goes_on {
        judge.maps.count(Counter::EncryptedClientHello);
    }
    let ran_out = if goes_on { Reason::TlsHelloSplit } else { Reason::TlsMalformed };
    let reason = match names_at {
        0 if walk == Walk::Done => Reason::TlsNoServerName,
        0 => ran_out,
        // The list is judged as far as its extension goes, whatever its own length is.
        _ => server_names(judge, names_at, names_end.min(body_end).min(end), ran_out),
    };
    HelloEnd { reason, goes_on }
}

/// How far the walk over the extensions came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// To where the hello says that they end.
    Done,
    /// To where there are no more bytes.
    RanOut,
    /// To something that no hello has.
    Malformed,
}

/// Goes from extension to extension.
struct Extensions<'p, P: ?Sized> {
    hello: Cursor<'p, P>,
    end: u32,
    /// Where the ServerNameList is; 0 while it was not met.
    names_at: u32,
    /// Where its extension ends.
    names_end: u32,
    encrypted: bool,
    walk: Walk,
}

impl<'p, P: Packet + ?Sized> Extensions<'p, P> {
    /// Those of the hello whose body starts at the cursor.
    #[inline(always)]
    fn of(mut hello: Cursor<'p, P>, is_cut: bool) -> Self {
        let (walk, end) = match extensions_end(&mut hello, is_cut) {
            Ok(end) => (Walk::RanOut, end),
            // Nothing is left to walk over.
            Err(walk) => (walk, NOWHERE),
        };
        Self { hello, end, names_at: 0, names_end: 0, encrypted: false, walk }
    }
}

/// No offset of a frame.
const NOWHERE: u32 = u32::MAX;

/// Goes to the first extension; gives where the last ends.
#[inline(always)]
fn extensions_end<P: Packet + ?Sized>(hello: &mut Cursor<'_, P>, is_cut: bool) -> Result<u32, Walk> {
    hello.skip(VERSION_AND_RANDOM_BYTES);
    let session_id = hello.u8().ok_or(Walk::RanOut)?;
    if session_id > SESSION_ID_BYTES {
        return Err(Walk::Malformed);
    }
    hello.skip(session_id);
    let cipher_suites = hello.u16().ok_or(Walk::RanOut)?;
    hello.skip(cipher_suites);
    let compression_methods = hello.u8().ok_or(Walk::RanOut)?;
    hello.skip(compression_methods);
    // Before TLS 1.3, extensions may be left out altogether (RFC 5246 §7.4.1.2).
    if hello.left() == 0 && !is_cut && hello.is_inside() {
        return Err(Walk::Done);
    }
    let extensions = hello.u16().ok_or(Walk::RanOut)?;
    let end = hello.at() + extensions;
    hello.shorten(end);
    Ok(end)
}

impl<P: Packet + ?Sized> Step for Extensions<'_, P> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.end == NOWHERE {
            return Break(());
        }
        if self.hello.at() == self.end {
            // What was skipped last may lead out of what there is.
            if self.hello.is_inside() {
                self.walk = Walk::Done;
            }
            return Break(());
        }
        let Some([k0, k1, b0, b1]) = self.hello.array() else { return Break(()) };
        let (kind, bytes) = (u32::from(u16::from_be_bytes([k0, k1])), u32::from(u16::from_be_bytes([b0, b1])));
        match kind {
            // RFC 8446 §4.2: there are no two of a type. If there are, the first counts.
            SERVER_NAME if self.names_at == 0 => {
                self.names_at = self.hello.at();
                self.names_end = self.hello.at() + bytes;
            }
            ENCRYPTED_CLIENT_HELLO => self.encrypted = true,
            _ => {}
        }
        self.hello.skip(bytes);
        Continue(())
    }
}

/// Judges the names of the ServerNameList at `at`. `ran_out` is the reason if its bytes do not do.
#[inline(always)]
fn server_names<P: Packet + ?Sized, M: Maps>(
    judge: &mut Judge<'_, P, M>,
    at: u32,
    end: u32,
    ran_out: Reason,
) -> Reason {
    let mut names = Cursor::new(judge.packet, at, end);
    let Some(list_bytes) = names.u16() else { return ran_out };
    let list_end = names.at() + list_bytes;
    names.shorten(list_end);
    let mut each = JudgeNames { judge, names, list_end, ran_out, outcome: ran_out };
    P::repeat(SERVER_NAMES, &mut each);
    each.outcome
}

/// Judges each host name of a list until one is blocked.
struct JudgeNames<'j, 'p, P: ?Sized, M> {
    judge: &'j mut Judge<'p, P, M>,
    names: Cursor<'p, P>,
    list_end: u32,
    /// The reason if the list does not end where it says.
    ran_out: Reason,
    outcome: Reason,
}

impl<P: Packet + ?Sized, M: Maps> Step for JudgeNames<'_, '_, P, M> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.names.at() == self.list_end {
            return Break(());
        }
        let entry = self.names.array().map(|[kind, b0, b1]| (kind, u32::from(u16::from_be_bytes([b0, b1]))));
        let Some((kind, bytes)) = entry.filter(|(_, bytes)| *bytes <= self.names.left()) else {
            self.outcome = self.ran_out;
            return Break(());
        };
        if kind == HOST_NAME {
            let at = self.names.at();
            self.outcome = host_name(self.judge, at, bytes);
            if self.outcome.is_blocked() {
                return Break(());
            }
        } else if self.outcome == self.ran_out {
            self.outcome = Reason::TlsNoServerName;
        }
        self.names.skip(bytes);
        Continue(())
    }
}

#[inline(always)]
fn host_name<P: Packet + ?Sized, M: Maps>(judge: &mut Judge<'_, P, M>, at: u32, bytes: u32) -> Reason {
    match judge.scratch.name.read_text(judge.packet, at, bytes) {
        Ok(()) => judge.judge_name(0, Message::ClientHello, false),
        Err(_) => Reason::TlsNameMalformed,
    }
}
