//! What a client gets, by its group: what events say of it, what user space says of it, and what is
//! on the wire are the same.

use std::net::IpAddr;

use filter_core::{
    Actions, Counter, Directions, DnsAction, Interface, Message, Protocol, ResponseAction,
    TcpAction,
};
use filter_lists::{Action, Domain, ListRule, Scope, Sink as _, Subject};
use filter_policy::{
    at::PolicyAt,
    compiled::{Builder, CompiledPolicy},
    groups::{ClientId, Groups},
};
use filter_user::kernel::{Filter, LoadOptions, NameEvent};
use frames::{Header, Wrap};

use super::{LOOPBACK, drained};

const LISTED: &str = "ads.example";
/// The list that is for all clients, and those of the groups with these numbers.
const OF_ALL: u16 = 0;
const OF_MAC: u16 = 1;
const OF_SUBNET: u16 = 2;

/// What the interface does, and what lists say for the group of a MAC and for that of a subnet.
struct Policy {
    interface: Actions,
    of_mac: Actions,
    of_subnet: Actions,
}

impl Policy {
    /// A filter with this policy in force for frames from memory, and the rules.
    fn load(&self, answers_per_second: u32) -> (Filter, CompiledPolicy, Groups) {
        let options = LoadOptions {
            interfaces: [(LOOPBACK, self.interface())].into(),
            max_rules: 10,
            flows: 1,
            events_per_second: u32::MAX,
            answers_per_second,
            ..LoadOptions::default()
        };
        let mut filter = Filter::load(&options).unwrap();
        let mut builder = Builder::new(*filter.hash_key());
        for audience in [OF_MAC, OF_SUBNET, OF_ALL] {
            let subject = Subject::Name(
                if audience == OF_ALL {
                    "all.example"
                } else {
                    LISTED
                },
                Scope::Subtree,
            );
            let rule = ListRule {
                subject,
                action: Action::Block,
                answer: None,
                cancels: false,
            };
            builder.list("list", audience).rule(rule, 1).unwrap();
        }
        let compiled = builder.finish().unwrap();
        let groups = self.groups();
        let empty = CompiledPolicy::empty(*filter.hash_key());
        filter.install(&empty, &compiled, &groups, |_| {}).unwrap();
        (filter, compiled, groups)
    }

    fn interface(&self) -> Interface {
        Interface::new(Directions::Both).facing_clients(self.interface)
    }

    /// The client of the frames is in the group of its MAC, and its address in that of the subnet.
    fn groups(&self) -> Groups {
        let frame = Wrap::v4(53).udp(&frames::query(LISTED));
        let mac: [u8; 6] = frame[6..12].try_into().unwrap();
        let address: [u8; 4] = frame[26..30].try_into().unwrap();
        let members = [
            (ClientId::Mac(mac), 1),
            (ClientId::Subnet(IpAddr::from(address), 24), 2),
        ];
        Groups {
            audiences: [
                1 << OF_ALL,
                1 << OF_ALL | 1 << OF_MAC,
                1 << OF_ALL | 1 << OF_SUBNET,
            ]
            .map(Into::into)
            .into(),
            members: members.into(),
            actions: vec![Actions::default(), self.of_mac, self.of_subnet],
        }
    }
}

fn addresses(actions: Actions) -> Actions {
    actions.with_addresses(
        Some([192, 0, 2, 7].into()),
        Some("2001:db8::7".parse().unwrap()),
    )
}

/// The one event of a frame, and what its client hears; `drop` if that is nothing.
fn heard(filter: &mut Filter, frame: &[u8]) -> (NameEvent, &'static str) {
    filter.test_bed().unwrap().forget_flows().unwrap();
    let judged = filter.test_bed().unwrap().judge(frame).unwrap();
    let [event] = &drained(filter)[..] else {
        panic!("one event")
    };
    let is_dropped = judged.sent == Some(filter_core::Sent::Drop);
    (
        event.clone(),
        if is_dropped {
            "drop"
        } else {
            frames::heard(&judged.frame)
        },
    )
}

/// The frame as another client's, whose MAC is in no group.
fn of_other_mac(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[11] ^= 1;
    frame
}

