//! Frames made of other frames: with more tags, more headers, or as a fragment.

use etherparse::{
    EtherType, IpAuthHeader, IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header,
    Ipv6RawExtHeader, SingleVlanHeader, VlanId, VlanPcp, ip_number,
};

use crate::with_checksums;

/// Bytes of the two addresses that an Ethernet header starts with.
const ADDRESSES: usize = 12;
/// Bytes of an Ethernet header without tags.
const ETHERNET: usize = 14;

/// An untagged frame with VLAN tags under these protocol identifiers, the outermost first.
///
/// # Panics
/// If the frame has no Ethernet header.
pub fn tagged(frame: &[u8], protocols: &[u16]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(ADDRESSES);
    let (ether_type, payload) = rest.split_at(2);
    let last = u16::from_be_bytes([ether_type[0], ether_type[1]]);
    let next = protocols.iter().skip(1).copied().chain([last]);
    let mut tagged = addresses.to_vec();
    tagged.extend(protocols.first().unwrap_or(&last).to_be_bytes());
    for (tag, (_, ether_type)) in protocols.iter().zip(next).enumerate() {
        let tag = SingleVlanHeader {
            pcp: VlanPcp::ZERO,
            drop_eligible_indicator: false,
            vlan_id: VlanId::try_new(100 + tag as u16).expect("a VLAN id"),
            ether_type: EtherType(ether_type),
        };
        tagged.extend(tag.to_bytes());
    }
    tagged.extend(payload);
    tagged
}

/// An untagged IPv4 frame of UDP or TCP with another source address.
///
/// # Panics
/// If it is no IPv4 frame.
pub fn from_ipv4(frame: &[u8], source: [u8; 4]) -> Vec<u8> {
    let (mut header, payload) = Ipv4Header::from_slice(&frame[ETHERNET..]).expect("an IPv4 header");
    header.source = source;
    let mut rewritten = frame[..ETHERNET].to_vec();
    header.write(&mut rewritten).expect("a vector takes all");
    rewritten.extend(payload);
    with_checksums(&rewritten)
}

/// An untagged IPv4 frame as a fragment at this offset, in units of eight octets.
///
/// # Panics
/// If it is no IPv4 frame.
pub fn ipv4_fragment(frame: &[u8], offset: u16, more: bool) -> Vec<u8> {
    let (mut header, payload) = Ipv4Header::from_slice(&frame[ETHERNET..]).expect("an IPv4 header");
    header.fragment_offset = IpFragOffset::try_new(offset).expect("a fragment offset");
    header.more_fragments = more;
    header.dont_fragment = false;
    let mut fragment = frame[..ETHERNET].to_vec();
    header.write(&mut fragment).expect("a vector takes all");
    fragment.extend(payload);
    fragment
}

/// An untagged IPv6 frame as a fragment at this offset, in units of eight octets; (0, false) makes
/// it an atomic one.
///
/// # Panics
/// If it is no IPv6 frame.
pub fn ipv6_fragment(frame: &[u8], offset: u16, more: bool) -> Vec<u8> {
    let offset = IpFragOffset::try_new(offset).expect("a fragment offset");
    with_chain(frame, &[ip_number::IPV6_FRAG], |_, next| {
        Ipv6FragmentHeader::new(next, offset, more, 77)
            .to_bytes()
            .to_vec()
    })
}

/// An untagged IPv6 frame with extension headers of these protocol numbers behind the IPv6 header.
///
/// # Panics
/// If it is no IPv6 frame.
pub fn behind_extensions(frame: &[u8], numbers: &[u8]) -> Vec<u8> {
    let numbers: Vec<_> = numbers.iter().copied().map(IpNumber).collect();
    with_chain(frame, &numbers, |number, next| match number {
        ip_number::AUTH => IpAuthHeader::new(next, 1, 2, &[0; 12])
            .expect("a check value")
            .to_bytes()
            .to_vec(),
        ip_number::IPV6_FRAG => Ipv6FragmentHeader::new(next, IpFragOffset::ZERO, false, 77)
            .to_bytes()
            .to_vec(),
        // PadN (RFC 8200 §4.2) over 16 octets: neither the shortest header nor one whose length
        // could be a unit.
        _ => Ipv6RawExtHeader::new_raw(next, &[1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .expect("an extension header")
            .to_bytes()
            .to_vec(),
    })
}

fn with_chain(
    frame: &[u8],
    numbers: &[IpNumber],
    encode: impl Fn(IpNumber, IpNumber) -> Vec<u8>,
) -> Vec<u8> {
    let (mut header, payload) = Ipv6Header::from_slice(&frame[ETHERNET..]).expect("an IPv6 header");
    let next = numbers.iter().skip(1).copied().chain([header.next_header]);
    let chain: Vec<u8> = numbers
        .iter()
        .zip(next)
        .flat_map(|(number, next)| encode(*number, next))
        .collect();
    header.next_header = numbers.first().copied().unwrap_or(header.next_header);
    header
        .set_payload_length(chain.len() + payload.len())
        .expect("a payload that fits");
    let mut longer = frame[..ETHERNET].to_vec();
    header.write(&mut longer).expect("a vector takes all");
    longer.extend(chain);
    longer.extend(payload);
    longer
}
