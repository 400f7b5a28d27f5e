//! The DNS message of an answer (RFC 1035 §4).

use network_types::udp::UdpHdr;

use super::{
    Answering,
    records::{ANY_CLASS, IN, QUESTION, RECORD_START_BYTES, SOA_BYTES, kind},
};
use crate::{
    abi::DnsAction,
    dns::{self, HEADER_BYTES, QUESTION_TAIL_BYTES},
    effect::ResponseAction,
    headers::{Ports, Transport},
    maps::Maps,
    packet::Replace,
    reason::Counter,
    scratch::Edns,
};

pub(super) const UDP_BYTES: u32 = UdpHdr::LEN as u32;

/// Bits of a header, in its third and fourth byte (RFC 1035 §4.1.1, RFC 4035 §3).
pub(super) mod flag {
    pub const RESPONSE: u8 = 0x80;
    pub const OPCODE: u8 = 0x78;
    pub const AUTHORITATIVE: u8 = 0x04;
    pub const RECURSION_DESIRED: u8 = 0x01;
    pub const RECURSION_AVAILABLE: u8 = 0x80;
    pub const CHECKING_DISABLED: u8 = 0x10;
    pub const CODE: u8 = 0x0f;
}

/// Codes of a response (RFC 1035 §4.1.1).
pub(super) mod code {
    pub const NO_ERROR: u8 = 0;
    pub const FORMAT_ERROR: u8 = 1;
    pub const NX_DOMAIN: u8 = 3;
    pub const REFUSED: u8 = 5;
}

/// What the message says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// The EDNS version is not known.
    BadVersion,
    Refused,
    NxDomain,
    NoData,
    V4(u32),
    V6([u64; 2]),
}

impl Content {
    /// What is said in the room of the query with these flags and this action, whose name is
    /// blocked in a record of this type.
    #[inline(always)]
    pub(super) fn brief(flags: u8, action: DnsAction, record: u32) -> Self {
        match action {
            _ if flags & flag::OPCODE != 0 => Self::Refused,
            DnsAction::NxDomain if !dns::is_service(record) => Self::NxDomain,
            DnsAction::Refused => Self::Refused,
            _ => Self::NoData,
        }
    }

    /// What a client is given with it that has no address.
    #[inline(always)]
    pub(super) fn action(self) -> ResponseAction {
        match self {
            Self::BadVersion => ResponseAction::BadVersion,
            Self::Refused => ResponseAction::Refused,
            Self::NxDomain => ResponseAction::NxDomain,
            Self::NoData | Self::V4(_) | Self::V6(_) => ResponseAction::NoData,
        }
    }

