//! Going through a hello.

use core::ops::ControlFlow::{self, Break, Continue};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{CLIENT_HELLO, HANDSHAKE_HEADER_BYTES, MAJOR_VERSION, RECORD_HEADER_BYTES};
use crate::{
    cursor::Cursor,
    packet::{LoopBody, LoopState, Packet, repeat_by},
    reason::Reason,
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

/// Whom a hello is read for.
pub trait Sink<'p>: LoopState + Sized {
    /// What the hello is read from.
    type Bytes: Packet + ?Sized + 'p;

    /// The bytes.
    fn packet(&self) -> &'p Self::Bytes;

    /// Where the reading is.
    fn walk(&mut self) -> &mut HelloWalk;

    /// Takes the server name of so many octets at `at`. Its reason becomes that of the hello,
    /// unless another name follows; no name follows a reason that ends the judging.
    fn server_name(&mut self, at: u32, octets: u32) -> Reason;

    /// Takes notice that the hello has the extension `encrypted_client_hello`.
    fn encrypted(&mut self);
}

/// Where the reading of a hello is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub struct HelloWalk {
    extensions: ExtensionsWalk,
    names: NamesWalk,
}

impl LoopState for HelloWalk {}

/// What came of a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloEnd {
    /// Why.
    pub reason: Reason,
    /// True if the hello goes on behind what there is of it.
    pub goes_on: bool,
}

impl HelloEnd {
    #[inline(always)]
    fn whole(reason: Reason) -> Self {
        Self {
            reason,
            goes_on: false,
        }
    }
}

/// Reads the server names of the hello that starts with its record at `at`, in a segment whose
/// payload ends at `end`.
#[inline(always)]
pub(crate) fn client_hello<'p, S: Sink<'p>>(sink: &mut S, at: u32, end: u32) -> HelloEnd {
    let at = at + RECORD_HEADER_BYTES;
    let Some(length) = sink.packet().read(at - 2).map(u16::from_be_bytes) else {
        return HelloEnd::whole(Reason::TlsMalformed);
    };
    handshake(sink, at, end.min(at + u32::from(length)))
}

/// The same for a handshake message, of which there is what is before `end`.
#[inline(always)]
pub(crate) fn handshake<'p, S: Sink<'p>>(sink: &mut S, at: u32, end: u32) -> HelloEnd {
    let body_at = at + HANDSHAKE_HEADER_BYTES;
    if body_at + 1 > end {
        return HelloEnd {
            reason: Reason::TlsHelloSplit,
            goes_on: true,
        };
    }
    let Some([CLIENT_HELLO, l0, l1, l2, MAJOR_VERSION]) = sink.packet().read(at) else {
        return HelloEnd::whole(Reason::TlsMalformed);
    };
    let body_end = body_at + u32::from_be_bytes([0, l0, l1, l2]);
    let is_cut = body_end > end;
    let packet = sink.packet();
    sink.walk().extensions =
        ExtensionsWalk::begin(Cursor::new(packet, body_at, body_end.min(end)), is_cut);
    repeat_by::<EXTENSIONS_A_CALL, S::Bytes, _>(EXTENSIONS, &Extensions { packet }, sink.walk());
    let ExtensionsWalk {
        names_at,
        names_end,
        encrypted,
        walk,
        ..
    } = sink.walk().extensions;
    let goes_on = is_cut && walk == Walk::RAN_OUT;
    if encrypted != 0 && !goes_on {
        sink.encrypted();
    }
    let ran_out = if goes_on {
        Reason::TlsHelloSplit
    } else {
        Reason::TlsMalformed
    };
    let reason = match names_at {
        0 if walk == Walk::DONE => Reason::TlsNoServerName,
        0 => ran_out,
        // The list is judged as far as its extension goes, whatever its own length is.
        _ => server_names(sink, names_at, names_end.min(body_end).min(end), ran_out),
    };
    HelloEnd { reason, goes_on }
}

/// How far the walk over the extensions came.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
struct Walk(u32);

impl Walk {
    /// To where there are no more bytes.
    const RAN_OUT: Self = Self(0);
    /// To where the hello says that they end.
    const DONE: Self = Self(1);
    /// To something that no hello has.
    const MALFORMED: Self = Self(2);
}

/// Where the walk from extension to extension is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct ExtensionsWalk {
    /// The next extension.
    at: u32,
    /// The end of the bytes that may be read.
    limit: u32,
    /// Where the last extension ends, as the hello says.
    end: u32,
    /// Where the ServerNameList is; 0 while it was not met.
    names_at: u32,
    /// Where its extension ends.
    names_end: u32,
    /// 1 if the extension `encrypted_client_hello` was met.
    encrypted: u32,
    walk: Walk,
}

impl ExtensionsWalk {
    /// Goes to the first extension of the hello whose body starts at the cursor.
    #[inline(always)]
    fn begin<P: Packet + ?Sized>(mut hello: Cursor<'_, P>, is_cut: bool) -> Self {
        let (walk, end) = match extensions_end(&mut hello, is_cut) {
            Ok(end) => (Walk::RAN_OUT, end),
            // Nothing is left to walk over.
            Err(walk) => (walk, NOWHERE),
        };
        Self {
            at: hello.at(),
            limit: hello.end(),
            end,
            walk,
            ..Self::default()
        }
    }
}

