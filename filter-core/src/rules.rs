//! Matching a name against the rules.

#[cfg(test)]
mod tests;

use core::ops::ControlFlow::{self, Break, Continue};

use crate::{
    abi::{
        Actions, ActivePolicy, Effect, Generation, ListName, Precedence, highest_precedence,
        list_of,
    },
    clients::Client,
    hash::HashKey,
    name::{LABELS, Name},
    packet::Step,
    patterns::{Patterns, run_parts},
    subprograms,
};

pub use crate::{hash::RuleKey, name::Found};

/// Makes a method of each subprogram for hashes of names.
macro_rules! hash_methods {
    ([]) => {};
    ([] hash { $($method:ident(name: $kind:ty $(, $argument:ident: $more:ty)*) -> $result:ty;)* } $($rest:tt)*) => {
        $(
            #[doc = concat!("Calls [`Name::", stringify!($method), "`].")]
            #[inline(always)]
            fn $method(&self, name: $kind $(, $argument: $more)*) -> $result {
                name.$method($($argument),*)
            }
        )*
        hash_methods! { [] $($rest)* }
    };
    ([] $other:ident $lines:tt $($rest:tt)*) => { hash_methods! { [] $($rest)* } };
}

/// The policy: BPF maps in the kernel, whatever holds keys in user space. Without more than the
/// rules, these are for everybody.
pub trait Rules: Patterns {
    /// Which generation is in force, and what it has.
    #[inline(always)]
    fn in_force(&self) -> ActivePolicy {
        ActivePolicy::new(Generation::default(), Precedence::Block)
    }

    /// False if there are no rules for exactly this name; true if there may be some.
    #[inline(always)]
    fn may_have(&self, _key: RuleKey, _in_force: ActivePolicy) -> bool {
        true
    }

    /// Calls [`take_effect`] with those of a rule, if there is one. The kernel has functions of
    /// their own for it.
    #[inline(always)]
    fn take_rule(&self, name: &mut Name, key: RuleKey, in_force: ActivePolicy, left: u32) -> bool {
        let generation = in_force.generation();
        self.effect(key, generation).is_some_and(|effect| {
            take_effect(name, key, effect, in_force, left)
                || self
                    .further_effects(key, generation)
                    .iter()
                    .any(|(bank, effect)| {
                        let audiences = self.audiences(name.row() + bank, generation);
                        take_effect_of_bank(name, key, effect, (*bank, audiences), in_force, left)
                    })
        })
    }

    /// What the rules for exactly this name ask for in the first bank of audiences, if there are
    /// any rules.
    fn effect(&self, key: RuleKey, generation: Generation) -> Option<&Effect>;

    /// What they ask for in further banks, each with its number, in their order.
    #[inline(always)]
    fn further_effects(&self, _key: RuleKey, _generation: Generation) -> &[(u32, Effect)] {
        &[]
    }

    /// The group of a MAC address, and if it has none that of the longest subnet with the address;
    /// 0 for all others.
    #[inline(always)]
    fn group(&self, _client: &Client, _generation: Generation) -> u32 {
        0
    }

    /// What becomes of what the lists of an audience block.
    #[inline(always)]
    fn actions(&self, _audience: u32, _generation: Generation) -> Option<&Actions> {
        None
    }

    /// The name of the list with this number.
    #[inline(always)]
    fn list_name(&self, _list: u32, _generation: Generation) -> Option<&ListName> {
        None
    }

    subprograms! { hash_methods }
}

impl HashKey {
    /// The key of a name given as text; `None` if it is none: an empty label, one over 63 octets,
    /// over 253 in all.
    pub fn rule_key(&self, name: &str) -> Option<RuleKey> {
        let mut room = Name::default();
        room.set_text(name).ok()?;
        let root_first = (0..room.labels()).rev();
        Some(RuleKey(root_first.fold(ROOT, |parent, place| {
            room.hash_label(self, parent, place)
        })))
    }

