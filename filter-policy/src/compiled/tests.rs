use std::collections::{BTreeMap, BTreeSet};

use filter_core::{
    Directions, DnsAction, Interface, Message, Protocol, ResponseAction, TcpAction, prevailing_rule,
};
use filter_lists::{Format, ListOptions};
use proptest::prelude::*;

use super::*;
use crate::{at::PolicyAt, compiled::hash_key, groups::Groups};

#[test]
fn a_rule_is_found_by_its_key_with_the_first_list_that_has_it() {
    let compiled = compile(&[
        ("one", &["||a.example", "||b.example"]),
        ("two", &["||b.example", "||c.example"]),
    ]);
    assert_eq!(places(&compiled, "a.example"), [("one", 1)]);
    assert_eq!(places(&compiled, "b.example"), [("one", 2), ("two", 1)]);
    assert_eq!(
        compiled
            .find(compiled.key(&name("c.example")))
            .map(|rule| (rule.list, rule.line)),
        Some(("two", Some(2)))
    );
    assert_eq!(compiled.find(compiled.key(&name("d.example"))), None);
    assert_eq!(compiled.len(), 3);
}

#[test]
fn a_rule_is_about_the_names_of_its_scope_and_no_others() {
    let compiled = compile(&[("list", &["=n.example", "<s.example", "||t.example"])]);
    for (blocked, rule) in [
        ("n.example", "n.example"),
        ("a.s.example", "s.example"),
        ("a.b.s.example", "s.example"),
        ("t.example", "t.example"),
        ("a.t.example", "t.example"),
    ] {
        assert_eq!(
            compiled.blocking(&name(blocked)).map(|rule| rule.rule),
            Some(rule.into()),
            "{blocked}"
        );
    }
    for passes in [
        "a.n.example",
        "s.example",
        "xt.example",
        "example",
        "t.example.org",
    ] {
        assert_eq!(compiled.prevailing(&name(passes)), None, "{passes}");
    }
}

#[test]
fn the_rule_that_decides_is_one_about_the_name_and_no_other_of_its_parent() {
    let compiled = compile(&[("list", &["@=a.example", "||a.example"])]);
    let deciding = |text| {
        compiled
            .prevailing(&name(text))
            .map(|(_, rule)| (rule.action, rule.line))
    };
    assert_eq!(deciding("a.example"), Some((Action::Allow, Some(1))));
    assert_eq!(deciding("b.a.example"), Some((Action::Block, Some(2))));
}

#[test]
fn of_two_rules_the_later_of_block_allow_important_block_important_allow_prevails() {
    let marks = ["||", "@||", "!||", "@!||"];
    // Before these comes that of lists in audit mode.
    let precedences: Vec<_> = marks
        .iter()
        .zip(Precedence::OF_RULES.into_iter().skip(1))
        .collect();
    for (lower, (low, _)) in precedences.iter().enumerate() {
        for (high, precedence_of_high) in precedences.iter().skip(lower + 1) {
            for names in [
                ["a.example", "b.a.example"],
                ["b.a.example", "a.example"],
                ["a.example", "a.example"],
            ] {
                let rules = [format!("{low}{}", names[0]), format!("{high}{}", names[1])];
                let compiled = compile(&[("list", &rules.each_ref().map(|rule| &**rule))]);
                let (precedence, rule) = compiled.prevailing(&name("b.a.example")).unwrap();
                assert_eq!(precedence, *precedence_of_high, "{rules:?}");
                assert_eq!(rule.rule, names[1], "{rules:?}");
            }
        }
    }
}

#[test]
fn of_several_lists_that_block_a_name_the_first_audience_that_the_client_meets_decides() {
    let mut builder = Builder::new(hash_key());
    fill(&mut builder, "third", 3, &["||a.example", "||d.example"]);
    fill(&mut builder, "second", 2, &["||a.example", "||b.a.example"]);
    fill(
        &mut builder,
        "first",
        1,
        &["||x.b.a.example", "@||d.example"],
    );
    let compiled = builder.finish().unwrap();
    // Each audience has an action of its own.
    let responses = [
        DnsAction::NxDomain,
        DnsAction::NoData,
        DnsAction::Refused,
        DnsAction::Null,
    ];
    let actions = responses
        .map(|dns| Actions::new(dns, TcpAction::AsInterface))
        .into();
    let policy = PolicyAt::of(
        &compiled,
        Groups {
            actions,
            ..Groups::default()
        },
    );
    let audience = |asked: &str, audiences| {
        let action = policy.effect(
            &compiled.judge(&name(asked), audiences),
            &facing(),
            Message::Query,
            Protocol::Udp,
        );
        responses
            .iter()
            .position(|dns| dns.as_str() == action.as_str())
    };
    assert_eq!(audience("a.example", 0b1100), Some(2));
    assert_eq!(audience("b.a.example", 0b1000), Some(3));
    assert_eq!(audience("b.a.example", 0b1110), Some(2));
    assert_eq!(audience("d.example", 0b1000), Some(3));
    assert_eq!(audience("d.example", 0b1010), None, "allowed");
    assert_eq!(audience("e.example", u32::MAX), None);
}

