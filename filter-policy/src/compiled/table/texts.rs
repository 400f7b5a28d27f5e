//! The texts of names, packed: parts that many of them have are a byte each.
//!
//! This is FSST (Boncz, Neumann and Leis, "FSST: Fast Random Access String Compression", 2020):
//! each text is read by itself. Names take 10 bytes in place of 18. The crate `fsst` finds the
//! parts and packs; reading is a few lines, which take any bytes.

use std::borrow::Cow;

use filter_lists::MAX_NAME;
use fsst::Compressor;

/// What codes stand for: octets, and how many of them. Without any, texts are not packed.
#[derive(Default)]
pub(super) struct Texts(Vec<([u8; 8], usize)>);

/// The code behind which an octet stands for itself.
const ESCAPE: u8 = 255;

/// Bytes of a symbol in the table: its length, and its octets.
const SYMBOL: usize = 9;

impl Texts {
    /// The symbols as they lie in the table; `None` if they are none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (symbols, []) = bytes.as_chunks::<SYMBOL>() else {
            return None;
        };
        let symbols = symbols
            .iter()
            .map(|[len, octets @ ..]| (*octets, usize::from(*len)));
        let symbols: Vec<_> = symbols.collect();
        let fits = symbols.len() <= usize::from(ESCAPE)
            && symbols.iter().all(|(octets, len)| *len <= octets.len());
        fits.then_some(Self(symbols))
    }

    /// The name with this text; an empty one if it is none.
    pub fn read_text<'t>(&self, text: &'t [u8]) -> Cow<'t, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(str::from_utf8(text).unwrap_or_default());
        }
        let mut name = Vec::with_capacity(text.len() * 3);
        let mut codes = text.iter();
        while let Some(code) = codes.next() {
            if *code == ESCAPE {
                name.extend(codes.next());
            } else if let Some((octets, len)) = self.0.get(usize::from(*code)) {
                name.extend_from_slice(octets.get(..*len).unwrap_or_default());
            }
            if name.len() > MAX_NAME {
                return Cow::default();
            }
        }
        Cow::Owned(String::from_utf8(name).unwrap_or_default())
    }
}

/// Packs texts.
pub(super) struct Packer(Option<Compressor>);

impl Packer {
    /// Names from which on packing is worth its time.
    const FEWEST: u64 = 4096;
    /// Texts in which parts that many have are looked for.
    const SAMPLE: usize = 4096;
    /// Texts that are packed at once.
    pub const AT_ONCE: usize = 1024;

    /// A packer for so many texts, of which this gives about so many from all over them.
    pub fn new<'t>(count: u64, sample: impl FnOnce(usize) -> Vec<&'t [u8]>) -> Self {
        Self((count >= Self::FEWEST).then(|| Compressor::train(&sample(Self::SAMPLE))))
    }

    /// The symbols as they lie in the table.
    pub fn symbols(&self) -> Vec<u8> {
        let Some(packer) = &self.0 else {
            return Vec::new();
        };
        let symbols = packer.symbol_table().iter().zip(packer.symbol_lengths());
        symbols
            .flat_map(|(symbol, len)| [*len].into_iter().chain(symbol.to_u64().to_le_bytes()))
            .collect()
    }

    /// Packs these texts one behind the other; gives where each ends.
    pub fn pack(&self, texts: &[&[u8]], packed: &mut Vec<u8>, ends: &mut Vec<u64>) {
        packed.clear();
        ends.clear();
        if let Some(packer) = &self.0 {
            return packer
                .compress_bulk_into::<{ Compressor::DEFAULT_BULK_LANES }>(texts, packed, ends);
        }
        for text in texts {
            packed.extend_from_slice(text);
            ends.push(packed.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_read_as_they_were_packed_and_take_less_room() {
        let names: Vec<_> = (0..5000)
            .map(|number| format!("ads{number}.tracker-{}.example.com", number % 7))
            .collect();
        let texts: Vec<_> = names.iter().map(String::as_bytes).collect();
        let packer = Packer::new(texts.len() as u64, |_| texts.clone());
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        packer.pack(&texts, &mut codes, &mut ends);
        assert!(codes.len() < texts.concat().len() / 2, "{}", codes.len());
        let symbols = Texts::read(&packer.symbols()).unwrap();
        let mut start = 0;
        for (name, end) in names.iter().zip(ends) {
            assert_eq!(symbols.read_text(&codes[start..end as usize]), *name);
            start = end as usize;
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(symbols: Vec<u8>, text: Vec<u8>) {
            if let Some(texts) = Texts::read(&symbols) {
                prop_assert!(texts.0.is_empty() || texts.read_text(&text).len() <= MAX_NAME);
            }
        }
    }
}
