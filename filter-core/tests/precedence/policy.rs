//! What is claimed of a policy with groups of clients, and of lists that say what becomes of their
//! names.

use std::collections::HashMap;

use filter_core::{
    Actions, ActivePolicy, Client, Directions, DnsAction, Effect, Generation, Interface, ListName,
    Offline, Options, Patterns, Precedence, Reason, RuleKey, Rules, Sent, Settings, TcpAction,
};
use frames::{Answer, Data, Wrap, answer, opened};

use super::key;

/// Audiences of lists: for all, for children, for all without an answer, and one whose rules say
/// themselves what becomes of them.
const ALL: u32 = 1;
const CHILDREN: u32 = 1 << 1;
const SILENT: u32 = 1 << 2;
const OWN: u32 = 1 << 3;

/// The names, each with the audience of its list and the number of that.
const RULES: [(&str, u32, u16); 4] = [
    ("ads.example", ALL, 1),
    ("game.example", CHILDREN, 2),
    ("mute.example", SILENT, 3),
    ("own.example", OWN, 4),
];

const CHILD: [u8; 6] = [2, 0, 0, 0, 0, 7];

struct Policy {
    rules: HashMap<RuleKey, Effect>,
    actions: [Actions; 4],
    lists: [ListName; 5],
}

impl Policy {
    fn new() -> Self {
        let mut rules: HashMap<RuleKey, Effect> = HashMap::new();
        for (name, audience, list) in RULES {
            rules.entry(key().rule_key(name).unwrap()).or_default().add(
                Precedence::Block,
                audience,
                list,
                true,
                true,
            );
        }
        let refused =
            Actions::new(DnsAction::Refused, TcpAction::AsInterface).with_code(Actions::FILTERED);
        let silent = Actions::new(DnsAction::Drop, TcpAction::Drop);
        Self {
            rules,
            actions: [Actions::NONE, refused, silent, Actions::NONE],
            lists: [
                ListName::NONE,
                ListName::new(0, "ads"),
                ListName::new(1, "games"),
                ListName::new(2, "mute"),
                ListName::new(3, "own").answering(DnsAction::NoData),
            ],
        }
    }
}

/// None.
impl Patterns for Policy {
    fn audiences(&self, group: u32, _: Generation) -> u32 {
        if group == 0 {
            ALL | SILENT | OWN
        } else {
            ALL | SILENT | OWN | CHILDREN
        }
    }
}

impl Rules for Policy {
    fn in_force(&self) -> ActivePolicy {
        ActivePolicy::new(Generation::default(), Precedence::Block).with_clients()
    }

    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.rules.get(&key)
    }

    fn group(&self, client: &Client, _: Generation) -> u32 {
        u32::from(client.mac == Client::mac(CHILD))
    }

    fn actions(&self, audience: u32, _: Generation) -> Option<&Actions> {
        self.actions.get(audience as usize)
    }

    fn list_name(&self, list: u32, _: Generation) -> Option<&ListName> {
        self.lists.get(list as usize)
    }
}

fn filter() -> Offline<Policy> {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let settings = Settings::new(
        key(),
        &Options {
            flows: 1,
            ..Options::default()
        },
    );
    Offline::new(settings, Policy::new())
        .on(Interface::new(Directions::Both).facing_clients(actions))
}

/// The frame with a child at its client's end: the destination of a response, the source of all
/// else.
fn of_child(mut frame: Vec<u8>, is_response: bool) -> Vec<u8> {
    let at = if is_response { 0 } else { 6 };
    frame[at..at + 6].copy_from_slice(&CHILD);
    frame
}

