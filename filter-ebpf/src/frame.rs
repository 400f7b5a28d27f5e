//! The kernel's side of the seam: bytes, and bounded loops. With arguments.rs, atomics.rs,
//! copying.rs, `cpu_state.rs`, globals.rs, maps.rs and replacing.rs, all `unsafe` of the program
//! but that of `filter_core::intrinsics`.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_loop, bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
    maps::ProgramArray,
};
use filter_core::{
    Buffered, Flow, Flows, Frame, HandshakeBytes, HelloEnd, Inspection, Layer, LoopBody, LoopState,
    Maps, MessageBuffer, NAME_BYTES, Name, NameEnd, Packet, Program, QuicFlow, QuicRoom, Reason,
    SegmentKind, Subprograms, Way,
    bounds::{Span, opaque, within},
    intrinsics::unaligned::{in_words, store_64, word_64},
    last_place,
    return_codes::ReturnCode,
};

use crate::{
    arguments::{Argument, calls_with_values},
    copying::{copy_buffered, piece},
    maps, subprograms,
};

/// What the verifier lets be added to a packet pointer (`MAX_PACKET_OFF` in kernel/bpf/verifier.c).
const OFFSET_MAX: usize = 0xffff;

/// The part of a frame that lies in its first buffer: all of it, unless it came in several, as it
/// may where the programs have the flag for that (`FRAGS`).
pub struct Linear<const FRAGS: bool>(pub *mut xdp_md);

/// A frame that may lie in several buffers: every read is a helper call.
pub struct Paged(pub *mut xdp_md);

impl<const FRAGS: bool> Linear<FRAGS> {
    /// The frame of this context.
    #[inline(always)]
    pub fn new(ctx: *mut xdp_md) -> Self {
        Self(ctx)
    }

    #[inline(always)]
    fn read_bytes<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let (start, end) = bounds(self.0);
        let at = opaque(start + within(at as usize, 0, OFFSET_MAX - N)?);
        if at + N > end {
            return None;
        }
        // SAFETY: the N bytes at `at` lie before the end of the frame.
        Some(unsafe { in_words(at) })
    }

    #[inline(always)]
    fn bytes(&self) -> u32 {
        let (start, end) = bounds(self.0);
        (end - start) as u32
    }

    /// False if the frame goes on in other buffers.
    #[inline(always)]
    pub fn has_all(&self) -> bool {
        self.bytes() == Paged(self.0).bytes()
    }

    #[inline(always)]
    fn programs() -> &'static ProgramArray {
        if FRAGS {
            &maps::FRAGS_PROGRAMS
        } else {
            &maps::PROGRAMS
        }
    }

    /// Copies `len` bytes at `at`, a word at a time: for a name, a call of `bpf_xdp_load_bytes`
    /// takes longer.
    ///
    /// # Safety
    /// There is room for `len` bytes at `into`, and for eight; `len` is 1 to
    /// [`MessageBuffer::PIECE`].
    #[inline(always)]
    unsafe fn copy_bytes(&self, at: u32, len: usize, into: *mut u8) -> Option<()> {
        let (start, end) = bounds(self.0);
        // No name starts within the first header.
        let at = within(
            at as usize,
            8,
            OFFSET_MAX - MessageBuffer::PIECE as usize - 8,
        )?;
        let (mut from, mut to, mut left) = (start + at, into, len);
        while left >= 8 {
            from = opaque(from);
            if from + 8 > end {
                return None;
            }
            // SAFETY: the word lies before the end of the frame, and there is room for all that is
            // left.
            to = unsafe { store_64(to, u64::from_ne_bytes(word_64(from))) };
            from += 8;
            left -= 8;
        }
        if left == 0 {
            return Some(());
        }
        // The word that ends with the last byte; the frame goes back further than that.
        let last = opaque(start + opaque(at + len - 8));
        if last + 8 > end {
            return None;
        }
        // SAFETY: the word lies before the end of the frame, and there is room for it.
        unsafe {
            let word = u64::from_ne_bytes(word_64(last));
            if len < 8 {
                store_64(
                    into,
                    u64::from_ne_bytes(word.to_le_bytes()).wrapping_shr(8 * (8 - len as u32)),
                );
            } else {
                store_64(into.add(opaque(len - 8) & 0xff), word);
            }
        }
        Some(())
    }
}

impl Paged {
    /// The frame of this context.
    #[inline(always)]
    pub fn new(ctx: *mut xdp_md) -> Self {
        Self(ctx)
    }

