//! Why a packet passed or was dropped. Every reason has a counter (counter.rs).

mod counter;
#[cfg(test)]
mod tests;

pub use counter::Counter;

use crate::abi::Precedence;

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

/// A message with names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A DNS query.
    Query,
    /// A DNS response.
    Response,
    /// A TLS ClientHello.
    ClientHello,
    /// A TLS ClientHello in QUIC.
    QuicHello,
}

impl Message {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Response => "response",
            Self::ClientHello | Self::QuicHello => "client_hello",
        }
    }

    /// Why a message meets its verdict that has a name of this precedence.
    #[inline(always)]
    pub const fn reason(self, precedence: Precedence) -> Reason {
        match (self, precedence) {
            (Self::Query, Precedence::NotListed) => Reason::DnsNotListed,
            (Self::Query, Precedence::Audit) => Reason::DnsAudited,
            (Self::Query, Precedence::Allow | Precedence::AllowImportant) => Reason::DnsAllowed,
            (Self::Query, Precedence::Block | Precedence::BlockImportant) => Reason::DnsBlocked,
            (Self::Response, Precedence::NotListed) => Reason::DnsResponseNotListed,
            (Self::Response, Precedence::Audit) => Reason::DnsResponseAudited,
            (Self::Response, Precedence::Allow | Precedence::AllowImportant) => {
                Reason::DnsResponseAllowed
            }
            (Self::Response, Precedence::Block | Precedence::BlockImportant) => {
                Reason::DnsResponseBlocked
            }
            (Self::ClientHello, Precedence::NotListed) => Reason::TlsNotListed,
            (Self::ClientHello, Precedence::Audit) => Reason::TlsAudited,
            (Self::ClientHello, Precedence::Allow | Precedence::AllowImportant) => {
                Reason::TlsAllowed
            }
            (Self::ClientHello, Precedence::Block | Precedence::BlockImportant) => {
                Reason::TlsBlocked
            }
            (Self::QuicHello, Precedence::NotListed) => Reason::QuicNotListed,
            (Self::QuicHello, Precedence::Audit) => Reason::QuicAudited,
            (Self::QuicHello, Precedence::Allow | Precedence::AllowImportant) => {
                Reason::QuicAllowed
            }
            (Self::QuicHello, Precedence::Block | Precedence::BlockImportant) => {
                Reason::QuicBlocked
            }
        }
    }

    /// The word for its protocol in output.
    pub const fn protocol(self) -> &'static str {
        match self {
            Self::Query | Self::Response => "dns",
            Self::ClientHello => "tls",
            Self::QuicHello => "quic",
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
    /// The frame ends before its IP packet does, in a kernel that could not read on.
    PacketCut, "packet_cut", Pass;
    /// An IP, UDP or TCP header contradicts itself.
    HeadersMalformed, "headers_malformed", Pass;
    /// More IPv6 extension headers than are followed.
    ExtensionHeaders, "extension_headers", Pass;
    /// A fragment of an IP packet behind the first.
    Fragment, "fragment", Pass;
    /// The same where these are to be dropped.
    FragmentDropped, "fragment_dropped", Drop;
    /// IP with something other than UDP or TCP, or a tunnel in a tunnel.
    OtherProtocol, "other_protocol", Pass;
    /// UDP between ports that are not DNS ports.
    UdpOther, "udp_other", Pass;
    /// TCP that carries neither a TLS ClientHello nor DNS.
    TcpOther, "tcp_other", Pass;
    /// A segment of a message in several, while another CPU kept the same part of the table of
    /// flows for very long. Its sender sends it again.
    FlowBusy, "flow_busy", Drop;
    /// A segment of a connection that has ended for its client, with an answer to what it asked: it
    /// becomes a reset of the server's half, or the client's FIN is acknowledged.
    TcpEnded, "tcp_ended", Drop;
    /// A DNS query on an interface where only responses are judged.
    DnsQueryNotJudged, "dns_query_not_judged", Pass;
    /// A DNS response on an interface where only queries are judged.
    DnsResponseNotJudged, "dns_response_not_judged", Pass;
    /// A DNS message without a question, and without a name in its answers.
    DnsNoQuestion, "dns_no_question", Pass;
    /// A DNS message that ends within its header, its questions or its answers.
    DnsCut, "dns_cut", Pass;
    /// A DNS message over TCP that goes on in another segment.
    DnsSplit, "dns_split", Pass;
    /// A DNS message with a label of an unknown type.
    DnsLabelType, "dns_label_type", Pass;
    /// A DNS message with a compression pointer that leads out of it, or with too many in one name.
    DnsPointer, "dns_pointer", Pass;
    /// A DNS message with a name of more than 255 octets.
    DnsNameTooLong, "dns_name_too_long", Pass;
    /// A DNS query for a name that no rule matches.
    DnsNotListed, "dns_not_listed", Pass;
    /// A DNS query for a name that would be blocked, by a list or on an interface in audit mode.
    DnsAudited, "dns_audited", Pass;
    /// A DNS query for a name that a rule allows.
    DnsAllowed, "dns_allowed", Pass;
    /// A DNS query for a name that a rule blocks.
    DnsBlocked, "dns_blocked", Drop;
    /// A DNS query with several questions, none of which a rule blocks, or with a compressed one:
    /// it is refused (RFC 9619).
    DnsQuestionsRefused, "dns_questions_refused", Drop;
    /// DNS queries that take more work than a packet may: what is left is judged when it is sent
    /// again.
    DnsBeyondDropped, "dns_beyond_dropped", Drop;
    /// DNS messages that take more work than a packet may, where they are responses or in audit
    /// mode: what is left is not judged.
    DnsBeyond, "dns_beyond", Pass;
    /// A DNS response with names that no rule matches.
    DnsResponseNotListed, "dns_response_not_listed", Pass;
    /// A DNS response with a name that would be blocked, by a list or on an interface in audit
    /// mode.
    DnsResponseAudited, "dns_response_audited", Pass;
    /// A DNS response to a question for a name that a rule allows.
    DnsResponseAllowed, "dns_response_allowed", Pass;
    /// A DNS response with a name that a rule blocks: asked for, or the target of an alias.
    DnsResponseBlocked, "dns_response_blocked", Drop;
    /// A ClientHello that goes on in another segment before its server name is complete.
    TlsHelloSplit, "tls_hello_split", Pass;
    /// A ClientHello that is longer than what is held of one, and has no server name up to there.
    TlsHelloTooLong, "tls_hello_too_long", Pass;
    /// A ClientHello in the form of SSL 2.0, which has no server name.
    TlsSslv2, "tls_sslv2", Pass;
    /// A ClientHello that contradicts itself.
    TlsMalformed, "tls_malformed", Pass;
    /// A ClientHello without a server name.
    TlsNoServerName, "tls_no_server_name", Pass;
    /// A ClientHello whose server name is no domain name.
    TlsNameMalformed, "tls_name_malformed", Pass;
    /// A ClientHello with more server names or records than are read.
    TlsBeyond, "tls_beyond", Pass;
    /// A ClientHello whose server names no rule matches.
    TlsNotListed, "tls_not_listed", Pass;
    /// A ClientHello with a server name that would be blocked, by a list or on an interface in
    /// audit mode.
    TlsAudited, "tls_audited", Pass;
    /// A ClientHello with a server name that a rule allows.
    TlsAllowed, "tls_allowed", Pass;
    /// A ClientHello with a server name that a rule blocks.
    TlsBlocked, "tls_blocked", Drop;
    /// A QUIC packet with a long header that is no Initial, or of another version than the rest of
    /// its datagram.
    QuicOther, "quic_other", Pass;
    /// A QUIC packet whose header or frames contradict themselves, or that is longer than what is
    /// read of one.
    QuicMalformed, "quic_malformed", Pass;
    /// A QUIC Initial that does not open by a client's keys: a server's, or one that was damaged or
    /// forged.
    QuicNotOpened, "quic_not_opened", Pass;
    /// A QUIC Initial without any part of a ClientHello.
    QuicNoHello, "quic_no_hello", Pass;
    /// A packet of a QUIC connection whose ClientHello has been judged and was not blocked.
    QuicJudged, "quic_judged", Pass;
    /// A ClientHello in QUIC that goes on in another datagram before its server name is complete.
    QuicHelloSplit, "quic_hello_split", Pass;
    /// A ClientHello in QUIC that is longer than what is held of one, and has no server name up to
    /// there.
    QuicHelloTooLong, "quic_hello_too_long", Pass;
    /// A ClientHello in QUIC without a server name.
    QuicNoServerName, "quic_no_server_name", Pass;
    /// A ClientHello in QUIC whose server name is no domain name.
    QuicNameMalformed, "quic_name_malformed", Pass;
    /// A ClientHello in QUIC with more server names than are read.
    QuicBeyond, "quic_beyond", Pass;
    /// A ClientHello in QUIC whose server names no rule matches.
    QuicNotListed, "quic_not_listed", Pass;
    /// A ClientHello in QUIC with a server name that would be blocked, by a list or on an interface
    /// in audit mode.
    QuicAudited, "quic_audited", Pass;
    /// A ClientHello in QUIC with a server name that a rule allows.
    QuicAllowed, "quic_allowed", Pass;
    /// A ClientHello in QUIC with a server name that a rule blocks.
    QuicBlocked, "quic_blocked", Drop;
    /// A further packet of a QUIC connection whose server name a rule blocks.
    QuicFlowBlocked, "quic_flow_blocked", Drop;
    /// A QUIC Initial beyond those that are opened in a second, of its source or in all: it passes
    /// unread.
    QuicBeyondBudget, "quic_beyond_budget", Pass;
    /// The same where these are dropped, as by default: the client sends it again.
    QuicBeyondBudgetDropped, "quic_beyond_budget_dropped", Drop;
    /// A QUIC packet with a long header, on an interface where QUIC is refused: clients go on with
    /// TCP.
    QuicRefused, "quic_refused", Drop;
    /// A part of the filter could not run, which should never happen: the packet passes unread.
    InternalFailure, "internal_failure", Pass;
}

