//! Who is in which group.

use std::{cmp::Ordering, net::IpAddr, sync::Arc};

use crate::config::Member;

/// What a group has as its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientId {
    /// A MAC address.
    Mac([u8; 6]),
    /// The addresses that start with these bits; those behind are zero.
    Subnet(IpAddr, u8),
}

impl From<Member> for ClientId {
    fn from(member: Member) -> Self {
        match member {
            Member::Mac(mac) => Self::Mac(mac),
            Member::Subnet { address, prefix } => Self::Subnet(address, prefix),
        }
    }
}

impl ClientId {
    fn kind(self) -> Kind {
        match self {
            Self::Mac(_) => Kind::Mac,
            Self::Subnet(IpAddr::V4(_), _) => Kind::Subnet4,
            Self::Subnet(IpAddr::V6(_), _) => Kind::Subnet6,
        }
    }
}

/// The kinds of clients, each of which has a map in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mac,
    Subnet4,
    Subnet6,
}

/// How many clients there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCounts {
    /// MAC addresses.
    pub macs: u32,
    /// IPv4 addresses and subnets.
    pub subnets4: u32,
    /// IPv6 addresses and subnets.
    pub subnets6: u32,
}

impl ClientCounts {
    fn add(&mut self, id: ClientId) {
        match id.kind() {
            Kind::Mac => self.macs += 1,
            Kind::Subnet4 => self.subnets4 += 1,
            Kind::Subnet6 => self.subnets6 += 1,
        }
    }

    /// What this makes of each of the three.
    #[must_use]
    pub fn map(self, make: impl Fn(u32) -> u32) -> Self {
        Self {
            macs: make(self.macs),
            subnets4: make(self.subnets4),
            subnets6: make(self.subnets6),
        }
    }

    /// The larger number of each kind.
    #[must_use]
    pub fn max(self, others: Self) -> Self {
        Self {
            macs: self.macs.max(others.macs),
            subnets4: self.subnets4.max(others.subnets4),
            subnets6: self.subnets6.max(others.subnets6),
        }
    }

    /// True if there is no more of any kind than here.
    pub fn hold(self, others: Self) -> bool {
        others.macs <= self.macs
            && others.subnets4 <= self.subnets4
            && others.subnets6 <= self.subnets6
    }
}

/// The group of each client and each subnet that is in one. There may be millions: they lie in the
/// order of their ids, and copies share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Arc<Sorted>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Sorted {
    all: Vec<(ClientId, u32)>,
    /// The lengths that prefixes of IPv4 have, and of IPv6, each once, from the longest on.
    lengths: [Vec<u8>; 2],
}

/// A client, with its groups before and after.
pub type Change = (ClientId, Option<u32>, Option<u32>);

impl Members {
    /// True if nobody is in a group.
    pub fn is_empty(&self) -> bool {
        self.0.all.is_empty()
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, u32)> {
        self.0.all.iter().copied()
    }

    /// The group of this member.
    pub fn get(&self, id: ClientId) -> Option<u32> {
        let place = self.0.all.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.0.all.get(place).map(|(_, group)| *group)
    }

    /// The group of the longest member that has this one in it.
    pub fn longest(&self, id: ClientId) -> Option<u32> {
        let ClientId::Subnet(address, bits) = id else {
            return self.get(id);
        };
        let [v4, v6] = &self.0.lengths;
        let lengths = if address.is_ipv4() { v4 } else { v6 };
        let shorter = lengths.iter().filter(|length| **length <= bits);
        shorter
            .copied()
            .find_map(|length| self.get(ClientId::Subnet(network(address, length), length)))
    }

    /// How many there are of each kind, here and among others, those in both once.
    pub fn count_with(&self, others: &Self) -> ClientCounts {
        let mut counts = ClientCounts::default();
        self.each_beside(others, |(id, ..)| counts.add(id));
        counts
    }

    /// How many there are of each kind.
    pub fn counts(&self) -> ClientCounts {
        self.count_with(self)
    }

    /// Those whose group is another one with these, in the order of their ids.
    pub fn changes_to(&self, after: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if !Arc::ptr_eq(&self.0, &after.0) {
            self.each_beside(after, |change @ (_, old, new)| {
                changes.extend((old != new).then_some(change));
            });
        }
        changes
    }

    /// All members here and there, with their groups here and there, in the order of their ids.
    pub fn beside(&self, others: &Self) -> Vec<Change> {
        let mut all = Vec::new();
        self.each_beside(others, |change| all.push(change));
        all
    }

