//! Policies in the kernel: precedences, groups of clients, patterns, and one policy in place of
//! another.

use std::net::IpAddr;

use filter_core::{HashKey, Reason};
use filter_lists::{Action, Domain, ListRule, Scope, Sink as _, Subject};
use filter_policy::{
    audiences::Audiences,
    compiled::{Builder, CompiledPolicy, EVERYBODY},
    groups::{ClientId, Groups, Members},
};
use filter_user::kernel::{Filter, Installed, KernelError, LoadOptions};
use frames::Wrap;

use super::{judge_alone, key};

#[test]
fn each_scope_and_each_precedence_decides_as_the_compiled_policy_says() {
    let mut filter = empty(100);
    let compiled = compile(
        &filter,
        &[(
            0,
            &[
                rule("n.example", Scope::Name, Action::Block),
                rule("s.example", Scope::Subdomains, Action::Block),
                rule("t.example", Scope::Subtree, Action::Block),
                rule("good.t.example", Scope::Subtree, Action::Allow),
                rule("bad.good.t.example", Scope::Name, Action::BlockImportant),
                rule(
                    "best.good.t.example",
                    Scope::Subtree,
                    Action::AllowImportant,
                ),
                rule(
                    "x.best.good.t.example",
                    Scope::Subtree,
                    Action::BlockImportant,
                ),
            ],
        )],
    );
    install(&mut filter, None, &compiled, &Groups::default());
    for (name, reason) in [
        ("n.example", Reason::DnsBlocked),
        ("x.n.example", Reason::DnsNotListed),
        ("s.example", Reason::DnsNotListed),
        ("x.y.s.example", Reason::DnsBlocked),
        ("t.example", Reason::DnsBlocked),
        ("x.t.example", Reason::DnsBlocked),
        ("good.t.example", Reason::DnsAllowed),
        ("x.good.t.example", Reason::DnsAllowed),
        ("bad.good.t.example", Reason::DnsBlocked),
        ("x.bad.good.t.example", Reason::DnsAllowed),
        ("x.best.good.t.example", Reason::DnsAllowed),
        ("example", Reason::DnsNotListed),
    ] {
        assert_eq!(ask(&mut filter, name), reason, "{name}");
        assert_eq!(
            compiled.blocking(&domain(name)).is_some(),
            reason.is_blocked(),
            "{name}"
        );
    }
}

#[test]
fn an_answer_to_an_allowed_question_passes_with_the_names_behind_it_unless_one_is_important() {
    let mut filter = empty(100);
    let compiled = compile(
        &filter,
        &[(
            0,
            &[
                rule("www.example", Scope::Subtree, Action::Allow),
                rule("cloak.example", Scope::Subtree, Action::Block),
                rule("bad.example", Scope::Subtree, Action::BlockImportant),
            ],
        )],
    );
    install(&mut filter, None, &compiled, &Groups::default());
    for (question, target, reason) in [
        ("www.example", "cloak.example", Reason::DnsResponseAllowed),
        ("other.example", "cloak.example", Reason::DnsResponseBlocked),
        ("www.example", "bad.example", Reason::DnsResponseBlocked),
        ("www.example", "free.example", Reason::DnsResponseAllowed),
    ] {
        let message = frames::response_of(&[question], &[(question, frames::Data::Cname(target))]);
        let frame = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message);
        assert_eq!(
            judge_alone(&mut filter, &frame).reason,
            reason,
            "{question} with {target}"
        );
    }
}

