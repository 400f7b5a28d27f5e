//! Answers to messages that the kernel has joined to one datagram.
//!
//! Behind the program the kernel takes the datagram apart again, into pieces as long as the first
//! message was. So every message stays as long as it is. One that is blocked says in its place that
//! there is nothing; the others are left as they are. A client to whom a query comes back that was
//! not blocked takes it for no answer (RFC 1035 §4.1.1, QR), and asks again.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{
    Answering,
    dns::{Content, UDP_BYTES, flag},
    edns::{OPT, OPT_BYTES},
    envelope::checksum_at,
};
use crate::{
    abi::DnsAction,
    bounds::within,
    buffer::Copying,
    dns::HEADER_BYTES,
    headers::{Protocol, Transport},
    maps::Maps,
    packet::{Length, LoopBody, Replace},
    scratch::{BlockedMessage, JOINED_MESSAGES},
};

/// The octet of the flags of OPT with the DO bit (RFC 3225 §3).
const DNSSEC_OK: u8 = 0x80;

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// Writes the answers into the frame, and the headers.
    #[inline(always)]
    pub(super) fn write_joined(&mut self) -> Option<()> {
        let Transport {
            transport_at, end, ..
        } = self.scratch.transport;
        self.scratch.copying = Copying {
            at: 0,
            to: 0,
            left: self.scratch.joined.blocked,
        };
        F::repeat(JOINED_MESSAGES, &Messages, self);
        if self.scratch.copying.left > 0 {
            return None;
        }
        let field_at = transport_at + checksum_at(Protocol::Udp);
        self.close_headers(end)?;
        self.write(field_at, [0; 2])?;
        self.frame
            .replace(self.draft, transport_at + UDP_BYTES, Length::Kept)?;
        let is_left = self.scratch.envelope.leaves_checksum();
        let sum = if is_left {
            0
        } else {
            self.sum_of_frame(transport_at, end - transport_at)?
        };
        let checksum = self.checksum(end, sum);
        self.frame.write(field_at, checksum)
    }

    /// Writes the answer to one of the messages.
    #[inline(always)]
    fn write_in_place(&mut self, index: u32) -> Option<()> {
        let place = within(index as usize, 0, JOINED_MESSAGES as usize - 1)?;
        let BlockedMessage {
            at,
            question_end,
            record,
            action,
            ..
        } = *self.scratch.joined.messages.get(place)?;
        let [f0, f1, q0, q1, a0, a1, n0, n1, _, _] = self.frame.read(at + 2)?;
        if [q0, q1] != [0, 1] || question_end <= at + HEADER_BYTES {
            // It has no question that could stand in an answer.
            return Some(());
        }
        let (mut content, mut additional) =
            (Content::brief(f0, DnsAction::from_index(action), record), 0);
        let (flags, more_flags) = self.flags(f0, f1);
        // What is in the options stays: a cookie of the server among it (RFC 7873 §5.2).
        if let Some([0, y0, y1, _, _, _, version, do_bit, _]) = self.frame.read(question_end)
            && u16::from_be_bytes([y0, y1]) == OPT
            && [a0, a1, n0, n1] == [0; 4]
            && question_end + OPT_BYTES <= self.scratch.transport.end
        {
            additional = 1;
            if version != 0 {
                content = Content::BadVersion;
            }
            let extended_code = u8::from(content == Content::BadVersion);
            self.frame
                .write(question_end + 5, [extended_code, 0, do_bit & DNSSEC_OK, 0])?;
        }
        let place = within(index as usize, 0, JOINED_MESSAGES as usize - 1)?;
        self.scratch.joined.messages.get_mut(place)?.given = content.action() as u32;
        let flags = [flags | flag::RESPONSE, more_flags | content.code()];
        self.frame.write(
            at + 2,
            [flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, additional],
        )
    }
}

/// Writes one answer after the other.
struct Messages;

impl<F: Replace, M: Maps> LoopBody<Answering<'_, F, M>> for Messages {
    #[inline(always)]
    fn turn(&self, answering: &mut Answering<'_, F, M>) -> ControlFlow<()> {
        let Copying {
            at: index, left, ..
        } = answering.scratch.copying;
        if left == 0 || answering.write_in_place(index).is_none() {
            return Break(());
        }
        answering.scratch.copying = Copying {
            at: index + 1,
            to: 0,
            left: left - 1,
        };
        Continue(())
    }
}
