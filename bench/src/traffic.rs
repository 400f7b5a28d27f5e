//! The packets that are measured.

use fastrand::Rng;
use filter_core::Reason;
use frames::{Asking, Data, Extension, Hello, Initial, Wrap, crypto_frame};

/// Clients use ports from here on (RFC 6335 §6).
const FIRST_CLIENT_PORT: u16 = 0xc000;

/// A kind of packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// TCP data that is no TLS.
    TcpOther,
    /// Application data of TLS.
    TcpMidStream,
    /// UDP to a port that is not DNS's.
    UdpOther,
    /// A DNS query for a name that no rule matches.
    DnsNotListed,
    /// A DNS query for a name that a rule blocks.
    DnsListed,
    /// A TLS hello with a name that no rule matches.
    HelloNotListed,
    /// A TLS hello with a name that a rule blocks.
    HelloListed,
    /// A TLS hello as long as those with post-quantum key shares, in two segments; no rule matches
    /// its name.
    SplitHello,
    /// A DNS query over TCP for a name that no rule matches.
    DnsOverTcp,
    /// A DNS query over TCP for a name that a rule blocks.
    DnsOverTcpListed,
    /// A DNS query with a cookie, of which no rule matches the name: there could be another message
    /// behind its question.
    DnsWithCookie,
    /// Two DNS queries in one datagram, of which no rule matches a name.
    DnsJoined,
    /// A DNS response with three aliases, of which no rule matches one.
    DnsAliases,
    /// A DNS query behind a VLAN tag and in PPPoE, for a name that no rule matches.
    DnsInPppoe,
    /// A QUIC packet with a short header.
    QuicOther,
    /// A QUIC Initial packet with a hello whose name no rule matches, of another connection each
    /// time.
    QuicNotListed,
    /// The same hello as long as those with post-quantum key shares, in two packets and datagrams.
    QuicSplit,
    /// A QUIC Initial packet of a connection whose name was judged before.
    QuicJudged,
    /// A QUIC Initial packet of another connection each time, where none may be opened any more.
    QuicBeyondBudget,
}

