//! Clients by address or MAC.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::error::shown;

/// One client, or the clients of a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The client with this MAC, which is that of one station.
    Mac([u8; 6]),
    /// The clients of a subnet: the bits behind the prefix are zero, and an IPv6 address is no IPv4
    /// address in IPv6's form. A single address has all its bits in the prefix.
    Subnet {
        /// The first address.
        address: IpAddr,
        /// Bits that all addresses have in common: up to 32 of IPv4, up to 128 of IPv6.
        prefix: u8,
    },
}

/// Why a text is no [`Member`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// It is something else.
    #[error(
        "`{}` is no address, subnet or MAC: write one as in 192.0.2.7, 192.0.2.0/24, 2001:db8::/64 or \
         02:00:5e:10:00:01",
        shown(.0)
    )]
    Unknown(String),
    /// What stands behind the slash is no length of a prefix.
    #[error(
        "`{}` is no subnet: behind the slash of an {} subnet goes a number from 0 to {most}",
        shown(.text),
        family(*.most)
    )]
    Prefix {
        /// The text.
        text: String,
        /// The most bits of such an address.
        most: u8,
    },
    /// The address has bits set that the prefix leaves open.
    #[error(
        "`{}` is an address within the subnet {subnet}: write {subnet} for the subnet, or the address alone",
        shown(.text)
    )]
    Within {
        /// The text.
        text: String,
        /// The subnet that it is within.
        subnet: Member,
    },
    /// An IPv4 address in IPv6's form (RFC 4291, section 2.5.5.2), which no packet has.
    #[error("`{}` is IPv4 in the form of IPv6, which is in no packet: write {plain}", shown(.text))]
    Mapped {
        /// The text.
        text: String,
        /// The same as IPv4.
        plain: Member,
    },
    /// The MAC is of a group of stations, or of none.
    #[error("`{}` is the MAC of no single client: write that of one, as in 02:00:5e:10:00:01", shown(.0))]
    NoStation(String),
}

impl FromStr for Member {
    type Err = MemberError;

    fn from_str(text: &str) -> Result<Self, MemberError> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        if let Ok(address) = address.parse() {
            return subnet(text, address, prefix);
        }
        let octets = prefix.is_none().then(|| mac(text)).flatten();
        match octets.ok_or_else(|| MemberError::Unknown(text.into()))? {
            // IEEE 802, section 8.2.2: the lowest bit of the first octet is set in group addresses.
            octets if octets[0] & 1 == 1 || octets == [0; 6] => {
                Err(MemberError::NoStation(text.into()))
            }
            octets => Ok(Self::Mac(octets)),
        }
    }
}

fn subnet(text: &str, address: IpAddr, prefix: Option<&str>) -> Result<Member, MemberError> {
    let most = bits(address);
    let prefix = match prefix {
        None => most,
        Some(prefix) => prefix_length(prefix, most).ok_or_else(|| MemberError::Prefix {
            text: text.into(),
            most,
        })?,
    };
    let subnet = Member::Subnet {
        address: network(address, prefix),
        prefix,
    };
    if let IpAddr::V6(v6) = address
        && let (Some(v4), Some(prefix)) = (v6.to_ipv4_mapped(), prefix.checked_sub(128 - 32))
    {
        let plain = Member::Subnet {
            address: network(v4.into(), prefix),
            prefix,
        };
        return Err(MemberError::Mapped {
            text: text.into(),
            plain,
        });
    }
    if subnet == (Member::Subnet { address, prefix }) {
        Ok(subnet)
    } else {
        Err(MemberError::Within {
            text: text.into(),
            subnet,
        })
    }
}

fn prefix_length(text: &str, most: u8) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|prefix| *prefix <= most)
}

/// The address with all bits behind the prefix cleared.
fn network(address: IpAddr, prefix: u8) -> IpAddr {
    let host_bits = u32::from(bits(address).saturating_sub(prefix));
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from(v4.to_bits() & u32::MAX.checked_shl(host_bits).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from(v6.to_bits() & u128::MAX.checked_shl(host_bits).unwrap_or(0)).into()
        }
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

const fn family(bits: u8) -> &'static str {
    if bits == 32 { "IPv4" } else { "IPv6" }
}

/// Six octets, with colons or hyphens between them.
fn mac(text: &str) -> Option<[u8; 6]> {
    let separator = if text.contains(':') { ':' } else { '-' };
    let mut octets = [0; 6];
    let mut words = text.split(separator);
    for octet in &mut octets {
        let word = words
            .next()
            .filter(|word| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        *octet = u8::from_str_radix(word, 16).ok()?;
    }
    words.next().is_none().then_some(octets)
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Mac([first, rest @ ..]) => {
                write!(f, "{first:02x}")?;
                rest.iter().try_for_each(|octet| write!(f, ":{octet:02x}"))
            }
            Self::Subnet { address, prefix } if prefix == bits(address) => address.fmt(f),
            Self::Subnet { address, prefix } => write!(f, "{address}/{prefix}"),
        }
    }
}
