//! Groups of clients.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Generation;

/// A group of clients, in either generation.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
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
