//! How large the maps of a policy are: for its rules, groups and clients and some more, up to a
//! bound.

use filter_core::{Page, RuleKey, RuleShape};
use filter_policy::{
    compiled::CompiledPolicy,
    groups::{ClientCounts, Groups},
};

use super::KernelError;

/// Rules that there may be at most, unless a setting says otherwise. Reading lists has the same
/// bound.
pub const MAX_RULES: u32 = 1 << 25;

/// Rules that maps are made for, where a policy has so many: a quarter more and 16,384 may be added
/// until larger maps are needed.
///
/// # Errors
/// If the policy alone has more than the bound.
pub fn room_for(rules: u64, max_rules: u32) -> Result<u32, KernelError> {
    /// Rules that may be added to a small policy.
    const SPARE: u64 = 1 << 14;

    if rules > u64::from(max_rules) {
        return Err(KernelError::TooManyRules { rules, max_rules });
    }
    let wanted = rules + rules / 4 + SPARE;
    Ok(u32::try_from(wanted).unwrap_or(max_rules).min(max_rules))
}

/// What the maps of a policy have room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub rules: u32,
    /// Pages of rules.
    pub pages: u32,
    /// All else.
    pub size: PolicySize,
}

/// How much there is in a policy besides rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicySize {
    /// Groups, that of all other clients included.
    pub groups: u32,
    /// Members of all groups.
    pub clients: ClientCounts,
    /// Banks of audiences.
    pub banks: u32,
    /// Numbers of lists.
    pub lists: u32,
    /// Entries of effect of banks behind the first.
    pub further_effects: u32,
}

impl PolicySize {
    /// What the maps are to have room for besides rules, for this policy and these groups.
    pub fn new(compiled: &CompiledPolicy, groups: &Groups) -> Self {
        Self {
            groups: u32::try_from(groups.audiences.len()).unwrap_or(u32::MAX),
            clients: groups.members.counts(),
            banks: compiled.banks(),
            lists: compiled.list_numbers(),
            further_effects: compiled.further_entries(),
        }
    }

    /// What the smallest maps have room for.
    const LEAST: Self = Self {
        groups: 64,
        clients: ClientCounts {
            macs: 4096,
            subnets4: 4096,
            subnets6: 4096,
        },
        banks: 1,
        lists: 512,
        further_effects: 0,
    };

    /// A quarter more groups, clients and lists, and as many as the smallest maps have.
    fn with_some_more(self) -> Self {
        let more = |count: u32| count.saturating_add(count / 4);
        let Self {
            groups,
            clients,
            banks,
            lists,
            further_effects,
        } = self;
        Self {
            groups: more(groups).max(Self::LEAST.groups),
            clients: clients.map(more).max(Self::LEAST.clients),
            // A group has a row of a power of two.
            banks: banks.next_power_of_two(),
            lists: more(lists).clamp(Self::LEAST.lists, 1 << 16),
            further_effects,
        }
    }

    /// True if all of the other fits here. Effect are not looked at: how many there are shows when
    /// they get their numbers.
    fn holds(self, other: Self) -> bool {
        other.groups <= self.groups
            && self.clients.hold(other.clients)
            && other.banks <= self.banks
            && other.lists <= self.lists
    }
}

impl Room {
    /// For so many rules, whichever they are.
    pub fn new(rules: u32) -> Self {
        let rules = rules.max(1);
        Self {
            rules,
            pages: pages(rules),
            size: PolicySize::LEAST,
        }
    }

    /// The same for a policy of this size and some more.
    #[must_use]
    pub fn with_size(self, size: PolicySize) -> Self {
        Self {
            size: size.with_some_more(),
            ..self
        }
    }

    /// True if there is room for a policy of this size, but for its rules and effect.
    pub fn holds(self, size: PolicySize) -> bool {
        self.size.holds(size)
    }

    /// For the rules of this policy, and some more.
    ///
    /// # Errors
    /// If the policy has more rules than the bound.
    pub fn for_policy(compiled: &CompiledPolicy, max_rules: u32) -> Result<Self, KernelError> {
        let rules = compiled.entries_in_force();
        let room = Self::new(room_for(rules, max_rules)?);
        // In the same proportion as there is room for more rules.
        let taken = pages_of(room.shape(), |key| {
            compiled.each_in_force(|rule, _| key(rule));
        });
        let pages = u64::from(taken) * u64::from(room.rules) / rules.max(1);
        let pages = u32::try_from(pages)
            .unwrap_or(u32::MAX)
            .clamp(room.pages, room.rules);
        Ok(Self { pages, ..room })
    }

    /// How the rules lie in maps of this size.
    pub const fn shape(self) -> RuleShape {
        RuleShape::of(self.rules)
    }
}

