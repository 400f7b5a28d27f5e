//! What becomes of what is blocked, as the kernel's maps hold it.

#[cfg(test)]
mod tests;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Directions, Generation};

macro_rules! actions {
    ($(#[doc = $doc:literal])+ $kind:ident { $($(#[doc = $of:literal])+ $variant:ident, $name:literal;)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum $kind {
            /// What the interface does that the packet came in by.
            #[default]
            AsInterface,
            $($(#[doc = $of])+ $variant,)+
        }

        impl $kind {
            /// All that somebody may ask for.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it in configurations and output.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::AsInterface => "default",
                    $(Self::$variant => $name,)+
                }
            }

            #[inline(always)]
            pub(crate) fn from_index(index: u32) -> Self {
                $(
                    if index == Self::$variant as u32 {
                        return Self::$variant;
                    }
                )+
                Self::AsInterface
            }
        }
    };
}

actions! {
    /// What becomes of a DNS message in a datagram that is blocked.
    DnsAction {
        /// Nobody hears of it.
        Drop, "drop";
        /// The name does not exist (RFC 2308 §2.1).
        NxDomain, "nxdomain";
        /// The name has no such records (RFC 2308 §2.2).
        NoData, "nodata";
        /// Policy forbids an answer (RFC 1035 §4.1.1).
        Refused, "refused";
        /// The unspecified address; for other types than addresses as [`DnsAction::NoData`].
        Null, "null";
        /// Addresses of the owner's choice; for other types than addresses as
        /// [`DnsAction::NoData`].
        Address, "address";
    }
}

actions! {
    /// What becomes of a TCP connection with a message that is blocked.
    TcpAction {
        /// The segment is lost, however often it is sent again.
        Drop, "drop";
        /// The client's end is reset (RFC 9293 §3.5.2).
        Reset, "reset";
        /// A TLS client is told `unrecognized_name` (RFC 8446 §6.2), and the connection ends;
        /// others are reset.
        Alert, "alert";
    }
}

actions! {
    /// What becomes of a QUIC connection whose hello is blocked.
    QuicAction {
        /// Its packets are lost, however often they are sent again.
        Drop, "drop";
        /// The client is sent a `CONNECTION_CLOSE` (RFC 9000 §10.2.3).
        Close, "close";
    }
}

/// What is done with QUIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quic {
    /// The server names in it are judged.
    #[default]
    Inspect,
    /// It passes unread.
    Pass,
    /// It is dropped, so that clients go on with TCP.
    Refuse,
}

impl Quic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Inspect, Self::Pass, Self::Refuse];

    /// The word for it in configurations and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Pass => "pass",
            Self::Refuse => "refuse",
        }
    }
}

/// What becomes of what the lists of an audience block, or what is blocked on an interface.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
pub struct Actions {
    dns: u32,
    tcp: u32,
    /// INFO-CODE of an Extended DNS Error (RFC 8914 §4); 0 for that of the interface.
    code: u16,
    quic: u16,
    /// An address as in memory, for [`DnsAction::Address`]; 0 for none.
    v4: u32,
    v6: [u64; 2],
}

/// The number of each action that leaves it to the interface.
const UNSAID: u32 = DnsAction::AsInterface as u32;

impl Actions {
    /// What the interface has.
    pub const NONE: Self = Self {
        dns: 0,
        tcp: 0,
        code: 0,
        quic: 0,
        v4: 0,
        v6: [0; 2],
    };
    /// Blocked (RFC 8914 §4.16).
    pub const BLOCKED: u16 = 15;
    /// Censored (RFC 8914 §4.17).
    pub const CENSORED: u16 = 16;
    /// Filtered (RFC 8914 §4.18).
    pub const FILTERED: u16 = 17;

    /// Where the map of actions has that of an audience, in a generation.
    #[inline(always)]
    pub const fn place(audience: u32, generation: Generation) -> u32 {
        audience * 2 + generation.index()
    }

    /// These actions, reported as [`Actions::BLOCKED`] unless the interface has another code.
    #[inline(always)]
    pub const fn new(dns: DnsAction, tcp: TcpAction) -> Self {
        Self {
            dns: dns as u32,
            tcp: tcp as u32,
            code: 0,
            quic: 0,
            v4: 0,
            v6: [0; 2],
        }
    }

