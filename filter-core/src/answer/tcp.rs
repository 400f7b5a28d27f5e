//! The end of a TCP connection (RFC 9293 §3.5.2).

use network_types::tcp::TcpHdr;

use super::Answering;
use crate::{
    abi::TcpAction,
    flows::LastReset,
    headers::Transport,
    maps::Maps,
    packet::Replace,
    reason::{Counter, Message, Reason},
};

pub(super) const HEADER_BYTES: u32 = TcpHdr::LEN as u32;
/// Where the sequence number is, behind the ports.
pub(super) const SEQUENCE_AT: u32 = 4;
pub(super) const ACKNOWLEDGEMENT_AT: u32 = SEQUENCE_AT + 4;
pub(super) const FLAGS_AT: u32 = 13;
/// A header of five words.
const DATA_OFFSET: u8 = 5 << 4;

/// RFC 9293 §3.1.
pub(super) mod flag {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const PSH: u8 = 8;
    pub const ACK: u8 = 16;
}

/// A TLS record with a fatal alert `unrecognized_name` (RFC 8446 §5.1, §6.2), of version 1.0 as the
/// first records are.
const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 112];

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// Makes sure that the segment may be answered, and takes down what its header says.
    #[inline(always)]
    pub(super) fn open_reset(&mut self) -> Result<(), Counter> {
        if self.scratch.envelope.is_back() && self.is_reset() {
            return Err(Counter::UnansweredInvalid);
        }
        if self.has_reset_under_way() {
            return Err(Counter::ClosedAlready);
        }
        self.open_stream().ok_or(Counter::UnansweredLayers)
    }

    /// True if the segment is a reset, which no segment ever answers (RFC 9293 §3.10.7.1).
    #[inline(always)]
    fn is_reset(&self) -> bool {
        let flags = self.read::<1>(self.scratch.transport.transport_at + FLAGS_AT);
        flags.is_none_or(|[flags]| flags & flag::RST != 0)
    }

    /// True if the segment would be answered by a reset, and was sent before its sender can have
    /// got the last one: the rest of a burst.
    #[inline(always)]
    fn has_reset_under_way(&self) -> bool {
        let (Some(flow), Some(acknowledged)) = (&self.flow, self.acknowledged_where_reset()) else {
            return false;
        };
        flow.last_reset.is_under_way(
            self.maps.now(),
            acknowledged,
            self.settings.reset_again_after(),
        )
    }

    /// Takes down that the segment is answered by a reset, if it is.
    #[inline(always)]
    pub(super) fn note_reset(&mut self) {
        if let Some(acknowledged) = self.acknowledged_where_reset()
            && let Some(flow) = &mut self.flow
        {
            flow.last_reset = LastReset::new(self.maps.now(), acknowledged);
        }
    }

    /// The acknowledgement number of the segment; `None` if it is answered by an alert, which
    /// acknowledges what has come so far, and so does good each time.
    #[inline(always)]
    fn acknowledged_where_reset(&self) -> Option<u32> {
        let [k0, k1, k2, k3, _, flags] =
            self.read(self.scratch.transport.transport_at + ACKNOWLEDGEMENT_AT)?;
        (!self.has_alert(flags)).then_some(u32::from_be_bytes([k0, k1, k2, k3]))
    }

    /// True if a segment with these flags is answered by an alert. Without an acknowledgement,
    /// nothing is known of the sequence that the client expects.
    #[inline(always)]
    fn has_alert(&self, flags: u8) -> bool {
        let is_hello = Reason::from_index(self.scratch.reason).and_then(Reason::message)
            == Some(Message::ClientHello);
        is_hello && flags & flag::ACK != 0 && self.scratch.actions.tcp() == TcpAction::Alert
    }

    /// Writes the segment behind the IP header that ends the connection for the client; gives its
    /// end.
    #[inline(always)]
    pub(super) fn write_segment(&mut self) -> Option<u32> {
        let Transport {
            transport_at: at,
            end,
            ..
        } = self.scratch.transport;
        let [q0, q1, q2, q3, k0, k1, k2, k3, data_offset, flags]: [u8; 10] =
            self.read(at + SEQUENCE_AT)?;
        let payload_at = at + u32::from(data_offset >> 4) * 4;
        let taken = end.checked_sub(payload_at)? + u32::from(flags & flag::SYN != 0);
        if !self.scratch.envelope.is_back() {
            // What the server sent becomes its reset.
            let header = [
                q0,
                q1,
                q2,
                q3,
                k0,
                k1,
                k2,
                k3,
                DATA_OFFSET,
                flag::RST | flag::ACK,
            ];
            return self.bare_header(at, header);
        }
        let [q0, q1, q2, q3] = u32::from_be_bytes([q0, q1, q2, q3])
            .wrapping_add(taken)
            .to_be_bytes();
        if self.has_alert(flags) {
            let end = self.write_last_header(ALERT.len() as u32)?;
            self.write(end, ALERT)?;
            self.write(end + ALERT.len() as u32, [0; 4])?;
            return Some(end + ALERT.len() as u32);
        }
        // A reset of what acknowledges nothing has 0.
        let [k0, k1, k2, k3] = if flags & flag::ACK != 0 {
            [k0, k1, k2, k3]
        } else {
            [0; 4]
        };
        let header = [
            k0,
            k1,
            k2,
            k3,
            q0,
            q1,
            q2,
            q3,
            DATA_OFFSET,
            flag::RST | flag::ACK,
        ];
        self.bare_header(at, header)
    }

    /// Writes a header without options, behind its ports; gives its end.
    #[inline(always)]
    fn bare_header(&mut self, at: u32, behind_ports: [u8; 10]) -> Option<u32> {
        self.write(at + SEQUENCE_AT, behind_ports)?;
        self.write(at + 14, [0; 6])?;
        Some(at + HEADER_BYTES)
    }
}
