//! Frames with more around their packet: PPPoE, MPLS, and tunnels. There is no other encoder for these headers here;
//! they are written down from the figures of their RFCs.

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
    let length = u16::try_from(payload.len() + protocol.len()).expect("a length of two octets").to_be_bytes();
    // Version and type, code, session.
    let session = [0x11, 0x00, 0x00, 0x07];
    [addresses, &ether_type::PPPOE_SESSION, &session, &length, &protocol, payload].concat()
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
}

impl Tunnel {
    /// Checksum, key and sequence number present (RFC 2784 §2.1, RFC 2890 §2): bits of the first octet.
    pub const GRE_FLAGS: [u8; 3] = [0x80, 0x20, 0x10];
    /// UDP port of VXLAN (RFC 7348 §5).
    pub const VXLAN_PORT: u16 = 4789;

    /// All of them, GRE with each set of flags.
    pub fn all() -> Vec<Self> {
        let gre = (0..8).map(|set| {
            let flags = Self::GRE_FLAGS.iter().enumerate();
            flags.filter(|(bit, _)| set >> bit & 1 != 0).map(|(_, flag)| flag).sum()
        });
        let gre = gre.flat_map(|flags| [Self::Gre(flags), Self::BridgedGre(flags)]);
        gre.chain([Self::Ip, Self::Vxlan]).collect()
    }

    /// True if what is carried has an Ethernet header of its own.
    pub fn carries_ethernet(self) -> bool {
        matches!(self, Self::BridgedGre(_) | Self::Vxlan)
    }

    /// The frame, or the packet in it, in a packet of this tunnel. Of `outer`, the ports are not used.
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
            Self::BridgedGre(flags) => outer.ip(GRE, &[&gre(flags, ether_type::BRIDGED_ETHERNET), frame].concat()),
            Self::Vxlan => Wrap { to: Self::VXLAN_PORT, ..outer.clone() }.udp(&[&VXLAN, frame].concat()),
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
        self.network_step().write(&mut frame, IpNumber(protocol), payload).expect("a packet");
        frame
    }
}

/// A GRE header. The checksum is not computed: nothing here looks at it.
fn gre(flags: u8, kind: [u8; 2]) -> Vec<u8> {
    let mut header = vec![flags, 0, kind[0], kind[1]];
    let words = [[0xab, 0xcd, 0, 0], [0, 0, 0, 9], [0, 0, 1, 0]];
    header
        .extend(Tunnel::GRE_FLAGS.iter().zip(words).filter(|(flag, _)| flags & *flag != 0).flat_map(|(_, word)| word));
    header
}

fn parts(frame: &[u8]) -> (&[u8], [u8; 2], &[u8]) {
    (&frame[..ADDRESSES], [frame[ADDRESSES], frame[ADDRESSES + 1]], &frame[ETHERNET..])
}
