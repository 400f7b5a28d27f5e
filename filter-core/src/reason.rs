//! Why a packet passed or was dropped. Every reason has a counter.

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, untouched.
    Pass,
    /// It goes no further.
    Drop,
}

impl Verdict {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Drop => "drop",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $verdict:ident;)+) => {
        /// Why a packet met its verdict. Each frame has exactly one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum Reason {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Reason {
            /// All of them, in the order of their counters.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name of the reason's counter.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// One sentence for people.
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii()),+ }
            }

            /// What happens to a packet for this reason.
            #[inline(always)]
            pub const fn verdict(self) -> Verdict {
                match self { $(Self::$variant => Verdict::$verdict),+ }
            }
        }
    };
}

reasons! {
    /// Neither IPv4 nor IPv6 (ARP, LLDP, more than two VLAN tags, ...).
    NotIp, "not_ip", Pass;
    /// The frame ends before its headers do.
    HeadersCut, "headers_cut", Pass;
    /// An IP, UDP or TCP header contradicts itself.
    HeadersMalformed, "headers_malformed", Pass;
    /// More IPv6 extension headers than are followed.
    ExtensionHeaders, "extension_headers", Pass;
    /// A fragment of an IP packet.
    Fragment, "fragment", Pass;
    /// IP with something other than UDP or TCP.
    OtherProtocol, "other_protocol", Pass;
    /// UDP to a port that is not one of the DNS ports.
    UdpOther, "udp_other", Pass;
    /// TCP that carries no TLS ClientHello.
    TcpOther, "tcp_other", Pass;
    /// A DNS response sent to a DNS port.
    DnsResponse, "dns_response", Pass;
    /// A DNS message without a question.
    DnsNoQuestion, "dns_no_question", Pass;
    /// A DNS message with more than one question.
    DnsSeveralQuestions, "dns_several_questions", Pass;
    /// A DNS message that ends within its header or question.
    DnsCut, "dns_cut", Pass;
    /// A DNS question with a compression pointer or an unknown label type.
    DnsLabelType, "dns_label_type", Pass;
    /// A DNS question with a name of more than 255 octets.
    DnsNameTooLong, "dns_name_too_long", Pass;
    /// A DNS question whose name no rule matches.
    DnsNotListed, "dns_not_listed", Pass;
    /// A DNS question whose name a rule blocks.
    DnsBlocked, "dns_blocked", Drop;
    /// A ClientHello that goes on in another segment or record before its server name is complete.
    TlsHelloSplit, "tls_hello_split", Pass;
    /// A ClientHello that contradicts itself.
    TlsMalformed, "tls_malformed", Pass;
    /// A ClientHello without a server name.
    TlsNoServerName, "tls_no_server_name", Pass;
    /// A ClientHello whose server name is no domain name.
    TlsNameMalformed, "tls_name_malformed", Pass;
    /// A ClientHello whose server names no rule matches.
    TlsNotListed, "tls_not_listed", Pass;
    /// A ClientHello with a server name that a rule blocks.
    TlsBlocked, "tls_blocked", Drop;
}

impl Reason {
    /// True where more bytes of the frame could have led to another reason.
    #[inline(always)]
    pub const fn ran_out_of_bytes(self) -> bool {
        matches!(self, Self::HeadersCut | Self::DnsCut | Self::TlsHelloSplit | Self::TlsMalformed)
    }

    /// The reason with this number.
    pub fn from_index(index: u32) -> Option<Self> {
        Self::ALL.get(index as usize).copied()
    }

    /// Its counter's place among the counters.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self as u32
    }
}

/// What the kernel counts: packets by reason, and what became of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Packets with this reason.
    Packets(Reason),
    /// Blocks that were not reported, since more happened in a second than are.
    EventsSuppressed,
    /// Blocks that were not reported, since nobody had read the earlier ones.
    EventsLost,
}

impl Counter {
    /// Number of counters.
    pub const COUNT: u32 = Reason::ALL.len() as u32 + 2;

    /// All counters, in the order of their indices.
    pub fn all() -> impl Iterator<Item = Self> {
        Reason::ALL.iter().copied().map(Self::Packets).chain([Self::EventsSuppressed, Self::EventsLost])
    }

    /// Its place in the kernel's map of counters.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        match self {
            Self::Packets(reason) => reason.index(),
            Self::EventsSuppressed => Reason::ALL.len() as u32,
            Self::EventsLost => Reason::ALL.len() as u32 + 1,
        }
    }

    /// Its name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Packets(reason) => reason.as_str(),
            Self::EventsSuppressed => "events_suppressed",
            Self::EventsLost => "events_lost",
        }
    }

    /// One sentence for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Packets(reason) => reason.describe(),
            Self::EventsSuppressed => "A block that was not reported, since more happened in a second than are.",
            Self::EventsLost => "A block that was not reported, since nobody had read the earlier ones.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_their_place_in_the_order_of_all() {
        for (place, counter) in Counter::all().enumerate() {
            assert_eq!(counter.index() as usize, place, "{counter:?}");
        }
        assert_eq!(Counter::all().count() as u32, Counter::COUNT);
    }

    #[test]
    fn no_two_counters_share_a_name() {
        let mut names: Vec<_> = Counter::all().map(Counter::as_str).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len() as u32, Counter::COUNT);
    }

    #[test]
    fn only_what_a_rule_blocks_is_dropped() {
        let dropped: Vec<_> = Reason::ALL.iter().filter(|reason| reason.verdict() == Verdict::Drop).collect();
        assert_eq!(dropped, [&Reason::DnsBlocked, &Reason::TlsBlocked]);
    }
}
