//! The policy as the kernel's maps hold it.
//!
//! Each entry has a place for either of two generations, and one word says which of them is in force. A new policy is
//! written into the places of the other generation and takes effect, as a whole, with that word.

use crate::rules::RuleKey;

/// One of the two policies that the maps have room for: 0 or 1.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation(u32);

impl Generation {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// The one with this number.
    #[inline(always)]
    pub const fn from_index(index: u32) -> Self {
        Self(index & 1)
    }

    /// 0 or 1.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0 & 1
    }
}

/// What the rules say of a name. Each prevails over those before it: this order is the precedence, all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Rank {
    /// No rule is about it.
    #[default]
    NotListed,
    /// Blocked.
    Block,
    /// Allowed, whatever blocks it.
    Allow,
    /// Blocked, whatever allows it.
    BlockImportant,
    /// Allowed, whatever else there is.
    AllowImportant,
}

impl Rank {
    /// Number of ranks that a rule may have.
    pub const RULES: usize = 4;

    /// All that a rule may have, from the one that yields to all others on.
    pub const OF_RULES: [Self; Self::RULES] = [Self::Block, Self::Allow, Self::BlockImportant, Self::AllowImportant];

    /// The one with this number; the last for a number that is too large.
    #[inline(always)]
    pub const fn from_index(index: u32) -> Self {
        match index {
            0 => Self::NotListed,
            1 => Self::Block,
            2 => Self::Allow,
            3 => Self::BlockImportant,
            _ => Self::AllowImportant,
        }
    }

    /// True if names of this rank are blocked.
    #[inline(always)]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Block | Self::BlockImportant)
    }

    /// Place among the masks of [`Terms`].
    #[cfg(not(target_arch = "bpf"))]
    fn place(self) -> Option<usize> {
        (self as usize).checked_sub(1)
    }
}

/// For each rank, the classes of lists that say so: a bit for each class.
pub type Masks = [u32; Rank::RULES];

/// The highest rank that one of these classes gives.
#[inline(always)]
pub fn highest_rank(masks: &Masks, classes: u32) -> Rank {
    let [block, allow, block_important, allow_important] = masks;
    if allow_important & classes != 0 {
        Rank::AllowImportant
    } else if block_important & classes != 0 {
        Rank::BlockImportant
    } else if allow & classes != 0 {
        Rank::Allow
    } else if block & classes != 0 {
        Rank::Block
    } else {
        Rank::NotListed
    }
}

/// What all rules for one name ask for together. Many names have the same terms, so the rule map holds their number.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// For the name itself.
    pub own: Masks,
    /// For the names below it.
    pub below: Masks,
}

const _: () = assert!(size_of::<Terms>() == 32);

impl Terms {
    /// The number of the terms that ask for nothing.
    pub const NONE: u16 = 0;
    /// The name and all below it are blocked, for everybody.
    pub const BLOCK_SUBTREE: Self = Self { own: [u32::MAX, 0, 0, 0], below: [u32::MAX, 0, 0, 0] };

    /// What they ask for: for the name itself, or for one below it.
    #[inline(always)]
    pub fn rank(&self, is_own: bool, classes: u32) -> Rank {
        highest_rank(if is_own { &self.own } else { &self.below }, classes)
    }
}

#[cfg(not(target_arch = "bpf"))]
impl Terms {
    /// Adds what a rule of this rank in lists of these classes asks for.
    pub fn add(&mut self, rank: Rank, classes: u32, own: bool, below: bool) {
        let Some(place) = rank.place() else { return };
        for (masks, wanted) in [(&mut self.own, own), (&mut self.below, below)] {
            if let Some(mask) = masks.get_mut(place)
                && wanted
            {
                *mask |= classes;
            }
        }
    }

    /// The highest rank that anything has here.
    pub fn top(&self) -> Rank {
        self.rank(true, u32::MAX).max(self.rank(false, u32::MAX))
    }

    /// True if these change nothing for a name below one with `above` in force: whatever they ask for, that already
    /// has with the same rank or a higher one of the same kind, for the same classes.
    pub fn are_covered_by(&self, above: &Masks) -> bool {
        let [block, allow, block_important, allow_important] = *above;
        let covering = [block | block_important, allow | allow_important, block_important, allow_important];
        let covered = |masks: &Masks| masks.iter().zip(covering).all(|(mask, covering)| mask & !covering == 0);
        covered(&self.own) && covered(&self.below)
    }
}

