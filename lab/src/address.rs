//! The lab's addresses, from the ranges that RFC 5737 and RFC 3849 keep for documentation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The client's `eth0`.
pub const CLIENT: Address = Address::new([192, 0, 2, 2], 1, 2);
/// The gateway's `lan`, where a filter sits.
pub const GATEWAY_LAN: Address = Address::new([192, 0, 2, 1], 1, 1);
/// The gateway's `wan`.
pub const GATEWAY_WAN: Address = Address::new([198, 51, 100, 1], 2, 1);
/// The server's `eth0`; both servers listen here, and the DNS server answers each name with it.
pub const SERVER: Address = Address::new([198, 51, 100, 2], 2, 2);

/// An interface's address in both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// In a /24.
    pub v4: Ipv4Addr,
    /// In a /64.
    pub v6: Ipv6Addr,
}

impl Address {
    const fn new(v4: [u8; 4], subnet: u16, host: u16) -> Self {
        let [a, b, c, d] = v4;
        Self {
            v4: Ipv4Addr::new(a, b, c, d),
            v6: Ipv6Addr::new(0x2001, 0xdb8, subnet, 0, 0, 0, 0, host),
        }
    }

    /// The address in one family.
    pub fn of(self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4.into(),
            Family::V6 => self.v6.into(),
        }
    }
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}
