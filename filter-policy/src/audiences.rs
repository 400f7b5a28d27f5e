//! Sets of audiences.

use filter_core::{AUDIENCES_OF_BANK, BANKS};

/// Some of the audiences of a policy: a mask for each bank, in the order of the banks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Audiences {
    /// The last is not 0.
    words: Vec<u32>,
}

impl Audiences {
    /// All audiences that a policy can have.
    pub fn all() -> Self {
        Self {
            words: vec![u32::MAX; BANKS as usize],
        }
    }

    /// Adds an audience.
    pub fn insert(&mut self, audience: u32) {
        let bank = (audience / AUDIENCES_OF_BANK) as usize;
        if self.words.len() <= bank {
            self.words.resize(bank + 1, 0);
        }
        self.words[bank] |= 1 << (audience % AUDIENCES_OF_BANK);
    }

    /// True if this audience is one of them.
    pub fn has(&self, audience: u32) -> bool {
        self.bank(audience / AUDIENCES_OF_BANK) & 1 << (audience % AUDIENCES_OF_BANK) != 0
    }

    /// Those of a bank.
    pub fn bank(&self, bank: u32) -> u32 {
        self.words.get(bank as usize).copied().unwrap_or_default()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Banks up to the last that has some.
    pub fn banks(&self) -> u32 {
        u32::try_from(self.words.len()).unwrap_or(u32::MAX)
    }
}

/// Those of the first bank.
impl From<u32> for Audiences {
    fn from(audiences: u32) -> Self {
        Self {
            words: if audiences == 0 {
                Vec::new()
            } else {
                vec![audiences]
            },
        }
    }
}

impl From<&Self> for Audiences {
    fn from(audiences: &Self) -> Self {
        audiences.clone()
    }
}

impl FromIterator<u32> for Audiences {
    fn from_iter<T: IntoIterator<Item = u32>>(audiences: T) -> Self {
        let mut all = Self::default();
        audiences
            .into_iter()
            .for_each(|audience| all.insert(audience));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_are_in_banks_of_as_many_as_a_mask_has_bits() {
        let some: Audiences = [0, 31, 32, 1_023].into_iter().collect();
        let banks = [0, 1, 2, 31, 32].map(|bank| some.bank(bank));
        assert_eq!((banks, some.banks()), ([1 << 31 | 1, 1, 0, 1 << 31, 0], 32));
        assert_eq!(
            [0, 1, 31, 32, 33, 1_022, 1_023].map(|audience| some.has(audience)),
            [true, false, true, true, false, false, true]
        );
        assert_eq!(Audiences::from(0b101), [0, 2].into_iter().collect());
        assert!(Audiences::from(0) == Audiences::default() && Audiences::default().is_empty());
        assert!(Audiences::all().has(1_023) && !Audiences::all().is_empty());
    }
}