/// An interface to clients, which drops unless a list says otherwise.
fn facing() -> Interface {
    Interface::new(Directions::Both).facing_clients(Actions::new(DnsAction::Drop, TcpAction::Drop))
}

#[test]
fn a_rule_says_itself_what_the_answer_is_where_its_list_does_not() {
    const ZONE: &[u8] = b"$ORIGIN rpz.example.
@ SOA ns. mail. 1 2 3 4 5
plain.example CNAME .
data.example A 192.0.2.7
empty.example CNAME *.
silent.example CNAME rpz-drop.
";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, ZONE).unwrap();
    let mut builder = Builder::new(hash_key());
    let options = ListOptions {
        format: Some(Format::Rpz),
        ..ListOptions::default()
    };
    filter_lists::load(
        file.path(),
        &options,
        &mut builder.list("zone", 0),
        &mut |_| {},
    )
    .unwrap();
    let compiled = builder.finish().unwrap();
    let dns = |asked: &str, of_list: DnsAction| {
        let actions = vec![Actions::new(of_list, TcpAction::AsInterface)];
        let policy = PolicyAt::of(
            &compiled,
            Groups {
                actions,
                ..Groups::default()
            },
        );
        let interface = Interface::of_recording();
        policy.effect(
            &compiled.judge(&name(asked), u32::MAX),
            &interface,
            Message::Query,
            Protocol::Udp,
        )
    };
    for (asked, own) in [
        ("plain.example", ResponseAction::NxDomain),
        ("data.example", ResponseAction::Default),
        ("empty.example", ResponseAction::NoData),
        ("silent.example", ResponseAction::Drop),
    ] {
        assert_eq!(dns(asked, DnsAction::AsInterface), own, "{asked}");
        assert_eq!(
            dns(asked, DnsAction::Refused),
            ResponseAction::Refused,
            "{asked}, where the list says it"
        );
    }
}

#[test]
fn a_list_in_audit_mode_blocks_nothing_and_those_whom_it_would_block_see_its_label() {
    let mut builder = Builder::new(hash_key());
    let rule = |text, action| ListRule {
        subject: Subject::Name(text, Scope::Subtree),
        action,
        answer: None,
        cancels: false,
    };
    let mut trial = builder
        .list("/etc/lists/new.txt", 0)
        .on_trial()
        .labelled("New");
    trial.rule(rule("a.example", Action::Block), 1).unwrap();
    trial
        .rule(rule("b.example", Action::BlockImportant), 2)
        .unwrap();
    trial.rule(rule("c.example", Action::Allow), 3).unwrap();
    fill(&mut builder, "/etc/lists/old.txt", 0, &["||b.example"]);
    let compiled = builder.finish().unwrap();
    let precedence = |text| {
        compiled
            .prevailing(&name(text))
            .map(|(precedence, rule)| (precedence, rule.list.to_owned()))
    };
    assert_eq!(
        precedence("a.example"),
        Some((Precedence::Audit, "/etc/lists/new.txt".into()))
    );
    assert_eq!(
        precedence("b.example"),
        Some((Precedence::Block, "/etc/lists/old.txt".into()))
    );
    assert_eq!(
        precedence("c.example"),
        Some((Precedence::Allow, "/etc/lists/new.txt".into()))
    );
    assert_eq!(
        compiled
            .lists()
            .iter()
            .map(|list| (list.label(), list.trial))
            .collect::<Vec<_>>(),
        [("New", true), ("old.txt", false)]
    );
}

#[test]
fn a_name_under_a_blocked_subtree_takes_no_entry_and_is_still_explained() {
    let compiled = compile(&[
        (
            "list",
            &["||example.com", "=ads.example.com", "||x.ads.example.com"],
        ),
        ("two", &["<example.com"]),
    ]);
    assert_eq!((compiled.len(), compiled.entries_in_force()), (3, 1));
    let explained = compiled.explain(&name("x.ads.example.com"), EVERYBODY);
    let rules: Vec<_> = explained
        .rules
        .iter()
        .map(|it| (&*it.rule.rule, it.rule.list, it.redundant))
        .collect();
    let expected = [
        ("example.com", "list", false),
        ("example.com", "two", false),
        ("x.ads.example.com", "list", true),
    ];
    assert_eq!(rules, expected);
    assert!(explained.rules.iter().all(|rule| rule.prevails));
}

