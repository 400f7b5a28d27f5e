//! Frames of other links, as they would stand on an Ethernet.

use std::fmt;

use pcap_parser::Linktype;

/// `EtherType`s (IEEE 802 numbers).
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;
/// Reserved: of a frame that no EtherType says what it holds.
const NOTHING_KNOWN: u16 = 0xffff;

/// Bytes before the payload of raw IP's relatives (link-layer header types of tcpdump.org).
const BSD_HEADER_BYTES: usize = 4;
const COOKED_V1_BYTES: usize = 16;
const COOKED_V2_BYTES: usize = 20;

/// Address families of BSD loopback; that of IPv6 differs from system to system.
const FAMILY_IPV4: u32 = 2;
const FAMILIES_IPV6: [u32; 5] = [10, 23, 24, 28, 30];

/// Address and control of PPP, which may be left out (RFC 1661 §6.6, RFC 1662 §3.1).
const PPP_ADDRESS_CONTROL: [u8; 2] = [0xff, 0x03];

/// What a frame holds, with what stands before it on an Ethernet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape<'f> {
    /// A whole Ethernet frame.
    Ethernet(&'f [u8]),
    /// A payload and its EtherType.
    Payload(u16, &'f [u8]),
}

/// What a frame of this link holds; `None` if that is a link that is not read.
pub(super) fn shape(link: Linktype, big_endian: bool, frame: &[u8]) -> Option<Shape<'_>> {
    // A frame that ends within its header holds nothing that is known.
    let payload = match link.0 {
        1 => return Some(Shape::Ethernet(frame)),
        0 => loopback(frame, big_endian),
        108 => loopback(frame, true),
        9 => ppp(frame),
        12 | 14 | 101 | 228 | 229 => Some((version(frame), frame)),
        113 => behind_protocol(frame, COOKED_V1_BYTES - 2, COOKED_V1_BYTES),
        276 => behind_protocol(frame, 0, COOKED_V2_BYTES),
        _ => return None,
    };
    let (ether_type, payload) = payload.unwrap_or((NOTHING_KNOWN, frame));
    Some(Shape::Payload(ether_type, payload))
}

fn loopback(frame: &[u8], big_endian: bool) -> Option<(u16, &[u8])> {
    let (family, payload) = frame.split_first_chunk::<BSD_HEADER_BYTES>()?;
    let family = if big_endian {
        u32::from_be_bytes(*family)
    } else {
        u32::from_le_bytes(*family)
    };
    let ether_type = match family {
        FAMILY_IPV4 => IPV4,
        family if FAMILIES_IPV6.contains(&family) => IPV6,
        _ => NOTHING_KNOWN,
    };
    Some((ether_type, payload))
}

fn ppp(frame: &[u8]) -> Option<(u16, &[u8])> {
    let frame = frame.strip_prefix(&PPP_ADDRESS_CONTROL).unwrap_or(frame);
    // An odd octet is a protocol of one octet (RFC 1661 §6.5).
    let (protocol, payload) = match frame {
        [short, payload @ ..] if short & 1 == 1 => (u16::from(*short), payload),
        [high, low, payload @ ..] => (u16::from_be_bytes([*high, *low]), payload),
        _ => return None,
    };
    let ether_type = match protocol {
        0x0021 => IPV4,
        0x0057 => IPV6,
        0x0281 => MPLS,
        _ => NOTHING_KNOWN,
    };
    Some((ether_type, payload))
}

fn version(packet: &[u8]) -> u16 {
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => IPV4,
        Some(6) => IPV6,
        _ => NOTHING_KNOWN,
    }
}

/// A payload behind a header that has an EtherType in it.
fn behind_protocol(frame: &[u8], at: usize, header_bytes: usize) -> Option<(u16, &[u8])> {
    let ether_type = frame
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u16::from_be_bytes)?;
    Some((ether_type, frame.get(header_bytes..)?))
}

/// A link type with its number and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link(pub(super) Linktype);

impl Link {
    /// The names of some that occur and are not read, from the registry of tcpdump.org.
    const NAMES: [(i32, &str); 24] = [
        (3, "AX25"),
        (6, "IEEE802_5"),
        (7, "ARCNET_BSD"),
        (8, "SLIP"),
        (10, "FDDI"),
        (50, "PPP_HDLC"),
        (51, "PPP_ETHER"),
        (100, "ATM_RFC1483"),
        (104, "C_HDLC"),
        (105, "IEEE802_11"),
        (107, "FRELAY"),
        (119, "IEEE802_11_PRISM"),
        (127, "IEEE802_11_RADIOTAP"),
        (129, "ARCNET_LINUX"),
        (163, "IEEE802_11_AVS"),
        (187, "BLUETOOTH_HCI_H4"),
        (189, "USB_LINUX"),
        (192, "PPI"),
        (195, "IEEE802_15_4_WITHFCS"),
        (220, "USB_LINUX_MMAPPED"),
        (239, "NFLOG"),
        (249, "USBPCAP"),
        (252, "WIRESHARK_UPPER_PDU"),
        (253, "NETLINK"),
    ];
}

