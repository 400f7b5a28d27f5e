//! What is around an answer: the headers up to IP, and who may be answered.

use super::{Answering, checksum::Sum};
use crate::{
    abi::{Allowance, Settings},
    flow_key::FlowKey,
    flows::{Buffered, V4_PREFIX},
    headers::{Family, Path, Protocol, Transport, Wrapping},
    maps::Maps,
    packet::Replace,
    reason::Counter,
    scratch::Envelope,
};

/// Hops that an answer may take, as most systems have it.
const HOPS: u8 = 64;
/// No fragments, and offset 0 (RFC 791 §3.1).
const DONT_FRAGMENT: [u8; 2] = [0x40, 0];

impl Envelope {
    /// The bucket of the client's prefix.
    #[inline(always)]
    pub fn prefix_bucket(&self, settings: &Settings) -> u32 {
        // /24 of IPv4 and /56 of IPv6, the prefixes that response rate limiting goes by.
        const V6: u64 = (!0_u64 << 8).to_be();

        let [start, _] = self.source;
        let (prefix, family) = if self.is_v6 == 0 {
            (start & V4_PREFIX, Family::V4)
        } else {
            (start & V6, Family::V6)
        };
        FlowKey::new([prefix, 0, 0, 0], 0, family, 0, Path::PLAIN).hash(settings)
            & (Allowance::ANSWERS - 1)
    }

    /// True if the answer goes back to the client.
    #[inline(always)]
    pub fn is_back(&self) -> bool {
        self.is_back != 0
    }

    /// True if more of the packet is in other fragments.
    #[inline(always)]
    pub fn is_fragment(&self) -> bool {
        self.is_fragment != 0
    }

    /// True if the device that sends the packet makes the transport's checksum.
    #[inline(always)]
    pub fn leaves_checksum(&self) -> bool {
        self.is_checksum_left != 0
    }

    /// From now on the whole checksum is made here.
    #[inline(always)]
    pub fn make_checksum(&mut self) {
        self.is_checksum_left = 0;
    }

    /// What the checksum of a transport has in it besides the packet's own bytes (RFC 768,
    /// RFC 8200 §8.1).
    #[inline(always)]
    pub fn pseudo_header(&self, protocol: Protocol, bytes: u32) -> Sum {
        self.addresses()
            .add_bytes([0, 0, 0, protocol.number()])
            .add_bytes(bytes.to_be_bytes())
    }

    #[inline(always)]
    fn addresses(&self) -> Sum {
        let Self {
            source: [s0, s1],
            destination: [d0, d1],
            ..
        } = *self;
        if self.is_v6 == 0 {
            return Sum::default().add(s0 as u32).add(d0 as u32);
        }
        Sum::default()
            .add_long(s0)
            .add_long(s1)
            .add_long(d0)
            .add_long(d1)
    }

    /// False if an answer could reach others than the one who asked.
    #[inline(always)]
    fn has_proper_ends(&self) -> bool {
        let Self {
            source,
            destination,
            ..
        } = *self;
        let are_hosts = if self.is_v6 == 0 {
            is_host_v4(source) && is_host_v4(destination)
        } else {
            is_host_v6(source) && is_host_v6(destination)
        };
        are_hosts && source != destination
    }
}

/// Where the checksum is in a transport header (RFC 768, RFC 9293 §3.1).
#[inline(always)]
pub(super) fn checksum_at(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::Tcp => 16,
        Protocol::Udp => 6,
    }
}

/// True for an address of a single host: none that stands for this network, a loopback, a group or
/// all (RFC 1122 §3.2.1.3).
#[inline(always)]
fn is_host_v4([word, _]: [u64; 2]) -> bool {
    let [first, ..] = word.to_ne_bytes();
    first != 0 && first != 127 && first < 224
}

