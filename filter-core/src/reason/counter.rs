//! What the kernel counts.

use super::Reason;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal;)+) => {
        /// What the kernel counts: packets by reason, and what more is to be known.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counter {
            /// Packets with this reason.
            Packets(Reason),
            $($(#[doc = $doc])+ $variant,)+
        }

        #[repr(u32)]
        enum Other { $($variant,)+ }

        impl Counter {
            const OTHERS: &[Self] = &[$(Self::$variant),+];

            /// Its place in the kernel's map of counters.
            #[inline(always)]
            pub const fn index(self) -> u32 {
                match self {
                    Self::Packets(reason) => reason.index(),
                    $(Self::$variant => Reason::ALL.len() as u32 + Other::$variant as u32,)+
                }
            }

            /// Its name in output.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Packets(reason) => reason.as_str(),
                    $(Self::$variant => $name,)+
                }
            }

            /// One sentence for people.
            pub const fn describe(self) -> &'static str {
                match self {
                    Self::Packets(reason) => reason.describe(),
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

counters! {
    /// A ClientHello with the extension `encrypted_client_hello` (its outer name is judged).
    EncryptedClientHello, "tls_encrypted_client_hello";
    /// A DNS message with more than one question (of a query, the first four are judged).
    DnsSeveralQuestions, "dns_several_questions";
    /// A datagram in which more than one DNS message was judged: the kernel joins datagrams of one
    /// flow (GRO).
    DnsJoined, "dns_joined";
    /// A flow with a message in several segments that had to go for another before the message was
    /// complete.
    FlowsEvicted, "flows_evicted";
    /// A segment that was not held, since it was beyond more gaps than are followed.
    FlowGaps, "flow_gaps";
    /// A packet that a rule decided about, and that is missing in the rule's hits, since too many
    /// rules were hit.
    HitsLost, "hits_lost";
    /// A blocked DNS query that was answered.
    Answered, "answered";
    /// A blocked DNS response that went on to the client as another: a negative one, or with other
    /// addresses.
    Rewritten, "rewritten";
    /// A TCP connection with a blocked message that was closed: by a reset or an alert.
    Closed, "closed";
    /// A segment that became the reset of the server's half of a connection, whose client has been
    /// answered.
    ServerReset, "server_reset";
    /// The FIN of a client whose connection has ended, which was acknowledged.
    FinAcknowledged, "fin_acknowledged";
    /// A blocked segment that was sent before its sender can have got the reset of its connection:
    /// it has no further one.
    ClosedAlready, "closed_already";
    /// An answer that is as long as the blocked frame was: a frame in several buffers keeps its
    /// length, since cutting it damages the kernel's memory. Receivers ignore what is behind the IP
    /// packet.
    AnsweredPadded, "answered_padded";
    /// A blocked packet without an answer, since its client's prefix had as many as it may in a
    /// second.
    UnansweredRate, "unanswered_rate";
    /// The same, since it came in by an interface that has no clients behind it.
    UnansweredSide, "unanswered_side";
    /// The same, since it is a tunnel's, a segment's fragment, too long, or has IP options or
    /// extension headers.
    UnansweredLayers, "unanswered_layers";
    /// The same, since its addresses or ports are none that may be answered: broadcast, multicast,
    /// a DNS server's port.
    UnansweredEnds, "unanswered_ends";
    /// The same, since a host would not take the packet: a wrong checksum, no hop left, or a reset
    /// of TCP.
    UnansweredInvalid, "unanswered_invalid";
    /// The same, since no answer fits its DNS message.
    UnansweredMessage, "unanswered_message";
    /// The same, since the kernel gave no room for a longer frame.
    UnansweredRoom, "unanswered_room";
    /// A block that was not reported, since more happened in a second than are.
    EventsSuppressed, "events_suppressed";
    /// A block that was not reported, since nobody had read the earlier ones.
    EventsLost, "events_lost";
    /// A function of the filter's program that could not run, which should never happen.
    FunctionNotRun, "function_not_run";
    /// A program of the filter that was to go on with a packet and could not run, which should
    /// never happen.
    ProgramNotRun, "program_not_run";
    /// A packet that passed unread or, if blocked, was not answered, since the memory of its CPU
    /// was missing, which should never happen.
    CpuStateMissing, "cpu_state_missing";
}

impl Counter {
    /// Number of counters.
    pub const COUNT: u32 = (Reason::ALL.len() + Self::OTHERS.len()) as u32;

    /// All counters, in the order of their indices.
    pub fn all() -> impl Iterator<Item = Self> {
        Reason::ALL
            .iter()
            .copied()
            .map(Self::Packets)
            .chain(Self::OTHERS.iter().copied())
    }
}
