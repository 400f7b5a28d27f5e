use super::*;

struct Listed(Vec<RuleKey>);

impl Patterns for Listed {}

impl Rules for Listed {
    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.0.contains(&key).then_some(&Effect::BLOCK_SUBTREE)
    }
}

fn blocked_by(rules: &[&str], name: &str) -> Option<String> {
    let key = HashKey::from_words(core::array::from_fn(|i| {
        !(i as u64).wrapping_mul(0x2545_f491_4f6c_dd1d)
    }));
    let keys: Vec<_> = rules
        .iter()
        .map(|rule| key.rule_key(rule).unwrap())
        .collect();
    let found = prevailing_rule(name, &key, &Listed(keys.clone()), u32::MAX)?;
    let place = keys.iter().position(|key| *key == found.key).unwrap();
    Some(rules[place].into())
}

#[test]
fn a_rule_blocks_its_name_and_what_is_below_and_nothing_else() {
    let rules = ["ads.example.com"];
    for name in [
        "ads.example.com",
        "ADS.Example.COM",
        "x.ads.example.com",
        "x.y.ads.example.com.",
    ] {
        assert_eq!(
            blocked_by(&rules, name).as_deref(),
            Some("ads.example.com"),
            "{name}"
        );
    }
    for name in [
        "example.com",
        "com",
        "xads.example.com",
        "ads.example.org",
        "ads.example.com.org",
        "ads",
    ] {
        assert_eq!(blocked_by(&rules, name), None, "{name}");
    }
}

#[test]
fn labels_of_any_length_are_told_apart_to_their_last_octet() {
    for octets in 1..=63 {
        let label = "abcdefg".repeat(9)[..octets].to_owned();
        let other = format!("{}x", &label[..octets - 1]);
        for (rule, neighbour) in [
            (label.clone(), other.clone()),
            (format!("{label}.example"), format!("{other}.example")),
        ] {
            assert_eq!(blocked_by(&[&rule], &rule).as_deref(), Some(&*rule));
            assert_eq!(
                blocked_by(&[&rule], &format!("x.{rule}")).as_deref(),
                Some(&*rule)
            );
            assert_eq!(blocked_by(&[&rule], &neighbour), None, "{rule}");
        }
    }
}

#[test]
fn of_two_rules_the_one_nearest_to_the_root_is_named() {
    assert_eq!(
        blocked_by(&["a.b.example", "b.example"], "x.a.b.example").as_deref(),
        Some("b.example")
    );
}

#[test]
fn all_ways_to_a_key_lead_to_the_same() {
    let key = HashKey::from_words(core::array::from_fn(|i| {
        !(i as u64).wrapping_mul(0x2545_f491_4f6c_dd1d)
    }));
    let long = format!("{}.{}.b.example", "a".repeat(63), "x23456789-".repeat(6));
    for name in [
        "a",
        "a.example",
        "12345678.example",
        "123456789.abcdefghijklmnop.example",
        &long,
    ] {
        assert_eq!(
            Some(key.key_of_canonical(name)),
            key.rule_key(name),
            "{name}"
        );
    }
    let suffixes: Vec<_> = key.suffix_keys("a.b.c").map(Some).collect();
    assert_eq!(
        suffixes,
        ["c", "b.c", "a.b.c"].map(|name| key.rule_key(name))
    );
    assert_ne!(
        Some(key.text_key("a")),
        key.rule_key("a"),
        "a text is no name"
    );
    assert_ne!(key.text_key(&"a".repeat(63)), key.text_key(&"a".repeat(64)));
}

#[test]
fn labels_in_another_order_are_another_name() {
    assert_eq!(blocked_by(&["a.b"], "b.a"), None);
    assert_eq!(blocked_by(&["a.b"], "a.b").as_deref(), Some("a.b"));
}