    /// The key of a name that is one already: labels of 1 to 63 octets in lower case, 253 octets in
    /// all, no dot at the end. Such a name's key is found in half the time of
    /// [`HashKey::rule_key`].
    #[cfg(not(target_arch = "bpf"))]
    pub fn key_of_canonical(&self, name: &str) -> RuleKey {
        self.key_of_octets(name.as_bytes())
    }

    /// The same of a name that is given as its octets.
    #[cfg(not(target_arch = "bpf"))]
    pub fn key_of_octets(&self, name: &[u8]) -> RuleKey {
        self.keys_of_octets(name).last().unwrap_or_default()
    }

    /// The keys of all suffixes of such a name, from the top-level domain to the name itself.
    #[cfg(not(target_arch = "bpf"))]
    pub fn suffix_keys(&self, name: &str) -> impl Iterator<Item = RuleKey> {
        self.keys_of_octets(name.as_bytes())
    }

    /// The same of a name that is given as its octets.
    #[cfg(not(target_arch = "bpf"))]
    pub fn keys_of_octets(&self, name: &[u8]) -> impl Iterator<Item = RuleKey> {
        let (mut parent, mut unread) = (ROOT, Some(name));
        core::iter::from_fn(move || {
            let text = unread?;
            let dot = last_dot(text);
            unread = dot.and_then(|dot| text.get(..dot));
            let start = dot.map_or(0, |dot| dot + 1);
            parent = self.label(parent, (text.len() - start) as u32, |at| {
                word_at(name, start + at as usize)
            });
            Some(RuleKey(parent))
        })
    }

    /// A key for a text that is no name.
    #[cfg(not(target_arch = "bpf"))]
    pub fn text_key(&self, text: &str) -> RuleKey {
        // No name's hash starts from this one.
        const NO_ROOT: u64 = 1;

        let pieces = text.as_bytes().chunks(crate::name::LABEL_OCTETS);
        RuleKey(pieces.fold(NO_ROOT, |parent, piece| {
            self.label(parent, piece.len() as u32, |at| word_at(piece, at as usize))
        }))
    }
}

/// Where the last dot is. Eight octets are looked at in one step: names are read by the million.
#[cfg(not(target_arch = "bpf"))]
fn last_dot(text: &[u8]) -> Option<usize> {
    /// Each octet but its highest bit.
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);

    let mut unread = text;
    while let Some((before, octets)) = unread.split_last_chunk() {
        let differs = u64::from_le_bytes(*octets) ^ u64::from_ne_bytes([b'.'; 8]);
        // The highest bit of each octet that differs in nothing.
        let dots = !(((differs & LOW) + LOW) | differs | LOW);
        if dots != 0 {
            return Some(unread.len() - 1 - dots.leading_zeros() as usize / 8);
        }
        unread = before;
    }
    unread.iter().rposition(|octet| *octet == b'.')
}

/// Eight octets of a text from here on; zeros where it has no more.
#[cfg(not(target_arch = "bpf"))]
fn word_at(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(octets) = rest.first_chunk() {
        return u64::from_le_bytes(*octets);
    }
    if let Some(last) = text.last_chunk() {
        return u64::from_le_bytes(*last).unbounded_shr(u64::BITS - 8 * rest.len() as u32);
    }
    rest.iter()
        .rev()
        .fold(0, |word, octet| (word << 8) | u64::from(*octet))
}

/// The rule that prevails for this name among those of the given audiences of the first bank, and
/// of those of other banks that apply to the first group, found by the walk that the kernel makes.
pub fn prevailing_rule(
    name: &str,
    key: &HashKey,
    rules: &impl Rules,
    audiences: u32,
) -> Option<Found> {
    let mut room = Name::default();
    room.set_text(name).ok()?;
    let in_force = rules.in_force();
    room.begin_judging(audiences, 0);
    find_rule(&mut room, key, rules, in_force);
    run_patterns(&mut room, rules, in_force);
    let found = room.found();
    (found.precedence != Precedence::NotListed).then_some(found)
}

