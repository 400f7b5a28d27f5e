//! Answers in the stream of a TCP connection, which they end.
//!
//! One frame can tell one side only. The client gets its answer with a FIN, in place of the segment
//! that is blocked. What it sends next, at the latest the acknowledgement of that FIN, becomes the
//! reset of the server's half, which knows neither the query nor the answer. From then on the
//! client's FIN is acknowledged in the server's place.
//!
//! ```text
//! client        filter        server
//!   | query ------>|             |
//!   |<-- answer,   |             |
//!   |        FIN   |             |
//!   | ACK -------->| RST ------->|
//!   | FIN -------->|             |
//!   |<------- ACK  |             |
//! ```

use super::{
    Answering,
    tcp::{ACKNOWLEDGEMENT_AT, FLAGS_AT, HEADER_BYTES, SEQUENCE_AT, flag},
};
use crate::{
    buffer::MessageBuffer,
    dns,
    headers::Transport,
    maps::Maps,
    packet::Replace,
    reason::{Counter, Reason},
    scratch::Segment,
    scratch::{Edns, Stream},
};

/// Kind and length of the timestamps option behind two of no operation, as all common systems write
/// it (RFC 7323 §3.2, appendix A).
const TIMESTAMPS: [u8; 4] = [1, 1, 8, 10];
const TIMESTAMPS_BYTES: u32 = 12;
/// What is copied of a message that is answered: its question, and OPT where nothing long is before
/// it.
const MESSAGE_PIECES: u32 = 3;

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// True if the client of a DNS query over TCP gets its answer in the stream. Without an
    /// acknowledgement nothing is known of the sequence that it expects, and without a place in the
    /// table of flows nobody would end the server's half.
    #[inline(always)]
    pub(super) fn is_in_stream(&self) -> bool {
        let reason = Reason::from_index(self.scratch.reason);
        let is_query = matches!(
            reason,
            Some(Reason::DnsBlocked | Reason::DnsQuestionsRefused)
        );
        let flags = self
            .frame
            .read(self.scratch.transport.transport_at + FLAGS_AT);
        is_query
            && self.scratch.actions.answers_dns()
            && self.flow.is_some()
            && flags.is_some_and(|[flags]| flags & (flag::ACK | flag::SYN | flag::RST) == flag::ACK)
    }

    /// True if a segment of a connection that has ended goes back to the client, which has its FIN
    /// acknowledged.
    #[inline(always)]
    pub(super) fn ends_client(&self) -> bool {
        let flags = self
            .frame
            .read(self.scratch.transport.transport_at + FLAGS_AT);
        let is_fin = flags.is_some_and(|[flags]| flags & (flag::FIN | flag::RST) == flag::FIN);
        is_fin
            && self
                .flow
                .as_ref()
                .is_some_and(|flow| flow.ended.is_server_reset())
    }

    /// Takes down what the header of the segment says.
    #[inline(always)]
    pub(super) fn open_stream(&mut self) -> Option<()> {
        let Transport {
            transport_at: at,
            end,
            ..
        } = self.scratch.transport;
        let [q0, q1, q2, q3, k0, k1, k2, k3, data_offset, flags]: [u8; 10] =
            self.read(at + SEQUENCE_AT)?;
        let header = u32::from(data_offset >> 4) * 4;
        let closing = u32::from(flags & flag::SYN != 0) + u32::from(flags & flag::FIN != 0);
        let sequence = u32::from_be_bytes([q0, q1, q2, q3]);
        let [t0, t1, t2, t3, v0, v1, v2, v3, e0, e1, e2, e3]: [u8; 12] =
            self.read(at + HEADER_BYTES)?;
        self.scratch.stream = Stream {
            server: sequence,
            client: u32::from_be_bytes([k0, k1, k2, k3]),
            behind: sequence
                .wrapping_add(end.checked_sub(at + header)?)
                .wrapping_add(closing),
            has_timestamps: u32::from(
                header >= HEADER_BYTES + TIMESTAMPS_BYTES && [t0, t1, t2, t3] == TIMESTAMPS,
            ),
            timestamps: [
                u32::from_ne_bytes([v0, v1, v2, v3]),
                u32::from_ne_bytes([e0, e1, e2, e3]),
            ],
            message_at: 0,
        };
        Some(())
    }

    /// Puts the DNS message that is blocked where the answer has it, from the frame or from what is
    /// held of the flow, and reads what an answer has to heed.
    #[inline(always)]
    pub(super) fn take_message(&mut self) -> Result<(), Counter> {
        let Segment {
            message_at,
            message_bytes,
            ..
        } = self.scratch.segment;
        let at =
            self.scratch.transport.transport_at + self.stream_header_bytes() + dns::PREFIX_BYTES;
        self.scratch.stream.message_at = at;
        self.copy_message(at).ok_or(Counter::UnansweredMessage)?;
        if let Some(behind) = self.scratch.question_end.checked_sub(message_at) {
            self.scratch.question_end = at + behind;
        }
        let copied = message_bytes.min(MESSAGE_PIECES * MessageBuffer::PIECE);
        self.scratch.transport = self.scratch.transport.ending_at(at + copied);
        self.scratch.edns = Edns::NONE;
        self.read_header(at)?;
        // What is written over the draft takes the cookie from where the message came from.
        self.scratch.edns.cookie_at = self
            .scratch
            .edns
            .cookie_at
            .wrapping_sub(at)
            .wrapping_add(message_at);
        Ok(())
    }

    #[inline(always)]
    fn copy_message(&mut self, at: u32) -> Option<()> {
        let Segment {
            message_at,
            message_bytes,
            ..
        } = self.scratch.segment;
        for piece in 0..MESSAGE_PIECES {
            let from = piece * MessageBuffer::PIECE;
            if message_bytes > from {
                let len = (message_bytes - from).min(MessageBuffer::PIECE);
                self.copy_of_message(message_at + from, len, at + from)?;
            }
        }
        Some(())
    }

    /// Copies so many bytes at an offset of the frame, or of what is held if the message was judged
    /// there, into the draft.
    #[inline(always)]
    pub(super) fn copy_of_message(&mut self, from: u32, len: u32, to: u32) -> Option<()> {
        if self.scratch.stream.is_in_use() && self.scratch.segment.is_held != 0 {
            F::copy_buffered(
                self.flow.as_ref()?.bytes(),
                from,
                len,
                self.draft.as_mut_array(),
                to,
            )
        } else {
            self.frame.copy(from, len, self.draft.as_mut_array(), to)
        }
    }

    /// Writes the segment with the answer to the DNS query; gives its end.
    #[inline(always)]
    pub(super) fn write_stream(&mut self) -> Option<u32> {
        let at = self.scratch.stream.message_at;
        let end = self.write_message(at, false)?;
        self.write(at - dns::PREFIX_BYTES, ((end - at) as u16).to_be_bytes())?;
        self.write_last_header(end - at + dns::PREFIX_BYTES)?;
        Some(end)
    }

    /// Writes the header of the last segment that the client gets, with so many bytes and a FIN
    /// behind it, and takes down that the connection has ended; gives its end.
    #[inline(always)]
    pub(super) fn write_last_header(&mut self, bytes: u32) -> Option<u32> {
        let at = self.scratch.transport.transport_at;
        let Stream {
            server,
            client,
            behind,
            has_timestamps,
            timestamps: [value, echo],
            ..
        } = self.scratch.stream;
        if let Some(flow) = &mut self.flow {
            flow.ended.at(server, client.wrapping_add(bytes + 1));
        }
        let header = self.stream_header_bytes();
        let data_offset = (header as u8) << 2;
        self.stream_header(
            at,
            client,
            behind,
            [data_offset, flag::PSH | flag::FIN | flag::ACK],
        )?;
        if has_timestamps != 0 {
            self.write(at + HEADER_BYTES, TIMESTAMPS)?;
            // What the client last saw of the server's clock cannot be too old for it.
            self.write(at + HEADER_BYTES + 4, echo.to_ne_bytes())?;
            self.write(at + HEADER_BYTES + 8, value.to_ne_bytes())?;
        }
        Some(at + header)
    }

    /// Writes what the segment of a connection that has ended becomes: the reset of the server's
    /// half, or the acknowledgement of the client's FIN; gives its end.
    #[inline(always)]
    pub(super) fn write_end(&mut self) -> Option<u32> {
        let at = self.scratch.transport.transport_at;
        let is_back = self.scratch.envelope.is_back();
        let behind = self.scratch.stream.behind;
        let flow = self.flow.as_mut()?;
        let (sequence, acknowledged, flags) = if is_back {
            (flow.ended.client, behind, flag::ACK)
        } else {
            flow.ended.reset_server();
            (flow.ended.server, 0, flag::RST)
        };
        self.stream_header(
            at,
            sequence,
            acknowledged,
            [(HEADER_BYTES as u8) << 2, flags],
        )?;
        Some(at + HEADER_BYTES)
    }

    /// Writes a header behind its ports and before its options.
    #[inline(always)]
    fn stream_header(
        &mut self,
        at: u32,
        sequence: u32,
        acknowledged: u32,
        [data_offset, flags]: [u8; 2],
    ) -> Option<()> {
        self.write(at + SEQUENCE_AT, sequence.to_be_bytes())?;
        self.write(at + ACKNOWLEDGEMENT_AT, acknowledged.to_be_bytes())?;
        self.write(
            at + ACKNOWLEDGEMENT_AT + 4,
            [data_offset, flags, 0xff, 0xff, 0, 0, 0, 0],
        )
    }

    #[inline(always)]
    fn stream_header_bytes(&self) -> u32 {
        if self.scratch.stream.has_timestamps == 0 {
            HEADER_BYTES
        } else {
            HEADER_BYTES + TIMESTAMPS_BYTES
        }
    }
}

impl Stream {
    /// True if it is known where the message is.
    #[inline(always)]
    pub(super) fn is_in_use(&self) -> bool {
        self.message_at != 0
    }
}