    /// Calls `each` for each member here or there, with its group here and there.
    fn each_beside(&self, others: &Self, mut each: impl FnMut(Change)) {
        let (mut ours, mut theirs) = (self.iter().peekable(), others.iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (Some((one, _)), Some((other, _))) => one.cmp(other),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            let ours = if order.is_le() { ours.next() } else { None };
            let theirs = if order.is_ge() { theirs.next() } else { None };
            if let Some((id, _)) = ours.or(theirs) {
                each((
                    id,
                    ours.map(|(_, group)| group),
                    theirs.map(|(_, group)| group),
                ));
            }
        }
    }
}

/// Of several groups for one id, the last is taken.
impl FromIterator<(ClientId, u32)> for Members {
    fn from_iter<T: IntoIterator<Item = (ClientId, u32)>>(members: T) -> Self {
        let mut all: Vec<_> = members.into_iter().collect();
        all.reverse();
        all.sort_by_key(|(id, _)| *id);
        all.dedup_by_key(|(id, _)| *id);
        let mut lengths = [[false; 129]; 2];
        for (id, _) in &all {
            if let ClientId::Subnet(address, bits) = id
                && let Some(seen) =
                    lengths[usize::from(address.is_ipv6())].get_mut(usize::from(*bits))
            {
                *seen = true;
            }
        }
        let lengths = lengths.map(|seen| {
            (0..=128)
                .rev()
                .filter(|bits| seen[usize::from(*bits)])
                .collect()
        });
        Self(Arc::new(Sorted { all, lengths }))
    }
}

impl<const N: usize> From<[(ClientId, u32); N]> for Members {
    fn from(members: [(ClientId, u32); N]) -> Self {
        members.into_iter().collect()
    }
}

/// The address with all but its first bits cleared.
fn network(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(bits))
                .unwrap_or_default();
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(bits))
                .unwrap_or_default();
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> ClientId {
        ClientId::from(text.parse::<Member>().unwrap())
    }

    fn members(all: &[(&str, u32)]) -> Members {
        all.iter()
            .map(|(text, group)| (net(text), *group))
            .collect()
    }

    #[test]
    fn the_longest_member_that_covers_a_client_has_it() {
        let all = members(&[
            ("0.0.0.0/0", 1),
            ("10.0.0.0/8", 2),
            ("10.1.0.0/16", 3),
            ("10.1.2.3", 4),
            ("2001:db8::/32", 5),
            ("::/0", 6),
            ("02:00:5e:10:00:01", 7),
        ]);
        for (client, group) in [
            ("192.0.2.1", Some(1)),
            ("10.9.9.9", Some(2)),
            ("10.1.9.9", Some(3)),
            ("10.1.2.3", Some(4)),
            ("10.1.0.0/16", Some(3)),
            ("10.0.0.0/12", Some(2)),
            ("2001:db8::1", Some(5)),
            ("2001:db9::1", Some(6)),
            ("02:00:5e:10:00:01", Some(7)),
            ("02:00:5e:10:00:02", None),
        ] {
            assert_eq!(all.longest(net(client)), group, "{client}");
        }
        assert_eq!(members(&[("10.0.0.0/8", 1)]).longest(net("::1")), None);
        assert_eq!(Members::default().longest(net("10.0.0.1")), None);
    }

    #[test]
    fn what_differs_is_told_with_the_groups_before_and_after() {
        let before = members(&[("10.0.0.1", 1), ("10.0.0.2", 1), ("10.0.0.3", 1)]);
        let after = members(&[
            ("10.0.0.2", 1),
            ("10.0.0.3", 2),
            ("10.0.0.4", 2),
            ("::1", 1),
        ]);
        let expected = [
            (net("10.0.0.1"), Some(1), None),
            (net("10.0.0.3"), Some(1), Some(2)),
            (net("10.0.0.4"), None, Some(2)),
            (net("::1"), None, Some(1)),
        ];
        assert_eq!(before.changes_to(&after), expected);
        assert_eq!(before.changes_to(&before.clone()), []);
        let counts = before.count_with(&after);
        assert_eq!(
            counts,
            ClientCounts {
                macs: 0,
                subnets4: 4,
                subnets6: 1
            }
        );
        assert_eq!(
            after.counts(),
            ClientCounts {
                macs: 0,
                subnets4: 3,
                subnets6: 1
            }
        );
        assert!(counts.hold(after.counts()) && !after.counts().hold(counts));
    }

    #[test]
    fn of_several_groups_the_last_is_taken() {
        let all = members(&[("10.0.0.1", 1), ("10.0.0.2", 9), ("10.0.0.1", 2)]);
        assert_eq!(
            all.iter().collect::<Vec<_>>(),
            [(net("10.0.0.1"), 2), (net("10.0.0.2"), 9)]
        );
    }
}
