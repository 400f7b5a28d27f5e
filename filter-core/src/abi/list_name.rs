//! Names of lists, for those whom they block.

use zerocopy::{FromBytes, Immutable, IntoBytes};

#[cfg(not(target_arch = "bpf"))]
use super::DnsAction;
use super::Generation;

/// A list's name, for the EXTRA-TEXT of an Extended DNS Error (RFC 8914 §2).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct ListName {
    /// The audience that its rules are of.
    audience: u32,
    /// What rules of this number say themselves of DNS in datagrams.
    dns: u32,
    len: u32,
    reserved: u32,
    text: [u8; Self::MOST],
}

impl ListName {
    /// Octets of a name at most.
    pub const MOST: usize = 64;
    /// The number of what was blocked by hand. 0 is that of lists without a number.
    pub const BY_HAND: u16 = 1;
    /// The number of the first list.
    pub const FIRST: u16 = 2;
    /// No name.
    pub const NONE: Self = Self {
        audience: u32::MAX,
        dns: 0,
        len: 0,
        reserved: 0,
        text: [0; Self::MOST],
    };

    /// Where the map of names has that with this number, in a generation.
    #[inline(always)]
    pub const fn place(number: u32, generation: Generation) -> u32 {
        number * 2 + generation.index()
    }

    /// The name of a list whose rules are of this audience; what is beyond [`ListName::MOST`]
    /// octets is left out.
    #[cfg(not(target_arch = "bpf"))]
    pub fn new(audience: u16, name: &str) -> Self {
        let name = name
            .get(..name.floor_char_boundary(Self::MOST))
            .unwrap_or_default();
        let mut text = [0; Self::MOST];
        for (to, octet) in text.iter_mut().zip(name.bytes()) {
            *to = octet;
        }
        Self {
            audience: audience.into(),
            dns: 0,
            len: name.len() as u32,
            reserved: 0,
            text,
        }
    }

    /// The same for rules of the list that say themselves what becomes of DNS in datagrams.
    #[cfg(not(target_arch = "bpf"))]
    #[must_use]
    pub fn answering(self, action: DnsAction) -> Self {
        Self {
            dns: action as u32,
            ..self
        }
    }

    /// What its rules say themselves of DNS in datagrams, by number.
    #[inline(always)]
    pub(crate) const fn dns(&self) -> u32 {
        self.dns
    }

    /// The audience that its rules are of.
    #[inline(always)]
    pub(crate) const fn audience(&self) -> u32 {
        self.audience
    }

    /// Octets of the name.
    #[inline(always)]
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// The name and zeros.
    #[inline(always)]
    pub(crate) const fn text(&self) -> &[u8; Self::MOST] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        let name = ListName::new(1, &"ä".repeat(40));
        assert_eq!(name.len(), 64);
        assert_eq!(ListName::new(1, &format!("x{}", "ä".repeat(40))).len(), 63);
    }

    #[test]
    fn a_list_has_its_audience_its_name_and_what_it_says_itself() {
        let name = ListName::new(3, "ads").answering(DnsAction::NoData);
        assert_eq!(
            (name.audience(), name.dns(), name.len()),
            (3, DnsAction::NoData as u32, 3)
        );
        assert_eq!(name.text()[..4], *b"ads\0");
        assert_eq!(ListName::new(3, "ads").dns(), DnsAction::AsInterface as u32);
    }
}
