//! Frames with more around their packet: PPPoE, MPLS, and tunnels. There is no other encoder for
//! these headers here; they are written down from the figures of their RFCs.

use etherparse::IpNumber;

use crate::Wrap;

/// Bytes of the two addresses that an Ethernet header starts with.
const ADDRESSES: usize = 12;
/// Bytes of an Ethernet header without tags.
const ETHERNET: usize = 14;

/// `EtherType`s (IANA, IEEE 802 Numbers).
mod ether_type {
    pub const IPV4: [u8; 2] = [0x08, 0x00];
    pub const IPV6: [u8; 2] = [0x86, 0xdd];
    pub const MPLS: [u8; 2] = [0x88, 0x47];
    pub const PPPOE_SESSION: [u8; 2] = [0x88, 0x64];
    pub const BRIDGED_ETHERNET: [u8; 2] = [0x65, 0x58];
}

/// An untagged frame with IP or MPLS, in a PPPoE session (RFC 2516 §4).
///
/// # Panics
/// If PPP has no number for what is in the frame.
pub fn in_pppoe(frame: &[u8]) -> Vec<u8> {
    let (addresses, kind, payload) = parts(frame);
    // IANA, PPP DLL Protocol Numbers.
    let protocol = match kind {
        ether_type::IPV4 => [0x00, 0x21],
        ether_type::IPV6 => [0x00, 0x57],
        ether_type::MPLS => [0x02, 0x81],
        _ => panic!("PPP has no number for {kind:02x?}"),
    };
    let length = u16::try_from(payload.len() + protocol.len())
        .expect("a length of two octets")
        .to_be_bytes();
    // Version and type, code, session.
    let session = [0x11, 0x00, 0x00, 0x07];
    [
        addresses,
        &ether_type::PPPOE_SESSION,
        &session,
        &length,
        &protocol,
        payload,
    ]
    .concat()
}

/// An untagged frame in the form of IEEE 802.3: a length, LLC and SNAP (RFC 1042) in place of its
/// `EtherType`.
///
/// # Panics
/// If the frame has no Ethernet header, or is longer than that allows.
pub fn in_snap(frame: &[u8]) -> Vec<u8> {
    let (addresses, kind, payload) = parts(frame);
    let length = u16::try_from(payload.len() + 8)
        .ok()
        .filter(|length| *length <= 1_500)
        .expect("a length");
    [
        addresses,
        &length.to_be_bytes(),
        &[0xaa, 0xaa, 3, 0, 0, 0],
        &kind,
        payload,
    ]
    .concat()
}

/// An untagged frame with a stack of so many MPLS labels in front of its packet (RFC 3032 §2.1).
///
/// # Panics
/// If the frame has no Ethernet header, or there is no label.
pub fn behind_labels(frame: &[u8], labels: usize) -> Vec<u8> {
    /// Label 16 (those below have a meaning of their own), traffic class 0, time to live 64.
    const ABOVE: [u8; 4] = [0x00, 0x01, 0x00, 0x40];
    /// The same with the bit for the bottom of the stack.
    const BOTTOM: [u8; 4] = [0x00, 0x01, 0x01, 0x40];

    let (addresses, _, payload) = parts(frame);
    let above = ABOVE.repeat(labels.checked_sub(1).expect("a label"));
    [addresses, &ether_type::MPLS, &above, &BOTTOM, payload].concat()
}

/// A way to carry packets in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// IP in IP (RFC 2003 §3.1, RFC 4213 §3.1, RFC 2473 §3).
    Ip,
    /// GRE with these of [`Tunnel::GRE_FLAGS`], and a packet of IP or MPLS in it.
    Gre(u8),
    /// GRE with these of [`Tunnel::GRE_FLAGS`], and an Ethernet frame in it.
    BridgedGre(u8),
    /// VXLAN (RFC 7348 §5).
    Vxlan,
    /// PPP in GRE of version 1 (RFC 2637 §4.1), with these of sequence number (0x10) and
    /// acknowledgement (0x80) present.
    Pptp(u8),
    /// PPP in L2TP of version 2 (RFC 2661 §3.1), with these of length (0x40), sequence numbers
    /// (0x08) and offset (0x02) present.
    L2tp(u8),
}

impl Tunnel {
    /// Checksum, key and sequence number present (RFC 2784 §2.1, RFC 2890 §2): bits of the first
    /// octet.
    pub const GRE_FLAGS: [u8; 3] = [0x80, 0x20, 0x10];
    /// UDP port of VXLAN (RFC 7348 §5).
    pub const VXLAN_PORT: u16 = 4789;
    /// UDP port of L2TP (RFC 2661 §8.1).
    pub const L2TP_PORT: u16 = 1701;

    /// All of them, GRE with each set of flags.
    pub fn all() -> Vec<Self> {
        let gre = (0..8).map(|set| {
            let flags = Self::GRE_FLAGS.iter().enumerate();
            flags
                .filter(|(bit, _)| set >> bit & 1 != 0)
                .map(|(_, flag)| flag)
                .sum()
        });
        let gre = gre.flat_map(|flags| [Self::Gre(flags), Self::BridgedGre(flags)]);
        let pptp = [0, 0x10, 0x80, 0x90].map(Self::Pptp);
        let l2tp = [0, 0x40, 0x08, 0x02, 0x4a].map(Self::L2tp);
        gre.chain(pptp)
            .chain(l2tp)
            .chain([Self::Ip, Self::Vxlan])
            .collect()
    }

