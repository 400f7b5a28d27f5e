//! Opening and sealing a packet (RFC 9001 §5), each step in a function of its own.

use super::Inspection;
use crate::{decide::calls::Frame, maps::Maps, quic::QuicRoom};

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Removes the protection of the packet in `room` that `Opening` tells of, except decrypting
    /// its payload; false if the keys are not its own, or if it was changed under way.
    #[inline(always)]
    pub fn open_packet(&mut self, room: &mut QuicRoom) -> bool {
        if !P::change_header_protection(self, room) {
            return false;
        }
        P::prepare_cipher(self, room);
        P::check_or_write_tag(self, room)
    }

    /// Protects the packet in `room` that `Opening` tells of.
    #[inline(always)]
    pub(super) fn seal_packet(&mut self, room: &mut QuicRoom) -> bool {
        P::prepare_cipher(self, room);
        P::decrypt(self, room);
        P::check_or_write_tag(self, room) && P::change_header_protection(self, room)
    }

    /// Removes or applies header protection; false if the keys are not those of the packet.
    #[inline(always)]
    pub fn change_header_protection(&mut self, room: &mut QuicRoom) -> bool {
        room.change_header_protection()
    }

    /// Prepares counter mode and the hash of GCM.
    #[inline(always)]
    pub fn prepare_cipher(&mut self, room: &mut QuicRoom) {
        room.prepare_cipher();
    }

    /// Checks the tag of a packet that has come, or writes that of one that is made.
    #[inline(always)]
    pub fn check_or_write_tag(&mut self, room: &mut QuicRoom) -> bool {
        room.check_or_write_tag::<P>()
    }

    /// Decrypts the payload up to where it is wanted, or encrypts it.
    #[inline(always)]
    pub fn decrypt(&mut self, room: &mut QuicRoom) {
        room.decrypt::<P>();
    }
}
