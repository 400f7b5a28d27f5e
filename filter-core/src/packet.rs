//! The seam between the kernel and user space: bytes, and bounded loops.
//!
//! What is written by hand here is what kernel and user space do each in its own way. All other methods are made from the table of
//! subprograms: in user space they call the part of the decision that they are named after, in the kernel a function.

use core::ops::ControlFlow;

use crate::{
    bounds::Span,
    decide::{Judge, Taken},
    flows::{Flow, Flows, Held, HeldBytes, Way},
    headers::Layer,
    maps::Maps,
    name::{NAME_BYTES, Name, NameEnd},
    quic::{QuicFlow, QuicRoom},
    reason::Reason,
    subprograms,
    tls::{HandshakeBytes, HelloEnd},
};

/// Makes a method of each subprogram over the bytes of a packet.
macro_rules! packet_methods {
    ([]) => {};
    ([] packet { $($line:tt)* } $($rest:tt)*) => {
        methods! { Self, [], $($line)* }
        packet_methods! { [] $($rest)* }
    };
    ([] linear { $($line:tt)* } $($rest:tt)*) => {
        methods! { Self, [], $($line)* }
        packet_methods! { [] $($rest)* }
    };
    ([] name { $($line:tt)* } $($rest:tt)*) => {
        name_methods! { $($line)* }
        packet_methods! { [] $($rest)* }
    };
    ([] $other:ident $lines:tt $($rest:tt)*) => { packet_methods! { [] $($rest)* } };
}

/// Makes a method of each subprogram over a frame, a flow, or what is held of one, and of each program.
macro_rules! frame_methods {
    ([]) => {};
    ([] frame { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, []] { $($line)* } $($rest)* } };
    ([] frame_and_flows { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, [flows]] { $($line)* } $($rest)* } };
    ([] flows { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, [flows]] { $($line)* } $($rest)* } };
    ([] flow { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, []] { $($line)* } $($rest)* } };
    ([] flow_only { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, []] { $($line)* } $($rest)* } };
    ([] held { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Held<'_, Self>, []] { $($line)* } $($rest)* } };
    ([] held_only { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Held<'_, Self>, []] { $($line)* } $($rest)* } };
    ([] programs { $($name:ident() -> $result:ty, $program:ident;)* } $($rest:tt)*) => {
        frame_methods! { [Self, []] { $($name() -> $result;)* } $($rest)* }
    };
    ([] programs_over_flows { $($name:ident() -> $result:ty, $program:ident;)* } $($rest:tt)*) => {
        frame_methods! { [Self, [flows]] { $($name() -> $result;)* } $($rest)* }
    };
    ([] $other:ident $lines:tt $($rest:tt)*) => { frame_methods! { [] $($rest)* } };
    ([$packet:ty, $flows:tt] { $($line:tt)* } $($rest:tt)*) => {
        methods! { $packet, $flows, $($line)* }
        frame_methods! { [] $($rest)* }
    };
}

/// Makes methods of the seam that call the methods of [`Name`] of the same names.
macro_rules! name_methods {
    ($($method:ident(name: $kind:ty) -> $result:ty;)*) => {$(
        #[doc = concat!("Calls [`Name::", stringify!($method), "`].")]
        #[inline(always)]
        fn $method(name: $kind) -> $result {
            name.$method()
        }
    )*};
}

/// Makes methods of the seam that call the methods of [`Judge`] of the same names.
macro_rules! methods {
    ($packet:ty, [], $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("Calls [`Judge::", stringify!($name), "`].")]
        #[inline(always)]
        fn $name<M: Maps>(judge: &mut Judge<'_, $packet, M>, $($argument: $kind),*) -> $result {
            judge.$name($($argument),*)
        }
    )*};
    ($packet:ty, [$flows:ident], $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("Calls [`Judge::", stringify!($name), "`].")]
        #[inline(always)]
        fn $name<M: Maps, F: Flows>(
            judge: &mut Judge<'_, $packet, M>,
            $flows: &mut F,
            $($argument: $kind),*
        ) -> $result {
            judge.$name($flows, $($argument),*)
        }
    )*};
}

/// Bytes that names are read from, and the loops that may run over them.
///
/// The kernel's implementation loops with `bpf_loop`, user space with `for`. Reads outside of the bytes give `None`,
/// whatever the offset.
#[expect(clippy::len_without_is_empty, reason = "nothing asks for it")]
pub trait Packet {
    /// The `N` bytes at `at`.
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]>;

    /// The `N` bytes at `at` of the frame, which holds the last of the bytes if it is not all of them.
    #[inline(always)]
    fn read_frame<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.read(at)
    }

    /// Copies `len` bytes at `at` to `to` in `into`. `len` is 1 to [`PIECE`], `to` at most [`last_place`] of `into`.
    fn copy<const ROOM: usize>(&self, at: u32, len: u32, into: &mut [u8; ROOM], to: u32) -> Option<()>;

    /// Number of bytes.
    fn len(&self) -> u32;

    /// Calls `body.turn(state)` until it breaks, `limit` times at most.
    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S);

    subprograms! { packet_methods }
}

