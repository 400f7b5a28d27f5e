//! What is claimed of frames, in user space.

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

/// The decision over a frame that nothing came before.
fn judge(frame: &[u8]) -> Decided {
    decide(&mut offline(), frame)
}

/// The decisions over one frame after the other; nothing came before the first.
fn judge_all(frames: &[Vec<u8>]) -> Vec<Decided> {
    let mut offline = offline();
    frames.iter().map(|frame| decide(&mut offline, frame)).collect()
}

fn decide(offline: &mut Offline<Listed>, frame: &[u8]) -> Decided {
    let reason = offline.decide(frame);
    Decided::of(reason, offline.name())
}

fn offline() -> Offline<Listed> {
    // Odd multiples of the golden ratio do for a key that nobody attacks.
    let key =
        HashKey::from_words(std::array::from_fn(|word| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * word as u64 + 1)));
    let rules = Listed(claims::RULES.iter().map(|rule| key.rule_key(rule).unwrap()).collect());
    Offline::new(Settings::new(key, &Options { flows: 1, ..Options::default() }), rules)
}
