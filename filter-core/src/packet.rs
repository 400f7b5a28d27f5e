//! The seam between the kernel and user space: bytes, and bounded loops.
//!
//! The methods with a body are parts of the decision, or plain copying. The kernel overrides them: with the functions of
//! the table of subprograms, and with helpers.

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
    ([] $other:ident $lines:tt $($rest:tt)*) => { packet_methods! { [] $($rest)* } };
}

/// Makes a method of each subprogram over a frame, a flow, or what is held of one.
macro_rules! frame_methods {
    ([]) => {};
    ([] packet $lines:tt $($rest:tt)*) => { frame_methods! { [] $($rest)* } };
    ([] linear $lines:tt $($rest:tt)*) => { frame_methods! { [] $($rest)* } };
    ([] frame_and_flows { $($line:tt)* } $($rest:tt)*) => {
        methods! { Self, [flows], $($line)* }
        frame_methods! { [] $($rest)* }
    };
    ([] flows { $($line:tt)* } $($rest:tt)*) => {
        methods! { Self, [flows], $($line)* }
        frame_methods! { [] $($rest)* }
    };
    ([] held { $($line:tt)* } $($rest:tt)*) => {
        methods! { Held<'_, Self>, [], $($line)* }
        frame_methods! { [] $($rest)* }
    };
    ([] held_only { $($line:tt)* } $($rest:tt)*) => {
        methods! { Held<'_, Self>, [], $($line)* }
        frame_methods! { [] $($rest)* }
    };
    ([] $other:ident { $($line:tt)* } $($rest:tt)*) => {
        methods! { Self, [], $($line)* }
        frame_methods! { [] $($rest)* }
    };
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
pub trait Packet {
    /// The `N` bytes at `at`.
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]>;

    /// The `N` bytes at `at` of the frame, which holds the last of the bytes if it is not all of them.
    #[inline(always)]
    fn read_frame<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.read(at)
    }

    /// Copies `len` bytes at `at` to `to` in `into`. `len` is 1 to 256, `to` at most 255.
    fn copy(&self, at: u32, len: u32, into: &mut [u8; NAME_BYTES], to: u32) -> Option<()>;

    /// Number of bytes.
    fn len(&self) -> u32;

    /// True if there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `body.turn(state)` until it breaks, `limit` times at most.
    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S);

    /// [`Packet::repeat`] with `TURNS` turns in each call of the body: in the kernel, a call costs more than a short turn.
    #[inline(always)]
    fn repeat_by<const TURNS: u32, S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        Self::repeat(limit.div_ceil(TURNS), &Unrolled::<TURNS, B>(body), state);
    }

    /// Calls [`Name::find_labels`], which is a subprogram as well.
    #[inline(always)]
    fn find_labels(name: &mut Name) -> NameEnd {
        name.find_labels()
    }

    subprograms! { packet_methods }
}

/// A frame, as it came.
pub trait Frame: Packet {
    /// False if the frame goes on behind the bytes that this gives.
    fn is_whole(&self) -> bool;

    /// Copies `len` bytes at `at` to `to` in `into`. `len` is 1 to [`HeldBytes::PIECE`], `to` below [`HeldBytes::LEN`].
    fn hold(&self, at: u32, len: u32, into: &mut HeldBytes, to: u32) -> Option<()>;

    /// As [`Packet::copy`], from held bytes.
    #[inline(always)]
    fn copy_held(from: &HeldBytes, at: u32, len: u32, into: &mut [u8; NAME_BYTES], to: u32) -> Option<()> {
        from.as_slice().copy(at, len, into, to)
    }

    /// As [`Frame::hold`], from held bytes.
    #[inline(always)]
    fn move_held(from: &HeldBytes, at: u32, len: u32, into: &mut HeldBytes, to: u32) -> Option<()> {
        from.as_slice().hold(at, len, into, to)
    }

    /// Goes on in [`Judge::further_messages`]: a BPF program of its own in the kernel.
    #[inline(always)]
    fn further_messages<M: Maps>(judge: &mut Judge<'_, Self, M>) -> Reason {
        judge.further_messages()
    }

    /// Goes on in [`Judge::segment_of_interest`], likewise.
    #[inline(always)]
    fn segment_of_interest<M: Maps, F: Flows>(judge: &mut Judge<'_, Self, M>, flows: &mut F) -> Reason {
        judge.segment_of_interest(flows)
    }

    /// Goes on in [`Judge::quic_datagram`], likewise.
    #[inline(always)]
    fn quic_datagram<M: Maps, F: Flows>(judge: &mut Judge<'_, Self, M>, flows: &mut F) -> Reason {
        judge.quic_datagram(flows)
    }

    subprograms! { frame_methods }
}

/// A frame that can become another.
pub trait Replace: Frame {
    /// Copies the frame, or as much of it as an answer may need: a longer query has more than a question and an OPT.
    #[inline(always)]
    fn hold_start(&self, len: u32, into: &mut HeldBytes) -> Option<()> {
        self.hold_pieces(len, into)
    }

    /// [`Replace::hold_start`] by [`Frame::hold`].
    #[inline(always)]
    fn hold_pieces(&self, len: u32, into: &mut HeldBytes) -> Option<()> {
        for at in [0, HeldBytes::PIECE, 2 * HeldBytes::PIECE] {
            if len > at {
                self.hold(at, (len - at).min(HeldBytes::PIECE), into, at)?;
            }
        }
        Some(())
    }

    /// Makes the first `len` of these bytes the frame; `None` if there is no room for them. Where its start is kept, it
    /// becomes longer at its end alone: somebody knows places in it.
    fn replace(&mut self, with: &HeldBytes, len: u32, keeps_start: bool) -> Option<Replaced>;

    /// Writes these bytes over those at `at`; `None` if the frame does not have so many.
    fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()>;

    /// Writes the first `len` of these bytes over the start of the frame, which stays as long as it is.
    fn write_start(&mut self, with: &HeldBytes, len: u32) -> Option<()>;
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

    fn copy(&self, at: u32, len: u32, into: &mut [u8; NAME_BYTES], to: u32) -> Option<()> {
        copy(self, at, len, into, to)
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

    fn hold(&self, at: u32, len: u32, into: &mut HeldBytes, to: u32) -> Option<()> {
        copy(self, at, len, into.as_mut_slice(), to)
    }
}

fn copy(from: &[u8], at: u32, len: u32, into: &mut [u8], to: u32) -> Option<()> {
    let from = from.get(at as usize..)?.get(..len as usize)?;
    into.get_mut(to as usize..)?.get_mut(..from.len())?.copy_from_slice(from);
    Some(())
}