/// A frame, as it came.
pub trait Frame: Packet {
    /// False if the frame goes on behind the bytes that this gives.
    fn is_whole(&self) -> bool;

    /// As [`Packet::copy`], from buffered bytes.
    #[inline(always)]
    fn copy_held<const ROOM: usize>(from: &HeldBytes, at: u32, len: u32, into: &mut [u8; ROOM], to: u32) -> Option<()> {
        from.as_slice().copy(at, len, into, to)
    }

    subprograms! { frame_methods }
}

/// A frame that can become another.
pub trait Replace: Frame {
    /// Copies the frame, or as much of it as an answer may need: a longer query has more than a question and an OPT.
    #[inline(always)]
    fn copy_start(&self, len: u32, into: &mut HeldBytes) -> Option<()> {
        copy_start(self, len, into)
    }

    /// Makes the first `len` of these bytes the start of the frame, which becomes as long as `length` says; `None` if there is no
    /// room for them.
    fn replace(&mut self, with: &HeldBytes, len: u32, length: Length) -> Option<Replaced>;

    /// Writes these bytes over those at `at`; `None` if the frame does not have so many.
    fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()>;
}

/// [`Replace::copy_start`] by [`Packet::copy`].
#[inline(always)]
pub fn copy_start<P: Packet + ?Sized>(packet: &P, len: u32, into: &mut HeldBytes) -> Option<()> {
    for at in [0, PIECE, 2 * PIECE] {
        if len > at {
            packet.copy(at, (len - at).min(PIECE), into.as_mut_array(), at)?;
        }
    }
    Some(())
}

/// [`Packet::repeat`] with `TURNS` turns in each call of the body: in the kernel, a call costs more than a short turn.
#[inline(always)]
pub(crate) fn repeat_by<const TURNS: u32, P: Packet + ?Sized, S: LoopState>(
    limit: u32,
    body: &impl LoopBody<S>,
    state: &mut S,
) {
    P::repeat(limit.div_ceil(TURNS), &Unrolled::<TURNS, _>(body), state);
}

/// Bytes that are copied at once, at most.
pub const PIECE: u32 = 256;

/// The last place in so much room where a piece may start. A name is read where its octets have numbers of eight bits.
#[must_use]
pub const fn last_place(room: usize) -> usize {
    if room == NAME_BYTES { PIECE as usize - 1 } else { room - PIECE as usize }
}

/// How long a frame is when its start was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// As long as the new bytes.
    New,
    /// As long as the new bytes, and longer or shorter at its end alone: somebody knows places in it.
    NewAtEnd,
    /// As it was.
    Kept,
}

/// What a frame is after [`Replace::replace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The new bytes and nothing else.
    Whole,
    /// The new bytes, and behind them the rest of the old frame. A receiver cuts it off by the length in the IP header
    /// (RFC 791 §3.1, RFC 8200 §3), as it does with the padding of short frames.
    Padded,
}

/// The body of a loop that the kernel runs by `bpf_loop`.
///
/// A turn changes its [`LoopState`] and nothing else: the body itself is the same in each turn, which `&self` makes sure of.
/// Verifiers before Linux 6.8 check a body once, with what they know of the stack at the first turn, and remove the code that
/// would then never run. With a counter or an outcome on the stack, Linux 6.1 loaded the program and found a sixth of the
/// server names.
pub trait LoopBody<S: LoopState> {
    /// One turn; `Break` ends the loop.
    fn turn(&self, state: &mut S) -> ControlFlow<()>;
}

/// The body of a plain loop, of which the verifier follows every turn. It may have its state on the stack.
pub(crate) trait Step {
    /// One turn; `Break` ends the loop.
    fn step(&mut self) -> ControlFlow<()>;
}

/// What the turns of a loop change: memory of a map, or references to such memory, and no value beside them. The verifier
/// assumes nothing of values in maps, neither at the first turn nor behind the loop.
pub trait LoopState {}

/// Several turns as one.
struct Unrolled<'b, const TURNS: u32, B>(&'b B);

impl<const TURNS: u32, S: LoopState, B: LoopBody<S>> LoopBody<S> for Unrolled<'_, TURNS, B> {
    #[inline(always)]
    fn turn(&self, state: &mut S) -> ControlFlow<()> {
        for _ in 0..TURNS {
            self.0.turn(state)?;
        }
        ControlFlow::Continue(())
    }
}

impl Packet for [u8] {
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.get(at as usize..)?.first_chunk().copied()
    }

    fn copy<const ROOM: usize>(&self, at: u32, len: u32, into: &mut [u8; ROOM], to: u32) -> Option<()> {
        let from = self.get(at as usize..)?.get(..len as usize)?;
        into.get_mut(to as usize..)?.get_mut(..from.len())?.copy_from_slice(from);
        Some(())
    }

    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        for _ in 0..limit {
            if body.turn(state).is_break() {
                break;
            }
        }
    }
}

impl Frame for [u8] {
    fn is_whole(&self) -> bool {
        true
    }
}
