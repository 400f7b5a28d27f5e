//! The DNS message of an answer (RFC 1035 §4).

use core::ops::ControlFlow::{self, Break, Continue};

use network_types::udp::UdpHdr;

use super::{
    Answering,
    edns::{COOKIE_BYTES, Edns, OPT, OPT_BYTES, OPTION_BYTES},
};
use crate::{
    abi::{DnsAction, ListName},
    dns::{self, HEADER_BYTES, QUESTION_TAIL_BYTES, RECORD_HEAD_BYTES},
    hash::HashKey,
    headers::{Ports, Transport},
    maps::Maps,
    name::{LABELS, NAME_OCTETS, Name},
    packet::{Replace, Step},
    reason::Counter,
    rules::{ROOT, RuleKey},
};

const UDP_BYTES: u32 = UdpHdr::LEN as u32;
/// The bits of a compression pointer (RFC 1035 §4.1.4).
const POINTER: u16 = 0xc000;
/// A pointer to the question's name, the first behind the header.
const QUESTION: [u8; 2] = (POINTER | HEADER_BYTES as u16).to_be_bytes();
/// What every receiver takes (RFC 1035 §4.2.1).
const LEAST_SIZE: u32 = 512;
/// What we take ourselves.
const OUR_SIZE: u16 = 1232;

/// Bits of a header, in its third and fourth byte (RFC 1035 §4.1.1, RFC 4035 §3).
mod flag {
    pub const RESPONSE: u8 = 0x80;
    pub const OPCODE: u8 = 0x78;
    pub const AUTHORITATIVE: u8 = 0x04;
    pub const TRUNCATED: u8 = 0x02;
    pub const RECURSION_DESIRED: u8 = 0x01;
    pub const RECURSION_AVAILABLE: u8 = 0x80;
    pub const CHECKING_DISABLED: u8 = 0x10;
}

mod code {
    pub const NO_ERROR: u8 = 0;
    pub const NX_DOMAIN: u8 = 3;
    pub const REFUSED: u8 = 5;
    /// RFC 6891 §9: 16, of which the OPT record has the upper bits and the header the lower four.
    pub const BAD_VERSION_UPPER: u8 = 1;
}

mod kind {
    pub const A: u16 = 1;
    pub const AAAA: u16 = 28;
    /// RFC 1035 §3.2.3; an answer may have any records (RFC 8482).
    pub const ANY: u16 = 255;
}

/// INTERNET (RFC 1035 §3.2.4), and any class.
const IN: u16 = 1;
const ANY_CLASS: u16 = 255;

/// Option code of the Extended DNS Error (RFC 8914 §2).
const EXTENDED_ERROR: u16 = 15;
const EXTENDED_ERROR_BYTES: u32 = OPTION_BYTES + 2;

/// A pointer to the question's name, and the fixed fields of a record.
const RECORD_START_BYTES: u32 = 2 + RECORD_HEAD_BYTES;
/// The SOA record: a pointer, the fixed fields, `namegate.invalid.`, the root, and five numbers.
const SOA_BYTES: usize = RECORD_START_BYTES as usize + SOA_DATA_BYTES as usize;
const SOA_DATA_BYTES: u16 = 18 + 1 + 20;

const LONGEST: u32 = HEADER_BYTES
    + NAME_OCTETS
    + QUESTION_TAIL_BYTES
    + SOA_BYTES as u32
    + OPT_BYTES
    + COOKIE_BYTES
    + EXTENDED_ERROR_BYTES
    + ListName::MOST as u32;
const _: () = assert!(LONGEST <= LEAST_SIZE && RECORD_START_BYTES + 16 <= SOA_BYTES as u32, "no answer is truncated");

/// Looks for the name of the rule that prevails among the suffixes of the name.
struct RuleName<'a> {
    name: &'a Name,
    key: &'a HashKey,
    /// Labels before the suffix.
    left: u32,
    suffix: u64,
    found: bool,
}

impl Step for RuleName<'_> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.left == 0 {
            return Break(());
        }
        self.left -= 1;
        self.suffix = self.key.child(self.suffix, self.name.label_hash(self.left));
        self.found = self.name.matched() == RuleKey(self.suffix);
        if self.found { Break(()) } else { Continue(()) }
    }
}

/// What the message says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// The EDNS version is not known.
    BadVersion,
    Refused,
    NxDomain,
    NoData,
    V4(u32),
    V6([u64; 2]),
}