#[test]
fn lists_are_for_the_group_of_the_client_by_its_longest_subnet_or_its_mac() {
    let query = |wrap: Wrap| wrap.udp(&frames::query("ads.example"));
    let response = |wrap: Wrap| {
        Wrap {
            from: 53,
            to: 40_000,
            ..wrap
        }
        .udp(&frames::response("ads.example"))
    };
    let (v4, v6) = (query(Wrap::v4(53)), query(Wrap::v6(53)));
    let source4: [u8; 4] = v4[26..30].try_into().unwrap();
    let source6: [u8; 16] = v6[22..38].try_into().unwrap();
    let reply = response(Wrap::v4(53));
    let target4: [u8; 4] = reply[30..34].try_into().unwrap();
    let mac: [u8; 6] = v4[6..12].try_into().unwrap();
    let net = |octets: [u8; 4], bits| ClientId::Subnet(IpAddr::from(octets), bits);
    let everybody = (net([0; 4], 0), 1);
    for (what, frame, members, blocked) in [
        ("nobody", &v4, vec![], false),
        ("everybody", &v4, vec![everybody], true),
        ("the host", &v4, vec![(net(source4, 32), 1)], true),
        (
            "the longest",
            &v4,
            vec![everybody, (net(source4, 32), 2)],
            false,
        ),
        (
            "the longest, the other way",
            &v4,
            vec![(net([0; 4], 0), 2), (net(source4, 32), 1)],
            true,
        ),
        (
            "the MAC",
            &v4,
            vec![(net(source4, 32), 2), (ClientId::Mac(mac), 1)],
            true,
        ),
        (
            "another MAC",
            &v4,
            vec![(ClientId::Mac([2, 0, 0, 0, 0, 9]), 1)],
            false,
        ),
        ("the other family", &v6, vec![everybody], false),
        (
            "IPv6",
            &v6,
            vec![(ClientId::Subnet(IpAddr::from(source6), 64), 1)],
            true,
        ),
        (
            "a response is for its destination",
            &reply,
            vec![(net(target4, 32), 1)],
            true,
        ),
    ] {
        let mut filter = empty(10);
        let compiled = compile(
            &filter,
            &[(1, &[rule("ads.example", Scope::Subtree, Action::Block)])],
        );
        // Audience 1 is for group 1; group 2 is exempt.
        let groups = Groups {
            audiences: [EVERYBODY, EVERYBODY | 2, 0].map(Into::into).into(),
            members: members.into_iter().collect(),
            ..Groups::default()
        };
        install(&mut filter, None, &compiled, &groups);
        assert_eq!(
            judge_alone(&mut filter, frame).reason.is_blocked(),
            blocked,
            "{what}"
        );
    }
}

#[test]
fn what_a_schedule_switches_is_in_force_at_once() {
    let mut filter = empty(10);
    let compiled = compile(
        &filter,
        &[(1, &[rule("ads.example", Scope::Subtree, Action::Block)])],
    );
    install(
        &mut filter,
        None,
        &compiled,
        &Groups {
            audiences: [EVERYBODY].map(Into::into).into(),
            members: Members::default(),
            ..Groups::default()
        },
    );
    assert_eq!(ask(&mut filter, "ads.example"), Reason::DnsNotListed);
    filter
        .set_audiences(&[Audiences::from(EVERYBODY | 2)])
        .unwrap();
    assert_eq!(ask(&mut filter, "ads.example"), Reason::DnsBlocked);
    filter.set_audiences(&[Audiences::from(EVERYBODY)]).unwrap();
    assert_eq!(ask(&mut filter, "ads.example"), Reason::DnsNotListed);
}

#[test]
fn of_a_new_policy_only_differences_are_written_and_hits_of_rules_that_stay_survive() {
    let mut filter = empty(100);
    let block = |name| rule(name, Scope::Subtree, Action::Block);
    let first = compile(
        &filter,
        &[(
            0,
            &[
                block("stays.example"),
                block("goes.example"),
                block("turns.example"),
            ],
        )],
    );
    install(&mut filter, None, &first, &Groups::default());
    for name in ["stays.example", "goes.example"] {
        assert_eq!(ask(&mut filter, name), Reason::DnsBlocked);
    }
    let allow = rule("turns.example", Scope::Subtree, Action::Allow);
    let second = compile(
        &filter,
        &[(0, &[block("stays.example"), allow, block("new.example")])],
    );
    let installed = install(&mut filter, Some(&first), &second, &Groups::default());
    assert_eq!(
        installed,
        Installed {
            added: 1,
            changed: 1,
            removed: 1
        }
    );
    let asked = [
        "stays.example",
        "goes.example",
        "turns.example",
        "new.example",
    ]
    .map(|name| ask(&mut filter, name));
    assert_eq!(
        asked,
        [
            Reason::DnsBlocked,
            Reason::DnsNotListed,
            Reason::DnsAllowed,
            Reason::DnsBlocked
        ]
    );
    let hits = |filter: &Filter, name| filter.hits(key(filter, name)).unwrap();
    assert_eq!(
        (
            hits(&filter, "stays.example"),
            hits(&filter, "goes.example")
        ),
        (2, 0)
    );
    let again = install(&mut filter, Some(&second), &second, &Groups::default());
    assert_eq!(again, Installed::default(), "nothing differs");
}

