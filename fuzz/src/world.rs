//! The rules and settings that fuzzers decide under.

use std::{collections::BTreeSet, sync::OnceLock};

use filter_core::{
    Effect, Generation, HashKey, Offline, Options, Patterns, RuleKey, Rules, Settings,
};

/// The names that are blocked. The seeds ask for them, or for neighbours.
pub const RULES: [&str; 3] = ["ads.example.com", "ads.example.net", "tracker.example"];

/// The rules under their keys.
#[derive(Clone, Copy)]
pub struct Listed(&'static [RuleKey]);

/// None.
impl Patterns for Listed {}

impl Rules for Listed {
    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.0.contains(&key).then_some(&Effect::BLOCK_SUBTREE)
    }
}

/// The key under which names are hashed.
pub fn hash_key() -> &'static HashKey {
    static KEY: OnceLock<HashKey> = OnceLock::new();
    // Odd multiples of the golden ratio do for a key that nobody attacks.
    KEY.get_or_init(|| {
        HashKey::from_words(std::array::from_fn(|word| {
            0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * word as u64 + 1)
        }))
    })
}

/// All rules.
pub fn rules() -> Listed {
    static KEYS: OnceLock<Vec<RuleKey>> = OnceLock::new();
    Listed(KEYS.get_or_init(|| {
        RULES
            .iter()
            .filter_map(|rule| hash_key().rule_key(rule))
            .collect()
    }))
}

/// A filter that nothing has come through yet.
pub fn filter(report_passed: bool) -> Offline<Listed> {
    Offline::new(
        Settings::new(
            *hash_key(),
            &Options {
                flows: 1,
                report_passed,
                ..Options::default()
            },
        ),
        rules(),
    )
}

/// True if a rule has this key, and its name is this one or above it.
pub fn is_blocked_by(name: &str, rule: RuleKey) -> bool {
    let is_suffix = |rule: &str| {
        name.strip_suffix(rule)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    RULES
        .iter()
        .any(|text| hash_key().rule_key(text) == Some(rule) && is_suffix(text))
}

/// The names that were reported since the last call, as text.
///
/// # Panics
/// If one of them was blocked by a rule that is not its own.
pub fn take_names(filter: &mut Offline<Listed>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for event in filter.take_events() {
        let name = event.name().to_string();
        if let Some(rule) = event.rule() {
            assert!(
                is_blocked_by(&name, rule),
                "a rule of another name blocked {name}"
            );
        }
        names.insert(name);
    }
    names
}