/// What the rule map holds for each [`RuleKey`]: the numbers of the [`Terms`] in either generation, in one word with a
/// part of the key. The kernel uses an entry that was removed for the next one at once, while somebody may still look at
/// it; the part of the key tells.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule(u64);

impl Rule {
    /// The entry of a key with these terms in generation 0 and 1.
    #[inline(always)]
    pub const fn new(key: RuleKey, terms: [u16; 2]) -> Self {
        let [first, second] = terms;
        Self((key.0 << 32) | ((second as u64) << 16) | first as u64)
    }

    /// The number of its terms in this generation.
    #[inline(always)]
    pub const fn terms(self, generation: Generation) -> u16 {
        (self.0 >> (16 * generation.index())) as u16
    }

    /// The same entry with other terms in this generation.
    #[must_use]
    pub const fn with_terms(self, generation: Generation, terms: u16) -> Self {
        let at = 16 * generation.index();
        Self((self.0 & !(0xffff << at)) | ((terms as u64) << at))
    }

    /// True if it is the entry of this key.
    #[inline(always)]
    pub const fn is_of(self, key: RuleKey) -> bool {
        self.0 >> 32 == key.0 & 0xffff_ffff
    }
}

/// Which generation is in force, and what it has; one word, so that all of it changes at once.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InForce(u64);

impl InForce {
    const TOP_AT: u32 = 8;
    const CLIENTS: u64 = 1 << 16;
    const PATTERNS: u64 = 1 << 17;

    /// A policy without groups and patterns. `top` is the highest rank of all rules: a name that reaches it is judged.
    #[inline(always)]
    pub const fn new(generation: Generation, top: Rank) -> Self {
        Self(generation.index() as u64 | ((top as u64) << Self::TOP_AT))
    }

    /// The same with another highest rank.
    #[must_use]
    pub const fn with_top(self, top: Rank) -> Self {
        Self((self.0 & !(7 << Self::TOP_AT)) | ((top as u64) << Self::TOP_AT))
    }

    /// The same with clients in groups of their own.
    #[must_use]
    pub const fn with_clients(self) -> Self {
        Self(self.0 | Self::CLIENTS)
    }

    /// The same with patterns.
    #[must_use]
    pub const fn with_patterns(self) -> Self {
        Self(self.0 | Self::PATTERNS)
    }

    /// The generation in force.
    #[inline(always)]
    pub const fn generation(self) -> Generation {
        Generation(self.0 as u32 & 1)
    }

    /// The highest rank of all rules.
    #[inline(always)]
    pub const fn top(self) -> Rank {
        Rank::from_index((self.0 >> Self::TOP_AT) as u32 & 7)
    }

    /// True if there are clients in groups of their own.
    #[inline(always)]
    pub const fn has_clients(self) -> bool {
        self.0 & Self::CLIENTS != 0
    }

    /// True if there are patterns.
    #[inline(always)]
    pub const fn has_patterns(self) -> bool {
        self.0 & Self::PATTERNS != 0
    }

    /// All of it, as an argument of a function of the kernel program.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The one with this word.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }
}

/// A group of clients, in either generation.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The classes of lists that apply to it.
    classes: [u32; 2],
}

impl Group {
    /// Groups that there may be, the one of all other clients included.
    pub const MOST: u32 = 64;

    /// A group with these classes in generation 0 and 1.
    pub const fn new(classes: [u32; 2]) -> Self {
        Self { classes }
    }

    /// The classes of lists that apply to it.
    #[inline(always)]
    pub const fn classes(self, generation: Generation) -> u32 {
        let [first, second] = self.classes;
        if generation.index() == 0 { first } else { second }
    }

    /// The same group with other classes in this generation.
    #[must_use]
    pub const fn with_classes(self, generation: Generation, classes: u32) -> Self {
        let [first, second] = self.classes;
        Self { classes: if generation.index() == 0 { [classes, second] } else { [first, classes] } }
    }
}

/// The group of a client or a subnet in either generation: 0 for none, or one more than the group's number.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    groups: [u32; 2],
}

impl Member {
    /// The same with this group in this generation.
    #[must_use]
    pub fn with_group(self, generation: Generation, group: Option<u32>) -> Self {
        let number = group.map_or(0, |group| group + 1);
        let [first, second] = self.groups;
        Self { groups: if generation.index() == 0 { [number, second] } else { [first, number] } }
    }

    /// Its group.
    #[inline(always)]
    pub const fn group(self, generation: Generation) -> Option<u32> {
        let [first, second] = self.groups;
        let number = if generation.index() == 0 { first } else { second };
        if number == 0 { None } else { Some(number - 1) }
    }
}
