//! EDNS of the message that is answered (RFC 6891).

use core::ops::ControlFlow::{self, Break, Continue};

use super::Answering;
use crate::{
    buffer::Copying,
    dns::{self, skip_owner},
    flows::Buffered,
    maps::Maps,
    packet::{LoopBody, Replace},
    scratch::Edns,
};

/// Type of the OPT record (RFC 6891 §6.1.1).
pub(super) const OPT: u16 = 41;
/// Root name, type, class, TTL and length of the OPT record.
pub(super) const OPT_BYTES: u32 = 11;
/// Code and length of an option (RFC 6891 §6.1.2).
pub(super) const OPTION_BYTES: u32 = 4;
/// Code of the COOKIE option (RFC 7873 §4). A client that knows a server to have one takes no
/// answer without it.
const COOKIE: u16 = 10;
/// The longest with a server's part, its code and its length.
pub(super) const COOKIE_BYTES: u32 = OPTION_BYTES + 40;
const LEAST_COOKIE_BYTES: u32 = OPTION_BYTES + 16;
/// Options that are gone through.
const OPTIONS: u32 = 64;
/// Records of a message that are gone through.
const RECORDS: u32 = 512;

impl Edns {
    #[inline(always)]
    fn new(version: u8, flags: u8) -> Self {
        Self {
            version: version.into(),
            flags: flags.into(),
            ..Self::NONE
        }
    }

    /// True if there is an OPT record.
    #[inline(always)]
    pub(super) fn is_there(self) -> bool {
        self.version != Self::NONE.version
    }

    /// True unless there is one of another version than 0.
    #[inline(always)]
    pub(super) fn is_known(self) -> bool {
        self.version == 0 || !self.is_there()
    }
}

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// Reads the OPT record of the message, if it has one among so many records behind the
    /// question. One whose data is cut is none.
    #[inline(always)]
    pub(super) fn read_edns(&mut self, records: u32) {
        let at = self.scratch.question_end;
        // Most queries have nothing else behind the question, and the kernel then pays for no loop.
        if let (1, Some([0, t0, t1, _, _, _, version, flags, _, l0, l1])) =
            (records, self.read::<{ OPT_BYTES as usize }>(at))
            && u16::from_be_bytes([t0, t1]) == OPT
        {
            self.scratch.edns = Edns::new(version, flags);
            self.scratch.copying.at = at + OPT_BYTES;
            self.scratch.copying.to = at + OPT_BYTES + u32::from(u16::from_be_bytes([l0, l1]));
        } else {
            self.scratch.copying.at = at;
            self.scratch.copying.left = records;
            F::repeat(RECORDS, &Records, self);
        }
        let Copying { at, to, .. } = self.scratch.copying;
        // The version of a response is the server's own, and says nothing of the query's
        // (RFC 6891 §6.1.3).
        if self.scratch.edns.is_there() && !self.scratch.envelope.is_back() {
            self.scratch.edns.version = 0;
        }
        // The rest of a fragmented query's options is elsewhere.
        if to > self.scratch.transport.end && !self.scratch.envelope.is_fragment() {
            self.scratch.edns = Edns::NONE;
        }
        if self.scratch.edns.is_there() {
            self.read_options(at, to);
        }
    }

    /// Reads bytes of the message: what is not in the frame is in the draft.
    #[inline(always)]
    fn read_of_message<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        if self.scratch.stream.is_in_use() {
            self.read(at)
        } else {
            self.frame.read(at)
        }
    }

    /// Where the head of the next record is, behind its owner.
    #[inline(always)]
    fn next_head(&mut self) -> Option<u32> {
        let (at, end) = (self.scratch.copying.at, self.scratch.transport.end);
        if self.scratch.stream.is_in_use() {
            let draft = Buffered {
                frame: &*self.frame,
                bytes: self.draft,
                len: end,
            };
            skip_owner(&draft, &mut self.scratch.owner, at, end).ok()
        } else {
            skip_owner(&*self.frame, &mut self.scratch.owner, at, end).ok()
        }
    }

    #[inline(always)]
    fn read_options(&mut self, at: u32, end: u32) {
        self.scratch.copying.at = at;
        self.scratch.copying.to = end;
        if at < end {
            F::repeat(OPTIONS, &Options, self);
        }
    }
}

/// Goes over options.
struct Options;

impl<F: Replace, M: Maps> LoopBody<Answering<'_, F, M>> for Options {
    #[inline(always)]
    fn turn(&self, answering: &mut Answering<'_, F, M>) -> ControlFlow<()> {
        let at = answering.scratch.copying.at;
        if at >= answering.scratch.copying.to {
            return Break(());
        }
        let Some([c0, c1, l0, l1]) = answering.read_of_message(at) else {
            return Break(());
        };
        let scratch = &mut *answering.scratch;
        let bytes = OPTION_BYTES + u32::from(u16::from_be_bytes([l0, l1]));
        let is_inside = at + bytes <= scratch.copying.to.min(scratch.transport.end);
        if u16::from_be_bytes([c0, c1]) == COOKIE
            && is_inside
            && (LEAST_COOKIE_BYTES..=COOKIE_BYTES).contains(&bytes)
        {
            scratch.edns.cookie_at = at;
            scratch.edns.cookie_bytes = bytes;
        }
        scratch.copying.at = at + bytes;
        Continue(())
    }
}

/// Goes over the records of a message, up to the OPT record.
struct Records;

impl<F: Replace, M: Maps> LoopBody<Answering<'_, F, M>> for Records {
    #[inline(always)]
    fn turn(&self, answering: &mut Answering<'_, F, M>) -> ControlFlow<()> {
        if answering.scratch.copying.left == 0 {
            return Break(());
        }
        answering.scratch.copying.left -= 1;
        let Some(head_at) = answering.next_head() else {
            return Break(());
        };
        let data_at = head_at + dns::RECORD_HEAD_BYTES;
        let Some([t0, t1, _, _, _, version, flags, _, l0, l1]) =
            answering.read_of_message::<{ dns::RECORD_HEAD_BYTES as usize }>(head_at)
        else {
            return Break(());
        };
        let scratch = &mut *answering.scratch;
        if u16::from_be_bytes([t0, t1]) == OPT {
            scratch.edns = Edns::new(version, flags);
            scratch.copying.at = data_at;
            scratch.copying.to = data_at + u32::from(u16::from_be_bytes([l0, l1]));
            return Break(());
        }
        scratch.copying.at = data_at + u32::from(u16::from_be_bytes([l0, l1]));
        Continue(())
    }
}