/// Looks up each suffix of the name, from the top-level domain to the whole name, until nothing can
/// prevail any more. What prevails is left in the name: the verifier follows every value on the
/// stack from turn to turn, and none in a map.
#[inline(always)]
pub(crate) fn find_rule<R: Rules>(
    name: &mut Name,
    key: &HashKey,
    rules: &R,
    in_force: ActivePolicy,
) {
    let left = u64::from(name.labels());
    let mut suffixes = Suffixes {
        name,
        key,
        rules,
        in_force,
        left,
        suffix: ROOT,
        looks: in_force.has_top_level(),
    };
    // A plain loop: its body is small enough for the verifier to go through every turn, and
    // `bpf_loop` calls its body through a pointer, which costs more than the body.
    for _ in 0..u64::from(LABELS) {
        if suffixes.step().is_break() {
            break;
        }
    }
}

/// Lets the patterns have their say, where there are any and it can matter.
#[inline(always)]
pub(crate) fn run_patterns<R: Rules>(name: &mut Name, rules: &R, in_force: ActivePolicy) {
    if in_force.has_patterns() && name.precedence() < in_force.top() {
        run_parts(name, rules, in_force);
    }
}

/// The root's hash.
const ROOT: u64 = 0;

struct Suffixes<'a, R> {
    name: &'a mut Name,
    key: &'a HashKey,
    rules: &'a R,
    in_force: ActivePolicy,
    /// Labels that are left; as wide as a register, as in [`Name`]'s own walks.
    left: u64,
    suffix: u64,
    /// False if the next suffix has no rules.
    looks: bool,
}

impl<R: Rules> Step for Suffixes<'_, R> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.left == 0 {
            return Break(());
        }
        self.left -= 1;
        let left = self.left as u32;
        self.suffix = below(self.rules, self.name, self.key, self.suffix, left);
        let key = RuleKey(self.suffix);
        if !core::mem::replace(&mut self.looks, true) {
            return Continue(());
        }
        if self.rules.may_have(key, self.in_force)
            && self.rules.take_rule(self.name, key, self.in_force, left)
        {
            return Break(());
        }
        Continue(())
    }
}

/// The hash of the name that has the label at this place below the parent with this hash.
#[inline(always)]
fn below<R: Rules>(rules: &R, name: &Name, key: &HashKey, parent: u64, place: u32) -> u64 {
    let (start, len) = name.label(place);
    // Most labels are short; for others, the kernel has a function of its own.
    if len < 8 {
        key.short_label(parent, len, name.word(start))
    } else {
        rules.hash_label(name, key, parent, place)
    }
}

/// Leaves what the rules with this key ask for in the name, if it prevails: rules for the name
/// itself, or for one that has so many labels `left` below it; of the first bank of audiences. True
/// if nothing can prevail any more.
#[inline(always)]
pub fn take_effect(
    name: &mut Name,
    key: RuleKey,
    effect: &Effect,
    in_force: ActivePolicy,
    left: u32,
) -> bool {
    let of_first = (0, name.audiences());
    take_effect_of_bank(name, key, effect, of_first, in_force, left)
}

/// The same of a bank: its number, and its audiences that count. Of the banks that have a
/// precedence, the first that is taken decides.
#[inline(always)]
pub fn take_effect_of_bank(
    name: &mut Name,
    key: RuleKey,
    effect: &Effect,
    (bank, audiences): (u32, u32),
    in_force: ActivePolicy,
    left: u32,
) -> bool {
    let precedence = name.precedence();
    let (masks, lists) = effect.of(left == 0);
    let better = highest_precedence(masks, audiences);
    if better <= precedence {
        return false;
    }
    let mask = masks.get(better.place()).copied().unwrap_or_default();
    let labels = name.labels() - left;
    name.set_found(Found {
        precedence: better,
        key,
        audiences: mask & audiences,
        bank,
        list: list_of(lists, better),
        labels,
    });
    better >= in_force.top()
}