impl<'f, F: Replace, M: Maps> Answering<'f, F, M> {
    /// Makes sure that the message has one question and nothing that an answer would have to heed, but for EDNS.
    #[inline(always)]
    pub(super) fn read_message(&mut self) -> Result<(), Counter> {
        let Transport { transport_at: udp_at, end, .. } = self.scratch.transport;
        let [s0, s1, d0, d1, l0, l1] = self.read(udp_at).ok_or(Counter::UnansweredMessage)?;
        let ports = Ports(u32::from_be_bytes([s0, s1, d0, d1]));
        if self.scratch.envelope.is_back() && (ports.source() == 0 || self.settings.is_dns_port(ports.source())) {
            return Err(Counter::UnansweredEnds);
        }
        let at = udp_at + UDP_BYTES;
        let is_whole = udp_at + u32::from(u16::from_be_bytes([l0, l1])) == end;
        if !is_whole || self.scratch.question_end <= at + HEADER_BYTES {
            return Err(Counter::UnansweredMessage);
        }
        self.scratch.edns = Edns::NONE;
        self.read_edns(at)
    }

    #[inline(always)]
    fn read_edns(&mut self, at: u32) -> Result<(), Counter> {
        let header = self.read::<{ HEADER_BYTES as usize }>(at).ok_or(Counter::UnansweredMessage)?;
        let [_, _, flags, _, q0, q1, a0, a1, n0, n1, r0, r1] = header;
        if flags & flag::OPCODE != 0 || [q0, q1] != [0, 1] {
            return Err(Counter::UnansweredMessage);
        }
        let count = |high, low| u32::from(u16::from_be_bytes([high, low]));
        let additional = count(r0, r1);
        if !self.scratch.envelope.is_back() {
            if additional > 0 {
                self.read_edns_of_response(count(a0, a1) + count(n0, n1) + additional);
            }
            return Ok(());
        }
        if flags & flag::TRUNCATED != 0 || [a0, a1, n0, n1] != [0; 4] || additional > 1 {
            return Err(Counter::UnansweredMessage);
        }
        if additional == 1 {
            return self.read_edns_of_query();
        }
        let is_all = self.scratch.question_end == self.scratch.transport.end;
        if is_all { Ok(()) } else { Err(Counter::UnansweredMessage) }
    }

