//! The packets that are measured.

use fastrand::Rng;
use filter_core::Reason;
use frames::Wrap;

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
}

impl Traffic {
    /// All kinds, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::TcpOther,
        Self::TcpMidStream,
        Self::UdpOther,
        Self::DnsNotListed,
        Self::DnsListed,
        Self::HelloNotListed,
        Self::HelloListed,
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
        }
    }

    /// What the filter should say of it.
    pub fn reason(self) -> Reason {
        match self {
            Self::TcpOther | Self::TcpMidStream => Reason::TcpOther,
            Self::UdpOther => Reason::UdpOther,
            Self::DnsNotListed => Reason::DnsNotListed,
            Self::DnsListed => Reason::DnsBlocked,
            Self::HelloNotListed => Reason::TlsNotListed,
            Self::HelloListed => Reason::TlsBlocked,
        }
    }

    /// True if the name in it is to be listed.
    pub fn is_listed(self) -> bool {
        matches!(self, Self::DnsListed | Self::HelloListed)
    }

    /// A frame of this kind. What carries no name differs in its source port, length and payload.
    pub fn frame(self, name: &str, random: &mut Rng) -> Vec<u8> {
        let from = random.u16(..) | FIRST_CLIENT_PORT;
        let wrap = |to| Wrap { from, ..Wrap::v4(to) };
        match self {
            Self::TcpOther => wrap(8080).tcp(&payload(b"GET /", random)),
            // RFC 8446 §5.1: application_data, version 1.2, length.
            Self::TcpMidStream => wrap(443).tcp(&payload(&[23, 3, 3, 5, 0xdc], random)),
            Self::UdpOther => wrap(3478).udp(&payload(&[0, 1], random)),
            Self::DnsNotListed | Self::DnsListed => wrap(53).udp(&frames::query(name)),
            Self::HelloNotListed | Self::HelloListed => wrap(443).tcp(&frames::client_hello(name)),
        }
    }
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
    use filter_core::{HASH_KEY_WORDS, HashKey, Offline, Options, RuleKey, Rules, Settings};

    use super::*;

    struct Listed(Option<RuleKey>);

    impl Rules for Listed {
        fn matches(&self, key: RuleKey) -> bool {
            self.0 == Some(key)
        }
    }

    #[test]
    fn each_kind_of_packet_meets_the_reason_that_is_measured() {
        let key = HashKey::from_words(std::array::from_fn::<_, HASH_KEY_WORDS, _>(|word| 7 * word as u64 + 1));
        let settings = Settings::new(key, &Options { flows: 1, ..Options::default() });
        let mut random = Rng::with_seed(1);
        for traffic in Traffic::ALL {
            let listed = Listed(traffic.is_listed().then(|| key.rule_key("ads.example").unwrap()));
            let frame = traffic.frame("x.ads.example", &mut random);
            assert_eq!(Offline::new(settings, listed).decide(&frame), traffic.reason(), "{traffic:?}");
        }
    }

    #[test]
    fn no_two_packets_of_a_kind_are_the_same() {
        let mut random = Rng::with_seed(1);
        for traffic in Traffic::ALL {
            assert_ne!(traffic.frame("a.example", &mut random), traffic.frame("a.example", &mut random), "{traffic:?}");
        }
    }
}