#[test]
fn a_policy_that_does_not_fit_leaves_the_old_one_in_force_in_full() {
    let mut filter = empty(8);
    let names = |from: u32, to: u32| {
        (from..to)
            .map(|number| format!("n{number}.example"))
            .collect::<Vec<_>>()
    };
    let hash_key = *filter.hash_key();
    let all = |names: &[String]| {
        CompiledPolicy::blocking_all(hash_key, "list", names.iter().map(|name| &**name)).unwrap()
    };
    let (first, large) = (all(&names(0, 3)), all(&names(2, 12)));
    install(&mut filter, None, &first, &Groups::default());
    let failed = filter.install(&first, &large, &Groups::default(), |_| {});
    assert!(
        matches!(
            failed,
            Err(KernelError::TooManyRules {
                rules: 10,
                max_rules: 8
            })
        ),
        "{failed:?}"
    );
    let blocked = |filter: &mut Filter| {
        names(0, 12)
            .iter()
            .filter(|name| ask(filter, name).is_blocked())
            .count()
    };
    assert_eq!(blocked(&mut filter), 3);
    let small = all(&names(5, 9));
    let installed = install(&mut filter, Some(&first), &small, &Groups::default());
    // Until the old policy is out, both take room.
    assert_eq!((installed.added, blocked(&mut filter)), (4, 4));
}

#[test]
fn patterns_decide_with_their_precedence_and_go_with_their_policy() {
    let mut filter = empty(100);
    let first = compile(
        &filter,
        &[(
            0,
            &[
                pattern(r"^ad[0-9]+\.", Action::Block),
                pattern(r"(?:^|\.)cdn.*\.example$", Action::Allow),
                rule("ad1.org", Scope::Subtree, Action::Block),
            ],
        )],
    );
    install(&mut filter, None, &first, &Groups::default());
    for (name, reason) in [
        ("ad1.foo.com", Reason::DnsBlocked),
        ("AD17.Foo.Com", Reason::DnsBlocked),
        ("xad1.foo.com", Reason::DnsNotListed),
        ("ad1.cdn7.example", Reason::DnsAllowed),
        ("cdn.example", Reason::DnsAllowed),
        ("x.ad1.org", Reason::DnsBlocked),
    ] {
        assert_eq!(ask(&mut filter, name), reason, "{name}");
    }
    let hello = Wrap::v4(443).tcp(&frames::client_hello("ad2.foo.com"));
    assert_eq!(judge_alone(&mut filter, &hello).reason, Reason::TlsBlocked);
    let hits = filter.all_hits().unwrap();
    let of_pattern = hits.iter().find(|(key, _)| {
        first
            .find(**key)
            .is_some_and(|rule| rule.rule == r"^ad[0-9]+\.")
    });
    assert_eq!(of_pattern.map(|(_, hits)| *hits), Some(3));
    let second = compile(
        &filter,
        &[(0, &[rule("ad1.org", Scope::Subtree, Action::Block)])],
    );
    install(&mut filter, Some(&first), &second, &Groups::default());
    assert_eq!(
        ["ad1.foo.com", "ad1.org"].map(|name| ask(&mut filter, name)),
        [Reason::DnsNotListed, Reason::DnsBlocked]
    );
}

fn empty(max_rules: u32) -> Filter {
    let options = LoadOptions {
        max_rules,
        flows: 1,
        events_per_second: 100,
        ..LoadOptions::default()
    };
    Filter::load(&options).unwrap()
}

fn install(
    filter: &mut Filter,
    before: Option<&CompiledPolicy>,
    after: &CompiledPolicy,
    groups: &Groups,
) -> Installed {
    let empty = CompiledPolicy::empty(*filter.hash_key());
    filter
        .install(before.unwrap_or(&empty), after, groups, |_| {})
        .unwrap()
}

fn compile(filter: &Filter, lists: &[(u16, &[ListRule<'_>])]) -> CompiledPolicy {
    policy_of(filter.hash_key(), lists)
}

fn policy_of(hash_key: &HashKey, lists: &[(u16, &[ListRule<'_>])]) -> CompiledPolicy {
    let mut builder = Builder::new(*hash_key);
    for (audience, rules) in lists {
        let mut list = builder.list("list", *audience);
        for (line, rule) in (1..).zip(*rules) {
            list.rule(*rule, line).unwrap();
        }
    }
    builder.finish().unwrap()
}

fn rule(name: &str, scope: Scope, action: Action) -> ListRule<'_> {
    ListRule {
        subject: Subject::Name(name, scope),
        action,
        answer: None,
        cancels: false,
    }
}

fn pattern(text: &str, action: Action) -> ListRule<'_> {
    ListRule {
        subject: Subject::Pattern(text),
        action,
        answer: None,
        cancels: false,
    }
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn ask(filter: &mut Filter, name: &str) -> Reason {
    judge_alone(filter, &Wrap::v4(53).udp(&frames::query(name))).reason
}
