use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn a_rule_is_found_by_its_key_with_the_first_list_that_has_it() {
    let (book, keys) = book(&[("one", &["a.example", "b.example"]), ("two", &["b.example", "c.example"])]);
    assert_eq!(keys.len(), 3);
    for (key, rule) in
        keys.iter().zip([rule("a.example", "one", 1), rule("b.example", "one", 2), rule("c.example", "two", 2)])
    {
        assert_eq!(book.find(*key), Some(rule));
    }
    assert_eq!(book.find(book.key(&name("d.example"))), None);
}

#[test]
fn a_list_that_adds_nothing_does_not_take_the_names_of_the_next() {
    let (book, _) = book(&[("one", &["a.example"]), ("two", &["a.example"]), ("three", &["b.example"])]);
    assert_eq!(book.matching(&name("b.example")), Some(rule("b.example", "three", 1)));
    assert_eq!(book.lists().collect::<Vec<_>>(), [("one", 1), ("two", 0), ("three", 1)]);
}

#[test]
fn a_name_is_blocked_by_its_own_rule_or_that_of_a_parent() {
    let (book, _) = book(&[("list", &["ads.example.com"])]);
    for blocked in ["ads.example.com", "x.ads.example.com", "x.y.ads.example.com"] {
        assert_eq!(book.matching(&name(blocked)), Some(rule("ads.example.com", "list", 1)), "{blocked}");
    }
    for other in ["example.com", "xads.example.com", "ads.example.com.org", "com"] {
        assert_eq!(book.matching(&name(other)), None, "{other}");
    }
}

#[test]
fn rules_are_added_by_hand_once() {
    let (mut book, _) = book(&[("list", &["a.example"])]);
    assert_eq!(book.add(name("b.example")), Ok(true));
    assert_eq!(book.add(name("b.example")), Ok(false));
    assert_eq!(book.len(), 2);
    assert_eq!(book.matching(&name("x.b.example")), Some(Rule { name: "b.example", list: MANUAL, line: None }));
}

#[test]
fn a_rule_that_is_in_a_list_too_counts_once_and_names_the_list() {
    let (mut book, _) = book(&[("list", &["a.example"])]);
    assert_eq!(book.add(name("a.example")), Ok(true));
    assert_eq!(book.len(), 1);
    assert_eq!(book.matching(&name("a.example")), Some(rule("a.example", "list", 1)));
    assert_eq!(book.manual(), [&name("a.example")]);
}

#[test]
fn a_rule_that_is_removed_blocks_no_more_and_its_neighbours_still_do() {
    let (mut book, keys) = book(&[("list", &["a.example", "b.example"])]);
    book.add(name("a.example")).unwrap();
    let removed = book.remove(&name("a.example"));
    assert_eq!(removed, Some(Removed { key: keys[0], listed: Some(("list".into(), 1)) }));
    assert_eq!(book.matching(&name("a.example")), None);
    assert_eq!(book.matching(&name("b.example")), Some(rule("b.example", "list", 2)));
    assert_eq!((book.len(), book.lists().collect::<Vec<_>>()), (1, vec![("list", 1)]));
    assert_eq!(book.page(Position::default(), 10).0, [rule("b.example", "list", 2)]);
}

#[test]
fn only_a_rule_of_exactly_that_name_can_be_removed() {
    let (mut book, _) = book(&[("list", &["a.example"])]);
    for other in ["x.a.example", "example", "b.example"] {
        assert_eq!(book.remove(&name(other)), None, "{other}");
    }
    assert_eq!(book.len(), 1);
}

#[test]
fn a_rule_that_was_removed_can_be_added_by_hand() {
    let (mut book, _) = book(&[("list", &["a.example"])]);
    book.remove(&name("a.example")).unwrap();
    assert_eq!(book.add(name("a.example")), Ok(true));
    assert_eq!(book.matching(&name("a.example")).map(|rule| rule.list), Some(MANUAL));
    assert_eq!(book.remove(&name("a.example")).map(|removed| removed.listed), Some(None));
    assert!(book.is_empty());
}

