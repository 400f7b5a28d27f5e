//! What is claimed of rules that allow, of important ones, and of clients' prefixes: what differs
//! from plain rules that block.

#[path = "precedence/policy.rs"]
mod policy;

use std::collections::HashMap;

use filter_core::{
    Actions, ActivePolicy, Counter, Directions, DnsAction, Effect, Generation, HashKey, Interface,
    Offline, Options, Patterns, Precedence, Reason, RuleKey, Rules, Sent, Settings, TcpAction,
    highest_precedence,
};
use frames::{Data, Wrap};

/// Rules of any precedence.
struct WithPrecedence(HashMap<RuleKey, Effect>);

/// None.
impl Patterns for WithPrecedence {}

impl Rules for WithPrecedence {
    fn in_force(&self) -> ActivePolicy {
        ActivePolicy::new(Generation::default(), Precedence::AllowImportant)
    }

    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.0.get(&key)
    }
}

fn key() -> HashKey {
    HashKey::from_words(std::array::from_fn(|word| {
        0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * word as u64 + 1)
    }))
}

/// A filter with these rules, each about a name and all below it.
fn filter(rules: &[(&str, Precedence)]) -> Offline<WithPrecedence> {
    let mut effect: HashMap<RuleKey, Effect> = HashMap::new();
    for (name, precedence) in rules {
        effect
            .entry(key().rule_key(name).unwrap())
            .or_default()
            .add(*precedence, Effect::EVERYBODY, 0, true, true);
    }
    Offline::new(
        Settings::new(
            key(),
            &Options {
                flows: 1,
                ..Options::default()
            },
        ),
        WithPrecedence(effect),
    )
}

fn query(filter: &mut Offline<WithPrecedence>, name: &str) -> Reason {
    filter.decide(&Wrap::v4(53).udp(&frames::query(name)))
}

/// A response to a question for the first name, which is an alias of the second.
fn response(filter: &mut Offline<WithPrecedence>, asked: &str, target: &str) -> Reason {
    let message = frames::response_of(&[asked], &[(asked, Data::Cname(target))]);
    filter.decide(
        &Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message),
    )
}

#[test]
fn each_precedence_prevails_over_those_before_it_whichever_name_has_it() {
    let precedences = Precedence::OF_RULES;
    let reason = |precedence| match precedence {
        Precedence::NotListed => Reason::DnsNotListed,
        Precedence::Audit => Reason::DnsAudited,
        Precedence::Allow | Precedence::AllowImportant => Reason::DnsAllowed,
        Precedence::Block | Precedence::BlockImportant => Reason::DnsBlocked,
    };
    for (place, lower) in precedences.iter().enumerate() {
        for higher in &precedences[place..] {
            for rules in [[*lower, *higher], [*higher, *lower]] {
                let mut filter = filter(&[("example", rules[0]), ("a.example", rules[1])]);
                assert_eq!(
                    query(&mut filter, "a.example"),
                    reason(*higher),
                    "{rules:?}"
                );
                assert_eq!(
                    query(&mut filter, "example"),
                    reason(rules[0]),
                    "{rules:?}, the parent"
                );
            }
        }
    }
}

#[test]
fn a_rule_is_about_its_name_or_about_those_below_it_or_about_both() {
    for (own, below) in [(true, false), (false, true), (true, true)] {
        let mut effect = Effect::default();
        effect.add(Precedence::Block, Effect::EVERYBODY, 0, own, below);
        let rules = WithPrecedence(HashMap::from([(
            key().rule_key("ads.example").unwrap(),
            effect,
        )]));
        let mut filter = Offline::new(Settings::new(key(), &Options::default()), rules);
        let reason = |is_blocked| {
            if is_blocked {
                Reason::DnsBlocked
            } else {
                Reason::DnsNotListed
            }
        };
        for (name, is_blocked) in [
            ("example", false),
            ("ads.example", own),
            ("x.ads.example", below),
            ("x.y.ads.example", below),
        ] {
            assert_eq!(
                query(&mut filter, name),
                reason(is_blocked),
                "{name}: {own}, {below}"
            );
        }
    }
}

