//! Groups of clients.

use std::{collections::HashMap, net::IpAddr};

use toml::Spanned;

use super::{
    error::{At, Located, shown},
    file::{GroupTable, Text},
    member::Member,
    naming::Naming,
    place::Lines,
};

/// Groups that a configuration can have, besides the clients in no group.
pub const MOST_GROUPS: usize = 16_383;
/// Subnets of IPv4 that all groups together can have, and so of IPv6, and MACs; single addresses
/// are subnets, too.
pub const MOST_CLIENTS: usize = 1 << 20;

/// A group of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, which no other group has.
    pub name: String,
    /// Who is in it. No member is in two groups, but a subnet of one may lie within a subnet of
    /// another.
    pub clients: Vec<Member>,
    /// True if nothing is blocked for it.
    pub exempt: bool,
}

/// What is wrong with the groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupsError {
    /// There are more than are kept apart.
    #[error(
        "with this group there are more than the {MOST_GROUPS} that there can be, {groups} in all: join groups that the \
         same lists are for"
    )]
    TooMany {
        /// How many there are.
        groups: usize,
    },
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
        "with this one there are more than the {MOST_CLIENTS} {kind} that all groups together can have, {clients} in \
         all: name subnets that hold several of them"
    )]
    TooManyClients {
        /// What there are too many of.
        kind: &'static str,
        /// How many there are.
        clients: usize,
    },
}

/// The groups, and their names.
pub(super) fn groups(
    tables: Vec<GroupTable>,
    naming: &mut Naming,
    lines: &Lines,
) -> Result<Vec<Group>, Located> {
    if let Some(beyond) = tables.get(MOST_GROUPS) {
        return Err(GroupsError::TooMany {
            groups: tables.len(),
        })
        .at(&beyond.name);
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut members = Members {
        lines,
        homes: HashMap::new(),
        counts: Default::default(),
    };
    for GroupTable {
        name,
        clients,
        exempt,
    } in tables
    {
        naming.add(&name)?;
        let name = name.into_inner();
        let clients = clients
            .iter()
            .map(|client| members.add(client, &name, &groups))
            .collect::<Result<_, _>>()?;
        groups.push(Group {
            name,
            clients,
            exempt,
        });
    }
    members.check()?;
    Ok(groups)
}

/// The members of all groups.
struct Members<'a> {
    lines: &'a Lines,
    /// The index of the group and the line of each.
    homes: HashMap<Member, (usize, u32)>,
    /// How many there are of each kind, and where the first is that is too much.
    counts: [(usize, Option<Spanned<()>>); 3],
}

/// What the members of these counts are called.
const KINDS: [&str; 3] = [
    "IPv4 addresses and subnets",
    "IPv6 addresses and subnets",
    "MACs",
];

impl Members<'_> {
    fn add(&mut self, client: &Text, group: &str, before: &[Group]) -> Result<Member, Located> {
        let member: Member = client.get_ref().parse().at(client)?;
        if let Some((first, line)) = self.homes.get(&member) {
            let first = before
                .get(*first)
                .map_or_else(|| group.into(), |group| group.name.clone());
            return Err(GroupsError::Twice {
                member,
                first,
                line: *line,
                second: group.into(),
            })
            .at(client);
        }
        let kind = match member {
            Member::Subnet {
                address: IpAddr::V4(_),
                ..
            } => 0,
            Member::Subnet {
                address: IpAddr::V6(_),
                ..
            } => 1,
            Member::Mac(_) => 2,
        };
        let (count, beyond) = &mut self.counts[kind];
        *count += 1;
        if *count > MOST_CLIENTS && beyond.is_none() {
            *beyond = Some(Spanned::new(client.span(), ()));
        }
        self.homes
            .insert(member, (before.len(), self.lines.of(client)));
        Ok(member)
    }

    /// Fails if there are too many of a kind, with how many there are.
    fn check(&self) -> Result<(), Located> {
        for (kind, (clients, beyond)) in KINDS.into_iter().zip(&self.counts) {
            if let Some(beyond) = beyond {
                return Err(GroupsError::TooManyClients {
                    kind,
                    clients: *clients,
                })
                .at(beyond);
            }
        }
        Ok(())
    }
}
