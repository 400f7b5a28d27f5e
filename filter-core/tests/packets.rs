//! What is claimed of single frames, in user space.

mod claims;

use std::collections::HashSet;

use filter_core::{HashKey, Offline, Options, RuleKey, Rules, Settings};

use claims::Decided;

struct Listed(HashSet<RuleKey>);

impl Rules for Listed {
    fn matches(&self, key: RuleKey) -> bool {
        self.0.contains(&key)
    }
}

fn judge(frame: &[u8]) -> Decided {
    // Odd multiples of the golden ratio do for a key that nobody attacks.
    let key =
        HashKey::from_words(std::array::from_fn(|word| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * word as u64 + 1)));
    let rules = Listed(claims::RULES.iter().map(|rule| key.rule_key(rule).unwrap()).collect());
    let mut offline = Offline::new(Settings::new(key, &Options { flows: 1, ..Options::default() }), rules);
    let reason = offline.decide(frame);
    Decided::of(reason, offline.name())
}
