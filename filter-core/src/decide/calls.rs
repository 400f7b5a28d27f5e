//! The calls of the functions of the table of subprograms. In user space they call the part of the
//! decision that they are named after; the kernel overrides them with calls of a BPF function.

use super::{Inspection, SegmentKind};
use crate::{
    bounds::Span,
    buffer::MessageBuffer,
    flows::{Buffered, Flow, Flows, Way},
    headers::Layer,
    maps::Maps,
    name::{Name, NameEnd},
    packet::Packet,
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

/// Makes a method of each subprogram over a frame, a flow, or what is held of one, and of each
/// program.
macro_rules! frame_methods {
    ([]) => {};
    ([] frame { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, []] { $($line)* } $($rest)* } };
    ([] frame_and_flows { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, [flows]] { $($line)* } $($rest)* } };
    ([] flows { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, [flows]] { $($line)* } $($rest)* } };
    ([] flow { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, []] { $($line)* } $($rest)* } };
    ([] flow_only { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Self, []] { $($line)* } $($rest)* } };
    ([] buffered { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Buffered<'_, Self>, []] { $($line)* } $($rest)* } };
    ([] buffered_only { $($line:tt)* } $($rest:tt)*) => { frame_methods! { [Buffered<'_, Self>, []] { $($line)* } $($rest)* } };
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

/// Makes methods of the seam that call the methods of [`Inspection`] of the same names.
macro_rules! methods {
    ($packet:ty, [], $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("Calls [`Inspection::", stringify!($name), "`].")]
        #[inline(always)]
        fn $name<M: Maps>(inspection: &mut Inspection<'_, $packet, M>, $($argument: $kind),*) -> $result {
            inspection.$name($($argument),*)
        }
    )*};
    ($packet:ty, [$flows:ident], $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("Calls [`Inspection::", stringify!($name), "`].")]
        #[inline(always)]
        fn $name<M: Maps, F: Flows>(
            inspection: &mut Inspection<'_, $packet, M>,
            $flows: &mut F,
            $($argument: $kind),*
        ) -> $result {
            inspection.$name($flows, $($argument),*)
        }
    )*};
}

/// A packet, and the subprograms over its bytes.
pub trait Subprograms: Packet {
    subprograms! { packet_methods }
}

/// A frame as it came, and the subprograms over it, over flows, and over what is buffered of one.
pub trait Frame: Subprograms {
    subprograms! { frame_methods }
}

impl Subprograms for [u8] {}

impl Frame for [u8] {}

impl<F: Frame + ?Sized> Subprograms for Buffered<'_, F> {
    #[inline(always)]
    fn find_labels(name: &mut Name) -> NameEnd {
        F::find_labels(name)
    }

    #[inline(always)]
    fn read_name<M: Maps>(
        inspection: &mut Inspection<'_, Self, M>,
        message_at: u32,
        span: Span,
    ) -> NameEnd {
        F::read_buffered_name(inspection, message_at, span)
    }
}
