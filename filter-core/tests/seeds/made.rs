//! Seeds out of the repository's own captures and other people's encoders.

use std::path::PathBuf;

use filter_core::Reason::{
    self, DnsBlocked, DnsNotListed, DnsResponseNotListed, Fragment, QuicBlocked, QuicHelloSplit,
    QuicMalformed, QuicNotListed, TlsBlocked, TlsHelloSplit, TlsNoServerName, TlsNotListed,
};
use frames::{Extension, Hello, Wrap, crypto_frame};

use crate::properties::{
    flow::{
        Conversation,
        flags::{DNS, FAST_OPEN, SYN, V6, WRAPS},
    },
    quic::{
        datagram::Datagram,
        sequence::{
            Part, Sequence,
            flags::{DAMAGED, DATAGRAM, PACKET, PADDING, PING, TWICE},
        },
    },
};

const ADS: &str = "ads.example.com";
const WEB: &str = "web.example.com";

/// A seed, and what comes of it: of a conversation, if its payload is one segment.
pub struct Made {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub reason: Reason,
    /// The name that is judged last, if one is.
    pub asked: &'static str,
}

fn made(name: &'static str, bytes: Vec<u8>, reason: Reason, asked: &'static str) -> Made {
    Made {
        name,
        bytes,
        reason,
        asked,
    }
}

/// Single frames.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn frames() -> Vec<Made> {
    let labels = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.example.com";
    let query = Wrap::v4(53).udp(&frames::query(ADS));
    let hello = Wrap::v6(443).tcp(&frames::client_hello(ADS));
    let bare = |frame: &[u8]| frame[ETHERNET..].to_vec();
    vec![
        made(
            "query-of-dig",
            captured("dig", 1),
            DnsNotListed,
            "www.example.com",
        ),
        made(
            "query-of-dig-in-mixed-case",
            captured("dig", 5),
            DnsBlocked,
            "ads.example.net",
        ),
        made(
            "query-of-dig-over-tcp",
            captured("dig", 14),
            DnsNotListed,
            "www.example.com",
        ),
        made(
            "query-of-dig-for-the-root",
            captured("dig", 31),
            DnsNotListed,
            ".",
        ),
        made(
            "query-of-dig-with-many-labels",
            captured("dig", 35),
            DnsNotListed,
            labels,
        ),
        made(
            "query-of-dig-with-odd-octets",
            captured("dig", 37),
            DnsNotListed,
            "odd\\x2edot.and\\x00zero.example",
        ),
        made(
            "response-of-dnsmasq",
            captured("dig", 2),
            DnsResponseNotListed,
            "www.example.com",
        ),
        made(
            "hello-of-curl-over-ipv6",
            captured("curl", 21),
            TlsBlocked,
            "ads.example.net",
        ),
        made(
            "hello-of-openssl-with-a-dot-at-the-end",
            captured("openssl", 50),
            TlsNotListed,
            "trailing.dot.example",
        ),
        made(
            "hello-of-gnutls-without-a-name",
            captured("gnutls", 36),
            TlsNoServerName,
            "",
        ),
        made(
            "hello-of-chromium-first-segment",
            captured("chromium", 36),
            TlsHelloSplit,
            "",
        ),
        made(
            "query-behind-two-tags",
            Wrap::v4(53).vlan(2).udp(&frames::query(ADS)),
            DnsBlocked,
            ADS,
        ),
        made(
            "query-with-two-questions",
            Wrap::v6(53).udp(&frames::query_of(&[WEB, ADS])),
            DnsBlocked,
            ADS,
        ),
        made(
            "query-behind-extension-headers",
            frames::behind_extensions(&hello, &[0, 60, 43, 51]),
            TlsBlocked,
            ADS,
        ),
        made(
            "fragment-behind-the-first",
            frames::ipv4_fragment(&query, 3, false),
            Fragment,
            "",
        ),
        made(
            "query-in-pppoe",
            behind(0x8864, &[0x11, 0, 0, 1, 0, 0, 0, 0x21], &bare(&query)),
            DnsBlocked,
            ADS,
        ),
        made(
            "query-behind-two-mpls-labels",
            behind(0x8847, &[0, 1, 0, 64, 0, 2, 1, 64], &bare(&query)),
            DnsBlocked,
            ADS,
        ),
        made(
            "hello-in-ipv6-in-ipv4",
            tunnel(41, &[], &bare(&hello)),
            TlsBlocked,
            ADS,
        ),
        made(
            "query-in-gre-with-a-key",
            tunnel(47, &[0x20, 0, 8, 0, 0, 0, 0, 7], &bare(&query)),
            DnsBlocked,
            ADS,
        ),
        made(
            "query-in-gre-bridged",
            tunnel(47, &[0, 0, 0x65, 0x58], &query),
            DnsBlocked,
            ADS,
        ),
        made(
            "hello-in-vxlan",
            Wrap::v4(4789).udp(&[&[8, 0, 0, 0, 0, 0, 1, 0], &hello[..]].concat()),
            TlsBlocked,
            ADS,
        ),
        made(
            "hello-behind-change-cipher-spec",
            Wrap::v4(443).tcp(&behind_ccs(&frames::client_hello(ADS))),
            TlsBlocked,
            ADS,
        ),
    ]
}