    /// The same with another INFO-CODE of the Extended DNS Error.
    #[must_use]
    pub const fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }

    /// The same with this for QUIC connections.
    #[must_use]
    #[inline(always)]
    pub const fn with_quic(self, quic: QuicAction) -> Self {
        Self {
            quic: quic as u16,
            ..self
        }
    }

    /// What becomes of DNS in datagrams.
    #[inline(always)]
    pub fn dns(&self) -> DnsAction {
        DnsAction::from_index(self.dns)
    }

    /// The same by the action's number.
    #[inline(always)]
    pub(crate) const fn dns_number(&self) -> u32 {
        self.dns
    }

    /// What becomes of TCP connections.
    #[inline(always)]
    pub fn tcp(&self) -> TcpAction {
        TcpAction::from_index(self.tcp)
    }

    /// True if somebody hears of a DNS message in a datagram.
    #[inline(always)]
    pub fn answers_dns(&self) -> bool {
        !matches!(self.dns(), DnsAction::AsInterface | DnsAction::Drop)
    }

    /// True if somebody hears of a TCP connection.
    #[inline(always)]
    pub fn answers_tcp(&self) -> bool {
        !matches!(self.tcp(), TcpAction::AsInterface | TcpAction::Drop)
    }

    /// What becomes of QUIC connections.
    #[inline(always)]
    pub fn quic(&self) -> QuicAction {
        QuicAction::from_index(self.quic.into())
    }

    /// True if the client of a QUIC connection hears of it.
    #[inline(always)]
    pub fn answers_quic(&self) -> bool {
        matches!(self.quic(), QuicAction::Close)
    }

    /// True if a client may hear of what is treated like this.
    #[cfg(not(target_arch = "bpf"))]
    pub fn answers(&self) -> bool {
        self.answers_dns() || self.answers_tcp() || self.answers_quic()
    }

    /// The INFO-CODE of the Extended DNS Error.
    #[inline(always)]
    pub const fn code(&self) -> u16 {
        if self.code == 0 {
            Self::BLOCKED
        } else {
            self.code
        }
    }

    /// The address for type A, as in memory; 0 for none.
    #[inline(always)]
    pub(crate) const fn v4(&self) -> u32 {
        self.v4
    }

    /// The address for type AAAA, as in memory; 0 for none.
    #[inline(always)]
    pub(crate) const fn v6(&self) -> [u64; 2] {
        self.v6
    }

    /// The same with what a rule says itself of DNS in datagrams, if its list says nothing.
    #[must_use]
    #[inline(always)]
    pub const fn or_dns(self, dns: DnsAction) -> Self {
        if self.dns == UNSAID {
            Self {
                dns: dns as u32,
                ..self
            }
        } else {
            self
        }
    }

    /// The same with what the interface does where this says nothing.
    #[must_use]
    #[inline(always)]
    pub fn on(&self, interface: &Self) -> Self {
        let mut actions = *interface;
        actions.override_by(self, UNSAID);
        actions
    }

    /// Takes what the list says, and of DNS what the rule says where its list says nothing.
    #[inline(always)]
    pub(crate) fn override_by(&mut self, list: &Self, dns_of_rule: u32) {
        let dns = if list.dns == UNSAID {
            dns_of_rule
        } else {
            list.dns
        };
        if dns != UNSAID {
            self.dns = dns;
            self.v4 = list.v4;
            self.v6 = list.v6;
        }
        if list.tcp != UNSAID {
            self.tcp = list.tcp;
        }
        if list.code != 0 {
            self.code = list.code;
        }
        if list.quic != UNSAID as u16 {
            self.quic = list.quic;
        }
    }
}

#[cfg(not(target_arch = "bpf"))]
impl Actions {
    /// The same with these addresses for [`DnsAction::Address`].
    #[must_use]
    pub fn with_addresses(
        self,
        v4: Option<std::net::Ipv4Addr>,
        v6: Option<std::net::Ipv6Addr>,
    ) -> Self {
        let v4 = v4.map_or(0, |address| u32::from_ne_bytes(address.octets()));
        let octets = v6.map_or([0; 16], |address| address.octets());
        let word = |at: usize| {
            octets
                .get(at..)
                .and_then(<[u8]>::first_chunk)
                .map_or(0, |word| u64::from_ne_bytes(*word))
        };
        Self {
            v4,
            v6: [word(0), word(8)],
            ..self
        }
    }
}

/// What is done with packets that come in by an interface.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Interface {
    directions: u32,
    flags: u32,
    actions: Actions,
}