#[test]
fn what_a_client_gets_that_is_known_by_its_mac_is_what_its_list_says() {
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let header = Header {
        sequence: 1,
        acknowledgement: 1,
        fin: false,
        rst: false,
        timestamps: None,
    };
    let hello = Wrap::v4(443).segment(&header, &frames::client_hello(LISTED));
    let policy_with = |dns, tcp| Policy {
        interface: Actions::new(DnsAction::NxDomain, TcpAction::Reset),
        of_mac: addresses(Actions::new(dns, tcp)),
        of_subnet: Actions::new(DnsAction::Refused, TcpAction::AsInterface),
    };
    let (mut filter, compiled, _) = policy_with(DnsAction::NoData, TcpAction::Reset).load(0);
    for dns in DnsAction::ALL {
        for tcp in TcpAction::ALL {
            let policy = policy_with(*dns, *tcp);
            let groups = policy.groups();
            filter
                .install(&compiled, &compiled, &groups, |_| {})
                .unwrap();
            for (frame, word) in [(&query, dns.as_str()), (&hello, tcp.as_str())] {
                let (event, heard) = heard(&mut filter, frame);
                assert_eq!(
                    [event.action.as_str(), event.given.as_str(), heard],
                    [word; 3],
                    "{dns:?} {tcp:?}"
                );
                assert_eq!(event.hindrance, None);
            }
            let (event, heard_by_other) = heard(&mut filter, &of_other_mac(&query));
            assert_eq!(
                [event.action.as_str(), event.given.as_str(), heard_by_other],
                ["refused"; 3]
            );
            let (event, heard_by_other) = heard(&mut filter, &of_other_mac(&hello));
            assert_eq!(
                [event.action.as_str(), event.given.as_str(), heard_by_other],
                ["reset"; 3]
            );

            let in_user_space = PolicyAt::of(&compiled, groups.clone());
            let found = compiled.judge(&Domain::parse(LISTED).unwrap(), &groups.audiences[1]);
            let said = |message, protocol| {
                in_user_space
                    .effect(&found, &policy.interface(), message, protocol)
                    .as_str()
            };
            assert_eq!(said(Message::Query, Protocol::Udp), dns.as_str());
            assert_eq!(said(Message::ClientHello, Protocol::Tcp), tcp.as_str());
        }
    }
}

#[test]
fn beyond_the_answers_of_a_second_events_say_that_a_client_got_none_and_why() {
    let silent = Actions::new(DnsAction::Drop, TcpAction::Drop);
    let policy = Policy {
        interface: Actions::new(DnsAction::NxDomain, TcpAction::Reset),
        of_mac: Actions::new(DnsAction::NoData, TcpAction::Reset),
        of_subnet: silent,
    };
    let (mut filter, ..) = policy.load(2);
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let said: Vec<_> = (0..4)
        .map(|_| heard(&mut filter, &query))
        .map(|(event, heard)| {
            (
                event.action,
                event.given.as_str() == heard,
                event.given,
                event.hindrance,
            )
        })
        .collect();
    let answered = (ResponseAction::NoData, true, ResponseAction::NoData, None);
    let dropped = (
        ResponseAction::NoData,
        true,
        ResponseAction::Drop,
        Some(Counter::UnansweredRate),
    );
    assert_eq!(said[..2], [answered; 2]);
    assert_eq!(said[2..], [dropped; 2]);
    let (event, heard) = heard(&mut filter, &of_other_mac(&query));
    assert_eq!(
        (event.action, heard, event.hindrance),
        (ResponseAction::Drop, "drop", None),
        "as its list says"
    );
}

#[test]
fn each_blocked_message_of_a_datagram_has_its_event() {
    let policy = Policy {
        interface: Actions::new(DnsAction::NxDomain, TcpAction::Reset),
        of_mac: Actions::default(),
        of_subnet: Actions::default(),
    };
    let (mut filter, ..) = policy.load(0);
    let messages: Vec<_> = (0..28)
        .map(|id| frames::query_numbered(id, LISTED))
        .collect();
    let frame = Wrap::v4(53).udp(&messages.concat());
    for _ in 0..3 {
        let judged = filter.test_bed().unwrap().judge(&frame).unwrap();
        let payload = frames::opened(&judged.frame).payload;
        let heard: Vec<_> = payload
            .chunks(messages[0].len())
            .map(frames::heard_in_message)
            .collect();
        let events = drained(&mut filter);
        assert_eq!(
            events
                .iter()
                .map(|event| event.given.as_str())
                .collect::<Vec<_>>(),
            heard
        );
        assert_eq!(heard, ["nxdomain"; 28]);
    }
}
