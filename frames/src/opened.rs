//! Reading frames, and being strict about it: what is not as its RFC has it panics.

use std::net::{IpAddr, SocketAddr};

use etherparse::{NetSlice, SlicedPacket, TcpOptionElement, TransportSlice};
use hickory_proto::{
    op::{Message, MessageType},
    rr::rdata::opt::EdnsOption,
    serialize::binary::BinDecodable,
};

/// What a frame without IP options and extension headers has in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// MAC addresses: of the destination, then of the source.
    pub macs: [[u8; 6]; 2],
    /// VLAN tags.
    pub vlan_tags: usize,
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it is for.
    pub destination: SocketAddr,
    /// Time to live, or hop limit.
    pub hops: u8,
    /// The TCP header, if it has one.
    pub tcp: Option<Segment>,
    /// What UDP or TCP carries.
    pub payload: Vec<u8>,
}

/// The fields of a TCP header that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// The letters of the flags that are set, of `SAFRP`.
    pub flags: String,
    /// The sender's timestamp, and the one that it echoes (RFC 7323 §3.2).
    pub timestamps: Option<(u32, u32)>,
}

/// Reads a frame.
///
/// # Panics
/// If a length or a checksum in it is wrong, or bytes follow the packet.
#[expect(
    clippy::too_many_lines,
    reason = "a field for each that a test asks for"
)]
pub fn opened(frame: &[u8]) -> Opened {
    let packet = SlicedPacket::from_ethernet(frame).expect("a packet in Ethernet");
    let mac = |at: usize| frame[at..at + 6].try_into().expect("six octets");
    let network = packet.net.expect("an IP header");
    let (source, destination, hops, end) = match &network {
        NetSlice::Ipv4(ip) => {
            let header = ip.header().to_header();
            assert_eq!(
                header.calc_header_checksum(),
                header.header_checksum,
                "the checksum of the IP header"
            );
            let ends: [IpAddr; 2] = [header.source.into(), header.destination.into()];
            (ends[0], ends[1], header.time_to_live, header.total_len)
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header().to_header();
            let ends: [IpAddr; 2] = [header.source.into(), header.destination.into()];
            (
                ends[0],
                ends[1],
                header.hop_limit,
                header.payload_length + 40,
            )
        }
        NetSlice::Arp(_) => panic!("ARP"),
    };
    let tags = packet.link_exts.len();
    assert_eq!(
        frame.len(),
        14 + 4 * tags + usize::from(end),
        "bytes of the frame"
    );
    let transport = packet.transport.expect("UDP or TCP");
    let (ports, tcp, payload) = match &transport {
        TransportSlice::Udp(udp) => {
            let header = udp.to_header();
            let checksum = match &network {
                NetSlice::Ipv4(ip) => {
                    header.calc_checksum_ipv4(&ip.header().to_header(), udp.payload())
                }
                NetSlice::Ipv6(ip) => {
                    header.calc_checksum_ipv6(&ip.header().to_header(), udp.payload())
                }
                NetSlice::Arp(_) => unreachable!("read above"),
            };
            assert_eq!(
                checksum.expect("a datagram"),
                header.checksum,
                "the checksum of UDP"
            );
            (
                [header.source_port, header.destination_port],
                None,
                udp.payload(),
            )
        }
        TransportSlice::Tcp(tcp) => {
            let header = tcp.to_header();
            let checksum = match &network {
                NetSlice::Ipv4(ip) => {
                    header.calc_checksum_ipv4(&ip.header().to_header(), tcp.payload())
                }
                NetSlice::Ipv6(ip) => {
                    header.calc_checksum_ipv6(&ip.header().to_header(), tcp.payload())
                }
                NetSlice::Arp(_) => unreachable!("read above"),
            };
            assert_eq!(
                checksum.expect("a segment"),
                header.checksum,
                "the checksum of TCP"
            );
            let flags = [
                ('S', header.syn),
                ('A', header.ack),
                ('F', header.fin),
                ('R', header.rst),
                ('P', header.psh),
            ];
            let segment = Segment {
                sequence: header.sequence_number,
                acknowledgement: header.acknowledgment_number,
                flags: flags
                    .into_iter()
                    .filter(|(_, set)| *set)
                    .map(|(letter, _)| letter)
                    .collect(),
                timestamps: header.options_iterator().find_map(|option| {
                    match option.expect("an option") {
                        TcpOptionElement::Timestamp(value, echo) => Some((value, echo)),
                        _ => None,
                    }
                }),
            };
            (
                [header.source_port, header.destination_port],
                Some(segment),
                tcp.payload(),
            )
        }
        _ => panic!("neither UDP nor TCP"),
    };
    Opened {
        macs: [mac(0), mac(6)],
        vlan_tags: tags,
        source: SocketAddr::new(source, ports[0]),
        destination: SocketAddr::new(destination, ports[1]),
        hops,
        tcp,
        payload: payload.to_vec(),
    }
}

/// What a DNS response says, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its identifier.
    pub id: u16,
    /// The flags that are set, as `dig` names them.
    pub flags: String,
    /// The code, as in RFC 1035.
    pub code: u16,
    /// Name, class and type of the question, in the case that it came in; empty if there is none.
    pub question: String,
    /// The answers, as in a zone file.
    pub answers: Vec<String>,
    /// The authority section, likewise.
    pub authorities: Vec<String>,
    /// EDNS, if it has any.
    pub edns: Option<Edns>,
}

/// What an OPT record says (RFC 6891 §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Its version.
    pub version: u8,
    /// Whether DNSSEC is understood.
    pub dnssec: bool,
    /// What the sender takes in a datagram.
    pub size: u16,
    /// Its options, each with its code.
    pub options: Vec<(u16, Vec<u8>)>,
}

/// Reads a response with one question at most.
///
/// # Panics
/// If it is none, or has bytes behind it.
pub fn answer(message: &[u8]) -> Answer {
    let mut decoder = hickory_proto::serialize::binary::BinDecoder::new(message);
    let response = Message::read(&mut decoder).expect("a DNS message");
    assert!(decoder.is_empty(), "bytes behind the message");
    assert_eq!(response.metadata.message_type, MessageType::Response);
    let metadata = &response.metadata;
    let flags = [
        ("aa", metadata.authoritative),
        ("tc", metadata.truncation),
        ("rd", metadata.recursion_desired),
        ("ra", metadata.recursion_available),
        ("ad", metadata.authentic_data),
        ("cd", metadata.checking_disabled),
    ];
    let question = match &response.queries[..] {
        [] => String::new(),
        [question] => question.to_string(),
        several => panic!("{} questions", several.len()),
    };
    let text =
        |records: &[hickory_proto::rr::Record]| records.iter().map(ToString::to_string).collect();
    let edns = response.edns.as_ref().map(|edns| {
        let options = edns.options().as_ref().iter().map(|(code, option)| {
            let bytes = match option {
                EdnsOption::Unknown(_, bytes) => bytes.clone(),
                other => Vec::<u8>::try_from(other).expect("an option"),
            };
            (u16::from(*code), bytes)
        });
        Edns {
            version: edns.version(),
            dnssec: edns.flags().dnssec_ok,
            size: edns.max_payload(),
            options: options.collect(),
        }
    });
    Answer {
        id: metadata.id,
        flags: flags
            .into_iter()
            .filter(|(_, set)| *set)
            .map(|(word, _)| word)
            .collect::<Vec<_>>()
            .join(" "),
        code: metadata.response_code.into(),
        question,
        answers: text(&response.answers),
        authorities: text(&response.authorities),
        edns,
    }
}