#[test]
fn two_names_with_one_key_are_an_error_and_not_one_rule() {
    let mut names = Names::default();
    for name in ["a.example", "b.example"] {
        names.list("list").insert(name, 1).unwrap();
    }
    // All names hash alike under a key of zeros.
    let blind = HashKey::from_words([0; filter_core::HASH_KEY_WORDS]);
    let collision = KeyCollision("a.example".into(), "b.example".into());
    assert_eq!(RuleBook::new(names, blind).err(), Some(collision));

    let (mut book, _) = RuleBook::new(Names::default(), blind).unwrap();
    book.add(name("a.example")).unwrap();
    assert_eq!(book.add(name("b.example")), Err(KeyCollision("a.example".into(), "b.example".into())));
    assert_eq!(book.remove(&name("b.example")), None);
}

#[test]
fn an_empty_book_blocks_nothing() {
    let (book, keys) = book(&[]);
    assert!(book.is_empty() && keys.is_empty());
    assert_eq!(book.matching(&name("a.example")), None);
    assert_eq!(book.page(Position::default(), 10), (vec![], None));
}

#[test]
fn a_name_takes_less_than_50_bytes() {
    let mut names = Names::default();
    let mut list = names.list("list");
    for i in 0..100_000 {
        list.insert(&format!("host-{i:06}.ads.example.com"), i).unwrap();
    }
    let (book, _) = RuleBook::new(names, key_of_tests()).unwrap();
    let bytes = book.memory_bytes() / book.len();
    assert!(bytes < 50, "{bytes}");
}

proptest! {
    #[test]
    fn every_canonical_name_has_a_key_and_is_found_by_it(text in "[a-zA-Z0-9_.ä-]{1,260}|([a-z]\\.){100,130}[a-z]") {
        if let Ok(name) = Domain::parse(&text) {
            let (mut book, _) = book(&[]);
            book.add(name.clone()).unwrap();
            prop_assert_eq!(book.find(book.key(&name)).map(|rule| rule.name.to_owned()), Some(name.to_string()));
        }
    }

    #[test]
    fn pages_of_any_size_give_every_rule_once(
        names in proptest::collection::btree_set("[a-d]{1,3}\\.[a-d]{1,3}", 0..60),
        removed in "[a-d]{1,3}\\.[a-d]{1,3}",
        most in 1_usize..20,
    ) {
        let list: Vec<&str> = names.iter().map(String::as_str).collect();
        let (mut book, _) = book(&[("list", &list)]);
        book.remove(&name(&removed));
        let (mut at, mut paged) = (Some(Position::default()), vec![]);
        while let Some(from) = at {
            let (rules, next) = book.page(from, most);
            paged.extend(rules.iter().map(|rule| rule.name.to_owned()));
            at = next;
        }
        let expected: Vec<_> = names.into_iter().filter(|name| *name != removed).collect();
        prop_assert_eq!(paged, expected);
    }

    #[test]
    fn the_book_agrees_with_a_plain_map(
        listed in proptest::collection::vec("[ab]{1,2}\\.[ab]{1,2}", 0..20),
        steps in proptest::collection::vec((any::<bool>(), "[ab]{1,2}\\.[ab]{1,2}"), 0..20),
    ) {
        let list: Vec<&str> = listed.iter().map(String::as_str).collect();
        let (mut book, _) = book(&[("list", &list)]);
        let mut model: BTreeSet<String> = listed.iter().cloned().collect();
        for (add, text) in steps {
            if add {
                book.add(name(&text)).unwrap();
                model.insert(text);
            } else {
                prop_assert_eq!(book.remove(&name(&text)).is_some(), model.remove(&text));
            }
            prop_assert_eq!(book.len(), model.len());
        }
        for text in listed {
            let found = book.find(book.key(&name(&text))).is_some();
            prop_assert_eq!(found, model.contains(&text));
        }
    }
}

fn book(lists: &[(&str, &[&str])]) -> (RuleBook, Vec<RuleKey>) {
    let mut names = Names::default();
    for (list, texts) in lists {
        let mut list = names.list(list);
        for (line, text) in (1..).zip(*texts) {
            list.insert(text, line).unwrap();
        }
    }
    RuleBook::new(names, key_of_tests()).unwrap()
}

fn key_of_tests() -> HashKey {
    HashKey::from_words(std::array::from_fn(|i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn rule<'a>(name: &'a str, list: &'a str, line: u32) -> Rule<'a> {
    Rule { name, list, line: Some(line) }
}
