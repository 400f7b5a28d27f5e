//! Groups of clients: who is in which, and what applies to each at a time.

mod members;

use std::net::IpAddr;

use filter_core::Actions;
use jiff::Timestamp;

use crate::{
    audiences::Audiences,
    config::{self, Config},
};

pub use members::{Change, ClientCounts, ClientId, Members};

/// Who is in which group, and what applies to each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// For each group the audiences of lists that apply to it now; the first is the group of all
    /// other clients.
    pub audiences: Vec<Audiences>,
    /// The group of each client or subnet that is in one.
    pub members: Members,
    /// For each audience, what becomes of what its lists block; of others, what the interface does.
    pub actions: Vec<Actions>,
}

/// One group, to whom all lists apply.
impl Default for Groups {
    fn default() -> Self {
        Self {
            audiences: vec![u32::MAX.into()],
            members: Members::default(),
            actions: Vec::new(),
        }
    }
}

impl Groups {
    /// The groups of a configuration, with what applies at this time.
    pub fn of(config: &Config, at: Timestamp) -> Self {
        let number = |group: usize| u32::try_from(group).unwrap_or_default();
        let of_group = |(group, clients): (usize, &config::Group)| {
            let clients: Vec<_> = clients
                .clients
                .iter()
                .map(|member| ((*member).into(), number(group + 1)))
                .collect();
            clients
        };
        Self {
            audiences: Self::audiences(config, at),
            members: config
                .groups
                .iter()
                .enumerate()
                .flat_map(of_group)
                .collect(),
            actions: config
                .audiences()
                .iter()
                .map(|audience| audience.actions)
                .collect(),
        }
    }

    /// True if the lists of an audience have clients answered.
    pub fn answer(&self) -> bool {
        self.actions.iter().any(Actions::answers)
    }

    /// What applies to each group at this time.
    pub fn audiences(config: &Config, at: Timestamp) -> Vec<Audiences> {
        config.audiences_of_all(at)
    }

    /// The group of a client with this MAC address and this address, as far as they are known.
    pub fn group_of(&self, mac: Option<[u8; 6]>, address: Option<IpAddr>) -> u32 {
        let by_mac = mac.and_then(|mac| self.members.get(ClientId::Mac(mac)));
        let bits = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        let by_address = || {
            self.members
                .longest(ClientId::Subnet(address?, bits(address?)))
        };
        by_mac.or_else(by_address).unwrap_or_default()
    }
}
