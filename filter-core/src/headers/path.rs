//! What a packet was in: VLANs and tunnels. Packets of different ones have nothing to do with each
//! other, whatever their addresses are.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{OLD_PROVIDER_VLAN, PROVIDER_VLAN};
use crate::hash::FlowHashKey;

/// The VLANs and tunnels of a packet as one number. VLAN tags in front of everything else stand in
/// it as they are, 16 bits each; with anything more it is a keyed hash of all.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Path(pub(crate) u64);

/// What a number is of; a tunnel's is that of its kind.
#[derive(Clone, Copy)]
pub(crate) enum Within {
    Pppoe = 16,
    Mpls,
    Addresses,
    Tag,
}

/// The tunnel that a packet is in.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Tunnel {
    /// A [`TunnelKind`]; 0 for none.
    pub kind: u32,
    /// The network identifier of VXLAN and Geneve, the key of GRE, tunnel and session of L2TP, or
    /// the call of PPTP; else 0.
    pub number: u32,
}

impl Tunnel {
    pub(crate) const NONE: Self = Self { kind: 0, number: 0 };

    #[inline(always)]
    pub(crate) fn new(kind: TunnelKind, number: u32) -> Self {
        Self {
            kind: kind as u32,
            number,
        }
    }
}

/// Kinds of tunnels that are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum TunnelKind {
    /// IP in IP (RFC 2003, RFC 2473, RFC 4213).
    Ip = 1,
    /// GRE (RFC 2784), also in UDP (RFC 8086).
    Gre,
    /// VXLAN (RFC 7348).
    Vxlan,
    /// Geneve (RFC 8926).
    Geneve,
    /// L2TP of version 2 (RFC 2661).
    L2tp,
    /// PPP in GRE (PPTP, RFC 2637).
    Pptp,
}

impl TunnelKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ip,
        Self::Gre,
        Self::Vxlan,
        Self::Geneve,
        Self::L2tp,
        Self::Pptp,
    ];

    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Gre => "gre",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::L2tp => "l2tp",
            Self::Pptp => "pptp",
        }
    }
}

impl Path {
    /// Neither a VLAN nor a tunnel.
    pub(crate) const PLAIN: Self = Self(0);
    /// Set in all hashes.
    const HASHED: u64 = 1 << 63;
    /// VLAN identifier of a tag that has a priority only (IEEE 802.1Q §9.6).
    const NO_VLAN: u16 = 0;

    /// The path with this VLAN tag, in front of all but tags. `control` has the priority above the
    /// twelve bits of the VLAN.
    #[inline(always)]
    pub(crate) fn with_outer_tag(self, ether_type: u16, control: u16) -> Self {
        let tag = tag(ether_type, control);
        if tag == 0 {
            self
        } else {
            Self((self.0 << 16) | tag)
        }
    }

    /// The path with this VLAN tag, wherever it is.
    #[inline(always)]
    pub(crate) fn with_tag(self, key: &FlowHashKey, ether_type: u16, control: u16) -> Self {
        if self.0 & Self::HASHED == 0 {
            return self.with_outer_tag(ether_type, control);
        }
        match tag(ether_type, control) {
            0 => self,
            tag => self.with(key, Within::Tag, tag),
        }
    }

    /// The path with what has this number.
    #[inline(always)]
    pub(crate) fn with(self, key: &FlowHashKey, within: Within, number: u64) -> Self {
        self.mixed(key, within as u64, number)
    }

    /// The path with this tunnel.
    #[inline(always)]
    pub(crate) fn with_tunnel(self, key: &FlowHashKey, tunnel: Tunnel) -> Self {
        self.mixed(key, tunnel.kind.into(), tunnel.number.into())
    }

    #[inline(always)]
    fn mixed(self, key: &FlowHashKey, kind: u64, number: u64) -> Self {
        Self(key.mix(key.mix(self.0, kind), number) | Self::HASHED)
    }

    /// The VLAN tags, 16 bits each, the outermost in the upper half; `None` where the path is a
    /// hash.
    #[inline(always)]
    pub(crate) fn outer_tags(self) -> Option<u32> {
        (self.0 & Self::HASHED == 0).then_some(self.0 as u32)
    }
}

/// The VLAN identifier in a tag, below its priority (IEEE 802.1Q §9.6), and in what
/// [`Path::outer_tags`] has of a tag.
pub(crate) const VLAN_BITS: u16 = 0x0fff;

/// The VLAN with the kind of its tag: a customer's and a provider's of one number are two VLANs. 0
/// for no VLAN.
#[inline(always)]
fn tag(ether_type: u16, control: u16) -> u64 {
    let kind: u16 = match ether_type {
        PROVIDER_VLAN => 1 << 12,
        OLD_PROVIDER_VLAN => 2 << 12,
        _ => 0,
    };
    let vlan = control & VLAN_BITS;
    if vlan == Path::NO_VLAN {
        0
    } else {
        u64::from(kind | vlan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{HASH_KEY_WORDS, HashKey};

    #[test]
    fn each_kind_of_tunnel_has_its_word() {
        let words: Vec<_> = TunnelKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words, ["ip", "gre", "vxlan", "geneve", "l2tp", "pptp"]);
    }

    #[test]
    fn tags_in_front_of_all_stand_in_a_path_as_they_are_and_with_anything_more_it_is_a_hash() {
        let key = HashKey::from_words([3; HASH_KEY_WORDS]).of_flows();
        let tagged = |path: Path, kind, control| {
            assert_eq!(
                path.with_tag(&key, kind, control),
                path.with_outer_tag(kind, control)
            );
            path.with_outer_tag(kind, control)
        };
        let one = tagged(Path::PLAIN, 0x8100, 0x6005);
        let two = tagged(one, PROVIDER_VLAN, 7);
        assert_eq!(
            [Path::PLAIN, one, two].map(Path::outer_tags),
            [Some(0), Some(5), Some(5 << 16 | 1 << 12 | 7)]
        );
        assert_eq!(tagged(one, 0x8100, 0xe000), one, "a priority alone");
        assert_eq!(
            tagged(Path::PLAIN, OLD_PROVIDER_VLAN, 7).outer_tags(),
            Some(2 << 12 | 7)
        );
        let hashed = one.with(&key, Within::Mpls, 9);
        let behind = hashed.with_tag(&key, 0x8100, 5);
        assert!(hashed.outer_tags().is_none() && behind.outer_tags().is_none() && behind != hashed);
        assert_eq!(
            hashed.with_tag(&key, 0x8100, 0xe000),
            hashed,
            "a priority alone"
        );
        let tunnels = TunnelKind::ALL.map(|kind| one.with_tunnel(&key, Tunnel::new(kind, 9)));
        for (place, path) in tunnels.iter().enumerate() {
            assert!(
                path.outer_tags().is_none() && !tunnels[..place].contains(path) && *path != hashed
            );
        }
    }
}
