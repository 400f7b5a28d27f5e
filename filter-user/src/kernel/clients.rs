//! Groups of clients in the kernel's maps.

use std::net::IpAddr;

use aya::maps::{HashMap, LpmTrie, MapError, lpm_trie::Key};
use filter_core::{ActivePolicy, Client, Generation, Group, Member as InMap, Precedence};
use filter_policy::{
    audiences::Audiences,
    groups::{Change, ClientId, Groups},
};

use super::{Filter, KernelError, batch, map_fd, map_mut, pod::Value};

impl Filter {
    /// Writes the groups into the places of a generation that is not in force.
    pub(super) fn write_clients(
        &mut self,
        groups: &Groups,
        banks: u32,
        next: Generation,
    ) -> Result<(), KernelError> {
        self.write_audiences(
            &groups.audiences,
            next,
            ActivePolicy::new(next, Precedence::NotListed).with_banks(banks),
        )?;
        if !self.asks_for_members() {
            return self.write_members_of_both(groups);
        }
        let before = self.buffered.groups.members.clone();
        for (id, old, new) in self.member_changes(groups) {
            let old = old.or_else(|| before.longest(id));
            let new = new.or_else(|| groups.members.longest(id));
            self.set_member(
                id,
                InMap::default()
                    .with_group(next.other(), old)
                    .with_group(next, new),
            )?;
        }
        Ok(())
    }

    /// False if the policy in force has no clients in groups: then no packet asks for members,
    /// whatever they are.
    fn asks_for_members(&self) -> bool {
        !self.buffered.groups.members.is_empty()
    }

    /// Takes out the members of the generation before, and makes both the same.
    pub(super) fn settle_clients(
        &mut self,
        groups: &Groups,
        next: Generation,
    ) -> Result<(), KernelError> {
        let written = if self.asks_for_members() {
            self.write_members_of_both(groups)
        } else {
            Ok(())
        };
        self.buffered.groups = groups.clone();
        let of_groups =
            self.write_audiences(&groups.audiences, next.other(), self.buffered.in_force);
        written.and(of_groups)
    }

    fn write_members_of_both(&mut self, groups: &Groups) -> Result<(), KernelError> {
        let changes = self.member_changes(groups);
        self.set_members(changes.into_iter().map(|(id, _, new)| (id, new)))
    }

    /// Makes the members what they were before these groups, which did not come in force.
    pub(super) fn take_back_clients(&mut self, groups: &Groups) -> Result<(), KernelError> {
        let changes = self.member_changes(groups);
        self.set_members(changes.into_iter().map(|(id, old, _)| (id, old)))
    }

    /// The members whose entries are to be written for these groups.
    fn member_changes(&self, groups: &Groups) -> Vec<Change> {
        let before = &self.buffered.groups.members;
        if !self.buffered.is_unsure {
            return before.changes_to(&groups.members);
        }
        let mut all = before.beside(&groups.members);
        // Those of an earlier policy that could not be taken out.
        let members = self.buffered.unsettled.members.iter();
        let unknown =
            |id: &&ClientId| before.get(**id).is_none() && groups.members.get(**id).is_none();
        all.extend(members.filter(unknown).map(|id| (*id, None, None)));
        all
    }

    /// Gives clients these groups, in both generations; takes out those with none. Where one fails,
    /// the others are written all the same.
    fn set_members(
        &mut self,
        members: impl Iterator<Item = (ClientId, Option<u32>)>,
    ) -> Result<(), KernelError> {
        let mut written = Ok(());
        for (id, group) in members {
            let of_both = |generation: Generation| {
                InMap::default()
                    .with_group(generation, group)
                    .with_group(generation.other(), group)
            };
            let outcome = match group {
                Some(_) => self.set_member(id, of_both(Generation::default())),
                None => self.remove_member(id),
            };
            if outcome.is_ok() {
                self.buffered.unsettled.members.remove(&id);
            } else {
                self.buffered.unsettled.members.insert(id);
            }
            written = written.and(outcome);
        }
        self.buffered.is_unsure |= written.is_err();
        written
    }

    /// Writes what applies to each group, as far as it differs from what the map has; `layout` says
    /// how many banks there are.
    pub(super) fn write_audiences(
        &mut self,
        audiences: &[Audiences],
        generation: Generation,
        layout: ActivePolicy,
    ) -> Result<(), KernelError> {
        let before = &self.buffered.group_entries;
        let words = audiences
            .iter()
            .zip(0_u32..)
            .flat_map(|(audiences, group)| {
                (0..layout.row(1)).map(move |bank| (layout.row(group) + bank, audiences.bank(bank)))
            });
        let entries = words.map(|(index, audiences)| {
            (
                index,
                before
                    .get(index as usize)
                    .copied()
                    .unwrap_or_default()
                    .with_audiences(generation, audiences),
            )
        });
        let all = self.buffered.is_unsure;
        let differs =
            |(index, entry): &(u32, Group)| all || before.get(*index as usize) != Some(entry);
        let (indices, values): (Vec<_>, Vec<_>) = entries
            .filter(differs)
            .map(|(index, entry)| (index, Value(entry)))
            .unzip();
        if let Err(error) = batch::update(map_fd(&self.object, "GROUPS")?, &indices, &values) {
            self.buffered.is_unsure = true;
            return Err(MapError::SyscallError(error).into());
        }
        let buffered = &mut self.buffered.group_entries;
        buffered.resize(
            buffered.len().max(audiences.len() * layout.row(1) as usize),
            Group::default(),
        );
        for (index, Value(entry)) in indices.iter().zip(&values) {
            if let Some(place) = buffered.get_mut(*index as usize) {
                *place = *entry;
            }
        }
        Ok(())
    }

    fn set_member(&mut self, id: ClientId, member: InMap) -> Result<(), KernelError> {
        let member = Value(member);
        match id {
            ClientId::Mac(mac) => {
                HashMap::<_, u64, Value<InMap>>::try_from(map_mut(&mut self.object, "MACS")?)?
                    .insert(Client::mac(mac), member, 0)?;
            }
            ClientId::Subnet(IpAddr::V4(address), bits) => {
                LpmTrie::<_, u32, Value<InMap>>::try_from(map_mut(&mut self.object, "SUBNETS4")?)?
                    .insert(
                        &Key::new(bits.into(), u32::from_ne_bytes(address.octets())),
                        member,
                        0,
                    )?;
            }
            ClientId::Subnet(IpAddr::V6(address), bits) => {
                LpmTrie::<_, [u64; 2], Value<InMap>>::try_from(map_mut(
                    &mut self.object,
                    "SUBNETS6",
                )?)?
                .insert(
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
                HashMap::<_, u64, Value<InMap>>::try_from(map_mut(&mut self.object, "MACS")?)?
                    .remove(&Client::mac(mac))
            }
            ClientId::Subnet(IpAddr::V4(address), bits) => {
                LpmTrie::<_, u32, Value<InMap>>::try_from(map_mut(&mut self.object, "SUBNETS4")?)?
                    .remove(&Key::new(bits.into(), u32::from_ne_bytes(address.octets())))
            }
            ClientId::Subnet(IpAddr::V6(address), bits) => {
                LpmTrie::<_, [u64; 2], Value<InMap>>::try_from(map_mut(
                    &mut self.object,
                    "SUBNETS6",
                )?)?
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
