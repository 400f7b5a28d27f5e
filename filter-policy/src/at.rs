//! The policy as it applies at a time: the rules with the groups of clients, what becomes of what
//! each audience of lists blocks, and the names of the lists.
//!
//! This is what the kernel has in its maps of a policy, so that the functions of filter-core give
//! the same over both. `explain` and `test` ask it about one name, a replay in user space about
//! each frame.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use filter_core::{
    Actions, ActivePolicy, Client, Effect, Family, Found, Generation, Interface, ListName, Message,
    Part, Patterns, Protocol, ResponseAction, RuleKey, Rules, effect,
};
use jiff::Timestamp;

use crate::{
    compiled::{CompiledPolicy, Policy},
    groups::Groups,
};

/// A policy at a time.
pub struct PolicyAt<'p> {
    compiled: &'p CompiledPolicy,
    groups: Groups,
    /// Each at its number.
    list_names: Vec<ListName>,
}

impl<'p> PolicyAt<'p> {
    /// What applies of a policy at this time.
    pub fn new(policy: &'p Policy, at: Timestamp) -> Self {
        Self::of(&policy.compiled, Groups::of(&policy.config, at))
    }

    /// These rules, for these groups.
    pub fn of(compiled: &'p CompiledPolicy, groups: Groups) -> Self {
        let mut list_names = vec![ListName::NONE; compiled.list_numbers() as usize];
        for (number, name) in compiled.list_names() {
            if let Some(place) = list_names.get_mut(usize::from(number)) {
                *place = name;
            }
        }
        Self {
            compiled,
            groups,
            list_names,
        }
    }

    /// The groups, with what applies to each.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// What a client gets on this interface of a message with a name for which this was found.
    pub fn effect(
        &self,
        found: &Found,
        interface: &Interface,
        message: Message,
        protocol: Protocol,
    ) -> ResponseAction {
        effect(found, self, interface, message, protocol)
    }
}

impl Patterns for PolicyAt<'_> {
    fn audiences(&self, word: u32, _: Generation) -> u32 {
        let words = self.compiled.in_force().row(1);
        let (group, bank) = (word / words, word % words);
        self.groups
            .audiences
            .get(group as usize)
            .map_or(0, |audiences| audiences.bank(bank))
    }

    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.compiled.part(slot, index)
    }
}

impl Rules for PolicyAt<'_> {
    fn in_force(&self) -> ActivePolicy {
        let in_force = self.compiled.in_force();
        if self.groups.members.is_empty() {
            in_force
        } else {
            in_force.with_clients()
        }
    }

    fn effect(&self, key: RuleKey, generation: Generation) -> Option<&Effect> {
        Rules::effect(self.compiled, key, generation)
    }

    fn further_effects(&self, key: RuleKey, generation: Generation) -> &[(u32, Effect)] {
        self.compiled.further_effects(key, generation)
    }

    fn group(&self, client: &Client, _: Generation) -> u32 {
        let [mac @ .., _, _] = client.mac.to_le_bytes();
        self.groups.group_of(Some(mac), Some(address(client)))
    }

    fn actions(&self, audience: u32, _: Generation) -> Option<&Actions> {
        self.groups.actions.get(audience as usize)
    }

    fn list_name(&self, list: u32, _: Generation) -> Option<&ListName> {
        self.list_names.get(list as usize)
    }
}

fn address(client: &Client) -> IpAddr {
    let [start, rest] = client.address.map(u64::to_ne_bytes);
    let [a, b, c, d, ..] = start;
    match client.family {
        Family::V4 => Ipv4Addr::new(a, b, c, d).into(),
        Family::V6 => {
            let octets =
                u128::from(u64::from_be_bytes(start)) << 64 | u128::from(u64::from_be_bytes(rest));
            Ipv6Addr::from_bits(octets).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_group_of_a_packets_client_is_the_one_that_its_addresses_are_in() {
        let text = "[[group]]\nname = \"mac\"\nclients = [\"02:00:5e:10:00:01\"]\n\
                    [[group]]\nname = \"v4\"\nclients = [\"192.0.2.0/24\"]\n\
                    [[group]]\nname = \"v6\"\nclients = [\"2001:db8::/32\"]\n";
        let config = Config::parse(text, Path::new("config")).unwrap();
        let compiled = CompiledPolicy::empty(crate::compiled::hash_key());
        let policy = PolicyAt::of(&compiled, Groups::of(&config, Timestamp::UNIX_EPOCH));
        assert!(policy.in_force().has_clients());
        let group = |mac: [u8; 6], address: [u64; 2], family| {
            policy.group(
                &Client {
                    mac: Client::mac(mac),
                    address,
                    family,
                },
                Generation::default(),
            )
        };
        let v4 = |octets: [u8; 4]| {
            [
                u64::from_ne_bytes([octets[0], octets[1], octets[2], octets[3], 0, 0, 0, 0]),
                0,
            ]
        };
        let v6 = [
            u64::from_ne_bytes([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0]),
            u64::from_ne_bytes([0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        let (known, unknown) = ([2, 0, 0x5e, 0x10, 0, 1], [2, 0, 0x5e, 0x10, 0, 2]);
        assert_eq!(group(known, v4([192, 0, 2, 1]), Family::V4), 1);
        assert_eq!(group(unknown, v4([192, 0, 2, 1]), Family::V4), 2);
        assert_eq!(group(unknown, v4([192, 0, 3, 1]), Family::V4), 0);
        assert_eq!(group(unknown, v6, Family::V6), 3);
    }
}