#[test]
fn a_rule_that_another_does_not_cover_whole_keeps_its_entry() {
    for rules in [
        ["=example.com", "||a.example.com"],
        ["||example.com", "!||a.example.com"],
        ["||example.com", "@||a.example.com"],
        ["@||example.com", "||a.example.com"],
        ["!||example.com", "@||a.example.com"],
    ] {
        assert_eq!(
            compile(&[("list", &rules)]).entries_in_force(),
            2,
            "{rules:?}"
        );
    }
    assert_eq!(
        compile(&[("list", &["!||example.com", "||a.example.com"])]).entries_in_force(),
        1
    );
}

#[test]
fn rules_for_names_alone_cover_nothing_and_one_subtree_among_them_does() {
    let alone = ["=example.com", "=a.example.com", "=b.a.example.com"];
    assert_eq!(compile(&[("list", &alone)]).entries_in_force(), 3);
    assert_eq!(
        compile(&[("list", &alone), ("last", &["||a.example.com"])]).entries_in_force(),
        2
    );
}

#[test]
fn lists_of_another_audience_cover_nothing() {
    let mut builder = Builder::new(hash_key());
    fill(&mut builder, "all", 0, &["=a.example.com"]);
    fill(&mut builder, "children", 1, &["||example.com"]);
    let compiled = builder.finish().unwrap();
    assert_eq!(compiled.entries_in_force(), 2);
    let outcome = |text: &str, audiences| compiled.explain(&name(text), audiences).outcome;
    assert_eq!(
        (outcome("a.example.com", 1), outcome("b.example.com", 1)),
        (Outcome::Blocked, Outcome::NotListed)
    );
    assert_eq!(
        (outcome("a.example.com", 2), outcome("b.example.com", 2)),
        (Outcome::Blocked, Outcome::Blocked)
    );
    assert_eq!(outcome("a.example.com", 0), Outcome::NotListed);
}

#[test]
fn a_rule_that_is_cancelled_is_out_of_force_and_no_other_is() {
    for rules in [
        ["||a.example", "-||a.example"],
        ["-||a.example", "||a.example"],
    ] {
        let compiled = compile(&[("list", &rules)]);
        assert_eq!(
            (
                compiled.prevailing(&name("a.example")),
                compiled.entries_in_force()
            ),
            (None, 0),
            "{rules:?}"
        );
    }
    let rules = ["||a.example", "=a.example", "-||a.example", "||b.example"];
    let compiled = compile(&[("list", &rules)]);
    assert!(
        compiled.blocking(&name("a.example")).is_some()
            && compiled.blocking(&name("x.a.example")).is_none()
    );
    assert!(compiled.blocking(&name("b.example")).is_some());
    let cancelled = compiled.explain(&name("x.a.example"), EVERYBODY).rules;
    assert!(
        matches!(
            &*cancelled,
            [Matching {
                cancelled: true,
                prevails: false,
                ..
            }]
        ),
        "{cancelled:?}"
    );
}

#[test]
fn what_is_added_by_hand_is_a_subtree_and_may_be_taken_out() {
    let mut compiled = compile(&[("list", &["=ads.example.com"])]);
    assert_eq!(compiled.add(name("example.com"), Action::Block), Ok(true));
    assert_eq!(
        compiled.add(name("example.com"), Action::Block),
        Ok(false),
        "again"
    );
    assert_eq!(
        compiled
            .blocking(&name("x.example.com"))
            .map(|rule| (rule.list, rule.line)),
        Some((MANUAL, None))
    );
    assert_eq!(
        compiled.add(name("www.example.com"), Action::Allow),
        Ok(true)
    );
    assert!(compiled.blocking(&name("www.example.com")).is_none());
    assert_eq!(compiled.by_hand().len(), 2);
    assert!(
        compiled
            .remove(&name("www.example.com"))
            .unwrap()
            .listed
            .is_none()
    );
    assert!(compiled.blocking(&name("www.example.com")).is_some());
    assert!(
        compiled.remove(&name("x.example.com")).is_none(),
        "no rule of its own"
    );
}

