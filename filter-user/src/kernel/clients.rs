//! Groups of clients in the kernel's maps.

use std::{collections::BTreeMap, net::IpAddr};

use aya::maps::{Array, HashMap, LpmTrie, MapError, lpm_trie::Key};
use filter_core::{Client, Generation, Group, Member as InMap, Treatment};
use jiff::Timestamp;

use super::{Filter, KernelError, map_mut, pod::Value};
use crate::config::{self, Config, Member};

// Each group of a configuration has its place beside that of all other clients.
const _: () = assert!(config::MOST_GROUPS < Group::MOST as usize);

/// Who is in which group, and what applies to each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// For each group the classes of lists that apply to it now; the first is the group of all other clients.
    pub classes: Vec<u32>,
    /// The group of each client or subnet that is in one.
    pub members: BTreeMap<ClientId, u32>,
    /// For each class, what becomes of what its lists block; of others, what the interface does.
    pub treatments: Vec<Treatment>,
}

/// One group, to whom all lists apply.
impl Default for Groups {
    fn default() -> Self {
        Self { classes: vec![u32::MAX], members: BTreeMap::new(), treatments: Vec::new() }
    }
}

impl From<Member> for ClientId {
    fn from(member: Member) -> Self {
        match member {
            Member::Mac(mac) => Self::Mac(mac),
            Member::Subnet { address, prefix } => Self::Subnet(address, prefix),
        }
    }
}

/// What a group has as its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientId {
    /// A MAC address.
    Mac([u8; 6]),
    /// The addresses that start with these bits.
    Subnet(IpAddr, u8),
}

impl ClientId {
    /// True if it is a subnet that has the other one in it, or is the same.
    fn covers(self, other: Self) -> bool {
        let (Self::Subnet(ours, bits), Self::Subnet(theirs, their_bits)) = (self, other) else {
            return self == other;
        };
        bits <= their_bits && starts_alike(ours, theirs, bits)
    }
}

fn starts_alike(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let differ = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => u128::from(one.to_bits() ^ other.to_bits()) << 96,
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() ^ other.to_bits(),
        _ => return false,
    };
    differ.leading_zeros() >= u32::from(bits)
}

impl Groups {
    /// The groups of a configuration, with what applies at this time.
    pub fn of(config: &Config, at: Timestamp) -> Self {
        let number = |group: usize| u32::try_from(group).unwrap_or_default();
        let of_group = |(group, clients): (usize, &config::Group)| {
            clients.clients.iter().map(move |member| ((*member).into(), number(group + 1))).collect::<Vec<_>>()
        };
        Self {
            classes: Self::classes(config, at),
            members: config.groups.iter().enumerate().flat_map(of_group).collect(),
            treatments: config.classes().iter().map(|class| class.treatment).collect(),
        }
    }

    /// True if the lists of a class have clients answered.
    pub(super) fn answer(&self) -> bool {
        self.treatments.iter().any(Treatment::answers)
    }

    /// What applies to each group at this time.
    pub fn classes(config: &Config, at: Timestamp) -> Vec<u32> {
        (0..=config.groups.len()).map(|group| config.classes_of(group, at)).collect()
    }

    /// The group of a client with this MAC address and this address, as far as they are known.
    pub fn group_of(&self, mac: Option<[u8; 6]>, address: Option<IpAddr>) -> u32 {
        let by_mac = mac.and_then(|mac| self.members.get(&ClientId::Mac(mac))).copied();
        let bits = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        let by_address = || self.longest(ClientId::Subnet(address?, bits(address?)));
        by_mac.or_else(by_address).unwrap_or_default()
    }

    /// The group of the longest member that has this one in it.
    fn longest(&self, id: ClientId) -> Option<u32> {
        let covering = self.members.iter().filter(|(member, _)| member.covers(id));
        let bits = |id: &ClientId| if let ClientId::Subnet(_, bits) = id { *bits } else { 0 };
        covering.max_by_key(|(member, _)| bits(member)).map(|(_, group)| *group)
    }
}