    #[inline(always)]
    fn read_bytes<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        // SAFETY: `bytes` has room for N bytes, and the context is the program's own.
        let failed = unsafe { bpf_xdp_load_bytes(self.0, at, bytes.as_mut_ptr().cast(), N as u32) };
        (failed == 0).then_some(bytes)
    }

    #[inline(always)]
    #[expect(
        clippy::unused_self,
        reason = "frames of the other kind may lack bytes"
    )]
    fn has_all(&self) -> bool {
        true
    }

    /// Frames in one buffer go this way only to be answered, which no program follows.
    #[inline(always)]
    fn programs() -> &'static ProgramArray {
        &maps::FRAGS_PROGRAMS
    }

    #[inline(always)]
    fn bytes(&self) -> u32 {
        // SAFETY: the context is the program's own.
        unsafe { bpf_xdp_get_buff_len(self.0) as u32 }
    }

    /// Copies `len` bytes at `at`.
    ///
    /// # Safety
    /// There is room for `len` bytes at `into`.
    #[inline(always)]
    unsafe fn copy_bytes(&self, at: u32, len: usize, into: *mut u8) -> Option<()> {
        // SAFETY: the caller has room, and the context is the program's own.
        let failed = unsafe { bpf_xdp_load_bytes(self.0, at, into.cast(), len as u32) };
        (failed == 0).then_some(())
    }

    /// Index of the interface that the frame came in by.
    #[inline(always)]
    pub fn interface(&self) -> u32 {
        // SAFETY: the kernel hands the program a valid context.
        unsafe { (*self.0).ingress_ifindex }
    }
}

/// Makes methods of the seam that call the functions of the table of subprograms, which lie in this
/// module, for those over the bytes of a packet or a name.
macro_rules! packet_calls {
    ([$module:ident]) => {};
    ([$module:ident] packet { $($line:tt)* } $($rest:tt)*) => {
        calls! { $module [] $($line)* }
        packet_calls! { [$module] $($rest)* }
    };
    ([linear] linear { $($line:tt)* } $($rest:tt)*) => {
        calls! { any [] $($line)* }
        packet_calls! { [linear] $($rest)* }
    };
    ([paged] linear { $($line:tt)* } $($rest:tt)*) => {
        no_calls! { $($line)* }
        packet_calls! { [paged] $($rest)* }
    };
    ([$module:ident] name { $($line:tt)* } $($rest:tt)*) => {
        calls_with_values! { $($line)* }
        packet_calls! { [$module] $($rest)* }
    };
    ([$module:ident] $other:ident $lines:tt $($rest:tt)*) => { packet_calls! { [$module] $($rest)* } };
}

/// Likewise for those over a frame, a flow, or what is held of one, and for programs.
macro_rules! frame_calls {
    ([$module:ident]) => {};
    ([$module:ident] frame { $($line:tt)* } $($rest:tt)*) => {
        calls! { $module [] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] frame_and_flows { $($line:tt)* } $($rest:tt)*) => {
        calls! { $module [_flows] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] flow { $($line:tt)* } $($rest:tt)*) => {
        calls! { any [] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] flows { $($line:tt)* } $($rest:tt)*) => {
        calls_without_frame! { [_flows] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] flow_only { $($line:tt)* } $($rest:tt)*) => {
        calls_without_frame! { [] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] buffered { $($line:tt)* } $($rest:tt)*) => {
        calls_with_buffered_bytes! { $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] buffered_only { $($line:tt)* } $($rest:tt)*) => {
        calls_with_buffered_bytes_alone! { $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] programs { $($line:tt)* } $($rest:tt)*) => {
        tail_calls! { [] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] programs_over_flows { $($line:tt)* } $($rest:tt)*) => {
        tail_calls! { [_flows] $($line)* }
        frame_calls! { [$module] $($rest)* }
    };
    ([$module:ident] $other:ident $lines:tt $($rest:tt)*) => { frame_calls! { [$module] $($rest)* } };
}

/// Makes methods that go on in another program. They come back only where there is none.
macro_rules! tail_calls {
    ([] $($name:ident() -> $result:ty, $program:ident;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps>(inspection: &mut Inspection<'_, Self, M>) -> $result {
            maps::tail_call(inspection.packet.0, Self::programs(), Program::$program);
            Reason::InternalFailure
        }
    )*};
    ([$flows:ident] $($name:ident() -> $result:ty, $program:ident;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps, F: Flows>(inspection: &mut Inspection<'_, Self, M>, $flows: &mut F) -> $result {
            maps::tail_call(inspection.packet.0, Self::programs(), Program::$program);
            Reason::InternalFailure
        }
    )*};
}

macro_rules! calls {
    ($module:ident [] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps>(inspection: &mut Inspection<'_, Self, M>, $($argument: $kind),*) -> $result {
            let Inspection { packet, settings, scratch, .. } = inspection;
            let code = subprograms::$module::$name(packet.0, *settings, *scratch, $($argument.into_raw()),*);
            ReturnCode::from_code(code)
        }
    )*};
    ($module:ident [$flows:ident] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps, F: Flows>(
            inspection: &mut Inspection<'_, Self, M>,
            $flows: &mut F,
            $($argument: $kind),*
        ) -> $result {
            let Inspection { packet, settings, scratch, .. } = inspection;
            let code = subprograms::$module::$name(packet.0, *settings, *scratch, $($argument.into_raw()),*);
            ReturnCode::from_code(code)
        }
    )*};
}

macro_rules! no_calls {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps>(_: &mut Inspection<'_, Self, M>, $(_: $kind),*) -> $result {
            None
        }
    )*};
}