#[test]
fn a_rule_for_some_clients_blocks_what_they_ask_for_and_what_they_are_told_and_nobody_else_is_blocked()
 {
    let name = "www.game.example";
    let query = frames::over_tcp(&frames::query(name));
    let hello = frames::client_hello(name);
    let cut = frames::server_name_at(&hello, name).unwrap() + 3;
    let response = frames::response_of(&["web.example"], &[("web.example", Data::Cname(name))]);
    let blocked = [
        Reason::DnsBlocked,
        Reason::DnsResponseBlocked,
        Reason::TlsBlocked,
    ];
    let not_listed = [
        Reason::DnsNotListed,
        Reason::DnsResponseNotListed,
        Reason::TlsNotListed,
    ];
    for wrap in [Wrap::v4(53), Wrap::v6(53).vlan(1)] {
        let server = Wrap {
            from: 53,
            to: 40_000,
            ..wrap.clone()
        };
        let tls = Wrap {
            to: 443,
            ..wrap.clone()
        };
        for (what, frames, is_response, kind) in [
            ("a query", vec![wrap.udp(&frames::query(name))], false, 0),
            ("a response", vec![server.udp(&response)], true, 1),
            ("a query in a segment", vec![wrap.tcp(&query)], false, 0),
            (
                "a query in two",
                frames::in_segments(&wrap, 99, &query, &[0, 20]),
                false,
                0,
            ),
            (
                "a response in two",
                frames::in_segments(&server, 99, &frames::over_tcp(&response), &[0, 30]),
                true,
                1,
            ),
            ("a hello", vec![tls.tcp(&hello)], false, 2),
            (
                "a hello in two",
                frames::in_segments(&tls, 99, &hello, &[0, cut]),
                false,
                2,
            ),
        ] {
            let last = |frames: Vec<Vec<u8>>| {
                let mut filter = filter();
                frames
                    .iter()
                    .map(|frame| filter.decide(frame))
                    .last()
                    .unwrap()
            };
            let child: Vec<_> = frames
                .iter()
                .map(|frame| of_child(frame.clone(), is_response))
                .collect();
            let other: Vec<_> = frames
                .iter()
                .map(|frame| of_child(frame.clone(), !is_response))
                .collect();
            assert_eq!(last(frames), not_listed[kind], "{what}: somebody else");
            assert_eq!(
                last(other),
                not_listed[kind],
                "{what}: a child at the other end"
            );
            assert_eq!(last(child), blocked[kind], "{what}: a child");
        }
    }
}

#[test]
fn what_becomes_of_a_name_is_what_its_audience_says_or_its_list_or_the_interface_and_the_answer_names_the_list()
 {
    let options = |code: u8, list: &str| vec![(15, [&[0, code][..], list.as_bytes()].concat())];
    let told = |answer: Answer| (answer.code, answer.edns.unwrap().options);
    for (name, expected) in [
        ("ads.example", (3, options(15, "ads"))),
        ("game.example", (5, options(17, "games"))),
        ("own.example", (0, options(15, "own"))),
    ] {
        let (reason, sent, frame) =
            filter().send(&of_child(Wrap::v4(53).udp(&frames::query(name)), false));
        assert_eq!((reason, sent), (Reason::DnsBlocked, Sent::Tx), "{name}");
        assert_eq!(told(answer(&opened(&frame).payload)), expected, "{name}");
    }
    for frame in [
        Wrap::v4(53).udp(&frames::query("mute.example")),
        Wrap::v4(443).tcp(&frames::client_hello("mute.example")),
    ] {
        let (reason, sent, _) = filter().send(&frame);
        assert!(
            reason.is_blocked() && sent == Sent::Drop,
            "{reason:?}, {sent:?}"
        );
    }
    let hello = of_child(
        Wrap::v6(443).tcp(&frames::client_hello("game.example")),
        false,
    );
    assert_eq!(
        filter().send(&hello).1,
        Sent::Tx,
        "a reset, as the interface has it"
    );
}

#[test]
fn of_messages_that_were_joined_each_is_treated_as_its_own_list_says_whatever_came_before() {
    let joined =
        |names: [&str; 2]| Wrap::v4(53).udp(&names.map(frames::query_without_edns).concat());
    let mut filter = filter();
    let (reason, sent, frame) = filter.send(&joined(["web.example", "ads.example"]));
    assert_eq!((reason, sent), (Reason::DnsBlocked, Sent::Tx));
    let length = frames::query_without_edns("web.example").len();
    assert_eq!(answer(&frame[42 + length..]).code, 3);
    let (reason, sent, _) = filter.send(&joined(["web.example", "mute.example"]));
    assert_eq!((reason, sent), (Reason::DnsBlocked, Sent::Drop));
}