impl Reason {
    /// True where the frame may have what is missing in buffers that were not read.
    #[inline(always)]
    pub const fn ran_out_of_bytes(self) -> bool {
        matches!(self, Self::HeadersCut | Self::PacketCut)
    }

    /// True if a rule blocks a name of the packet.
    #[inline(always)]
    pub const fn is_blocked(self) -> bool {
        matches!(
            self,
            Self::DnsBlocked | Self::DnsResponseBlocked | Self::TlsBlocked | Self::QuicBlocked
        )
    }

    /// True if the packet goes no further whatever comes behind it, and its client may be told.
    #[inline(always)]
    pub const fn is_refused(self) -> bool {
        self.is_blocked() || matches!(self, Self::DnsQuestionsRefused)
    }

    /// True if nothing more of the packet is to be judged.
    #[inline(always)]
    pub(crate) const fn ends_judging(self) -> bool {
        self.is_refused()
            || matches!(
                self,
                Self::DnsBeyondDropped | Self::DnsBeyond | Self::TlsBeyond
            )
    }

    /// True if a name of the packet would be blocked, but for a trial.
    #[inline(always)]
    pub const fn is_audited(self) -> bool {
        matches!(
            self,
            Self::DnsAudited | Self::DnsResponseAudited | Self::TlsAudited | Self::QuicAudited
        )
    }