/// No offset of a frame.
const NOWHERE: u32 = u32::MAX;

/// Goes to the first extension; gives where the last ends.
#[inline(always)]
fn extensions_end<P: Packet + ?Sized>(
    hello: &mut Cursor<'_, P>,
    is_cut: bool,
) -> Result<u32, Walk> {
    hello.skip(VERSION_AND_RANDOM_BYTES);
    let session_id = hello.u8().ok_or(Walk::RAN_OUT)?;
    if session_id > SESSION_ID_BYTES {
        return Err(Walk::MALFORMED);
    }
    hello.skip(session_id);
    let cipher_suites = hello.u16().ok_or(Walk::RAN_OUT)?;
    hello.skip(cipher_suites);
    let compression_methods = hello.u8().ok_or(Walk::RAN_OUT)?;
    hello.skip(compression_methods);
    // Before TLS 1.3, extensions may be left out altogether (RFC 5246 §7.4.1.2).
    if hello.left() == 0 && !is_cut && hello.is_inside() {
        return Err(Walk::DONE);
    }
    let extensions = hello.u16().ok_or(Walk::RAN_OUT)?;
    let end = hello.at() + extensions;
    hello.shorten(end);
    Ok(end)
}

/// Goes from extension to extension.
struct Extensions<'p, P: ?Sized> {
    packet: &'p P,
}

impl<P: Packet + ?Sized> LoopBody<HelloWalk> for Extensions<'_, P> {
    #[inline(always)]
    fn turn(
        &self,
        HelloWalk {
            extensions: walk, ..
        }: &mut HelloWalk,
    ) -> ControlFlow<()> {
        if walk.end == NOWHERE {
            return Break(());
        }
        let mut hello = Cursor::new(self.packet, walk.at, walk.limit);
        if hello.at() == walk.end {
            // What was skipped last may lead out of what there is.
            if hello.is_inside() {
                walk.walk = Walk::DONE;
            }
            return Break(());
        }
        let Some([k0, k1, b0, b1]) = hello.array() else {
            return Break(());
        };
        let (kind, bytes) = (
            u32::from(u16::from_be_bytes([k0, k1])),
            u32::from(u16::from_be_bytes([b0, b1])),
        );
        match kind {
            // RFC 8446 §4.2: there are no two of a type. If there are, the first counts.
            SERVER_NAME if walk.names_at == 0 => {
                walk.names_at = hello.at();
                walk.names_end = hello.at() + bytes;
            }
            ENCRYPTED_CLIENT_HELLO => walk.encrypted = 1,
            _ => {}
        }
        hello.skip(bytes);
        walk.at = hello.at();
        Continue(())
    }
}

/// Where the walk from server name to server name is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct NamesWalk {
    /// The next entry of the list.
    at: u32,
    /// The end of the bytes that may be read.
    limit: u32,
    /// Index of the [`Reason`] so far.
    outcome: u32,
}

/// Hands over the names of the ServerNameList at `at`. `ran_out` is the reason if its bytes do not
/// do.
#[inline(always)]
fn server_names<'p, S: Sink<'p>>(sink: &mut S, at: u32, end: u32, ran_out: Reason) -> Reason {
    let mut names = Cursor::new(sink.packet(), at, end);
    let Some(list_bytes) = names.u16() else {
        return ran_out;
    };
    let list_end = names.at() + list_bytes;
    names.shorten(list_end);
    sink.walk().names = NamesWalk {
        at: names.at(),
        limit: names.end(),
        outcome: ran_out.index(),
    };
    S::Bytes::repeat(SERVER_NAMES, &EachName { list_end, ran_out }, sink);
    Reason::from_index(sink.walk().names.outcome).unwrap_or(ran_out)
}

/// Hands over each host name of a list until one ends the judging.
struct EachName {
    list_end: u32,
    /// The reason if the list does not end where it says.
    ran_out: Reason,
}

impl<'p, S: Sink<'p>> LoopBody<S> for EachName {
    #[inline(always)]
    fn turn(&self, sink: &mut S) -> ControlFlow<()> {
        let NamesWalk { at, limit, .. } = sink.walk().names;
        if at == self.list_end {
            return Break(());
        }
        let mut names = Cursor::new(sink.packet(), at, limit);
        let entry = names
            .array()
            .map(|[kind, b0, b1]| (kind, u32::from(u16::from_be_bytes([b0, b1]))));
        let Some((kind, bytes)) = entry.filter(|(_, bytes)| *bytes <= names.left()) else {
            sink.walk().names.outcome = self.ran_out.index();
            return Break(());
        };
        if kind == HOST_NAME {
            let outcome = sink.server_name(names.at(), bytes);
            sink.walk().names.outcome = outcome.index();
            if outcome.ends_judging() {
                return Break(());
            }
        } else if sink.walk().names.outcome == self.ran_out.index() {
            sink.walk().names.outcome = Reason::TlsNoServerName.index();
        }
        names.skip(bytes);
        sink.walk().names.at = names.at();
        Continue(())
    }
}
