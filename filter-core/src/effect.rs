//! What a client gets of a message with a blocked name. It is worked out here and nowhere else: by
//! the kernel program for each packet, and by user space for `explain`, `test` and `replay`.
//!
//! ```text
//! rule that prevails, for the client's groups at this time -> its list -> actions of the list (its audience)
//!                                         where that is silent -> the rule itself (a policy zone's NODATA or DROP)
//!                                         where that is silent -> the interface
//! actions, message, transport, side of the interface -> response action
//! ```
//!
//! An event has two of these: the one that is meant (from here), and the one that was taken, which
//! is another where something stood against an answer, or where DNS has no such answer to the
//! question (`answer/`).

use crate::{
    abi::{Actions, DnsAction, Generation, Interface, ListName, QuicAction, TcpAction},
    headers::Protocol,
    reason::{Message, Reason},
    rules::{Found, Rules},
};

macro_rules! response_actions {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal;)+) => {
        /// What a client gets.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ResponseAction {
            /// The packet goes on as it is.
            #[default]
            Pass,
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ResponseAction {
            /// The word for it in output.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Pass => "pass",
                    $(Self::$variant => $name,)+
                }
            }

            /// The action with this number; `None` if there is none.
            pub(crate) fn from_index(index: u8) -> Option<Self> {
                [Self::Pass, $(Self::$variant),+].into_iter().find(|action| *action as u8 == index)
            }
        }
    };
}

response_actions! {
    /// What the interface does, where none is known: in a replay.
    Default, "default";
    /// The packet is dropped, and nobody hears of it.
    Drop, "drop";
    /// DNS: the name does not exist (RFC 2308 §2.1).
    NxDomain, "nxdomain";
    /// DNS: the name has no such records (RFC 2308 §2.2).
    NoData, "nodata";
    /// DNS: policy forbids an answer (RFC 1035 §4.1.1).
    Refused, "refused";
    /// DNS: the unspecified address.
    Null, "null";
    /// DNS: an address of the owner's choice.
    Address, "address";
    /// DNS: the question cannot be repeated in an answer, FORMERR (RFC 1035 §4.1.1).
    FormatError, "format_error";
    /// DNS: the version of EDNS is not known, BADVERS (RFC 6891 §6.1.3).
    BadVersion, "bad_version";
    /// TCP: the client's end is reset (RFC 9293 §3.5.2).
    Reset, "reset";
    /// TLS: `unrecognized_name` (RFC 8446 §6.2), and the connection ends.
    Alert, "alert";
    /// QUIC: `CONNECTION_CLOSE` (RFC 9000 §10.2.3).
    Close, "close";
}

/// Works out the actions of a name for which this was found, on this interface. It is written in
/// place, since the kernel's stack is short.
#[inline(always)]
pub(crate) fn set_actions<R: Rules>(
    actions: &mut Actions,
    found: &Found,
    rules: &R,
    generation: Generation,
    interface: &Interface,
) {
    *actions = *interface.actions();
    let named = rules
        .list_name(found.list, generation)
        .filter(|list| list.audience() == found.audience());
    let of_list = rules
        .actions(found.audience(), generation)
        .unwrap_or(&Actions::NONE);
    actions.override_by(of_list, named.map_or(0, ListName::dns));
}

/// What the client of a message is to get whose name met this reason, with the actions of that
/// name.
#[inline(always)]
pub fn response(
    reason: Reason,
    actions: &Actions,
    protocol: Protocol,
    interface: &Interface,
) -> ResponseAction {
    let Some(message) = reason.message().filter(|_| reason.is_blocked()) else {
        return ResponseAction::Pass;
    };
    // A response goes on to its client, also from where no clients are.
    if !interface.faces_clients() && message != Message::Response {
        return ResponseAction::Drop;
    }
    let tcp = actions.tcp();
    match (message, protocol) {
        // A query over TCP is answered as one in a datagram.
        (Message::Query, Protocol::Tcp) if actions.dns() != DnsAction::Drop => {
            of_dns(actions.dns())
        }
        // An alert is for TLS.
        (Message::Query | Message::Response, Protocol::Tcp) if tcp == TcpAction::Alert => {
            ResponseAction::Reset
        }
        (Message::QuicHello, _) => of_quic(actions.quic()),
        (Message::ClientHello, _) | (Message::Query | Message::Response, Protocol::Tcp) => {
            of_tcp(tcp)
        }
        (Message::Query | Message::Response, Protocol::Udp) => of_dns(actions.dns()),
    }
}