impl Traffic {
    /// All kinds, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::TcpOther,
        Self::TcpMidStream,
        Self::UdpOther,
        Self::DnsNotListed,
        Self::DnsListed,
        Self::HelloNotListed,
        Self::HelloListed,
        Self::SplitHello,
        Self::DnsOverTcp,
        Self::DnsOverTcpListed,
        Self::DnsWithCookie,
        Self::DnsJoined,
        Self::DnsAliases,
        Self::DnsInPppoe,
    ];

    /// Those of QUIC, in the order of the table.
    pub const QUIC: [Self; 5] = [
        Self::QuicOther,
        Self::QuicNotListed,
        Self::QuicSplit,
        Self::QuicJudged,
        Self::QuicBeyondBudget,
    ];

    /// How rows name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TcpOther => "tcp data not of interest",
            Self::TcpMidStream => "tcp 443 mid-stream",
            Self::UdpOther => "udp not of interest",
            Self::DnsNotListed => "dns query not listed",
            Self::DnsListed => "dns query listed",
            Self::HelloNotListed => "client hello not listed",
            Self::HelloListed => "client hello listed",
            Self::SplitHello => "split client hello not listed, a segment",
            Self::DnsOverTcp => "dns query over tcp not listed",
            Self::DnsOverTcpListed => "dns query over tcp listed",
            Self::DnsWithCookie => "dns query with a cookie not listed",
            Self::DnsJoined => "two joined dns queries not listed",
            Self::DnsAliases => "dns response with 3 cnames not listed",
            Self::DnsInPppoe => "dns query in pppoe and vlan not listed",
            Self::QuicOther => "quic data",
            Self::QuicNotListed => "quic hello not listed",
            Self::QuicSplit => "split quic hello not listed, a datagram",
            Self::QuicJudged => "quic initial of a judged connection",
            Self::QuicBeyondBudget => "quic hello beyond the budget",
        }
    }

    /// What the filter should say of it.
    pub fn reason(self) -> Reason {
        match self {
            Self::TcpOther | Self::TcpMidStream => Reason::TcpOther,
            Self::UdpOther | Self::QuicOther => Reason::UdpOther,
            Self::DnsNotListed
            | Self::DnsOverTcp
            | Self::DnsWithCookie
            | Self::DnsJoined
            | Self::DnsInPppoe => Reason::DnsNotListed,
            Self::DnsListed | Self::DnsOverTcpListed => Reason::DnsBlocked,
            Self::HelloNotListed | Self::SplitHello => Reason::TlsNotListed,
            Self::DnsAliases => Reason::DnsResponseNotListed,
            Self::HelloListed => Reason::TlsBlocked,
            Self::QuicNotListed | Self::QuicSplit => Reason::QuicNotListed,
            Self::QuicJudged => Reason::QuicJudged,
            Self::QuicBeyondBudget => Reason::QuicBeyondBudget,
        }
    }

    /// True if the name in it is to be listed.
    pub fn is_listed(self) -> bool {
        matches!(
            self,
            Self::DnsListed | Self::DnsOverTcpListed | Self::HelloListed
        )
    }

    /// True if a packet of this kind meets the same whenever it comes. A segment of a DNS stream is
    /// judged once, and a QUIC packet is opened once.
    pub fn is_judged_again(self) -> bool {
        let once = [
            Self::DnsOverTcp,
            Self::DnsOverTcpListed,
            Self::QuicNotListed,
            Self::QuicSplit,
            Self::QuicBeyondBudget,
        ];
        !once.contains(&self)
    }

    /// True if a packet of this kind meets the same however many others come before it. A
    /// connection whose name was judged is remembered as long as there is a place.
    pub fn is_judged_among_others(self) -> bool {
        self != Self::QuicJudged
    }

    /// True if a few packets of this kind meet something else: as many as the budget has in the
    /// time.
    pub fn is_limited_by_time(self) -> bool {
        self == Self::QuicBeyondBudget
    }

    /// The frames of a packet of this kind: one, or a segment each. What carries no name differs in
    /// its source port, length and payload.
    pub fn frames(self, name: &str, random: &mut Rng) -> Vec<Vec<u8>> {
        let from = random.u16(..) | FIRST_CLIENT_PORT;
        let wrap = |to| Wrap {
            from,
            ..Wrap::v4(to)
        };
        let frame = match self {
            Self::TcpOther => wrap(8080).tcp(&payload(b"GET /", random)),
            // RFC 8446 §5.1: application_data, version 1.2, length.
            Self::TcpMidStream => wrap(443).tcp(&payload(&[23, 3, 3, 5, 0xdc], random)),
            Self::UdpOther => wrap(3478).udp(&payload(&[0, 1], random)),
            Self::DnsNotListed | Self::DnsListed => wrap(53).udp(&frames::query(name)),
            Self::HelloNotListed | Self::HelloListed => wrap(443).tcp(&frames::client_hello(name)),
            Self::SplitHello => {
                let hello = long_hello(name);
                let segments =
                    frames::in_segments(&wrap(443), random.u32(..), &hello, &[0, FIRST_SEGMENT]);
                return from_any_client(&segments, random);
            }
            Self::DnsOverTcp | Self::DnsOverTcpListed => {
                let frame = wrap(53).tcp(&frames::over_tcp(&frames::query(name)));
                return from_any_client(&[frame], random);
            }
            Self::DnsWithCookie => wrap(53).udp(
                &Asking {
                    option: Some((COOKIE, COOKIE_OCTETS)),
                    ..Asking::of(name)
                }
                .query(),
            ),
            Self::DnsJoined => wrap(53).udp(&frames::query_numbered(1, name).repeat(2)),
            Self::DnsAliases => Wrap {
                from: 53,
                ..Wrap::v4(from)
            }
            .udp(&with_aliases(name)),
            Self::DnsInPppoe => frames::tagged(
                &frames::in_pppoe(&wrap(53).udp(&frames::query(name))),
                &[0x8100],
            ),
            // RFC 9000 §17.3.1: the fixed bit and no long header.
            Self::QuicOther => wrap(443).udp(&payload(&[0x40], random)),
            Self::QuicNotListed | Self::QuicBeyondBudget => {
                return quic_frames(&wrap(443), &[(0, &frames::quic_hello(name))], random);
            }
            Self::QuicSplit => {
                let record = long_hello(name);
                let (start, rest) = record[RECORD_HEADER..].split_at(FIRST_PART);
                return quic_frames(&wrap(443), &[(0, start), (FIRST_PART, rest)], random);
            }
            // The first of both is the one that is judged.
            Self::QuicJudged => {
                let first = quic_frames(&wrap(443), &[(0, &frames::quic_hello(name))], random);
                return [first.clone(), first].concat();
            }
        };
        vec![frame]
    }
}

/// Code of the option, and the octets of a client that has one of the server (RFC 7873 §4).
const COOKIE: u16 = 10;
const COOKIE_OCTETS: u8 = 24;

/// Octets of a segment on a path for frames of 1,500.
const FIRST_SEGMENT: usize = 1448;

/// RFC 8446 §5.1; QUIC has handshake messages without it.
const RECORD_HEADER: usize = 5;
/// Octets of a hello in its first packet, which is then about as long as clients make it.
const FIRST_PART: usize = 1_100;

