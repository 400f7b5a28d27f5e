//! Passing over names.

use core::ops::ControlFlow::{self, Break, Continue};

use crate::{
    name::{LABELS, POINTER_BYTES},
    packet::{Packet, Step},
    reason::Reason,
};

/// Walks over the name that owns a record, up to its root or to a pointer.
pub(crate) struct Owner<'p, P: ?Sized> {
    packet: &'p P,
    at: u32,
    end: u32,
    behind: Result<u32, Reason>,
}

impl<'p, P: Packet + ?Sized> Owner<'p, P> {
    /// The offset behind the name at `at`, of a message that ends at `end`.
    #[inline(always)]
    pub(crate) fn skip(packet: &'p P, at: u32, end: u32) -> Result<u32, Reason> {
        let mut owner = Self { packet, at, end, behind: Err(Reason::DnsCut) };
        P::repeat(LABELS + 1, &mut owner);
        owner.behind
    }
}

impl<P: Packet + ?Sized> Step for Owner<'_, P> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.at >= self.end {
            return Break(());
        }
        let Some([len]) = self.packet.read(self.at) else { return Break(()) };
        match len {
            0 => self.behind = Ok(self.at + 1),
            192.. => self.behind = Ok(self.at + POINTER_BYTES),
            64.. => self.behind = Err(Reason::DnsLabelType),
            _ => {
                self.at += 1 + u32::from(len);
                return Continue(());
            }
        }
        Break(())
    }
}
