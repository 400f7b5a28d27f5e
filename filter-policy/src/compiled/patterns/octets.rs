//! Sets of octets, and the columns of a table: octets that no set tells apart share one.

/// A set of octets, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct OctetSet([u64; 4]);

impl OctetSet {
    pub const ALL: Self = Self([u64::MAX; 4]);

    pub fn of(ranges: impl IntoIterator<Item = (u8, u8)>) -> Self {
        let mut set = Self::default();
        ranges
            .into_iter()
            .flat_map(|(first, last)| first..=last)
            .for_each(|octet| set.add(octet));
        set
    }

    /// What a word is made of, for `\b`.
    pub fn word() -> Self {
        Self::of([(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')])
    }

    pub fn has(&self, octet: u8) -> bool {
        self.0[usize::from(octet / 64)] >> (octet % 64) & 1 != 0
    }

    fn add(&mut self, octet: u8) {
        self.0[usize::from(octet / 64)] |= 1 << (octet % 64);
    }
}

/// The columns that some sets ask for. Capitals are in the columns of their small letters: names
/// have none.
#[derive(Debug)]
pub(super) struct Columns {
    pub of: [u8; 256],
    /// An octet of each column.
    pub samples: Vec<u8>,
}

impl Columns {
    pub fn telling_apart(sets: &[OctetSet]) -> Self {
        let mut columns = Self {
            of: [0; 256],
            samples: vec![0],
        };
        for set in sets {
            columns.divide(set);
        }
        for capital in b'A'..=b'Z' {
            columns.of[usize::from(capital)] =
                columns.of[usize::from(capital.to_ascii_lowercase())];
        }
        columns
    }

    /// The columns that are in a set.
    pub fn within(&self, set: &OctetSet) -> Vec<u8> {
        (0..)
            .zip(&self.samples)
            .filter(|(_, sample)| set.has(**sample))
            .map(|(column, _)| column)
            .collect()
    }

    /// Octets that are in the set, of a column whose sample is not, or the other way round, move to
    /// a new column.
    fn divide(&mut self, set: &OctetSet) {
        let mut moved = vec![None; self.samples.len()];
        for octet in (0..=u8::MAX).filter(|octet| !octet.is_ascii_uppercase()) {
            let column = usize::from(self.of[usize::from(octet)]);
            if set.has(octet) != set.has(self.samples[column]) {
                let samples = &mut self.samples;
                let new = *moved[column].get_or_insert_with(|| {
                    samples.push(octet);
                    samples.len() as u8 - 1
                });
                self.of[usize::from(octet)] = new;
            }
        }
    }
}
