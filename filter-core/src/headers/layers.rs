//! What may stand around a packet, taken off layer by layer: VLAN tags, LLC with SNAP, PPPoE, MPLS,
//! IPv6 extension headers, and one tunnel.

use core::ops::ControlFlow::{self, Break, Continue};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{
    ETHER_TYPE_AT, IPV4, IPV6, OLD_PROVIDER_VLAN, PROVIDER_VLAN, Path, Protocol, Transport, VLAN,
    VLAN_TAG_BYTES, VLAN_TAGS,
    behind_ip::{extension, number},
    ether_type_at,
    ip::{self, Ip},
    path::{Tunnel, TunnelKind, Within},
};
use crate::{
    hash::FlowHashKey,
    packet::{LoopBody, LoopState, Packet},
    reason::Reason,
};

/// RFC 2516 §4.
pub(super) const PPPOE_SESSION: u16 = 0x8864;
/// RFC 5332 §3.
pub(super) const MPLS: u16 = 0x8847;
pub(super) const MPLS_MULTICAST: u16 = 0x8848;
/// Transparent Ethernet Bridging: an Ethernet frame in GRE (RFC 1701 §2).
const BRIDGED_ETHERNET: u16 = 0x6558;
/// Cisco metadata: version, length, an option with the security group tag, and the EtherType of
/// what follows, in eight bytes. There is no public specification; frames of captures and
/// Wireshark's dissector agree on the layout.
pub(super) const METADATA: u16 = 0x8909;

/// Labels of MPLS that are looked behind.
const MPLS_LABELS: u32 = 3;
/// Tunnels that are looked into.
pub(crate) const TUNNELS: u32 = 1;
/// IPv6 extension headers that are followed; RFC 8200 §4.1 lists seven that may come before TCP or
/// UDP.
const EXTENSION_HEADERS: u32 = 8;
/// Layers that are taken off: twice (outside and inside of a tunnel) Ethernet, the tags, PPPoE,
/// PPP, the labels, IP, the extension headers, and TCP or UDP; LLC; and the tunnel's own headers.
const LAYERS: u32 = 2 * (1 + VLAN_TAGS + 1 + 2 + MPLS_LABELS + 1 + EXTENSION_HEADERS + 1) + 2;

/// What is in the place of an EtherType up to here is a length, and LLC follows (IEEE 802.3
/// §3.2.6).
pub(super) const LONGEST_LLC: u16 = 1500;

const ETHERNET_BYTES: u32 = ETHER_TYPE_AT + 2;

/// What comes next, as one number: functions of the kernel program take nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer(pub u32);

impl Layer {
    /// Kinds of layers, above the number that tells which.
    const ETHER_TYPE: u32 = 0x1_0000;
    const IP_PROTOCOL: u32 = 0x2_0000;
    const PPP: u32 = 0x3_0000;
    const KIND: u32 = 0xffff_0000;

    /// An Ethernet frame.
    pub const ETHERNET: Self = Self(0x4_0000);
    /// A VXLAN header.
    const VXLAN: Self = Self(0x5_0000);
    /// A Geneve header.
    const GENEVE: Self = Self(0x6_0000);
    /// A PPP frame, perhaps with address and control fields (RFC 1662 §3.1).
    pub(super) const PPP_FRAME: Self = Self(0x7_0000);
    /// An L2TP header of version 2.
    const L2TP: Self = Self(0x8_0000);
    /// A GRE header.
    const GRE: Self = Self(Self::IP_PROTOCOL | number::GRE as u32);

    /// The tunnel that a datagram to this port is.
    #[inline(always)]
    pub(crate) fn in_udp(port: u16) -> Option<Self> {
        match port {
            // RFC 7348 §8, and what Linux takes by default (drivers/net/vxlan), as flannel, k3s and
            // Cilium do.
            4789 | 8472 => Some(Self::VXLAN),
            // RFC 8926 §3.3.
            6081 => Some(Self::GENEVE),
            // RFC 8086 §8.
            4754 => Some(Self::GRE),
            // RFC 2661 §8.1.
            1701 => Some(Self::L2TP),
            _ => None,
        }
    }

