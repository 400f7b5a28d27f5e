//! Lists for a group of clients only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use lab::{Family, Namespace};

use super::names::{assert_answered, assert_blocked};
use crate::dns::NXDOMAIN;
use crate::runner::{Passed, passed};
use crate::world::{PATIENCE, World, ask};

/// A name that is blocked for the group of addresses only.
pub const NAME_BY_ADDRESS: &str = "grouped.example.com";
/// A name that is blocked for the group of MAC addresses only.
pub const NAME_BY_MAC: &str = "machine.example.com";
/// Further addresses of the client, which are the group.
pub const ADDRESSES: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(192, 0, 2, 3),
    Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 3),
);
/// A MAC address that the client has for a time (RFC 9542 §2.1.4: for documentation).
pub const MAC: &str = "00:00:5e:00:53:07";

/// The name is blocked for the group's address, and not for the client's other one.
pub fn by_address(world: &World, _: &'static str) -> Result<Passed<()>> {
    let client = world.lab().client();
    client.ip(&format!("address add {}/24 dev eth0", ADDRESSES.0))?;
    client.ip(&format!("address add {}/64 dev eth0 nodad", ADDRESSES.1))?;
    for family in Family::ALL {
        let member = match family {
            Family::V4 => IpAddr::from(ADDRESSES.0),
            Family::V6 => IpAddr::from(ADDRESSES.1),
        };
        let socket = world.dns_socket_from(SocketAddr::new(member, 0), family)?;
        let asked = |name| {
            ask(&socket, name, PATIENCE)?
                .with_context(|| format!("{member} has no answer for {name}"))
        };
        let blocked = asked(NAME_BY_ADDRESS)?;
        ensure!(
            blocked.code == NXDOMAIN,
            "{member} is in the group and hears {blocked:?}"
        );
        let other = asked(super::OTHER)?;
        ensure!(
            other.is_by_server(),
            "{member} hears {other:?} of a name on no list"
        );
        assert_answered(world, family, NAME_BY_ADDRESS)?;
    }
    Ok(passed(
        "over IPv4 and IPv6 the name is blocked for an address of the group and for no other",
    ))
}

/// The name is blocked as long as the client has the group's MAC address.
pub fn by_mac(world: &World, _: &'static str) -> Result<Passed<()>> {
    let client = world.lab().client();
    let own = mac(client)?;
    for family in Family::ALL {
        assert_answered(world, family, NAME_BY_MAC)?;
    }
    set_mac(world, MAC)?;
    let checked = Family::ALL.into_iter().try_for_each(|family| {
        assert_blocked(world, family, NAME_BY_MAC)?;
        assert_answered(world, family, super::OTHER)
    });
    set_mac(world, &own)?;
    checked?;
    for family in Family::ALL {
        assert_answered(world, family, NAME_BY_MAC)?;
    }
    Ok(passed(
        "over IPv4 and IPv6 the name is blocked while the client has the MAC address of the group",
    ))
}

fn mac(client: &Namespace) -> Result<String> {
    let shown = client.ip("-o link show dev eth0")?;
    let mac = shown
        .split("link/ether ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    Ok(mac
        .context("the client's interface has no MAC address")?
        .to_owned())
}

/// Gives the client another MAC address, which the gateway is told at once.
fn set_mac(world: &World, mac: &str) -> Result<()> {
    world
        .lab()
        .client()
        .ip(&format!("link set dev eth0 address {mac}"))?;
    world.lab().gateway().ip("neigh flush dev lan")?;
    Ok(())
}