    /// True if a rule decided: it blocks a name of the packet, would block it, or allows it.
    #[inline(always)]
    pub const fn is_of_rule(self) -> bool {
        self.is_blocked()
            || self.is_audited()
            || matches!(
                self,
                Self::DnsAllowed | Self::DnsResponseAllowed | Self::TlsAllowed | Self::QuicAllowed
            )
    }

    /// True if this remains what is to be said of a message, of which another name gave the other
    /// reason.
    #[inline(always)]
    pub(crate) const fn outranks(self, other: Self) -> bool {
        self.is_blocked()
            || ((matches!(self, Self::DnsResponseAllowed) || self.is_audited())
                && !other.is_blocked())
    }

    /// True if the packet goes no further.
    #[inline(always)]
    pub(crate) const fn is_drop(self) -> bool {
        matches!(self.verdict(), Verdict::Drop)
    }

    /// What is to be said of a ClientHello in QUIC that would have this reason in TCP.
    #[inline(always)]
    pub(crate) const fn of_quic(self) -> Self {
        match self {
            Self::TlsHelloSplit => Self::QuicHelloSplit,
            Self::TlsHelloTooLong => Self::QuicHelloTooLong,
            Self::TlsMalformed => Self::QuicMalformed,
            Self::TlsNoServerName => Self::QuicNoServerName,
            Self::TlsNameMalformed => Self::QuicNameMalformed,
            Self::TlsBeyond => Self::QuicBeyond,
            reason => reason,
        }
    }

    /// What kind of message the reason is about, if it is about a name.
    #[inline(always)]
    pub const fn message(self) -> Option<Message> {
        match self {
            Self::DnsNotListed | Self::DnsAudited | Self::DnsAllowed | Self::DnsBlocked => {
                Some(Message::Query)
            }
            Self::DnsResponseNotListed
            | Self::DnsResponseAudited
            | Self::DnsResponseAllowed
            | Self::DnsResponseBlocked => Some(Message::Response),
            Self::TlsNotListed | Self::TlsAudited | Self::TlsAllowed | Self::TlsBlocked => {
                Some(Message::ClientHello)
            }
            Self::QuicNotListed | Self::QuicAudited | Self::QuicAllowed | Self::QuicBlocked => {
                Some(Message::QuicHello)
            }
            _ => None,
        }
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
