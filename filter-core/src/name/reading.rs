//! Reading names out of packets.

use core::ops::ControlFlow::{self, Break, Continue};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{
    DNS_HEADER_BYTES, Form, LABEL_OCTETS, LABELS, NAME_OCTETS, Name, NameEnd, NameError,
    POINTER_BYTES, TEXT_OCTETS,
};
use crate::packet::{LoopBody, Packet};

/// Octets that are copied from a packet at once.
const PIECE_OCTETS: u32 = NAME_OCTETS + 1;
/// Compression pointers that are followed in one name, as in dnsmasq; Unbound follows one more. No
/// name needs more than one for each of its labels.
const POINTERS: u32 = 255;
/// Octets that are copied of what a pointer leads to: a label and another pointer.
const SHORT_PIECE_OCTETS: u32 = LABEL_OCTETS as u32 + 1 + POINTER_BYTES;
/// Pointers, the labels that may stand before each of them, and the pieces of what is behind the
/// last.
const TURNS: u32 = POINTERS + LABELS + NAME_OCTETS / LABEL_OCTETS as u32 + 1;
/// The bits of a pointer with the offset (RFC 1035 §4.1.4).
const OFFSET: u32 = 0x3fff;
/// What the first octet of a pointer is at least.
const POINTER: u8 = 0xc0;

/// Where the pointers of a name lead.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(super) struct Pointing {
    /// Where the message is in the packet.
    message_at: u32,
    end_of_message: u32,
    /// Where the last one leads in the packet.
    at: u32,
    /// Those that were followed.
    pub(super) followed: u32,
    /// Pieces that were copied of what they lead to.
    pub(super) pieces: u32,
    /// A [`NameEnd`], once the name has ended.
    end: u32,
}

impl Name {
    /// Reads the name at `at` of the DNS message from `message_at` to `end`; gives the offset
    /// behind it. `find_labels` is [`Name::find_labels`], which may be a subprogram.
    #[inline(always)]
    pub(crate) fn read_wire<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        message_at: u32,
        (at, end): (u32, u32),
        find_labels: impl FnOnce(&mut Self) -> Result<u32, NameError>,
    ) -> Result<u32, NameError> {
        self.start(Form::Wire);
        self.piece(packet, at, end, PIECE_OCTETS)?;
        match find_labels(self) {
            Err(NameError::Pointer) => {
                let behind = at + self.walked + POINTER_BYTES;
                self.follow_pointers(packet, message_at, end)?;
                Ok(behind)
            }
            octets => {
                // The mask tells the verifier what is so.
                self.len = octets? & 0xff;
                Ok(at + self.len)
            }
        }
    }

    /// Goes on where a pointer leads, in place of the pointer: anywhere behind the message's
    /// header, as BIND (backward only), Unbound and dnsmasq do. That they may run in circles is
    /// bounded by their number.
    #[inline(always)]
    fn follow_pointers<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        message_at: u32,
        end: u32,
    ) -> Result<(), NameError> {
        let pointer = [self.octet(self.walked), self.octet(self.walked + 1)];
        let cut = NameEnd::of(Err(NameError::Pointer)).0;
        let at = target(pointer, message_at, end)?;
        self.pointing = Pointing {
            message_at,
            end_of_message: end,
            at,
            followed: 1,
            pieces: 0,
            end: cut,
        };
        P::repeat(TURNS, &Following { packet }, self);
        self.len = NameEnd(self.pointing.end).result()? & 0xff;
        Ok(())
    }

    /// What it took to follow pointers, in the time that it takes to look up a label.
    #[inline(always)]
    pub(crate) fn pointing_work(&self) -> u32 {
        const A_PIECE: u32 = 2;
        /// Pointers that lead to pointers.
        const HOPS: u32 = 2;

        let Pointing {
            pieces, followed, ..
        } = self.pointing;
        A_PIECE * pieces + followed.saturating_sub(pieces) / HOPS
    }

    /// Copies so many octets at `at` to where the walk stands, as far as there are that many.
    #[inline(always)]
    fn piece<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        at: u32,
        end: u32,
        most: u32,
    ) -> Result<(), NameError> {
        let octets = end.saturating_sub(at).min(most);
        packet
            .copy(at, octets, &mut self.bytes, self.walked)
            .ok_or(NameError::Cut)?;
        self.len = self.walked + octets;
        Ok(())
    }

    /// Reads the `len` octets of text at `at`, likewise.
    #[inline(always)]
    pub(crate) fn read_text<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        at: u32,
        len: u32,
        find_labels: impl FnOnce(&mut Self) -> Result<u32, NameError>,
    ) -> Result<(), NameError> {
        // A dot at the end, for the root, is not part of the name.
        if len > TEXT_OCTETS + 1 {
            return Err(NameError::TooLong);
        }
        packet
            .copy(at, len, &mut self.bytes, 0)
            .ok_or(NameError::Cut)?;
        self.start(Form::Text);
        self.len = len;
        self.len = find_labels(self)? & 0xff;
        Ok(())
    }
}

/// Where a pointer of the message from `message_at` to `end` leads in the packet.
#[inline(always)]
fn target([high, low]: [u8; 2], message_at: u32, end: u32) -> Result<u32, NameError> {
    let offset = u32::from(u16::from_be_bytes([high, low])) & OFFSET;
    if offset < DNS_HEADER_BYTES || message_at + offset >= end {
        return Err(NameError::Pointer);
    }
    Ok(message_at + offset)
}

/// Follows pointers, and reads the labels that they lead to.
struct Following<'p, P: ?Sized> {
    packet: &'p P,
}

impl<P: Packet + ?Sized> LoopBody<Name> for Following<'_, P> {
    #[inline(always)]
    fn turn(&self, name: &mut Name) -> ControlFlow<()> {
        let Pointing {
            message_at,
            end_of_message,
            at,
            ..
        } = name.pointing;
        let pointer = match self.packet.read(at) {
            // A pointer to a pointer: there are no labels to copy.
            Some([high, low]) if high >= POINTER && at + 1 < end_of_message => [high, low],
            _ => {
                let before = name.walked;
                let end = match name.piece(self.packet, at, end_of_message, SHORT_PIECE_OCTETS) {
                    // Inlined: there are too many functions that call each other already.
                    Ok(()) => name.find_wire_labels(),
                    Err(error) => Err(error),
                };
                name.pointing.pieces += 1;
                match end {
                    Err(NameError::Pointer) => {}
                    // The piece had a label at least.
                    Err(NameError::Cut)
                        if at + SHORT_PIECE_OCTETS < end_of_message && name.walked > before =>
                    {
                        name.pointing.at = at + (name.walked - before);
                        return Continue(());
                    }
                    end => {
                        name.pointing.end = NameEnd::of(end).0;
                        return Break(());
                    }
                }
                [name.octet(name.walked), name.octet(name.walked + 1)]
            }
        };
        let Ok(at) = target(pointer, message_at, end_of_message) else {
            return Break(());
        };
        name.pointing.at = at;
        name.pointing.followed += 1;
        if name.pointing.followed > POINTERS {
            Break(())
        } else {
            Continue(())
        }
    }
}
