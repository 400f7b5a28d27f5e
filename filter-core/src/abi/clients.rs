//! Groups of clients.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Generation;

/// The audiences of a bank that apply to a group of clients, in either generation.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Group {
    audiences: [u32; 2],
}

impl Group {
    /// A group with these audiences in generation 0 and 1.
    pub const fn new(audiences: [u32; 2]) -> Self {
        Self { audiences }
    }

    /// The audiences of lists that apply to it.
    #[inline(always)]
    pub const fn audiences(self, generation: Generation) -> u32 {
        let [first, second] = self.audiences;
        if generation.index() == 0 {
            first
        } else {
            second
        }
    }

    /// The same group with other audiences in this generation.
    #[must_use]
    pub const fn with_audiences(self, generation: Generation, audiences: u32) -> Self {
        let [first, second] = self.audiences;
        Self {
            audiences: if generation.index() == 0 {
                [audiences, second]
            } else {
                [first, audiences]
            },
        }
    }
}

/// The group of a client or a subnet in either generation: 0 for none, or one more than the group's
/// number.
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
        Self {
            groups: if generation.index() == 0 {
                [number, second]
            } else {
                [first, number]
            },
        }
    }

    /// Its group.
    #[inline(always)]
    pub const fn group(self, generation: Generation) -> Option<u32> {
        let [first, second] = self.groups;
        let number = if generation.index() == 0 {
            first
        } else {
            second
        };
        if number == 0 { None } else { Some(number - 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_generation_has_is_not_changed_with_the_other() {
        let [first, second] = [Generation::default(), Generation::default().other()];
        let group = Group::new([5, 6]);
        assert_eq!([group.audiences(first), group.audiences(second)], [5, 6]);
        let changed = [
            group.with_audiences(first, 7),
            group.with_audiences(second, 7),
        ];
        assert_eq!(changed, [Group::new([7, 6]), Group::new([5, 7])]);
        let nowhere = Member::default();
        assert_eq!([nowhere.group(first), nowhere.group(second)], [None; 2]);
        for (generation, other) in [(first, second), (second, first)] {
            let member = nowhere.with_group(generation, Some(0));
            assert_eq!(
                [member.group(generation), member.group(other)],
                [Some(0), None]
            );
            let member = member.with_group(other, Some(63));
            assert_eq!(
                [member.group(generation), member.group(other)],
                [Some(0), Some(63)]
            );
            let member = member.with_group(generation, None);
            assert_eq!(
                [member.group(generation), member.group(other)],
                [None, Some(63)]
            );
        }
    }
}