    /// True for a tunnel in UDP.
    #[inline(always)]
    pub(crate) fn is_in_udp(self) -> bool {
        self == Self::VXLAN || self == Self::GENEVE || self == Self::GRE || self == Self::L2TP
    }

    /// What this EtherType announces in a tunnel's header, where it may be a whole Ethernet frame.
    #[inline(always)]
    pub(super) fn tunnelled(ether_type: u16) -> Self {
        if ether_type == BRIDGED_ETHERNET {
            Self::ETHERNET
        } else {
            Self::ether(ether_type)
        }
    }

    /// What this EtherType announces.
    #[inline(always)]
    pub(super) fn ether(ether_type: u16) -> Self {
        Self(Self::ETHER_TYPE | u32::from(ether_type))
    }

    #[inline(always)]
    fn ip(number: u8) -> Self {
        Self(Self::IP_PROTOCOL | u32::from(number))
    }

    #[inline(always)]
    fn ppp(protocol: u16) -> Self {
        Self(Self::PPP | u32::from(protocol))
    }
}

/// How far the layers are taken off.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Layers {
    /// The [`Layer`] that starts at `at`.
    layer: u32,
    pub(super) at: u32,
    /// The IP header that was passed last.
    pub(super) ip: Ip,
    pub(super) tags: u32,
    pub(super) labels: u32,
    pub(super) extensions: u32,
    pub(super) tunnels: u32,
    reserved: u32,
    pub(super) path: Path,
    /// The VLAN tags in front of everything else, as [`Path::outer_tags`] has them.
    pub(crate) outer_tags: u32,
    /// What the packet is in, if that is a tunnel.
    pub(crate) tunnel: Tunnel,
    /// Number of the transport protocol that was reached (IANA); 0 while none was.
    protocol: u32,
    /// Index of the [`Reason`] that ended the search; beyond all while there is none.
    stopped: u32,
    reserved_end: u32,
}

impl Layers {
    /// None.
    pub(crate) const NONE: Self = Self {
        layer: 0,
        at: 0,
        ip: Ip::none(0),
        tags: 0,
        labels: 0,
        extensions: 0,
        tunnels: 0,
        reserved: 0,
        path: Path::PLAIN,
        outer_tags: 0,
        tunnel: Tunnel::NONE,
        protocol: 0,
        stopped: u32::MAX,
        reserved_end: 0,
    };
}

impl LoopState for Layers {}

/// Finds TCP or UDP behind the layers that start with this one at this offset. Tunnels are opened,
/// or not.
#[inline(always)]
pub(crate) fn transport<P: Packet + ?Sized>(
    packet: &P,
    key: &FlowHashKey,
    layers: &mut Layers,
    around: &Transport,
    (layer, at): (Layer, u32),
    opens_tunnels: bool,
) -> Result<Transport, Reason> {
    // Layers in a datagram end with it, and have what is around it in their path.
    let (ip, path) = if layer.is_in_udp() {
        (Ip::around(around), around.path)
    } else {
        (Ip::none(packet.len()), Path::PLAIN)
    };
    let outer_tags = path.outer_tags().unwrap_or(layers.outer_tags);
    // Where none is opened, it is as if there had been one.
    let tunnels = if opens_tunnels { 0 } else { TUNNELS };
    *layers = Layers {
        layer: layer.0,
        at,
        ip,
        tunnels,
        path,
        outer_tags,
        ..Layers::NONE
    };
    P::repeat(LAYERS, &TakingOff { packet, key }, layers);
    match (
        Reason::from_index(layers.stopped),
        Protocol::of(layers.protocol as u8),
    ) {
        (None, Some(protocol)) => {
            let tunnels = u32::from(layers.tunnel.kind != 0);
            Ok(layers.ip.carries(protocol, layers.at, tunnels, layers.path))
        }
        (reason, _) => Err(reason.unwrap_or(Reason::NotIp)),
    }
}

struct TakingOff<'p, P: ?Sized> {
    packet: &'p P,
    key: &'p FlowHashKey,
}

impl<P: Packet + ?Sized> LoopBody<Layers> for TakingOff<'_, P> {
    #[inline(always)]
    fn turn(&self, layers: &mut Layers) -> ControlFlow<()> {
        match (Layering {
            packet: self.packet,
            key: self.key,
            layers,
        })
        .take_off()
        {
            Ok(None) => return Continue(()),
            Ok(Some(protocol)) => layers.protocol = protocol.number().into(),
            Err(reason) => layers.stopped = reason.index(),
        }
        Break(())
    }
}

