//! What the controller sets.

use core::time::Duration;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::hash::{FlowHashKey, HashKey};

/// Places of a bucket of the table of flows.
pub const WAYS: u32 = 16;
/// 64-bit words with a bit for each port.
const PORT_WORDS: usize = (1 << 16) / 64;

/// Which DNS messages are judged on an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum Directions {
    /// Queries and responses.
    #[default]
    Both,
    /// Queries only: what clients ask for.
    Queries,
    /// Responses only: what servers answer, with the names behind aliases.
    Responses,
}

impl Directions {
    /// Its number in the map of interfaces.
    pub const fn index(self) -> u32 {
        self as u32
    }

    /// The one with this number; both for a number that has none.
    #[inline(always)]
    pub fn from_index(index: u32) -> Self {
        const QUERIES: u32 = Directions::Queries.index();
        const RESPONSES: u32 = Directions::Responses.index();
        match index {
            QUERIES => Self::Queries,
            RESPONSES => Self::Responses,
            _ => Self::Both,
        }
    }

    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Queries => "queries",
            Self::Responses => "responses",
        }
    }
}

/// What becomes of fragments of IP packets behind the first, which have no headers to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragments {
    /// They pass.
    #[default]
    Pass,
    /// They are dropped.
    Drop,
}

/// What [`Settings`] are made of.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Ports whose datagrams and streams are DNS.
    pub dns_ports: &'a [u16],
    /// Events a second that each CPU may send.
    pub events_per_second: u32,
    /// Whether names that pass are reported as well.
    pub report_passed: bool,
    /// What becomes of later fragments.
    pub fragments: Fragments,
    /// TCP flows of which a message in several segments is held at once; rounded up to a power of
    /// two.
    pub flows: u32,
    /// QUIC connections that are remembered at once; rounded up to a power of two.
    pub quic_flows: u32,
    /// QUIC packets that each CPU opens in a second at most; 0 for no bound.
    pub quic_per_second: u32,
    /// The same of the packets of one source.
    pub quic_per_source: u32,
    /// Whether packets beyond that are dropped.
    pub drops_quic_beyond: bool,
    /// Answers a second that the clients of a prefix get at most (/24 of IPv4, /56 of IPv6).
    pub answers_per_second: u32,
    /// Seconds for which others may keep an answer.
    pub answer_ttl: u32,
    /// Whether an answer has the name of the list.
    pub names_lists: bool,
    /// After this long, a segment that comes again tells that its sender did not get the reset.
    pub reset_again_after: Duration,
}

impl Options<'_> {
    /// Longer than the segments of one burst take, and half of what Linux lets pass at least before
    /// it sends a segment again (`TCP_RTO_MIN`; RFC 6298 §2.4 asks for a second).
    const RESET_AGAIN_AFTER: Duration = Duration::from_millis(100);
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            dns_ports: &[53],
            events_per_second: 0,
            report_passed: false,
            fragments: Fragments::Pass,
            flows: 1024,
            quic_flows: 1024,
            quic_per_second: 8000,
            quic_per_source: 500,
            drops_quic_beyond: true,
            answers_per_second: 1000,
            answer_ttl: 60,
            names_lists: true,
            reset_again_after: Self::RESET_AGAIN_AFTER,
        }
    }
}

/// The one entry of the settings map.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Settings {
    // First what each segment needs, in as few cache lines as may be.
    flags: u32,
    bucket_mask: u32,
    /// All words of `dns_ports` as one: most ports are not in it, and need no look at their word.
    dns_ports_bloom: u64,
    pub(crate) flow_hash_key: FlowHashKey,
    pub(crate) hash_key: HashKey,
    dns_ports: [u64; PORT_WORDS],
    /// Events a second that each CPU may send.
    events_per_second: u64,
    answers_per_second: u32,
    answer_ttl: u32,
    /// In nanoseconds.
    reset_again_after: u64,
    quic_bucket_mask: u32,
    quic_per_second: u32,
    quic_per_source: u32,
    reserved: u32,
}

const _: () = assert!(
    size_of::<Settings>() == size_of::<FlowHashKey>() + size_of::<HashKey>() + 8 * PORT_WORDS + 56
);

const REPORT_PASSED: u32 = 1;
const DROP_FRAGMENTS: u32 = 2;
const NAME_LISTS: u32 = 4;
const DROP_QUIC_BEYOND: u32 = 8;

impl Settings {
    /// Settings under this key.
    pub fn new(hash_key: HashKey, options: &Options<'_>) -> Self {
        let flag = |set, flag| if set { flag } else { 0 };
        let mut settings = Self {
            flags: flag(options.report_passed, REPORT_PASSED)
                | flag(matches!(options.fragments, Fragments::Drop), DROP_FRAGMENTS)
                | flag(options.names_lists, NAME_LISTS)
                | flag(options.drops_quic_beyond, DROP_QUIC_BEYOND),
            bucket_mask: Self::buckets(options.flows) - 1,
            dns_ports_bloom: 0,
            flow_hash_key: hash_key.of_flows(),
            hash_key,
            dns_ports: [0; PORT_WORDS],
            events_per_second: u64::from(options.events_per_second),
            answers_per_second: options.answers_per_second,
            answer_ttl: options.answer_ttl,
            reset_again_after: u64::try_from(options.reset_again_after.as_nanos())
                .unwrap_or(u64::MAX),
            quic_bucket_mask: Self::buckets(options.quic_flows) - 1,
            quic_per_second: options.quic_per_second,
            quic_per_source: options.quic_per_source,
            reserved: 0,
        };
        for port in options.dns_ports {
            if let Some(word) = settings.dns_ports.get_mut(usize::from(port / 64)) {
                *word |= 1 << (port % 64);
            }
            settings.dns_ports_bloom |= 1 << (port % 64);
        }
        settings
    }