/// QUIC packets.
pub fn quic() -> Vec<Made> {
    let [ads, web] = [ADS, WEB].map(frames::quic_hello);
    let halves = |hello: &[u8]| {
        [
            crypto_frame(100, &hello[100..]),
            vec![1, 0, 0],
            crypto_frame(0, &hello[..100]),
        ]
        .concat()
    };
    let acknowledged = [vec![2, 0, 0, 0, 0], crypto_frame(0, &web)].concat();
    let packet = |lengths, frames| {
        Datagram {
            version: 0,
            lengths,
            damaged: 900,
            frames,
        }
        .to_bytes()
    };
    vec![
        made(
            "hello-in-one-frame",
            packet([0, 8, 0, 0], crypto_frame(0, &ads)),
            QuicBlocked,
            ADS,
        ),
        made(
            "hello-in-two-frames-reversed",
            packet([1, 20, 20, 0], halves(&ads)),
            QuicBlocked,
            ADS,
        ),
        made(
            "hello-behind-a-token",
            packet([3, 0, 5, 70], crypto_frame(0, &web)),
            QuicNotListed,
            WEB,
        ),
        made(
            "hello-behind-an-acknowledgement",
            packet([0, 8, 8, 0], acknowledged),
            QuicNotListed,
            WEB,
        ),
        made(
            "hello-cut",
            packet([0, 8, 8, 0], crypto_frame(0, &ads[..60])),
            QuicHelloSplit,
            "",
        ),
        made(
            "connection-close",
            packet([0, 8, 8, 0], vec![0x1c, 0, 0, 0]),
            QuicMalformed,
            "",
        ),
    ]
}

/// QUIC handshakes in several packets. The reason is that of the whole in TCP.
pub fn quic_flows() -> Vec<Made> {
    let part = |from, octets, flags| Part {
        range: (from, octets),
        flags,
        damaged: 90,
    };
    let sequence = |parts: &[Part], handshake| {
        Sequence {
            version: 1,
            parts: parts.into(),
            handshake,
        }
        .to_bytes()
    };
    let mut padded = Hello::of(ADS);
    padded.extensions_mut().insert(0, Extension::padding(1_300));
    let (reversed, damaged) = (
        [part(100, 900, PING), part(0, 100, DATAGRAM)],
        part(0, 80, DAMAGED),
    );
    let coalesced: Vec<_> = (0..9)
        .map(|place| part(40 * place, 40, PACKET | PADDING))
        .collect();
    let hello = frames::quic_hello;
    vec![
        made(
            "hello-in-two-datagrams-reversed",
            sequence(&reversed, hello(ADS)),
            TlsBlocked,
            ADS,
        ),
        made(
            "hello-of-two-datagrams",
            sequence(&[part(0, 1_100, 0)], padded.record()[5..].into()),
            TlsBlocked,
            ADS,
        ),
        made(
            "hello-whose-start-comes-damaged-first",
            sequence(&[damaged], hello(ADS)),
            TlsBlocked,
            ADS,
        ),
        made(
            "hello-sent-twice-in-each-datagram",
            sequence(&[part(9, 99, TWICE)], hello(WEB)),
            TlsNotListed,
            WEB,
        ),
        made(
            "hello-in-nine-packets",
            sequence(&coalesced, hello(WEB)),
            TlsNotListed,
            WEB,
        ),
    ]
}