/// One turn of [`TakingOff`].
pub(super) struct Layering<'p, P: ?Sized> {
    pub packet: &'p P,
    pub key: &'p FlowHashKey,
    pub layers: &'p mut Layers,
}

impl<P: Packet + ?Sized> Layering<'_, P> {
    /// Takes one layer off, or says which transport has been reached.
    #[inline(always)]
    fn take_off(&mut self) -> Result<Option<Protocol>, Reason> {
        match self.layers.layer & Layer::KIND {
            Layer::IP_PROTOCOL => return self.behind_ip(self.layers.layer as u8),
            Layer::ETHER_TYPE => self.behind_ether_type(self.layers.layer as u16)?,
            Layer::PPP => self.behind_ppp(self.layers.layer as u16)?,
            kind if kind == Layer::GENEVE.0 => self.behind_geneve()?,
            kind if kind == Layer::VXLAN.0 => self.behind_vxlan()?,
            kind if kind == Layer::PPP_FRAME.0 => self.behind_ppp_frame()?,
            kind if kind == Layer::L2TP.0 => self.behind_l2tp()?,
            _ => {
                let ether_type = ether_type_at(self.packet, self.layers.at + ETHER_TYPE_AT)?;
                self.next(Layer::ether(ether_type), ETHERNET_BYTES);
            }
        }
        Ok(None)
    }

    #[inline(always)]
    pub(super) fn next(&mut self, layer: Layer, bytes: u32) {
        self.layers.layer = layer.0;
        self.layers.at += bytes;
    }

    #[inline(always)]
    fn behind_ether_type(&mut self, ether_type: u16) -> Result<(), Reason> {
        match ether_type {
            IPV4 => {
                self.layers.ip = ip::v4(self.packet, self.layers.at, self.layers.ip.end)?;
                self.behind_ip_header();
            }
            IPV6 => {
                self.layers.ip = ip::v6(self.packet, self.layers.at, self.layers.ip.end)?;
                self.behind_ip_header();
            }
            VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN if self.layers.tags < VLAN_TAGS => {
                self.layers.tags += 1;
                let [c0, c1, e0, e1] =
                    self.packet.read(self.layers.at).ok_or(Reason::HeadersCut)?;
                self.layers.path =
                    self.layers
                        .path
                        .with_tag(self.key, ether_type, u16::from_be_bytes([c0, c1]));
                self.layers.outer_tags = self
                    .layers
                    .path
                    .outer_tags()
                    .unwrap_or(self.layers.outer_tags);
                self.next(Layer::ether(u16::from_be_bytes([e0, e1])), VLAN_TAG_BYTES);
            }
            METADATA => {
                let ether_type = ether_type_at(self.packet, self.layers.at + 6)?;
                self.next(Layer::ether(ether_type), 8);
            }
            PPPOE_SESSION => self.behind_pppoe()?,
            0..=LONGEST_LLC => self.behind_llc()?,
            MPLS | MPLS_MULTICAST if self.layers.labels < MPLS_LABELS => {
                self.behind_label(ether_type)?;
            }
            _ => return Err(Reason::NotIp),
        }
        Ok(())
    }

    #[inline(always)]
    fn behind_ip_header(&mut self) {
        self.layers.layer = Layer::ip(self.layers.ip.next as u8).0;
        self.layers.at = self.layers.ip.payload_at;
    }

    /// RFC 2516 §4: version and type 1, code 0 for a session, then the protocol of PPP
    /// (RFC 1661 §2).
    #[inline(always)]
    fn behind_pppoe(&mut self) -> Result<(), Reason> {
        let [version_and_type, code, s0, s1, _, _, p0, p1] = self
            .packet
            .read::<8>(self.layers.at)
            .ok_or(Reason::HeadersCut)?;
        if version_and_type != 0x11 || code != 0 {
            return Err(Reason::NotIp);
        }
        self.within(Within::Pppoe, u16::from_be_bytes([s0, s1]).into());
        self.next(Layer::ppp(u16::from_be_bytes([p0, p1])), 8);
        Ok(())
    }

    /// LLC with SNAP (IEEE 802 §9.2, RFC 1042), and an EtherType behind the identifier of those.
    #[inline(always)]
    fn behind_llc(&mut self) -> Result<(), Reason> {
        const BYTES: u32 = 8;

        let header = self
            .packet
            .read::<{ BYTES as usize }>(self.layers.at)
            .ok_or(Reason::HeadersCut)?;
        let [0xaa, 0xaa, 3, 0, 0, 0, t0, t1] = header else {
            return Err(Reason::NotIp);
        };
        let ether_type = u16::from_be_bytes([t0, t1]);
        // A length again would be LLC in LLC.
        if ether_type <= LONGEST_LLC {
            return Err(Reason::NotIp);
        }
        self.next(Layer::ether(ether_type), BYTES);
        Ok(())
    }

    /// RFC 1662 §3.1: address and control, which may be left out, then a protocol, whose first
    /// octet may be left out if it is 0 (RFC 1661 §6.5, §6.6).
    #[inline(always)]
    fn behind_ppp_frame(&mut self) -> Result<(), Reason> {
        let start: [u8; 4] = self.packet.read(self.layers.at).ok_or(Reason::HeadersCut)?;
        let (before, [high, low]) = match start {
            [0xff, 3, high, low] => (2, [high, low]),
            [high, low, ..] => (0, [high, low]),
        };
        // The last octet of a protocol is odd, all before it are even (RFC 1661 §2).
        let (protocol, bytes) = if high & 1 != 0 {
            (u16::from(high), 1)
        } else {
            (u16::from_be_bytes([high, low]), 2)
        };
        self.next(Layer::ppp(protocol), before + bytes);
        Ok(())
    }

    #[inline(always)]
    fn behind_ppp(&mut self, protocol: u16) -> Result<(), Reason> {
        // IANA, PPP DLL Protocol Numbers.
        let ether_type = match protocol {
            0x0021 => IPV4,
            0x0057 => IPV6,
            0x0281 => MPLS,
            _ => return Err(Reason::NotIp),
        };
        self.layers.layer = Layer::ether(ether_type).0;
        Ok(())
    }

    /// RFC 3032 §2.1: the last label has the bottom-of-stack bit, and nothing says what is behind
    /// it but its first bits, the version of IP.
    #[inline(always)]
    fn behind_label(&mut self, ether_type: u16) -> Result<(), Reason> {
        let [l0, l1, bottom, _, version] = self
            .packet
            .read::<5>(self.layers.at)
            .ok_or(Reason::HeadersCut)?;
        self.layers.labels += 1;
        // The label is in the first twenty bits.
        self.within(
            Within::Mpls,
            u64::from(u32::from_be_bytes([0, l0, l1, bottom & 0xf0])),
        );
        let ether_type = match (bottom & 1, version >> 4) {
            (0, _) => ether_type,
            (_, 4) => IPV4,
            (_, 6) => IPV6,
            _ => return Err(Reason::NotIp),
        };
        self.next(Layer::ether(ether_type), 4);
        Ok(())
    }

    #[inline(always)]
    fn behind_ip(&mut self, number: u8) -> Result<Option<Protocol>, Reason> {
        if let Some(protocol) = Protocol::of(number) {
            return Ok(Some(protocol));
        }
        match number {
            number::IPV4 => self.enter(Tunnel::new(TunnelKind::Ip, 0), Layer::ether(IPV4), 0)?,
            number::IPV6 => self.enter(Tunnel::new(TunnelKind::Ip, 0), Layer::ether(IPV6), 0)?,
            number::GRE => self.behind_gre()?,
            _ => {
                self.layers.extensions += 1;
                if self.layers.extensions > EXTENSION_HEADERS {
                    return Err(Reason::ExtensionHeaders);
                }
                let (next, bytes) = extension(self.packet, self.layers.at, number)?;
                self.next(Layer::ip(next), bytes);
            }
        }
        Ok(None)
    }

    /// Notes what the packet is in.
    #[inline(always)]
    pub(super) fn within(&mut self, within: Within, number: u64) {
        self.layers.path = self.layers.path.with(self.key, within, number);
    }
}