    /// Writes the datagram behind the IP header; gives its end. A brief one is no longer than a message with this question, and
    /// EDNS if that has it.
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
    fn write_message(&mut self, at: u32, is_brief: bool) -> Option<u32> {
        let question_end = self.scratch.question_end;
        let edns = self.scratch.edns;
        let [t0, t1, c0, c1] = self.read(question_end - QUESTION_TAIL_BYTES)?;
        let content = if edns.is_known() {
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
                let owner = if content == Content::NxDomain { self.zone(at)? } else { QUESTION };
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
        let [flags, more_flags] = self.read(at + 2)?;
        let rcode = match content {
            Content::NxDomain => code::NX_DOMAIN,
            Content::Refused => code::REFUSED,
            _ => code::NO_ERROR,
        };
        let kept = more_flags & flag::CHECKING_DISABLED;
        let (flags, more_flags) = if !self.scratch.envelope.is_back() {
            // As the server has it, whose response this was.
            (flags & (flag::AUTHORITATIVE | flag::RECURSION_DESIRED), kept | (more_flags & flag::RECURSION_AVAILABLE))
        } else if flags & flag::RECURSION_DESIRED != 0 {
            (flag::RECURSION_DESIRED, kept | flag::RECURSION_AVAILABLE)
        } else {
            // Who goes from server to server takes one for lame that is not authoritative.
            (flag::AUTHORITATIVE, kept)
        };
        let (flags, more_flags) = (flags | flag::RESPONSE, more_flags | rcode);
        let [a0, a1, n0, n1] = counts;
        self.write(at + 2, [flags, more_flags, 0, 1, a0, a1, n0, n1, 0, additional])?;
        Some(end)
    }

    /// What is said of records of this type and class.
    #[inline(always)]
    fn content(&self, kind: u16, class: u16) -> Content {
        let treatment = &self.scratch.treatment;
        let (v4, v6) = match treatment.dns() {
            // Of the name that was asked for, there may be records of other types.
            DnsAction::NxDomain if dns::is_service(self.scratch.record) => return Content::NoData,
            DnsAction::NxDomain => return Content::NxDomain,
            DnsAction::Refused => return Content::Refused,
            DnsAction::Null => (Some(0), Some([0; 2])),
            DnsAction::Address => (
                Some(treatment.v4()).filter(|address| *address != 0),
                Some(treatment.v6()).filter(|address| *address != [0; 2]),
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
        found.filter(|_| class == IN || class == ANY_CLASS).unwrap_or(Content::NoData)
    }

    /// The start of an address record, up to the length of its data.
    #[inline(always)]
    fn record_head(&self, kind: u16, data_bytes: u8) -> [u8; RECORD_START_BYTES as usize] {
        let ([q0, q1], [t0, t1, t2, t3]) = (QUESTION, self.settings.answer_ttl().to_be_bytes());
        [q0, q1, 0, kind as u8, 0, IN as u8, t0, t1, t2, t3, 0, data_bytes]
    }

    /// A pointer to the zone of what does not exist: the name above that of the rule, which has the records of the zone and
    /// so has to exist. Where the rule is about no part of the question, it is the name above that.
    #[inline(always)]
    fn zone(&self, at: u32) -> Option<[u8; 2]> {
        let name = &self.scratch.name;
        let mut walk = RuleName { name, key: &self.settings.hash_key, left: name.labels(), suffix: ROOT, found: false };
        if self.scratch.record == 0 {
            // A plain loop, as for the rules: `bpf_loop` calls its body through a pointer.
            for _ in 0..LABELS {
                if walk.step().is_break() {
                    break;
                }
            }
        }
        let RuleName { left, found, .. } = walk;
        let offset = if found && left + 1 < name.labels() {
            // A label starts behind its length.
            name.label_start(left + 1) - 1
        } else if found {
            name.len() - 1
        } else {
            let [label] = self.read(at + HEADER_BYTES)?;
            if label == 0 { 0 } else { 1 + u32::from(label & 0x3f) }
        };
        Some((POINTER | (HEADER_BYTES + offset) as u16).to_be_bytes())
    }

    /// For how long a negative answer holds (RFC 2308 §3): a zone of this owner, by `namegate.invalid.`
    #[inline(always)]
    fn soa(&self, owner: [u8; 2]) -> [u8; SOA_BYTES] {
        let ([q0, q1], [t0, t1, t2, t3]) = (owner, self.settings.answer_ttl().to_be_bytes());
        let [d0, d1] = SOA_DATA_BYTES.to_be_bytes();
        [
            // Owner, SOA, IN, TTL, and the length of what follows.
            q0, q1, 0, 6, 0, 1, t0, t1, t2, t3, d0, d1, //
            8, b'n', b'a', b'm', b'e', b'g', b'a', b't', b'e', 7, b'i', b'n', b'v', b'a', b'l', b'i', b'd', 0, //
            // Nobody's mailbox, serial number 1, refresh, retry, expire, and the TTL of negative answers.
            0, //
            0, 0, 0, 1, 0, 0, 0x0e, 0x10, 0, 0, 0x02, 0x58, 0, 0x01, 0x51, 0x80, t0, t1, t2, t3,
        ]
    }

    /// Writes the OPT record at `at`, with what the policy was; gives its end.
    #[inline(always)]
    fn opt(&mut self, at: u32, edns: Edns, is_bad_version: bool, is_brief: bool) -> Option<u32> {
        /// The DO bit goes back as it came (RFC 3225 §3).
        const DNSSEC_OK: u8 = 0x80;

        let says_why = !is_bad_version && !is_brief;
        let text = if says_why && self.settings.names_lists() { self.list_name() } else { &ListName::NONE };
        let len = text.len().min(ListName::MOST as u32);
        let cookie = edns.cookie_bytes;
        let options = cookie + if says_why { EXTENDED_ERROR_BYTES + len } else { 0 };
        let upper = if is_bad_version { code::BAD_VERSION_UPPER } else { 0 };
        let [s0, s1] = OUR_SIZE.to_be_bytes();
        let flags = edns.flags as u8 & DNSSEC_OK;
        let text = *text.text();
        self.write(at, [0, 0, OPT as u8, s0, s1, upper, 0, flags, 0, 0, options as u8])?;
        let cookie_at = at + OPT_BYTES;
        if cookie > 0 {
            self.frame.hold(edns.cookie_at, cookie, self.draft, cookie_at)?;
        }
        let option_at = cookie_at + cookie;
        if !says_why {
            return Some(option_at);
        }
        let [c0, c1] = self.scratch.treatment.code().to_be_bytes();
        self.write(option_at, [0, EXTENDED_ERROR as u8, 0, len as u8 + 2, c0, c1])?;
        self.write(option_at + EXTENDED_ERROR_BYTES, text)?;
        Some(option_at + EXTENDED_ERROR_BYTES + len)
    }

    /// The name of the list that the rule is of, if that list says what becomes of the name.
    #[inline(always)]
    fn list_name(&self) -> &'f ListName {
        let (found, maps) = (self.scratch.name.found(), self.maps);
        let name = maps.list_name(found.list, self.generation());
        name.filter(|name| name.class() == found.class()).unwrap_or(&ListName::NONE)
    }
}