    /// The RCODE of its message (of the EDNS version, the lower bits).
    #[inline(always)]
    pub(super) fn code(self) -> u8 {
        match self {
            Self::NxDomain => code::NX_DOMAIN,
            Self::Refused => code::REFUSED,
            Self::BadVersion | Self::NoData | Self::V4(_) | Self::V6(_) => code::NO_ERROR,
        }
    }
}

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// Reads what an answer has to heed: the question, and EDNS. Resolvers answer a query whatever
    /// else is in it or behind it; a response has to be a plain one.
    #[inline(always)]
    pub(super) fn read_message(&mut self) -> Result<(), Counter> {
        self.open_datagram()?;
        self.read_header(self.scratch.transport.transport_at + UDP_BYTES)
    }

    /// Makes sure that the datagram is all there, and that its answer would not go to a server.
    #[inline(always)]
    pub(super) fn open_datagram(&mut self) -> Result<(), Counter> {
        let Transport {
            transport_at: udp_at,
            end,
            ..
        } = self.scratch.transport;
        let [s0, s1, d0, d1, l0, l1] = self.read(udp_at).ok_or(Counter::UnansweredMessage)?;
        let ports = Ports(u32::from_be_bytes([s0, s1, d0, d1]));
        let is_back = self.scratch.envelope.is_back();
        if is_back && (ports.source() == 0 || self.settings.is_dns_port(ports.source())) {
            return Err(Counter::UnansweredEnds);
        }
        let udp_end = udp_at + u32::from(u16::from_be_bytes([l0, l1]));
        let is_longer = udp_end > end && !self.scratch.envelope.is_fragment();
        // The rest of a datagram may be in other fragments. What is behind it in its packet is none
        // of it (RFC 9868 §5).
        if udp_end < udp_at + UDP_BYTES || is_longer {
            return Err(Counter::UnansweredMessage);
        }
        self.scratch.transport = self.scratch.transport.ending_at(end.min(udp_end));
        self.scratch.edns = Edns::NONE;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn read_header(&mut self, at: u32) -> Result<(), Counter> {
        let header = self
            .read::<{ HEADER_BYTES as usize }>(at)
            .ok_or(Counter::UnansweredMessage)?;
        let [_, _, flags, _, q0, q1, a0, a1, n0, n1, r0, r1] = header;
        let is_back = self.scratch.envelope.is_back();
        if [q0, q1] != [0, 1] || self.scratch.question_end <= at + HEADER_BYTES {
            // There is no single question that could stand in the answer: RFC 9619 §4, or one that
            // leads elsewhere.
            self.scratch.question_end = 0;
            return if is_back {
                Ok(())
            } else {
                Err(Counter::UnansweredMessage)
            };
        }
        if flags & flag::OPCODE != 0 && !is_back {
            return Err(Counter::UnansweredMessage);
        }
        let count = |high, low| u32::from(u16::from_be_bytes([high, low]));
        let additional = count(r0, r1);
        if additional > 0 {
            self.read_edns(count(a0, a1) + count(n0, n1) + additional);
        }
        let message_end = if self.scratch.edns.is_there() {
            self.scratch.copying.to
        } else {
            self.scratch.question_end
        };
        self.scratch.edns.message_end = message_end;
        Ok(())
    }

    /// Writes the datagram behind the IP header; gives its end. A brief one is no longer than a
    /// message with this question, and EDNS if that has it.
    #[inline(always)]
    pub(super) fn write_datagram(&mut self, is_brief: bool) -> Option<u32> {
        let udp_at = self.scratch.transport.transport_at;
        let end = self.write_message(udp_at + UDP_BYTES, is_brief)?;
        let [l0, l1] = ((end - udp_at) as u16).to_be_bytes();
        self.write(udp_at + 4, [l0, l1, 0, 0])?;
        Some(end)
    }

    /// Writes the message at `at`, whose question stays; gives its end.
    #[inline(always)]
    pub(super) fn write_message(&mut self, at: u32, is_brief: bool) -> Option<u32> {
        let question_end = self.scratch.question_end;
        if question_end == 0 {
            return self.write_format_error(at);
        }
        let edns = self.scratch.edns;
        let [asked_flags, asked_more] = self.read(at + 2)?;
        let [t0, t1, c0, c1] = self.read(question_end - QUESTION_TAIL_BYTES)?;
        let content = if asked_flags & flag::OPCODE != 0 {
            Content::Refused
        } else if edns.is_known() {
            self.content(u16::from_be_bytes([t0, t1]), u16::from_be_bytes([c0, c1]))
        } else {
            Content::BadVersion
        };
        let content = match content {
            Content::V4(_) | Content::V6(_) if is_brief => Content::NoData,
            content => content,
        };
        let mut end = question_end;
        match content {
            Content::BadVersion | Content::Refused => {}
            Content::NxDomain | Content::NoData if is_brief => {}
            Content::NxDomain | Content::NoData => {
                let owner = if content == Content::NxDomain {
                    self.zone(at)?
                } else {
                    QUESTION
                };
                self.write(end, self.soa(owner))?;
                end += SOA_BYTES as u32;
            }
            Content::V4(address) => {
                self.write(end, self.record_head(kind::A, 4))?;
                self.write(end + RECORD_START_BYTES, address.to_ne_bytes())?;
                end += RECORD_START_BYTES + 4;
            }
            Content::V6([start, rest]) => {
                self.write(end, self.record_head(kind::AAAA, 16))?;
                self.write(end + RECORD_START_BYTES, start.to_ne_bytes())?;
                self.write(end + RECORD_START_BYTES + 8, rest.to_ne_bytes())?;
                end += RECORD_START_BYTES + 16;
            }
        }
        let counts = match content {
            Content::BadVersion | Content::Refused => [0, 0, 0, 0],
            Content::NxDomain | Content::NoData => [0, 0, 0, u8::from(!is_brief)],
            Content::V4(_) | Content::V6(_) => [0, 1, 0, 0],
        };
        let additional = u8::from(edns.is_there());
        if edns.is_there() {
            end = self.opt(end, edns, content == Content::BadVersion, is_brief)?;
        }
        // What is summed up is a multiple of four bytes.
        self.write(end, [0; 4])?;
        let (flags, more_flags) = self.flags(asked_flags, asked_more);
        let (flags, more_flags) = (flags | flag::RESPONSE, more_flags | content.code());
        let [a0, a1, n0, n1] = counts;
        self.write(
            at + 2,
            [flags, more_flags, 0, 1, a0, a1, n0, n1, 0, additional],
        )?;
        Some(end)
    }

    /// Writes a header alone, as of servers that were asked nothing that they can repeat
    /// (RFC 1035 §4.1.1); gives its end.
    #[inline(always)]
    fn write_format_error(&mut self, at: u32) -> Option<u32> {
        let [flags, more_flags] = self.read(at + 2)?;
        let (flags, more_flags) = self.flags(flags, more_flags);
        self.write(
            at + 2,
            [
                flags | flag::RESPONSE,
                more_flags | code::FORMAT_ERROR,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
            ],
        )?;
        let end = at + HEADER_BYTES;
        // What is summed up is a multiple of four bytes.
        self.write(end, [0; 4])?;
        Some(end)
    }

    /// The flags of an answer to a message with these.
    #[inline(always)]
    pub(super) fn flags(&self, flags: u8, more_flags: u8) -> (u8, u8) {
        let kept = more_flags & flag::CHECKING_DISABLED;
        if !self.scratch.envelope.is_back() {
            // As the server has it, whose response this was.
            (
                flags & (flag::AUTHORITATIVE | flag::RECURSION_DESIRED),
                kept | (more_flags & flag::RECURSION_AVAILABLE),
            )
        } else if flags & flag::RECURSION_DESIRED != 0 {
            (
                flag::RECURSION_DESIRED | (flags & flag::OPCODE),
                kept | flag::RECURSION_AVAILABLE,
            )
        } else {
            // Who goes from server to server takes one for lame that is not authoritative.
            (flag::AUTHORITATIVE | (flags & flag::OPCODE), kept)
        }
    }

    /// What is said of records of this type and class.
    #[inline(always)]
    fn content(&self, kind: u16, class: u16) -> Content {
        let actions = &self.scratch.actions;
        let (v4, v6) = match actions.dns() {
            // Of the name that was asked for, there may be records of other types.
            DnsAction::NxDomain if dns::is_service(self.scratch.record) => return Content::NoData,
            DnsAction::NxDomain => return Content::NxDomain,
            DnsAction::Refused => return Content::Refused,
            DnsAction::Null => (Some(0), Some([0; 2])),
            DnsAction::Address => (
                Some(actions.v4()).filter(|address| *address != 0),
                Some(actions.v6()).filter(|address| *address != [0; 2]),
            ),
            DnsAction::NoData | DnsAction::AsInterface | DnsAction::Drop => return Content::NoData,
        };
        let (v4, v6) = (v4.map(Content::V4), v6.map(Content::V6));
        let found = match kind {
            kind::A => v4,
            kind::AAAA => v6,
            kind::ANY => v4.or(v6),
            _ => None,
        };
        found
            .filter(|_| class == IN || class == ANY_CLASS)
            .unwrap_or(Content::NoData)
    }
}