/// The pages that so many rules need. It is an estimate: it holds for keys that are spread like
/// random ones, but for a chance of one in a billion. The hash spreads names that differ by a
/// number alone less evenly under some keys: of 180,000 such names in maps for 200,000, one key in
/// 20 needs more. [`pages_of`] counts.
#[expect(
    clippy::cast_sign_loss,
    reason = "it is between 1 and the number of rules"
)]
fn pages(rules: u32) -> u32 {
    /// Standard deviations of room above the mean.
    const ROOM: f64 = 6.0;

    let buckets = f64::from(RuleShape::of(rules).buckets);
    let mean = f64::from(rules) / buckets;
    // The number of rules in a bucket has a Poisson distribution: in a sum over it, a bucket has
    // another page for each time that it is full.
    let (mut exactly, mut at_most, mut pages) = ((-mean).exp(), 0.0, 0.0);
    for count in 0..Page::RULES as u32 * Page::MOST {
        at_most += exactly;
        if (count as usize).is_multiple_of(Page::RULES) {
            pages += buckets * (1.0 - at_most);
        }
        exactly *= mean / f64::from(count + 1);
    }
    let pages = (pages + ROOM * buckets.sqrt()).max(buckets);
    // No page is without a rule.
    pages.ceil().clamp(1.0, f64::from(rules.max(1))) as u32
}

/// The pages that the rules with the keys that `each` hands over take in maps of this shape.
fn pages_of(shape: RuleShape, each: impl FnOnce(&mut dyn FnMut(RuleKey))) -> u32 {
    let mut rules = vec![0_u32; shape.buckets as usize];
    each(&mut |key| {
        if let Some(rules) = rules.get_mut(shape.bucket(key) as usize) {
            *rules += 1;
        }
    });
    rules
        .into_iter()
        .map(|rules| rules.div_ceil(Page::RULES as u32))
        .sum()
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, RandomState};

    use filter_core::{HASH_KEY_WORDS, HashKey};

    use super::*;

    #[test]
    fn there_are_pages_for_all_rules_and_few_more() {
        let random = RandomState::new();
        for rules in [0, 1, 3, 100, 16_384, 100_000, 1_000_000] {
            let shape = RuleShape::of(rules);
            let mut counts = vec![0_usize; shape.buckets as usize];
            (0..rules).for_each(|rule| {
                counts[shape.bucket(RuleKey(random.hash_one(rule))) as usize] += 1;
            });
            let needed = counts
                .iter()
                .map(|count| count.div_ceil(Page::RULES))
                .sum::<usize>() as u32;
            let room = pages(rules);
            assert!(needed <= room, "{rules}: {needed} of {room}");
            let evenly_spread = needed.max(shape.buckets.min(rules));
            assert!(
                f64::from(room) <= f64::from(evenly_spread) * 1.03 + 1000.0,
                "{rules}: {needed} of {room}"
            );
        }
    }

    #[test]
    fn keys_that_are_spread_unevenly_are_counted_and_not_estimated() {
        const RULES: u32 = 180_000;
        const MAX_RULES: u32 = 200_000;

        // One key of the hash in 20 spreads these names like that.
        let mut random = fastrand::Rng::with_seed(52);
        let key = HashKey::from_words([0; HASH_KEY_WORDS].map(|_| random.u64(..)));
        let names: Vec<_> = (0..RULES)
            .map(|number| format!("n{number}.example"))
            .collect();
        let compiled =
            CompiledPolicy::blocking_all(key, "list", names.iter().map(|name| &**name)).unwrap();
        let room = Room::for_policy(&compiled, MAX_RULES).unwrap();
        let taken = pages_of(room.shape(), |each| {
            for name in &names {
                each(key.rule_key(name).unwrap());
            }
        });
        assert!(
            taken > Room::new(MAX_RULES).pages,
            "{taken} pages are no more than estimated"
        );
        assert_eq!(
            (room.rules, room.pages),
            (MAX_RULES, (u64::from(taken) * 10 / 9) as u32)
        );
    }

    #[test]
    fn there_is_room_for_a_quarter_more_and_some_to_add_up_to_the_bound() {
        assert_eq!(room_for(0, MAX_RULES).unwrap(), 16_384);
        assert_eq!(room_for(1_000_000, MAX_RULES).unwrap(), 1_266_384);
        assert_eq!(room_for(MAX_RULES.into(), MAX_RULES).unwrap(), MAX_RULES);
        assert_eq!(room_for(1000, 1000).unwrap(), 1000);
        assert!(matches!(
            room_for(1001, 1000),
            Err(KernelError::TooManyRules {
                rules: 1001,
                max_rules: 1000
            })
        ));
    }

    #[test]
    fn there_is_room_for_a_small_network_and_for_a_quarter_more_groups_clients_and_lists() {
        let size = |groups, macs, banks, lists| PolicySize {
            groups,
            clients: ClientCounts {
                macs,
                ..ClientCounts::default()
            },
            banks,
            lists,
            further_effects: 0,
        };
        assert_eq!(
            Room::new(1).with_size(size(1, 0, 1, 3)).size,
            PolicySize::LEAST
        );
        let large = Room::new(1).with_size(size(10_000, 1_000_000, 17, 1_000));
        let clients = ClientCounts {
            macs: 1_250_000,
            ..PolicySize::LEAST.clients
        };
        assert_eq!(
            large.size,
            PolicySize {
                groups: 12_500,
                clients,
                banks: 32,
                lists: 1_250,
                further_effects: 0
            }
        );
        assert!(large.holds(size(12_500, 1_250_000, 32, 1_250)));
        for one_more in [
            size(12_501, 1, 1, 1),
            size(1, 1_250_001, 1, 1),
            size(1, 1, 33, 1),
            size(1, 1, 1, 1_251),
        ] {
            assert!(!large.holds(one_more), "{one_more:?}");
        }
    }
}