/// `127 (IEEE802_11_RADIOTAP)`.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Linktype(number)) = self;
        match Self::NAMES.iter().find(|(named, _)| named == number) {
            Some((_, name)) => write!(f, "{number} ({name})"),
            None => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(link: i32, big_endian: bool, frame: &[u8]) -> (u16, Vec<u8>) {
        match shape(Linktype(link), big_endian, frame).unwrap() {
            Shape::Payload(ether_type, payload) => (ether_type, payload.to_vec()),
            Shape::Ethernet(_) => panic!("{link} has headers of its own"),
        }
    }

    #[test]
    fn an_ethernet_frame_stays_as_it_is() {
        assert_eq!(
            shape(Linktype(1), true, b"any").unwrap(),
            Shape::Ethernet(b"any")
        );
    }

    #[test]
    fn raw_ip_is_told_by_its_version_under_each_of_its_numbers() {
        for link in [12, 14, 101, 228, 229] {
            assert_eq!(payload(link, false, &[0x45, 9]), (IPV4, vec![0x45, 9]));
            assert_eq!(payload(link, false, &[0x60, 9]), (IPV6, vec![0x60, 9]));
            assert_eq!(payload(link, false, &[0x10, 9]).0, NOTHING_KNOWN);
            assert_eq!(payload(link, false, &[]).0, NOTHING_KNOWN);
        }
    }

    #[test]
    fn bsd_loopback_has_its_family_in_the_order_of_the_file_or_of_the_network() {
        assert_eq!(payload(0, false, &[2, 0, 0, 0, 7]), (IPV4, vec![7]));
        assert_eq!(payload(0, true, &[0, 0, 0, 2, 7]), (IPV4, vec![7]));
        assert_eq!(payload(108, false, &[0, 0, 0, 2, 7]), (IPV4, vec![7]));
        for family in FAMILIES_IPV6 {
            assert_eq!(
                payload(0, false, &[family as u8, 0, 0, 0, 7]),
                (IPV6, vec![7])
            );
        }
        assert_eq!(payload(0, false, &[0, 0, 0, 2, 7]).0, NOTHING_KNOWN);
        assert_eq!(payload(108, false, &[2, 0, 0]).0, NOTHING_KNOWN);
    }

    #[test]
    fn cooked_frames_have_their_ether_type_at_the_end_of_version_one_and_at_the_start_of_version_two()
     {
        let v1 = [&[0; 14][..], &[0x81, 0x00, 1]].concat();
        assert_eq!(payload(113, false, &v1), (0x8100, vec![1]));
        assert_eq!(payload(113, false, &v1[..15]).0, NOTHING_KNOWN);
        let v2 = [&[0x86, 0xdd][..], &[0; 18], &[1]].concat();
        assert_eq!(payload(276, false, &v2), (IPV6, vec![1]));
        assert_eq!(payload(276, false, &v2[..19]).0, NOTHING_KNOWN);
    }

    #[test]
    fn ppp_may_leave_out_its_address_and_half_of_its_protocol() {
        for frame in [
            &[0xff, 3, 0, 0x21, 7][..],
            &[0, 0x21, 7],
            &[0xff, 3, 0x21, 7],
            &[0x21, 7],
        ] {
            assert_eq!(payload(9, false, frame), (IPV4, vec![7]), "{frame:?}");
        }
        assert_eq!(payload(9, false, &[0xff, 3, 0, 0x57, 7]), (IPV6, vec![7]));
        assert_eq!(
            payload(9, false, &[0xff, 3, 0xc0, 0x21, 7]).0,
            NOTHING_KNOWN
        );
        assert_eq!(payload(9, false, &[0xff, 3]).0, NOTHING_KNOWN);
    }

    #[test]
    fn a_link_that_is_not_read_is_told_by_number_and_name() {
        assert_eq!(shape(Linktype(127), false, &[0; 64]), None);
        assert_eq!(Link(Linktype(127)).to_string(), "127 (IEEE802_11_RADIOTAP)");
        assert_eq!(Link(Linktype(147)).to_string(), "147");
    }
}