/// True if a client gets more than silence of a blocked message that was judged with this reason,
/// unless something stands against it. The same question as [`response`], in the few instructions
/// that each program of the kernel has for it.
#[inline(always)]
pub(crate) fn is_answered(reason: Reason, actions: &Actions, protocol: Protocol) -> bool {
    match (protocol, reason) {
        (Protocol::Udp, Reason::QuicBlocked | Reason::QuicFlowBlocked) => actions.answers_quic(),
        (Protocol::Udp, _) => actions.answers_dns(),
        (Protocol::Tcp, Reason::DnsBlocked | Reason::DnsQuestionsRefused) => {
            actions.answers_dns() || actions.answers_tcp()
        }
        (Protocol::Tcp, _) => actions.answers_tcp(),
    }
}

/// What the client of a message is to get for whose name this rule prevails, by the rules in force.
#[cfg(not(target_arch = "bpf"))]
pub fn effect<R: Rules>(
    found: &Found,
    rules: &R,
    interface: &Interface,
    message: Message,
    protocol: Protocol,
) -> ResponseAction {
    if interface.audits() {
        return ResponseAction::Pass;
    }
    let mut actions = Actions::NONE;
    set_actions(
        &mut actions,
        found,
        rules,
        rules.in_force().generation(),
        interface,
    );
    response(
        message.reason(found.precedence),
        &actions,
        protocol,
        interface,
    )
}

#[inline(always)]
fn of_dns(action: DnsAction) -> ResponseAction {
    match action {
        DnsAction::AsInterface => ResponseAction::Default,
        DnsAction::Drop => ResponseAction::Drop,
        DnsAction::NxDomain => ResponseAction::NxDomain,
        DnsAction::NoData => ResponseAction::NoData,
        DnsAction::Refused => ResponseAction::Refused,
        DnsAction::Null => ResponseAction::Null,
        DnsAction::Address => ResponseAction::Address,
    }
}

/// The number of the [`ResponseAction`] that these actions have for DNS.
#[inline(always)]
pub(crate) fn number_of_dns(actions: &Actions) -> u32 {
    actions.dns_number() + ResponseAction::Default as u32
}

#[inline(always)]
fn of_quic(action: QuicAction) -> ResponseAction {
    match action {
        QuicAction::AsInterface => ResponseAction::Default,
        QuicAction::Drop => ResponseAction::Drop,
        QuicAction::Close => ResponseAction::Close,
    }
}