const FACES_CLIENTS: u32 = 1;
const AUDITS: u32 = 2;
const KEEPS_BUFFERS: u32 = 4;
const IGNORES_TUNNELS: u32 = 8;
const IS_RECORDING: u32 = 16;
const PASSES_QUIC: u32 = 32;
const REFUSES_QUIC: u32 = 64;

impl Interface {
    /// An interface on which these DNS messages are judged, and what is blocked is dropped.
    #[inline(always)]
    pub const fn new(directions: Directions) -> Self {
        let actions = Actions::new(DnsAction::Drop, TcpAction::Drop).with_quic(QuicAction::Drop);
        Self {
            directions: directions.index(),
            flags: 0,
            actions,
        }
    }

    /// Frames of a recording, with clients and servers on any side: nobody is answered, and what an
    /// interface would do is not known.
    pub const fn of_recording() -> Self {
        Self {
            directions: Directions::Both.index(),
            flags: FACES_CLIENTS | IS_RECORDING,
            actions: Actions::NONE,
        }
    }

    /// The same with clients behind it, which are answered; what no list says otherwise of is
    /// treated like this.
    #[must_use]
    pub const fn facing_clients(self, actions: Actions) -> Self {
        Self {
            flags: self.flags | FACES_CLIENTS,
            actions,
            ..self
        }
    }

    /// The same with responses that are blocked treated like this.
    #[must_use]
    pub const fn with_actions(self, actions: Actions) -> Self {
        Self { actions, ..self }
    }

    /// The same without clients behind it.
    #[must_use]
    pub const fn facing_nobody(self) -> Self {
        Self {
            flags: self.flags & !FACES_CLIENTS,
            ..self
        }
    }

    /// The same in audit mode: what would be blocked passes.
    #[must_use]
    pub const fn on_trial(self) -> Self {
        Self {
            flags: self.flags | AUDITS,
            ..self
        }
    }

    /// The same with the program in the network stack (generic mode): what goes back does so in the
    /// buffer that it came in, with what the kernel knows of it.
    #[must_use]
    pub const fn in_network_stack(self) -> Self {
        Self {
            flags: self.flags | KEEPS_BUFFERS,
            ..self
        }
    }

    /// The same where nothing in a tunnel is judged.
    #[must_use]
    pub const fn ignoring_tunnels(self) -> Self {
        Self {
            flags: self.flags | IGNORES_TUNNELS,
            ..self
        }
    }

    /// The same with this done with QUIC.
    #[must_use]
    pub const fn with_quic(self, quic: Quic) -> Self {
        let flag = match quic {
            Quic::Inspect => 0,
            Quic::Pass => PASSES_QUIC,
            Quic::Refuse => REFUSES_QUIC,
        };
        Self {
            flags: (self.flags & !(PASSES_QUIC | REFUSES_QUIC)) | flag,
            ..self
        }
    }

    /// What is done with QUIC.
    #[inline(always)]
    pub const fn quic(&self) -> Quic {
        if self.flags & REFUSES_QUIC != 0 {
            Quic::Refuse
        } else if self.flags & PASSES_QUIC != 0 {
            Quic::Pass
        } else {
            Quic::Inspect
        }
    }

    /// True if what is in a tunnel is judged.
    #[inline(always)]
    pub const fn opens_tunnels(&self) -> bool {
        self.flags & IGNORES_TUNNELS == 0
    }

    /// Which DNS messages are judged.
    #[inline(always)]
    pub fn directions(&self) -> Directions {
        Directions::from_index(self.directions)
    }

    /// True if what comes in is of clients, which may be answered.
    #[inline(always)]
    pub const fn faces_clients(&self) -> bool {
        self.flags & FACES_CLIENTS != 0
    }

    /// True if frames come from a recording.
    #[inline(always)]
    pub(crate) const fn is_recording(&self) -> bool {
        self.flags & IS_RECORDING != 0
    }

    /// True if what goes back does so in the buffer that it came in.
    #[inline(always)]
    pub(crate) const fn keeps_buffers(&self) -> bool {
        self.flags & KEEPS_BUFFERS != 0
    }

    /// True if what would be blocked passes.
    #[inline(always)]
    pub const fn audits(&self) -> bool {
        self.flags & AUDITS != 0
    }

    /// What becomes of what is blocked, unless a list says otherwise.
    #[inline(always)]
    pub const fn actions(&self) -> &Actions {
        &self.actions
    }
}