#[test]
fn what_a_removed_rule_covered_comes_into_force() {
    let mut compiled = compile(&[("list", &["||example.com", "||ads.example.com"])]);
    assert_eq!(compiled.entries_in_force(), 1);
    let removed = compiled.remove(&name("example.com")).unwrap();
    assert_eq!(removed.listed, Some(("list".into(), 1)));
    assert_eq!(removed.uncovered, [compiled.key(&name("ads.example.com"))]);
    assert_eq!(compiled.entries_in_force(), 1);
    assert_eq!(
        compiled
            .blocking(&name("x.ads.example.com"))
            .map(|rule| rule.rule),
        Some("ads.example.com".into())
    );
    assert!(compiled.blocking(&name("example.com")).is_none());
}

#[test]
fn all_rules_come_in_pages() {
    let names: Vec<String> = (0..250)
        .map(|number| format!("=n{number}.example"))
        .collect();
    let compiled = compile(&[(
        "list",
        &names.iter().map(|name| &**name).collect::<Vec<_>>(),
    )]);
    let (mut seen, mut from) = (BTreeSet::new(), Some(Position::default()));
    while let Some(position) = from {
        let (rules, next) = compiled.page(position, 100);
        assert!(rules.len() <= 100);
        seen.extend(rules.into_iter().filter_map(|rule| rule.line));
        from = next;
    }
    assert_eq!(seen, (1..=250).collect());
}

/// What is done to a name by hand.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Block,
    Allow,
    Remove,
}

/// What a name has by hand, as the manual says it: a rule, and whether those of lists are out.
type HandModel = BTreeMap<String, (Option<Action>, bool)>;

/// True if `block remove` says that there was a rule.
fn do_to_model(model: &mut HandModel, listed: &[&str], verb: Verb, text: &str) -> bool {
    let is_listed = listed.iter().any(|rule| parse(rule).0 == text);
    let (added, removed) = model.entry(text.to_owned()).or_default();
    match verb {
        Verb::Block => *added = Some(Action::Block),
        Verb::Allow => *added = Some(Action::Allow),
        Verb::Remove if added.is_some() => *added = None,
        Verb::Remove => {
            let was = is_listed && !*removed;
            *removed |= is_listed;
            return was;
        }
    }
    true
}

fn precedence_of_model(model: &HandModel, listed: &[&str], asked: &str) -> Precedence {
    let of_lists = listed.iter().filter(|rule| {
        let is_out = model
            .get(parse(rule).0)
            .is_some_and(|(_, removed)| *removed);
        !is_out && is_about(rule, asked)
    });
    let by_hand = model
        .iter()
        .filter_map(|(text, (added, _))| added.filter(|_| is_about(&format!("||{text}"), asked)));
    let all = of_lists.map(|rule| parse(rule).1).chain(by_hand);
    all.max().map_or(Precedence::NotListed, effect::precedence)
}