/// Initial packets of one connection in a datagram each, which carry these parts of a hello.
/// Connection ID and client are others each time, so that each packet has to be opened by keys of
/// its own.
fn quic_frames(wrap: &Wrap, parts: &[(usize, &[u8])], random: &mut Rng) -> Vec<Vec<u8>> {
    let destination = random.u64(..).to_be_bytes();
    let packets = parts.iter().zip(0..).map(|((offset, part), number)| {
        let packet = Initial {
            number,
            ..Initial::to(&destination)
        };
        wrap.udp(&packet.carrying(&[crypto_frame(*offset, part)]).sealed())
    });
    from_any_client(&packets.collect::<Vec<_>>(), random)
}

/// There are fewer client ports than packets, and what comes second in a flow would be read as a
/// part of the first.
fn from_any_client(frames: &[Vec<u8>], random: &mut Rng) -> Vec<Vec<u8>> {
    let client = random.u32(..).to_be_bytes();
    frames
        .iter()
        .map(|frame| frames::from_ipv4(frame, client))
        .collect()
}

/// The name comes last, as it may where a browser shuffles its extensions.
fn long_hello(name: &str) -> Vec<u8> {
    /// As much as a key share of X25519MLKEM768 adds.
    const KEY_SHARE: usize = 1216;

    let mut hello = Hello::of(name);
    let place = hello.place_of(Extension::SERVER_NAME);
    let extensions = hello.extensions_mut();
    let server_name = place.map(|place| extensions.remove(place));
    extensions.push(Extension::padding(KEY_SHARE));
    extensions.extend(server_name);
    hello.record()
}

fn with_aliases(name: &str) -> Vec<u8> {
    let [one, two, three] = [
        "www.cdn.invalid",
        "eu.www.cdn.invalid",
        "edge7.eu.cdn.invalid",
    ];
    frames::response_of(
        &[name],
        &[
            (name, Data::Cname(one)),
            (one, Data::Cname(two)),
            (two, Data::Cname(three)),
        ],
    )
}

/// Data that starts so.
fn payload(start: &[u8], random: &mut Rng) -> Vec<u8> {
    let octets = random.usize(40..1200);
    let mut payload = start.to_vec();
    payload.extend(std::iter::repeat_with(|| random.u8(..)).take(octets));
    payload
}

#[cfg(test)]
mod tests {
    use filter_core::{
        Effect, Generation, HASH_KEY_WORDS, HashKey, Offline, Options, Patterns, RuleKey, Rules,
        Settings,
    };

    use super::*;

    struct Listed(Option<RuleKey>);

    impl Patterns for Listed {}

    impl Rules for Listed {
        fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
            (self.0 == Some(key)).then_some(&Effect::BLOCK_SUBTREE)
        }
    }

    #[test]
    fn each_kind_of_packet_meets_the_reason_that_is_measured() {
        let key = HashKey::from_words(std::array::from_fn::<_, HASH_KEY_WORDS, _>(|word| {
            7 * word as u64 + 1
        }));
        let settings = Settings::new(
            key,
            &Options {
                flows: 1,
                quic_flows: 1,
                ..Options::default()
            },
        );
        let mut random = Rng::with_seed(1);
        // What is beyond the budget is so in a filter that has one.
        let all = Traffic::ALL.into_iter().chain(Traffic::QUIC);
        for traffic in all.filter(|traffic| !traffic.is_limited_by_time()) {
            let listed = Listed(
                traffic
                    .is_listed()
                    .then(|| key.rule_key("ads.example").unwrap()),
            );
            let frames = traffic.frames("x.ads.example", &mut random);
            let mut offline = Offline::new(settings, listed);
            let reason = frames.iter().map(|frame| offline.decide(frame)).last();
            assert_eq!(reason, Some(traffic.reason()), "{traffic:?}");
        }
    }

    #[test]
    fn what_is_held_of_a_flow_is_of_another_flow_each_time() {
        const ADDRESSES_AND_PORTS: std::ops::Range<usize> = 26..38;
        let mut random = Rng::with_seed(1);
        for traffic in [
            Traffic::SplitHello,
            Traffic::DnsOverTcp,
            Traffic::QuicNotListed,
        ] {
            let frames =
                std::iter::repeat_with(|| traffic.frames("a.example", &mut random).concat());
            let flows: std::collections::HashSet<_> = frames
                .take(10_000)
                .map(|frame| frame[ADDRESSES_AND_PORTS].to_vec())
                .collect();
            assert_eq!(flows.len(), 10_000, "{traffic:?}");
        }
    }

    #[test]
    fn no_two_packets_of_a_kind_are_the_same() {
        let mut random = Rng::with_seed(1);
        for traffic in Traffic::ALL.into_iter().chain(Traffic::QUIC) {
            assert_ne!(
                traffic.frames("a.example", &mut random),
                traffic.frames("a.example", &mut random),
                "{traffic:?}"
            );
        }
    }
}