    /// Buckets of the flow table that holds at least so many flows.
    pub const fn buckets(flows: u32) -> u32 {
        const MOST: u32 = 1 << 16;
        let buckets = flows.div_ceil(WAYS);
        if buckets > MOST {
            MOST
        } else {
            buckets.next_power_of_two()
        }
    }

    /// The key under which names are hashed.
    pub fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// Events a second that each CPU may send.
    #[inline(always)]
    pub fn events_per_second(&self) -> u64 {
        self.events_per_second
    }

    /// Answers a second that the clients of a prefix get at most.
    #[inline(always)]
    pub fn answers_per_second(&self) -> u64 {
        self.answers_per_second.into()
    }

    /// Seconds for which others may keep an answer.
    #[inline(always)]
    pub(crate) fn answer_ttl(&self) -> u32 {
        self.answer_ttl
    }

    /// Nanoseconds after which a segment that comes again has another reset.
    #[inline(always)]
    pub(crate) fn reset_again_after(&self) -> u64 {
        self.reset_again_after
    }

    /// True if an answer has the name of the list.
    #[inline(always)]
    pub(crate) fn names_lists(&self) -> bool {
        self.flags & NAME_LISTS != 0
    }

    /// True if names that pass are reported as well.
    #[inline(always)]
    pub fn reports_passed(&self) -> bool {
        self.flags & REPORT_PASSED != 0
    }

    /// True if fragments behind the first are dropped.
    #[inline(always)]
    pub(crate) fn drops_fragments(&self) -> bool {
        self.flags & DROP_FRAGMENTS != 0
    }

    /// One less than the number of buckets, a power of two.
    #[inline(always)]
    pub(crate) fn bucket_mask(&self) -> u32 {
        self.bucket_mask
    }

    /// The same of the buckets of QUIC connections.
    #[inline(always)]
    pub(crate) fn quic_bucket_mask(&self) -> u32 {
        self.quic_bucket_mask
    }

    /// QUIC packets that each CPU opens in a second at most; 0 for no bound.
    #[inline(always)]
    pub(crate) fn quic_per_second(&self) -> u64 {
        self.quic_per_second.into()
    }

    /// The same of the packets of one source.
    #[inline(always)]
    pub(crate) fn quic_per_source(&self) -> u64 {
        self.quic_per_source.into()
    }

    /// True if QUIC packets beyond these bounds are dropped.
    #[inline(always)]
    pub(crate) fn drops_quic_beyond(&self) -> bool {
        self.flags & DROP_QUIC_BEYOND != 0
    }

    /// True if what goes from or to one of these ports is DNS.
    #[inline(always)]
    pub(crate) fn is_dns(&self, source: u16, destination: u16) -> bool {
        let filtered = |port: u16| self.dns_ports_bloom >> (port % 64);
        (filtered(source) | filtered(destination)) & 1 != 0
            && (self.is_dns_port(destination) || self.is_dns_port(source))
    }

    #[inline(always)]
    pub(crate) fn is_dns_port(&self, port: u16) -> bool {
        self.dns_ports
            .get(usize::from(port / 64))
            .is_some_and(|word| word >> (port % 64) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_a_power_of_two_with_room_for_all_flows_and_have_a_bound() {
        for (flows, buckets) in [
            (0, 1),
            (1, 1),
            (16, 1),
            (17, 2),
            (32, 2),
            (33, 4),
            (1 << 20, 1 << 16),
            (u32::MAX, 1 << 16),
        ] {
            assert_eq!(Settings::buckets(flows), buckets, "{flows}");
        }
    }

    #[test]
    fn settings_are_what_was_asked_for() {
        let key = HashKey::from_words([7; crate::hash::HASH_KEY_WORDS]);
        let plain = Options {
            names_lists: false,
            ..Options::default()
        };
        let flags = |options: &Options<'_>| {
            let settings = Settings::new(key, options);
            [
                settings.reports_passed(),
                settings.drops_fragments(),
                settings.names_lists(),
            ]
        };
        assert_eq!(flags(&plain), [false; 3]);
        assert_eq!(
            flags(&Options {
                report_passed: true,
                ..plain
            }),
            [true, false, false]
        );
        assert_eq!(
            flags(&Options {
                fragments: Fragments::Drop,
                ..plain
            }),
            [false, true, false]
        );
        assert_eq!(
            flags(&Options {
                names_lists: true,
                ..plain
            }),
            [false, false, true]
        );
        assert_eq!(
            flags(&Options {
                report_passed: true,
                fragments: Fragments::Drop,
                ..Options::default()
            }),
            [true; 3]
        );
        let numbers = Options {
            events_per_second: 11,
            answers_per_second: 12,
            answer_ttl: 13,
            flows: 64,
            ..plain
        };
        let settings = Settings::new(key, &numbers);
        assert_eq!(
            (
                settings.events_per_second(),
                settings.answers_per_second(),
                settings.answer_ttl()
            ),
            (11, 12, 13)
        );
        assert_eq!(
            (settings.bucket_mask(), settings.reset_again_after()),
            (3, 100_000_000)
        );
    }

    #[test]
    fn sides_are_read_as_they_were_written() {
        for directions in [Directions::Both, Directions::Queries, Directions::Responses] {
            assert_eq!(Directions::from_index(directions.index()), directions);
        }
        assert_eq!(Directions::from_index(9), Directions::Both);
        let words =
            [Directions::Both, Directions::Queries, Directions::Responses].map(Directions::as_str);
        assert_eq!(words, ["both", "queries", "responses"]);
    }
}
