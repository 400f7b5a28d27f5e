//! Groups of clients.

use std::{collections::HashMap, net::IpAddr};

use super::{
    error::{At, Located, shown},
    file::{GroupTable, Text},
    member::Member,
    naming::Naming,
    place::Lines,
};

/// Groups that a configuration can have, besides the clients in no group.
pub const MOST_GROUPS: usize = 63;
/// Subnets of IPv4 that all groups together can have, and so of IPv6; single addresses are subnets, too.
pub const MOST_SUBNETS: usize = 4096;
/// MACs that all groups together can have.
pub const MOST_MACS: usize = 4096;

/// A group of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, which no other group has.
    pub name: String,
    /// Who is in it. No member is in two groups, but a subnet of one may lie within a subnet of another.
    pub clients: Vec<Member>,
    /// True if nothing is blocked for it.
    pub exempt: bool,
}

/// What is wrong with the groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupsError {
    /// There are more than are kept apart.
    #[error("this is one group more than the {MOST_GROUPS} that there can be: join groups that the same lists are for")]
    TooMany,
    /// A client is in a group twice, or in two.
    #[error(
        "{member} is a client of `{}` in line {line} already, and here of `{}`: take one of the two out",
        shown(.first),
        shown(.second)
    )]
    Twice {
        /// The client.
        member: Member,
        /// The group that had it first.
        first: String,
        /// Where.
        line: u32,
        /// The group that has it, too.
        second: String,
    },
    /// There are more clients than can be held.
    #[error(
        "this is one more than the {most} {kind} that all groups together can have: name subnets that hold several of \
         them"
    )]
    TooManyClients {
        /// What there are too many of.
        kind: &'static str,
        /// How many there can be.
        most: usize,
    },
}

/// The groups, and their names.
pub(super) fn groups(tables: Vec<GroupTable>, naming: &mut Naming, lines: &Lines) -> Result<Vec<Group>, Located> {
    let mut groups = Vec::new();
    let mut members = Members { lines, homes: HashMap::new(), counts: [0; 3] };
    for GroupTable { name, clients, exempt } in tables {
        if groups.len() == MOST_GROUPS {
            return Err(GroupsError::TooMany).at(&name);
        }
        naming.add(&name)?;
        let name = name.into_inner();
        let clients = clients.iter().map(|client| members.add(client, &name)).collect::<Result<_, _>>()?;
        groups.push(Group { name, clients, exempt });
    }
    Ok(groups)
}

/// The members of all groups.
struct Members<'a> {
    lines: &'a Lines,
    /// The group and the line of each.
    homes: HashMap<Member, (String, u32)>,
    /// How many there are of each kind.
    counts: [usize; 3],
}

impl Members<'_> {
    fn add(&mut self, client: &Text, group: &str) -> Result<Member, Located> {
        let member: Member = client.get_ref().parse().at(client)?;
        if let Some((first, line)) = self.homes.get(&member) {
            let (first, second) = (first.clone(), group.into());
            return Err(GroupsError::Twice { member, first, line: *line, second }).at(client);
        }
        self.count(member).at(client)?;
        self.homes.insert(member, (group.into(), self.lines.of(client)));
        Ok(member)
    }

    fn count(&mut self, member: Member) -> Result<(), GroupsError> {
        let (index, kind, most) = match member {
            Member::Subnet { address: IpAddr::V4(_), .. } => (0, "IPv4 addresses and subnets", MOST_SUBNETS),
            Member::Subnet { address: IpAddr::V6(_), .. } => (1, "IPv6 addresses and subnets", MOST_SUBNETS),
            Member::Mac(_) => (2, "MACs", MOST_MACS),
        };
        self.counts[index] += 1;
        if self.counts[index] > most { Err(GroupsError::TooManyClients { kind, most }) } else { Ok(()) }
    }
}
