//! EDNS of the message that is answered (RFC 6891).

use core::ops::ControlFlow::{self, Break, Continue};

use super::{Answering, envelope::Envelope};
use crate::{
    dns::{self, Owner},
    flows::Copying,
    maps::Maps,
    packet::{Replace, Step},
    reason::Counter,
};

/// Type of the OPT record (RFC 6891 §6.1.1).
pub(super) const OPT: u16 = 41;
/// Root name, type, class, TTL and length of the OPT record.
pub(super) const OPT_BYTES: u32 = 11;
/// Code and length of an option (RFC 6891 §6.1.2).
pub(super) const OPTION_BYTES: u32 = 4;
/// Options of a query that are gone through.
const OPTIONS: u32 = 64;
/// Records of a response that are gone through.
const RECORDS: u32 = 512;

/// What an OPT record says.
#[derive(Clone, Copy)]
pub(super) struct Edns {
    pub version: u8,
    /// The byte of the flags with the DO bit (RFC 3225 §3).
    pub flags: u8,
}

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// What the only record of a query says, which starts at `at` and ends with the message.
    #[inline(always)]
    pub(super) fn edns_of_query(&mut self, at: u32, end: u32) -> Result<Edns, Counter> {
        let [root, t0, t1, _, _, _, version, flags, _, l0, l1] =
            self.read::<{ OPT_BYTES as usize }>(at).ok_or(Counter::UnansweredMessage)?;
        let options_at = at + OPT_BYTES;
        let is_last = options_at + u32::from(u16::from_be_bytes([l0, l1])) == end;
        if root != 0 || u16::from_be_bytes([t0, t1]) != OPT || !is_last {
            return Err(Counter::UnansweredMessage);
        }
        self.scratch.copying.at = options_at;
        self.scratch.copying.to = end;
        F::repeat(OPTIONS, &mut Options(self));
        let behind = self.scratch.copying.at;
        if behind == end { Ok(Edns { version, flags }) } else { Err(Counter::UnansweredMessage) }
    }

    /// What the OPT record of a response says, if it has one among its records from `at` on.
    #[inline(always)]
    pub(super) fn edns_of_response(&mut self, envelope: &Envelope, at: u32, records: u32) -> Option<Edns> {
        self.scratch.copying.at = at;
        self.scratch.copying.left = records;
        let mut walk =
            Records { frame: &*self.frame, copying: &mut self.scratch.copying, end: envelope.end, edns: None };
        F::repeat(RECORDS, &mut walk);
        walk.edns
    }
}

/// Goes over the options of a query.
struct Options<'o, 'f, F, M>(&'o mut Answering<'f, F, M>);

impl<F: Replace, M: Maps> Step for Options<'_, '_, F, M> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        let at = self.0.scratch.copying.at;
        if at >= self.0.scratch.copying.to {
            return Break(());
        }
        let Some([_, _, l0, l1]) = self.0.frame.read(at) else { return Break(()) };
        self.0.scratch.copying.at = at + OPTION_BYTES + u32::from(u16::from_be_bytes([l0, l1]));
        Continue(())
    }
}

/// Goes over the records of a response, up to the OPT record.
struct Records<'r, F> {
    frame: &'r F,
    copying: &'r mut Copying,
    end: u32,
    edns: Option<Edns>,
}

impl<F: Replace> Step for Records<'_, F> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.copying.left == 0 {
            return Break(());
        }
        self.copying.left -= 1;
        let Ok(head_at) = Owner::skip(self.frame, self.copying.at, self.end) else { return Break(()) };
        let Some([t0, t1, _, _, _, version, flags, _, l0, l1]) =
            self.frame.read::<{ dns::RECORD_HEAD_BYTES as usize }>(head_at)
        else {
            return Break(());
        };
        if u16::from_be_bytes([t0, t1]) == OPT {
            self.edns = Some(Edns { version, flags });
            return Break(());
        }
        self.copying.at = head_at + dns::RECORD_HEAD_BYTES + u32::from(u16::from_be_bytes([l0, l1]));
        Continue(())
    }
}
