//! Matching a name against the rules.

use core::ops::ControlFlow::{self, Break, Continue};

use crate::{
    hash::HashKey,
    name::{LABELS, Name},
    packet::{Packet, Step},
};

/// The keyed hash of a name, under which the rules hold it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleKey(pub u64);

/// The rules: a BPF hash map in the kernel, whatever holds keys in user space.
pub trait Rules {
    /// True if there is a rule for exactly this name. The kernel counts a hit of it.
    fn matches(&self, key: RuleKey) -> bool;

    /// Calls [`any_matches`]. The kernel has it as a function of its own, as some of [`Packet`]'s methods.
    #[inline(always)]
    fn any_matches<P: Packet + ?Sized>(&self, name: &mut Name, key: &HashKey) -> bool
    where
        Self: Sized,
    {
        any_matches::<P, _>(name, key, self)
    }
}

impl HashKey {
    /// The key of a name given as text; `None` if it is none: an empty label, one over 63 octets, over 253 in all.
    pub fn rule_key(&self, name: &str) -> Option<RuleKey> {
        let mut room = Name::default();
        room.set_text(name, self).ok()?;
        let root_first = (0..room.labels()).rev();
        Some(RuleKey(root_first.fold(ROOT, |parent, place| self.child(parent, room.label_hash(place)))))
    }
}

/// The rule that blocks this name, found by the walk that the kernel makes: the one nearest to the root.
pub fn matching_rule(name: &str, key: &HashKey, rules: &impl Rules) -> Option<RuleKey> {
    let mut room = Name::default();
    room.set_text(name, key).ok()?;
    any_matches::<[u8], _>(&mut room, key, rules).then(|| room.matched())
}

/// Looks up each suffix of the name, from the top-level domain to the whole name, until one is in the rules. That one
/// is left in the name.
#[inline(always)]
pub fn any_matches<P: Packet + ?Sized, R: Rules>(name: &mut Name, key: &HashKey, rules: &R) -> bool {
    let mut suffixes = Suffixes { name, key, rules, left: name.labels(), suffix: ROOT, found: false };
    // A plain loop: its body is small enough for the verifier to go through every turn, and `bpf_loop` calls its body
    // through a pointer, which costs more than the body.
    for _ in 0..LABELS {
        if suffixes.step().is_break() {
            break;
        }
    }
    let Suffixes { suffix, found, .. } = suffixes;
    name.set_matched(RuleKey(suffix));
    found
}

/// The root's hash.
const ROOT: u64 = 0;

struct Suffixes<'a, R> {
    name: &'a Name,
    key: &'a HashKey,
    rules: &'a R,
    left: u32,
    suffix: u64,
    found: bool,
}

impl<R: Rules> Step for Suffixes<'_, R> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.left == 0 {
            return Break(());
        }
        self.left -= 1;
        self.suffix = self.key.child(self.suffix, self.name.label_hash(self.left));
        self.found = self.rules.matches(RuleKey(self.suffix));
        if self.found { Break(()) } else { Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Listed(Vec<RuleKey>);

    impl Rules for Listed {
        fn matches(&self, key: RuleKey) -> bool {
            self.0.contains(&key)
        }
    }

    fn blocked_by(rules: &[&str], name: &str) -> Option<String> {
        let key = HashKey::from_words(core::array::from_fn(|i| !(i as u64).wrapping_mul(0x2545_f491_4f6c_dd1d)));
        let keys: Vec<_> = rules.iter().map(|rule| key.rule_key(rule).unwrap()).collect();
        let found = matching_rule(name, &key, &Listed(keys.clone()))?;
        let place = keys.iter().position(|key| *key == found).unwrap();
        Some(rules[place].into())
    }

    #[test]
    fn a_rule_blocks_its_name_and_what_is_below_and_nothing_else() {
        let rules = ["ads.example.com"];
        for name in ["ads.example.com", "ADS.Example.COM", "x.ads.example.com", "x.y.ads.example.com."] {
            assert_eq!(blocked_by(&rules, name).as_deref(), Some("ads.example.com"), "{name}");
        }
        for name in ["example.com", "com", "xads.example.com", "ads.example.org", "ads.example.com.org", "ads"] {
            assert_eq!(blocked_by(&rules, name), None, "{name}");
        }
    }

    #[test]
    fn of_two_rules_the_one_nearest_to_the_root_is_named() {
        assert_eq!(blocked_by(&["a.b.example", "b.example"], "x.a.b.example").as_deref(), Some("b.example"));
    }

    #[test]
    fn labels_in_another_order_are_another_name() {
        assert_eq!(blocked_by(&["a.b"], "b.a"), None);
        assert_eq!(blocked_by(&["a.b"], "a.b").as_deref(), Some("a.b"));
    }
}