/// True for an address of a single host: none that is unspecified, a loopback or a group's
/// (RFC 4291 §2.4).
#[inline(always)]
fn is_host_v6([start, rest]: [u64; 2]) -> bool {
    const LOOPBACK: u64 = 1;

    let [first, ..] = start.to_ne_bytes();
    first != 0xff && (start != 0 || u64::from_be(rest) > LOOPBACK)
}

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// Finds what is around the packet, takes it down, and makes sure that it may be answered. A
    /// frame that goes back from an interface which keeps its buffers may have left its checksum to
    /// a device.
    #[inline(always)]
    pub(super) fn open(&mut self, is_back: bool, keeps_buffers: bool) -> Result<(), Counter> {
        self.frame
            .copy_start(self.scratch.transport.end, self.draft)
            .ok_or(Counter::UnansweredLayers)?;
        self.read_envelope(is_back, keeps_buffers)
            .ok_or(Counter::UnansweredLayers)?;
        let [d, _, _, _, _, _, s] = self.read(0).ok_or(Counter::UnansweredLayers)?;
        if is_back && ((d | s) & 1 != 0 || !self.scratch.envelope.has_proper_ends()) {
            return Err(Counter::UnansweredEnds);
        }
        if is_back && !self.has_valid_header().ok_or(Counter::UnansweredLayers)? {
            return Err(Counter::UnansweredInvalid);
        }
        Ok(())
    }

    #[inline(always)]
    fn read_envelope(&mut self, is_back: bool, keeps_buffers: bool) -> Option<()> {
        /// Of the flags and the offset of a fragment: more fragments (RFC 791 §3.1). It is the
        /// first one.
        const MORE: u8 = 0x20;

        let transport = self.scratch.transport;
        let buffered = Buffered {
            frame: &*self.frame,
            bytes: self.draft,
            len: transport.end,
        };
        let wrapping = Wrapping::of(&buffered, &transport)?;
        let at = transport.network_at;
        let long = |place: u32| self.read(at + place).map(u64::from_ne_bytes);
        let short = |place: u32| {
            self.read(at + place)
                .map(|[a, b, c, d]: [u8; 4]| u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]))
        };
        let mut is_fragment = 0;
        let (source, destination, hops) = match transport.family() {
            Family::V4 => {
                let [fragment, _, hops] = self.read(at + 6)?;
                is_fragment = u32::from(fragment & MORE != 0);
                // Of a query, the first fragment has the question. Of a segment, only all of it
                // could be acknowledged.
                if is_fragment != 0 && (transport.protocol() == Protocol::Tcp || !is_back) {
                    return None;
                }
                ([short(12)?, 0], [short(16)?, 0], hops)
            }
            Family::V6 => (
                [long(8)?, long(16)?],
                [long(24)?, long(32)?],
                self.read::<1>(at + 7)?[0],
            ),
        };
        self.scratch.envelope = Envelope {
            source,
            destination,
            is_back: is_back.into(),
            is_v6: u32::from(transport.family() == Family::V6),
            is_pppoe: u32::from(wrapping == Wrapping::Pppoe),
            is_checksum_left: 0,
            hops: u32::from(if is_back { HOPS } else { hops }),
            is_fragment,
        };
        if is_back && !keeps_buffers {
            // A driver that sends a frame back knows nothing of it.
            return Some(());
        }
        let protocol = transport.protocol();
        let left = self
            .scratch
            .envelope
            .pseudo_header(protocol, transport.end.checked_sub(transport.transport_at)?);
        // One in 65,536 checksums is the same by chance, and its packet is then lost with the
        // answer in it.
        let is_left = self.read(transport.transport_at + checksum_at(protocol))?
            == left.folded().to_ne_bytes();
        self.scratch.envelope.is_checksum_left = is_left.into();
        Some(())
    }

    /// Writes all headers before that of the transport, and the transport's checksum, of a packet
    /// that ends at `end` and is all in the draft: the field of the checksum is zero, and so are
    /// three bytes behind the packet.
    #[inline(always)]
    pub(super) fn close(&mut self, end: u32) -> Option<()> {
        let transport_at = self.scratch.transport.transport_at;
        self.close_headers(end)?;
        let sum = self.draft.sum(transport_at, (end - transport_at + 3) & !3);
        let checksum = self.checksum(end, sum);
        self.write(
            transport_at + checksum_at(self.scratch.transport.protocol()),
            checksum,
        )
    }

    /// Writes all headers before that of the transport, of a packet that ends at `end`.
    #[inline(always)]
    pub(super) fn close_headers(&mut self, end: u32) -> Option<()> {
        let network_at = self.scratch.transport.network_at;
        if self.scratch.envelope.is_pppoe != 0 {
            // RFC 2516 §4: the length counts the protocol of PPP.
            self.write(
                network_at - 4,
                ((end - network_at + 2) as u16).to_be_bytes(),
            )?;
        }
        self.network_header(self.scratch.transport.protocol().number(), end)
    }

    /// The transport's checksum in a packet that ends at `end`, with this sum of its own bytes.
    #[inline(always)]
    pub(super) fn checksum(&self, end: u32, sum: u32) -> [u8; 2] {
        let protocol = self.scratch.transport.protocol();
        let pseudo_header = self
            .scratch
            .envelope
            .pseudo_header(protocol, end - self.scratch.transport.transport_at);
        if self.scratch.envelope.leaves_checksum() {
            return pseudo_header.folded().to_ne_bytes();
        }
        let checksum = pseudo_header.add(sum).checksum();
        // RFC 768: zero would mean that there is none.
        if checksum == [0; 2] && protocol == Protocol::Udp {
            [0xff; 2]
        } else {
            checksum
        }
    }

    #[inline(always)]
    fn network_header(&mut self, protocol: u8, end: u32) -> Option<()> {
        let Transport {
            network_at: at,
            transport_at,
            ..
        } = self.scratch.transport;
        let Envelope {
            source,
            destination,
            hops,
            is_v6,
            ..
        } = self.scratch.envelope;
        let (from, to) = if self.scratch.envelope.is_back() {
            (destination, source)
        } else {
            (source, destination)
        };
        let hops = hops as u8;
        if is_v6 == 0 {
            let [t0, t1] = ((end - at) as u16).to_be_bytes();
            let [f0, f1] = DONT_FRAGMENT;
            let sum = self
                .scratch
                .envelope
                .addresses()
                .add_bytes([0x45, 0, t0, t1]);
            let [c0, c1] = sum
                .add_bytes([0, 0, f0, f1])
                .add_bytes([hops, protocol, 0, 0])
                .checksum();
            let ([s0, s1, s2, s3], [d0, d1, d2, d3]) =
                ((from[0] as u32).to_ne_bytes(), (to[0] as u32).to_ne_bytes());
            self.write(
                at,
                [
                    0x45, 0, t0, t1, 0, 0, f0, f1, hops, protocol, c0, c1, s0, s1, s2, s3, d0, d1,
                    d2, d3,
                ],
            )
        } else {
            let [p0, p1] = ((end - transport_at) as u16).to_be_bytes();
            self.write(at, [0x60, 0, 0, 0, p0, p1, protocol, hops])?;
            self.write(at + 8, from[0].to_ne_bytes())?;
            self.write(at + 16, from[1].to_ne_bytes())?;
            self.write(at + 24, to[0].to_ne_bytes())?;
            self.write(at + 32, to[1].to_ne_bytes())
        }
    }
}