impl Filter {
    /// Writes the groups into the places of a generation that is not in force.
    pub(super) fn write_clients(&mut self, groups: &Groups, next: Generation) -> Result<(), KernelError> {
        self.write_classes(&groups.classes, next)?;
        let before = self.held.groups.clone();
        let all = before.members.keys().chain(groups.members.keys());
        for id in all {
            let old = before.longest(*id);
            self.set_member(*id, InMap::default().with_group(next.other(), old).with_group(next, groups.longest(*id)))?;
        }
        Ok(())
    }

    /// Takes out the members of the generation before, and makes both the same.
    pub(super) fn settle_clients(&mut self, groups: &Groups, next: Generation) -> Result<(), KernelError> {
        let before = std::mem::replace(&mut self.held.groups, groups.clone());
        for id in before.members.keys().filter(|id| !groups.members.contains_key(id)) {
            self.remove_member(*id)?;
        }
        for (id, group) in &groups.members {
            self.set_member(
                *id,
                InMap::default().with_group(next, Some(*group)).with_group(next.other(), Some(*group)),
            )?;
        }
        self.write_classes(&groups.classes, next.other())
    }

    /// Takes out the members of groups that did not come in force.
    pub(super) fn take_back_clients(&mut self, groups: &Groups) -> Result<(), KernelError> {
        let strangers = groups.members.keys().filter(|id| !self.held.groups.members.contains_key(id));
        for id in strangers.copied().collect::<Vec<_>>() {
            self.remove_member(id)?;
        }
        Ok(())
    }

    pub(super) fn write_classes(&mut self, classes: &[u32], generation: Generation) -> Result<(), KernelError> {
        let mut map =
            Array::<_, Value<[Group; Group::MOST as usize]>>::try_from(map_mut(&mut self.object, ".data.GROUPS")?)?;
        let Value(mut groups) = map.get(&0, 0)?;
        for (group, classes) in groups.iter_mut().zip(classes) {
            *group = group.with_classes(generation, *classes);
        }
        Ok(map.set(0, Value(groups), 0)?)
    }

    fn set_member(&mut self, id: ClientId, member: InMap) -> Result<(), KernelError> {
        let member = Value(member);
        match id {
            ClientId::Mac(mac) => {
                HashMap::<_, u64, Value<InMap>>::try_from(map_mut(&mut self.object, "MACS")?)?.insert(
                    Client::mac(mac),
                    member,
                    0,
                )?;
            }
            ClientId::Subnet(IpAddr::V4(address), bits) => {
                LpmTrie::<_, u32, Value<InMap>>::try_from(map_mut(&mut self.object, "SUBNETS4")?)?.insert(
                    &Key::new(bits.into(), u32::from_ne_bytes(address.octets())),
                    member,
                    0,
                )?;
            }
            ClientId::Subnet(IpAddr::V6(address), bits) => {
                LpmTrie::<_, [u64; 2], Value<InMap>>::try_from(map_mut(&mut self.object, "SUBNETS6")?)?.insert(
                    &Key::new(bits.into(), words(address.octets())),
                    member,
                    0,
                )?;
            }
        }
        Ok(())
    }

    fn remove_member(&mut self, id: ClientId) -> Result<(), KernelError> {
        let removed = match id {
            ClientId::Mac(mac) => {
                HashMap::<_, u64, Value<InMap>>::try_from(map_mut(&mut self.object, "MACS")?)?.remove(&Client::mac(mac))
            }
            ClientId::Subnet(IpAddr::V4(address), bits) => {
                LpmTrie::<_, u32, Value<InMap>>::try_from(map_mut(&mut self.object, "SUBNETS4")?)?
                    .remove(&Key::new(bits.into(), u32::from_ne_bytes(address.octets())))
            }
            ClientId::Subnet(IpAddr::V6(address), bits) => {
                LpmTrie::<_, [u64; 2], Value<InMap>>::try_from(map_mut(&mut self.object, "SUBNETS6")?)?
                    .remove(&Key::new(bits.into(), words(address.octets())))
            }
        };
        match removed {
            Ok(()) | Err(MapError::KeyNotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// An address as the kernel program reads it.
fn words(octets: [u8; 16]) -> [u64; 2] {
    let (words, _) = octets.as_chunks();
    [0, 1].map(|place| words.get(place).copied().map_or(0, u64::from_ne_bytes))
}
