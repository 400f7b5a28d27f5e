//! The decision in user space, for tests.

use std::collections::HashSet;

use filter_core::{
    Effect, Generation, HashKey, Offline, Options, Patterns, RuleKey, Rules, Settings,
};

/// Rules in a set.
pub struct Listed(HashSet<RuleKey>);

/// None.
impl Patterns for Listed {}

impl Rules for Listed {
    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.0.contains(&key).then_some(&Effect::BLOCK_SUBTREE)
    }
}

/// Odd multiples of the golden ratio do for a key that nobody attacks.
pub fn key() -> HashKey {
    HashKey::from_words(std::array::from_fn(|word| {
        0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * word as u64 + 1)
    }))
}

/// An engine that has seen nothing, with these rules in force.
pub fn offline(options: &Options, rules: &[&str]) -> Offline<Listed> {
    let key = key();
    let rules = Listed(
        rules
            .iter()
            .map(|rule| key.rule_key(rule).unwrap())
            .collect(),
    );
    Offline::new(Settings::new(key, options), rules)
}

/// One bucket of flows, and else the default.
pub fn one_bucket() -> Options<'static> {
    Options {
        flows: 1,
        ..Options::default()
    }
}