/// Payloads in segments. What no segment lists is sent at the end.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn flows() -> Vec<Made> {
    let ads = || frames::client_hello(ADS);
    let web = || frames::client_hello(WEB);
    let chromium = [
        &captured("chromium", 36)[TCP_WITH_TIMES..],
        &captured("chromium", 37)[TCP_WITH_TIMES..],
    ]
    .concat();
    let mut padded = Hello::of(ADS);
    padded.extensions_mut().insert(0, Extension::padding(3_000));
    let two = [prefixed(&frames::query(WEB)), prefixed(&frames::query(ADS))].concat();
    let three = [
        prefixed(&frames::query(WEB)),
        prefixed(&frames::response(WEB)),
        prefixed(&frames::query("org")),
    ]
    .concat();
    let ads_and_more = [
        prefixed(&frames::query(ADS)),
        prefixed(&frames::query(WEB))[..9].to_vec(),
    ]
    .concat();
    // What a hello starts with, up to its version (RFC 8446 §5.1 and §4.1.2).
    let ads_and_hello = [
        &prefixed(&frames::query(ADS))[..],
        &[22, 3, 1, 0, 244, 1, 0, 0, 240, 3],
    ]
    .concat();
    let bridged: &[(u16, u16)] = &[(10, 10), (30, 10), (50, 10), (70, 10), (20, 50), (90, 900)];
    let mtu: &[(u16, u16)] = &[(0, 1_448), (1_448, 1_448)];
    vec![
        flow(
            "hello-of-chromium-in-its-two-segments",
            0,
            mtu,
            chromium.clone(),
            TlsNotListed,
            CHROMIUM_ASKED,
        ),
        flow(
            "hello-of-chromium-second-segment-first",
            SYN,
            &[(1_448, 2_000)],
            chromium,
            TlsNotListed,
            CHROMIUM_ASKED,
        ),
        flow(
            "hello-in-three-segments-reversed",
            SYN,
            &[(200, 500), (100, 100), (0, 100)],
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-opens-octet-by-octet",
            V6,
            &[(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)],
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-overlapped",
            0,
            &[(0, 120), (60, 120), (150, 30), (100, 500)],
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-retransmitted",
            WRAPS,
            &[(0, 90), (90, 60), (0, 90), (90, 60), (0, 90)],
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-with-four-gaps",
            SYN,
            &[(10, 10), (30, 10), (50, 10), (70, 10)],
            web(),
            TlsNotListed,
            WEB,
        ),
        flow(
            "hello-begun-in-the-syn",
            SYN | FAST_OPEN,
            &[(0, 80)],
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-in-records-of-fifty",
            V6,
            &[(0, 77), (77, 77)],
            frames::in_records(&ads(), 50),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-longer-than-two-segments",
            0,
            mtu,
            padded.record(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "query-with-its-length-apart",
            DNS,
            &[(0, 1), (1, 1)],
            prefixed(&frames::query(ADS)),
            DnsBlocked,
            ADS,
        ),
        flow(
            "query-reversed",
            DNS | SYN,
            &[(20, 40), (0, 20)],
            prefixed(&frames::query(WEB)),
            DnsNotListed,
            WEB,
        ),
        flow(
            "two-queries-cut-in-the-second",
            DNS | V6,
            &[(0, 60)],
            two.clone(),
            DnsBlocked,
            ADS,
        ),
        flow(
            "three-messages-cut-in-each",
            DNS | WRAPS,
            &[(0, 30), (30, 40), (70, 30)],
            three,
            DnsNotListed,
            "org",
        ),
        flow(
            "hello-sent-again-with-its-end-first",
            0,
            &[(0, 900), (10, 900), (0, 12)],
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "hello-with-gaps-bridged",
            SYN,
            bridged,
            ads(),
            TlsBlocked,
            ADS,
        ),
        flow(
            "blocked-query-behind-which-more-comes",
            DNS,
            &[(0, 46)],
            ads_and_more,
            DnsBlocked,
            ADS,
        ),
        flow(
            "second-query-reversed",
            DNS | SYN,
            &[(0, 46), (66, 40)],
            two,
            DnsBlocked,
            ADS,
        ),
        flow(
            "query-behind-which-a-hello-comes-first",
            DNS | SYN,
            &[(46, 10)],
            ads_and_hello,
            DnsBlocked,
            ADS,
        ),
    ]
}

/// The name in the hello of `chromium.pcap` that the seeds are made of.
const CHROMIUM_ASKED: &str = "www.example.com";

fn flow(
    name: &'static str,
    flags: u8,
    segments: &[(u16, u16)],
    payload: Vec<u8>,
    reason: Reason,
    asked: &'static str,
) -> Made {
    let bytes = Conversation {
        flags,
        segments: segments.to_vec(),
        payload,
    }
    .to_bytes();
    made(name, bytes, reason, asked)
}

const ETHERNET: usize = 14;
/// Headers of Ethernet, IPv4 and TCP with timestamps (RFC 7323 §3).
const TCP_WITH_TIMES: usize = ETHERNET + 20 + 32;

/// The frame with this number of one of the repository's captures, which are pcap files of this
/// byte order.
fn captured(file: &str, number: usize) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(file)
        .with_extension("pcap");
    let capture = std::fs::read(path).unwrap();
    let mut rest = &capture[24..];
    for _ in 1..number {
        rest = &rest[16 + captured_bytes(rest)..];
    }
    rest[16..16 + captured_bytes(rest)].to_vec()
}

fn captured_bytes(record: &[u8]) -> usize {
    u32::from_le_bytes(record[8..12].try_into().unwrap()) as usize
}

/// A message over TCP (RFC 1035 §4.2.2).
fn prefixed(message: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(message.len()).unwrap().to_be_bytes(),
        message,
    ]
    .concat()
}

/// RFC 8446 appendix D.4.
fn behind_ccs(hello: &[u8]) -> Vec<u8> {
    [&[20, 3, 3, 0, 1, 1], hello].concat()
}

/// An Ethernet frame of this type.
fn behind(ether_type: u16, header: &[u8], packet: &[u8]) -> Vec<u8> {
    [&[2; 12], &ether_type.to_be_bytes()[..], header, packet].concat()
}

/// An IPv4 packet of this protocol.
fn tunnel(protocol: u8, header: &[u8], packet: &[u8]) -> Vec<u8> {
    /// What a datagram has of headers, and where its protocol number stands.
    const UDP: usize = 8;
    const PROTOCOL_AT: usize = ETHERNET + 9;

    let payload = [header, packet].concat();
    let mut frame = Wrap::v4(9).udp(&payload[UDP..]);
    frame[PROTOCOL_AT] = protocol;
    frame.truncate(ETHERNET + 20);
    frame.extend(payload);
    frame
}