    /// True if what is carried has an Ethernet header of its own.
    pub fn carries_ethernet(self) -> bool {
        matches!(self, Self::BridgedGre(_) | Self::Vxlan)
    }

    /// True if the tunnel is in UDP.
    pub fn is_in_udp(self) -> bool {
        matches!(self, Self::Vxlan | Self::L2tp(_))
    }

    /// The frame, or the packet in it, in a packet of this tunnel. Of `outer`, the ports are not
    /// used.
    ///
    /// # Panics
    /// If the tunnel cannot carry it, or it is too long.
    pub fn carry(self, outer: &Wrap, frame: &[u8]) -> Vec<u8> {
        /// RFC 2784 §2: the protocol number of GRE (RFC 1701 §4).
        const GRE: u8 = 47;
        /// The flag that says that there is a network identifier, and 5 as that.
        const VXLAN: [u8; 8] = [0x08, 0, 0, 0, 0, 0, 5, 0];

        let (_, kind, packet) = parts(frame);
        match self {
            Self::Ip => {
                let number = match kind {
                    ether_type::IPV4 => 4,
                    ether_type::IPV6 => 41,
                    _ => panic!("IP has no number for {kind:02x?}"),
                };
                outer.ip(number, packet)
            }
            Self::Gre(flags) => outer.ip(GRE, &[&gre(flags, kind), packet].concat()),
            Self::BridgedGre(flags) => outer.ip(
                GRE,
                &[&gre(flags, ether_type::BRIDGED_ETHERNET), frame].concat(),
            ),
            Self::Vxlan => Wrap {
                to: Self::VXLAN_PORT,
                ..outer.clone()
            }
            .udp(&[&VXLAN, frame].concat()),
            Self::Pptp(present) => outer.ip(
                GRE,
                &[
                    &enhanced_gre(present, packet.len()),
                    &ppp(kind, present == 0),
                    packet,
                ]
                .concat(),
            ),
            Self::L2tp(present) => {
                let datagram = [&l2tp(present), &ppp(kind, present != 0), packet].concat();
                Wrap {
                    to: Self::L2TP_PORT,
                    ..outer.clone()
                }
                .udp(&datagram)
            }
        }
    }
}

impl Wrap {
    /// A frame with a packet of another protocol than UDP and TCP.
    ///
    /// # Panics
    /// If the payload is too long.
    pub fn ip(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        self.network_step()
            .write(&mut frame, IpNumber(protocol), payload)
            .expect("a packet");
        frame
    }
}

/// A GRE header. The checksum is not computed: nothing here looks at it.
fn gre(flags: u8, kind: [u8; 2]) -> Vec<u8> {
    let mut header = vec![flags, 0, kind[0], kind[1]];
    let words = [[0xab, 0xcd, 0, 0], [0, 0, 0, 9], [0, 0, 1, 0]];
    header.extend(
        Tunnel::GRE_FLAGS
            .iter()
            .zip(words)
            .filter(|(flag, _)| flags & *flag != 0)
            .flat_map(|(_, word)| word),
    );
    header
}

/// A header of GRE, version 1: key present, the protocol of PPP, a length and a call.
fn enhanced_gre(present: u8, payload: usize) -> Vec<u8> {
    let (sequence, acknowledgement) = (present & 0x10, present & 0x80);
    let [l0, l1] = u16::try_from(payload + 4).expect("a length").to_be_bytes();
    let mut header = vec![
        0x20 | sequence,
        1 | acknowledgement,
        0x88,
        0x0b,
        l0,
        l1,
        0,
        7,
    ];
    for _ in 0..(u8::from(sequence != 0) + u8::from(acknowledgement != 0)) {
        header.extend([0, 0, 0, 9]);
    }
    header
}

/// A header of L2TP: flags and version, then the fields that are present, tunnel and session
/// between them.
fn l2tp(present: u8) -> Vec<u8> {
    let mut header = vec![present, 2];
    if present & 0x40 != 0 {
        header.extend([0, 100]);
    }
    header.extend([0, 1, 0, 2]);
    if present & 0x08 != 0 {
        header.extend([0, 3, 0, 4]);
    }
    if present & 0x02 != 0 {
        header.extend([0, 3, 0xee, 0xee, 0xee]);
    }
    header
}

/// The start of a PPP frame (RFC 1662 §3.1), or a protocol of one octet alone (RFC 1661 §6.5) where
/// it has one.
fn ppp(kind: [u8; 2], is_compressed: bool) -> Vec<u8> {
    let protocol = match kind {
        ether_type::IPV4 => [0x00, 0x21],
        ether_type::IPV6 => [0x00, 0x57],
        ether_type::MPLS => [0x02, 0x81],
        _ => panic!("PPP has no number for {kind:02x?}"),
    };
    match protocol {
        [0, low] if is_compressed => vec![low],
        protocol => [&[0xff, 0x03][..], &protocol].concat(),
    }
}

fn parts(frame: &[u8]) -> (&[u8], [u8; 2], &[u8]) {
    (
        &frame[..ADDRESSES],
        [frame[ADDRESSES], frame[ADDRESSES + 1]],
        &frame[ETHERNET..],
    )
}