macro_rules! calls_without_frame {
    ([] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps>(inspection: &mut Inspection<'_, Self, M>, $($argument: $kind),*) -> $result {
            let code = subprograms::any::$name(inspection.settings, inspection.scratch, $($argument.into_raw()),*);
            ReturnCode::from_code(code)
        }
    )*};
    ([$flows:ident] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps, F: Flows>(
            inspection: &mut Inspection<'_, Self, M>,
            $flows: &mut F,
            $($argument: $kind),*
        ) -> $result {
            let code = subprograms::any::$name(inspection.settings, inspection.scratch, $($argument.into_raw()),*);
            ReturnCode::from_code(code)
        }
    )*};
}

macro_rules! calls_with_buffered_bytes {
    ($($name:ident(span: Span) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps>(inspection: &mut Inspection<'_, Buffered<'_, Self>, M>, span: Span) -> $result {
            let Inspection { packet: Buffered { frame, bytes, .. }, settings, scratch, .. } = inspection;
            ReturnCode::from_code(subprograms::any::$name(frame.0, *settings, *scratch, *bytes, span.into_raw()))
        }
    )*};
}

macro_rules! calls_with_buffered_bytes_alone {
    ($($name:ident($argument:ident: $kind:ty, span: Span) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name<M: Maps>(inspection: &mut Inspection<'_, Buffered<'_, Self>, M>, $argument: $kind, span: Span) -> $result {
            let Inspection { packet: Buffered { bytes, .. }, settings, scratch, .. } = inspection;
            ReturnCode::from_code(subprograms::any::$name(*settings, *scratch, *bytes, $argument, span.into_raw()))
        }
    )*};
}

macro_rules! frame {
    ($module:ident, $frame:ident $(<const $flag:ident>)?) => {
        impl$(<const $flag: bool>)? Packet for $frame$(<$flag>)? {
            #[inline(always)]
            fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
                self.read_bytes(at)
            }

            #[inline(always)]
            fn copy<const ROOM: usize>(&self, at: u32, len: u32, into: &mut [u8; ROOM], to: u32) -> Option<()> {
                let (len, to) = piece(len, to, last_place(ROOM))?;
                let into = into.as_mut_ptr();
                if ROOM == NAME_BYTES {
                    // SAFETY: `into` has room for a piece at `to`.
                    return unsafe { self.copy_bytes(at, len, into.add(to)) };
                }
                // SAFETY: `into` has room for a piece at `to`, and the context is the program's
                // own.
                let failed = unsafe { bpf_xdp_load_bytes(self.0, at, into.add(to).cast(), len as u32) };
                (failed == 0).then_some(())
            }

            #[inline(always)]
            fn len(&self) -> u32 {
                self.bytes()
            }

            #[inline(always)]
            fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
                repeat(limit, body, state);
            }

            #[inline(always)]
            fn is_whole(&self) -> bool {
                self.has_all()
            }

            #[inline(always)]
            fn copy_buffered<const ROOM: usize>(
                from: &MessageBuffer,
                at: u32,
                len: u32,
                into: &mut [u8; ROOM],
                to: u32,
            ) -> Option<()> {
                let (len, to) = piece(len, to, last_place(ROOM))?;
                // SAFETY: `into` has room for a piece at `to`.
                unsafe { copy_buffered(from, at, into.as_mut_ptr().add(to), len) }
            }
        }

        impl$(<const $flag: bool>)? Subprograms for $frame$(<$flag>)? {
            filter_core::subprograms! { packet_calls $module }
        }

        impl$(<const $flag: bool>)? Frame for $frame$(<$flag>)? {
            filter_core::subprograms! { frame_calls $module }
        }
    };
}

frame!(linear, Linear<const FRAGS>);
frame!(paged, Paged);

/// Where the part of a frame that lies in one piece begins and ends.
#[inline(always)]
pub fn bounds(ctx: *mut xdp_md) -> (usize, usize) {
    // SAFETY: the kernel hands the program a valid context.
    unsafe { ((*ctx).data as usize, (*ctx).data_end as usize) }
}

/// What `bpf_loop` hands to the body of a loop. It lies on the stack and does not change.
struct Turning<'t, B, S> {
    body: &'t B,
    state: &'t mut S,
}

#[inline(always)]
fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
    extern "C" fn turn<S: LoopState, B: LoopBody<S>>(
        _index: u64,
        turning: *mut Turning<'_, B, S>,
    ) -> i64 {
        // SAFETY: bpf_loop hands back the pointer that `repeat` gave it, and `turning` outlives the
        // loop.
        let Turning { body, state } = unsafe { &mut *turning };
        i64::from(body.turn(state).is_break())
    }
    let mut turning = Turning { body, state };
    // SAFETY: the callback has the signature that bpf_loop asks for, and `turning` is what it
    // expects.
    unsafe {
        bpf_loop(
            limit,
            turn::<S, B> as *mut c_void,
            (&raw mut turning).cast(),
            0,
        )
    };
}