#[test]
fn the_highest_precedence_is_that_of_the_audiences_that_count() {
    for (place, precedence) in Precedence::OF_RULES.into_iter().enumerate() {
        let mut masks = [1; Precedence::RULES];
        masks[place + 1..].fill(2);
        assert_eq!(highest_precedence(&masks, 1), precedence);
        assert_eq!(highest_precedence(&masks, 4), Precedence::NotListed);
    }
}

#[test]
fn names_behind_one_that_is_allowed_pass_unless_a_rule_is_important() {
    for (precedence, expected) in [
        (Precedence::Block, Reason::DnsResponseAllowed),
        (Precedence::Audit, Reason::DnsResponseAllowed),
        (Precedence::BlockImportant, Reason::DnsResponseBlocked),
    ] {
        let mut filter = filter(&[
            ("www.example", Precedence::Allow),
            ("cloak.example", precedence),
        ]);
        assert_eq!(
            response(&mut filter, "www.example", "cloak.example"),
            expected,
            "{precedence:?}"
        );
    }
    let mut filter = filter(&[("cloak.example", Precedence::Block)]);
    assert_eq!(
        response(&mut filter, "www.example", "cloak.example"),
        Reason::DnsResponseBlocked,
        "nothing allows it"
    );
}

#[test]
fn the_exemption_of_a_response_is_not_that_of_the_next() {
    let mut filter = filter(&[
        ("www.example", Precedence::Allow),
        ("cloak.example", Precedence::Block),
    ]);
    assert_eq!(
        response(&mut filter, "www.example", "cloak.example"),
        Reason::DnsResponseAllowed
    );
    assert_eq!(
        response(&mut filter, "web.example", "cloak.example"),
        Reason::DnsResponseBlocked
    );
}

/// Every name is blocked.
struct Blocking;

/// None.
impl Patterns for Blocking {}

impl Rules for Blocking {
    fn effect(&self, _: RuleKey, _: Generation) -> Option<&Effect> {
        Some(&Effect::BLOCK_SUBTREE)
    }
}

/// RFC 768: a checksum that comes out as zero is written as all ones, since zero means that there
/// is none.
#[test]
fn an_answer_has_no_checksum_of_zero_over_udp_and_may_have_one_over_tcp() {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let interface = Interface::new(Directions::Both).facing_clients(actions);
    let mut filter =
        Offline::new(Settings::new(key(), &Options::default()), Blocking).on(interface);
    let hello = frames::client_hello("ads.example");
    // The checksum is what is missing of all ones: this number takes it, in the place of 1.
    let completing = |first: u16| {
        let (number, carry) = 1_u16.overflowing_add(first);
        number + u16::from(carry)
    };
    for (wrap, at) in [(Wrap::v4(53), 40), (Wrap::v6(53), 60)] {
        let answer_of = |filter: &mut Offline<Blocking>, id: u16| {
            let (_, sent, frame) =
                filter.send(&wrap.udp(&frames::query_numbered(id, "ads.example")));
            assert_eq!(sent, Sent::Tx);
            u16::from_be_bytes([frame[at], frame[at + 1]])
        };
        let first = answer_of(&mut filter, 1);
        assert_eq!(answer_of(&mut filter, completing(first)), 0xffff);
    }
    for (wrap, at) in [(Wrap::v4(443), 50), (Wrap::v6(443), 70)] {
        // What a segment acknowledges becomes the sequence number of its reset.
        let reset_of = |filter: &mut Offline<Blocking>, acknowledged: u16| {
            let header = frames::Header {
                acknowledgement: acknowledged.into(),
                ..frames::Header::default()
            };
            let (_, sent, frame) = filter.send(&wrap.segment(&header, &hello));
            assert_eq!(sent, Sent::Tx);
            u16::from_be_bytes([frame[at], frame[at + 1]])
        };
        let first = reset_of(&mut filter, 1);
        assert_eq!(reset_of(&mut filter, completing(first)), 0);
    }
    assert!(filter.counters()[&Counter::Answered] == 4);
}