proptest! {
    // Each step goes through all buckets of the table several times.
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// Whatever is done by hand undoes what was done by hand, and never a list's rule beside it;
    /// what the kernel has decides as the compiled policy does after each step, and taking a step
    /// back leaves what there was.
    #[test]
    fn verbs_do_to_names_what_the_manual_says(
        rules in prop::collection::vec("(=|<|\\|\\||@\\|\\||!\\|\\||@=)[ab](\\.[ab]){1,2}", 0..8),
        steps in prop::collection::vec((prop::sample::select(vec![Verb::Block, Verb::Allow, Verb::Remove, Verb::Remove]), "[ab](\\.[ab]){1,2}"), 1..12),
        asked in prop::collection::vec("[ab](\\.[ab]){1,3}", 6),
    ) {
        let rules: Vec<_> = rules.iter().map(|rule| &**rule).collect();
        let mut compiled = compile(&[("list", &rules)]);
        let mut model = HandModel::new();
        for (verb, text) in &steps {
            let domain = [name(text)];
            let (said, entries) = (compiled.by_hand_of(&domain), all_in_kernel(&compiled));
            let apply = |compiled: &mut CompiledPolicy| match verb {
                Verb::Block => compiled.add(name(text), Action::Block).map(|_| true).unwrap(),
                Verb::Allow => compiled.add(name(text), Action::Allow).map(|_| true).unwrap(),
                Verb::Remove => compiled.remove(&domain[0]).is_some(),
            };
            apply(&mut compiled);
            compiled.restore(said.clone());
            prop_assert_eq!(compiled.by_hand_of(&domain), said);
            prop_assert_eq!(all_in_kernel(&compiled), entries);
            prop_assert_eq!(apply(&mut compiled), do_to_model(&mut model, &rules, *verb, text), "{:?} {}", verb, text);
            prop_assert_eq!(compiled.entries_in_force(), all_in_kernel(&compiled).len() as u64);
            for asked in asked.iter().chain([text]) {
                let expected = precedence_of_model(&model, &rules, asked);
                prop_assert_eq!(compiled.judge(&name(asked), EVERYBODY).precedence, expected, "{}", asked);
                let kernel = prevailing_rule(asked, &compiled.hash_key, &Kernel(&compiled), EVERYBODY);
                prop_assert_eq!(kernel.unwrap_or_default().precedence, expected, "{}", asked);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_the_kernel_is_given_decides_as_all_rules_together(
        rules in prop::collection::vec("(=|<|\\|\\||@\\|\\||!\\|\\||@=|@!<)[ab](\\.[ab]){0,3}", 0..12),
        asked in "[abc](\\.[ab]){0,4}",
    ) {
        let rules: Vec<_> = rules.iter().map(|rule| &**rule).collect();
        let compiled = compile(&[("list", &rules)]);
        let asked = name(&asked);
        let of_all = rules.iter().filter(|rule| is_about(rule, asked.as_str())).map(|rule| parse(rule).1);
        let expected = of_all.max().map_or(Precedence::NotListed, effect::precedence);
        prop_assert_eq!(compiled.judge(&asked, EVERYBODY).precedence, expected);
        prop_assert_eq!(prevailing_rule(asked.as_str(), &compiled.hash_key, &Kernel(&compiled), EVERYBODY).unwrap_or_default().precedence, expected);
    }
}

fn all_in_kernel(compiled: &CompiledPolicy) -> BTreeMap<RuleKey, AllEffects> {
    let mut all = BTreeMap::new();
    compiled.each_in_force(|key, effect| assert_eq!(all.insert(key, effect.clone()), None));
    all
}

/// Only what the kernel is given.
struct Kernel<'b>(&'b CompiledPolicy);

impl Patterns for Kernel<'_> {}

impl Rules for Kernel<'_> {
    fn in_force(&self) -> ActivePolicy {
        self.0.in_force()
    }

    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.0.in_kernel(key).map(|effect| &effect.first)
    }
}

fn is_about(rule: &str, asked: &str) -> bool {
    let (text, _, scope, _) = parse(rule);
    let below = asked
        .strip_suffix(text)
        .is_some_and(|rest| rest.ends_with('.'));
    (asked == text && scope != Scope::Subdomains) || (below && scope != Scope::Name)
}

/// `-` cancels, `@` allows, `!` is important; `=` a name, `<` what is below it, `||` both.
fn parse(rule: &str) -> (&str, Action, Scope, bool) {
    let (cancels, rule) = rule
        .strip_prefix('-')
        .map_or((false, rule), |rest| (true, rest));
    let (allows, rule) = rule
        .strip_prefix('@')
        .map_or((false, rule), |rest| (true, rest));
    let (important, rule) = rule
        .strip_prefix('!')
        .map_or((false, rule), |rest| (true, rest));
    let action = match (allows, important) {
        (false, false) => Action::Block,
        (true, false) => Action::Allow,
        (false, true) => Action::BlockImportant,
        (true, true) => Action::AllowImportant,
    };
    let scopes = [
        ("=", Scope::Name),
        ("<", Scope::Subdomains),
        ("||", Scope::Subtree),
    ];
    let (text, scope) = scopes
        .iter()
        .find_map(|(mark, scope)| Some((rule.strip_prefix(mark)?, *scope)))
        .unwrap();
    (text, action, scope, cancels)
}

fn fill(builder: &mut Builder, list: &str, audience: u16, rules: &[&str]) {
    let mut sink = builder.list(list, audience);
    for (line, rule) in (1..).zip(rules) {
        let (text, action, scope, cancels) = parse(rule);
        sink.rule(
            ListRule {
                subject: Subject::Name(text, scope),
                action,
                answer: None,
                cancels,
            },
            line,
        )
        .unwrap();
    }
}

fn compile(lists: &[(&str, &[&str])]) -> CompiledPolicy {
    let mut builder = Builder::new(hash_key());
    for (list, rules) in lists {
        fill(&mut builder, list, 0, rules);
    }
    builder.finish().unwrap()
}

fn places<'b>(compiled: &'b CompiledPolicy, text: &str) -> Vec<(&'b str, u32)> {
    let rules = compiled.explain(&name(text), EVERYBODY).rules;
    rules
        .into_iter()
        .map(|it| (it.rule.list, it.rule.line.unwrap()))
        .collect()
}

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}