#[inline(always)]
fn of_tcp(action: TcpAction) -> ResponseAction {
    match action {
        TcpAction::AsInterface => ResponseAction::Default,
        TcpAction::Drop => ResponseAction::Drop,
        TcpAction::Reset => ResponseAction::Reset,
        TcpAction::Alert => ResponseAction::Alert,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        abi::{Directions, Effect, Precedence},
        patterns::Patterns,
        rules::RuleKey,
    };

    const OF_INTERFACE: Actions = Actions::new(DnsAction::NxDomain, TcpAction::Alert);
    /// A query in a datagram, a query over TCP, a hello, a response in a datagram and a response
    /// over TCP.
    const MESSAGES: [(Message, Protocol); 5] = [
        (Message::Query, Protocol::Udp),
        (Message::Query, Protocol::Tcp),
        (Message::ClientHello, Protocol::Tcp),
        (Message::Response, Protocol::Udp),
        (Message::Response, Protocol::Tcp),
    ];

    /// One list, with what becomes of what it blocks.
    struct OneList(Actions, ListName);

    impl Patterns for OneList {}

    impl Rules for OneList {
        fn effect(&self, _: RuleKey, _: Generation) -> Option<&Effect> {
            None
        }

        fn actions(&self, audience: u32, _: Generation) -> Option<&Actions> {
            (audience == 3).then_some(&self.0)
        }

        fn list_name(&self, list: u32, _: Generation) -> Option<&ListName> {
            (list == 7).then_some(&self.1)
        }
    }

    fn words(list: Actions, interface: Interface) -> [&'static str; 5] {
        words_of(
            Precedence::Block,
            &OneList(list, ListName::new(3, "list")),
            interface,
        )
    }

    fn words_of(precedence: Precedence, list: &OneList, interface: Interface) -> [&'static str; 5] {
        let found = Found {
            precedence,
            audiences: 1 << 3,
            list: 7,
            ..Found::default()
        };
        MESSAGES
            .map(|(message, protocol)| effect(&found, list, &interface, message, protocol).as_str())
    }

    fn facing() -> Interface {
        Interface::new(Directions::Both).facing_clients(OF_INTERFACE)
    }

    #[test]
    fn a_list_decides_and_where_it_says_nothing_the_interface() {
        assert_eq!(
            words(Actions::default(), facing()),
            ["nxdomain", "nxdomain", "alert", "nxdomain", "reset"]
        );
        let list = Actions::new(DnsAction::Drop, TcpAction::AsInterface);
        assert_eq!(
            words(list, facing()),
            ["drop", "reset", "alert", "drop", "reset"]
        );
        let list = Actions::new(DnsAction::NoData, TcpAction::Drop);
        assert_eq!(
            words(list, facing()),
            ["nodata", "nodata", "drop", "nodata", "drop"]
        );
    }

    #[test]
    fn a_rule_decides_where_its_list_says_nothing_and_only_a_rule_of_that_list() {
        let own = |list, audience| {
            let name = ListName::new(audience, "zone").answering(DnsAction::NoData);
            words_of(Precedence::Block, &OneList(list, name), facing())[0]
        };
        assert_eq!(own(Actions::default(), 3), "nodata");
        assert_eq!(
            own(Actions::default(), 4),
            "nxdomain",
            "its list is for others"
        );
        assert_eq!(
            own(Actions::new(DnsAction::Refused, TcpAction::AsInterface), 3),
            "refused"
        );
    }

    #[test]
    fn quic_is_closed_or_dropped_as_the_list_or_the_interface_says() {
        let quic = |list: QuicAction, interface: QuicAction| {
            let list = OneList(Actions::default().with_quic(list), ListName::new(3, "list"));
            let interface = facing().facing_clients(OF_INTERFACE.with_quic(interface));
            let found = Found {
                precedence: Precedence::Block,
                audiences: 1 << 3,
                list: 7,
                ..Found::default()
            };
            let (message, protocol) = (Message::QuicHello, Protocol::Udp);
            effect(&found, &list, &interface, message, protocol).as_str()
        };
        assert_eq!(quic(QuicAction::AsInterface, QuicAction::Close), "close");
        assert_eq!(quic(QuicAction::AsInterface, QuicAction::Drop), "drop");
        assert_eq!(quic(QuicAction::Drop, QuicAction::Close), "drop");
        assert_eq!(quic(QuicAction::Close, QuicAction::Drop), "close");
    }

    #[test]
    fn where_no_clients_are_only_responses_are_answered() {
        let interface = facing().facing_nobody();
        assert_eq!(
            words(Actions::default(), interface),
            ["drop", "drop", "drop", "nxdomain", "reset"]
        );
    }

    #[test]
    fn what_no_rule_blocks_and_what_is_audited_passes() {
        let list = OneList(OF_INTERFACE, ListName::NONE);
        for precedence in [
            Precedence::NotListed,
            Precedence::Audit,
            Precedence::Allow,
            Precedence::AllowImportant,
        ] {
            assert_eq!(
                words_of(precedence, &list, facing()),
                ["pass"; 5],
                "{precedence:?}"
            );
        }
        for precedence in [Precedence::Block, Precedence::BlockImportant] {
            assert_eq!(
                words_of(precedence, &list, facing().on_trial()),
                ["pass"; 5]
            );
            assert_eq!(words_of(precedence, &list, facing())[0], "nxdomain");
        }
    }

    #[test]
    fn whoever_is_to_get_more_than_silence_is_answered() {
        let actions = DnsAction::ALL.iter().flat_map(|dns| {
            let of_tcp = |tcp: &TcpAction| {
                let actions = Actions::new(*dns, *tcp);
                QuicAction::ALL
                    .iter()
                    .map(move |quic| actions.with_quic(*quic))
            };
            TcpAction::ALL.iter().flat_map(of_tcp)
        });
        for actions in actions {
            for (message, protocol) in MESSAGES
                .into_iter()
                .chain([(Message::QuicHello, Protocol::Udp)])
            {
                let reason = message.reason(Precedence::Block);
                let is_silent =
                    response(reason, &actions, protocol, &facing()) == ResponseAction::Drop;
                assert_eq!(
                    is_answered(reason, &actions, protocol),
                    !is_silent,
                    "{actions:?} {message:?}"
                );
            }
        }
    }

    #[test]
    fn actions_of_dns_have_the_same_order_among_all() {
        for dns in [&[DnsAction::AsInterface], DnsAction::ALL].concat() {
            let actions = Actions::new(dns, TcpAction::Drop);
            assert_eq!(number_of_dns(&actions), of_dns(dns) as u32, "{dns:?}");
        }
    }

    #[test]
    fn actions_are_found_by_their_number() {
        assert_eq!(
            ResponseAction::from_index(ResponseAction::Close as u8),
            Some(ResponseAction::Close)
        );
        assert_eq!(ResponseAction::from_index(0), Some(ResponseAction::Pass));
        assert_eq!(
            ResponseAction::from_index(ResponseAction::Close as u8 + 1),
            None
        );
    }
}
