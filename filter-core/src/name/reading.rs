//! Reading names out of packets.

use super::{Form, NAME_OCTETS, Name, NameError, POINTER_BYTES, TEXT_OCTETS};
use crate::{dns, packet::Packet};

/// Octets that are copied from a packet at once.
const PIECE_OCTETS: u32 = NAME_OCTETS + 1;
/// Compression pointers that are followed in one name.
const POINTERS: u32 = 16;

impl Name {
    /// Reads the name at `at` of the DNS message from `message_at` to `end`; gives the offset behind it.
    #[inline(always)]
    pub(crate) fn read_wire<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        message_at: u32,
        at: u32,
        end: u32,
    ) -> Result<u32, NameError> {
        self.read_wire_by(packet, message_at, at, end, |name| P::find_labels(name).result())
    }

    /// The same without a call for its labels, if it is not compressed.
    #[inline(always)]
    pub(crate) fn read_wire_at_once<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        message_at: u32,
        at: u32,
        end: u32,
    ) -> Result<u32, NameError> {
        self.read_wire_by(packet, message_at, at, end, Self::find_wire_labels)
    }

    #[inline(always)]
    fn read_wire_by<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        message_at: u32,
        at: u32,
        end: u32,
        find_labels: impl FnOnce(&mut Self) -> Result<u32, NameError>,
    ) -> Result<u32, NameError> {
        self.start(Form::Wire);
        self.piece(packet, at, end)?;
        match find_labels(self) {
            Err(NameError::Pointer) => {
                let behind = at + self.walked + POINTER_BYTES;
                self.follow_pointers(packet, message_at, at, end)?;
                Ok(behind)
            }
            octets => {
                // The mask tells the verifier what is so.
                self.len = octets? & 0xff;
                Ok(at + self.len)
            }
        }
    }

    /// Goes on where a pointer leads, in place of the pointer. Each must lead to before the labels that it ends, so that
    /// they cannot run in circles, and behind the message's header.
    #[inline(always)]
    fn follow_pointers<P: Packet + ?Sized>(
        &mut self,
        packet: &P,
        message_at: u32,
        at: u32,
        end: u32,
    ) -> Result<(), NameError> {
        const OFFSET: u32 = 0x3fff;

        let mut labels_at = at;
        for _ in 0..POINTERS {
            let pointer = (u32::from(self.octet(self.walked)) << 8) | u32::from(self.octet(self.walked + 1));
            let target = pointer & OFFSET;
            if target < dns::HEADER_BYTES || message_at + target >= labels_at {
                return Err(NameError::Pointer);
            }
            labels_at = message_at + target;
            self.piece(packet, labels_at, end)?;
            match P::find_labels(self).result() {
                Err(NameError::Pointer) => {}
                octets => {
                    self.len = octets? & 0xff;
                    return Ok(());
                }
            }
        }
        Err(NameError::Pointer)
    }

    /// Copies what is at `at` to where the walk stands.
    #[inline(always)]
    fn piece<P: Packet + ?Sized>(&mut self, packet: &P, at: u32, end: u32) -> Result<(), NameError> {
        let octets = end.saturating_sub(at).min(PIECE_OCTETS);
        packet.copy(at, octets, &mut self.bytes, self.walked).ok_or(NameError::Cut)?;
        self.len = self.walked + octets;
        Ok(())
    }

    /// Reads the `len` octets of text at `at`.
    #[inline(always)]
    pub(crate) fn read_text<P: Packet + ?Sized>(&mut self, packet: &P, at: u32, len: u32) -> Result<(), NameError> {
        // A dot at the end, for the root, is not part of the name.
        if len > TEXT_OCTETS + 1 {
            return Err(NameError::TooLong);
        }
        packet.copy(at, len, &mut self.bytes, 0).ok_or(NameError::Cut)?;
        self.start(Form::Text);
        self.len = len;
        self.len = P::find_labels(self).result()? & 0xff;
        Ok(())
    }
}
