//! What is known of one name: where its first rule is from, and its text.

use crate::compiled::varint;

/// A record: three numbers of as many bytes as they need (its origin, its line, and the length of
/// the text), and the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The place of its list and kind among the origins.
    pub origin: u32,
    /// Its line in the list.
    pub line: u32,
    /// The name, as `Texts` writes it.
    pub text: &'a [u8],
}

impl<'a> Record<'a> {
    /// The next record, which is taken off.
    pub fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        let (origin, line, len) = (
            varint::take(bytes)?,
            varint::take(bytes)?,
            varint::take(bytes)?,
        );
        let text;
        (text, *bytes) = bytes.split_at_checked(len as usize)?;
        Some(Self { origin, line, text })
    }

    /// Takes the next record off.
    pub fn skip(bytes: &mut &'a [u8]) -> Option<()> {
        Self::take(bytes).map(|_| ())
    }

    /// Adds the record to others.
    pub fn put(&self, bytes: &mut Vec<u8>) {
        for number in [self.origin, self.line, self.text.len() as u32] {
            varint::put(number, bytes);
        }
        bytes.extend_from_slice(self.text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_out_as_they_went_in(records in prop::collection::vec((any::<u32>(), any::<u32>(), "[a-z.]{0,253}"), 0..9)) {
            let records: Vec<_> = records
                .iter()
                .map(|(origin, line, text)| Record { origin: *origin, line: *line, text: text.as_bytes() })
                .collect();
            let mut bytes = Vec::new();
            for record in &records {
                record.put(&mut bytes);
            }
            let mut rest = &*bytes;
            let read: Vec<_> = std::iter::from_fn(|| Record::take(&mut rest)).collect();
            prop_assert_eq!(read, records);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut rest = &*bytes;
            while Record::take(&mut rest).is_some() {}
        }
    }
}
