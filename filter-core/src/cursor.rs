//! Reading a structure field by field, within bounds that the caller set.

use crate::packet::Packet;

/// A position in a packet that cannot read past `end`.
pub struct Cursor<'p, P: ?Sized> {
    packet: &'p P,
    at: u32,
    end: u32,
}

impl<'p, P: Packet + ?Sized> Cursor<'p, P> {
    #[inline(always)]
    pub fn new(packet: &'p P, at: u32, end: u32) -> Self {
        Self { packet, at, end }
    }

    #[inline(always)]
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Where the bytes end that may be read.
    #[inline(always)]
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Bytes between here and the end.
    #[inline(always)]
    pub fn left(&self) -> u32 {
        self.end.saturating_sub(self.at)
    }

    /// True unless it moved past the end.
    #[inline(always)]
    pub fn is_inside(&self) -> bool {
        self.at <= self.end
    }

    /// Moves on; a position past the end makes every later read fail.
    #[inline(always)]
    pub fn skip(&mut self, bytes: u32) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Moves the end nearer; never further away.
    #[inline(always)]
    pub fn shorten(&mut self, end: u32) {
        self.end = self.end.min(end);
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        if self.left() < N as u32 {
            return None;
        }
        let bytes = self.packet.read(self.at)?;
        self.skip(N as u32);
        Some(bytes)
    }

    #[inline(always)]
    pub fn u8(&mut self) -> Option<u32> {
        self.array().map(|[byte]: [u8; 1]| u32::from(byte))
    }

    #[inline(always)]
    pub fn u16(&mut self) -> Option<u32> {
        self.array()
            .map(|bytes| u32::from(u16::from_be_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_past_the_end_and_the_end_only_comes_nearer() {
        let packet = [1, 2, 3, 4, 5, 6];
        let mut cursor = Cursor::new(&packet[..], 1, 5);
        assert_eq!((cursor.at(), cursor.end(), cursor.left()), (1, 5, 4));
        assert_eq!(
            (cursor.u8(), cursor.u16(), cursor.left()),
            (Some(2), Some(0x0304), 1)
        );
        assert_eq!((cursor.u16(), cursor.at()), (None, 4), "an octet short");
        cursor.shorten(9);
        assert_eq!((cursor.end(), cursor.array()), (5, Some([5])));
        assert!(cursor.is_inside() && cursor.u8().is_none());
        cursor.skip(1);
        assert!(!cursor.is_inside() && cursor.left() == 0 && cursor.array::<0>() == Some([]));
        cursor.skip(u32::MAX);
        assert_eq!((cursor.at(), cursor.u8()), (u32::MAX, None));
        let mut cursor = Cursor::new(&packet[..], 1, 9);
        cursor.shorten(2);
        assert_eq!(
            (cursor.end(), cursor.u16(), cursor.u8()),
            (2, None, Some(2))
        );
    }
}
