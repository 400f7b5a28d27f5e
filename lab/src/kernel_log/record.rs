//! A record as `/dev/kmsg` gives it (Documentation/ABI/testing/dev-kmsg of the kernel).

/// A record of the kernel's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    facility: u32,
    sequence: u64,
    continues: bool,
    text: String,
}

impl Record {
    /// Reads `level,sequence,time,flags[,...];text`, and lines of keys and values that begin with a
    /// space. `None` for anything else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let record = str::from_utf8(bytes).ok()?;
        let (head, rest) = record.split_once(';')?;
        let mut fields = head.split(',');
        let priority: u32 = fields.next()?.parse().ok()?;
        let sequence = fields.next()?.parse().ok()?;
        let _time: u64 = fields.next()?.parse().ok()?;
        let flags = fields.next()?;
        Some(Self {
            // The three lowest bits are the level.
            facility: priority >> 3,
            sequence,
            continues: flags.contains(['c', '+']),
            text: unescaped(rest.lines().next().unwrap_or_default()),
        })
    }

    /// True if the kernel wrote it: what user space writes always has another facility.
    pub fn is_by_kernel(&self) -> bool {
        self.facility == 0
    }

    /// The message, without level and time; the lines of one with several are separated by `\n`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Each record has the number of the one before it and one.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// True if it goes on with the line of the record before it.
    pub(super) fn continues(&self) -> bool {
        self.continues
    }

    /// A record for each line.
    pub(super) fn into_lines(self) -> impl Iterator<Item = Self> {
        let lines: Vec<String> = self.text.split('\n').map(str::to_owned).collect();
        lines
            .into_iter()
            .enumerate()
            .map(move |(index, text)| Self {
                continues: self.continues && index == 0,
                text,
                ..self
            })
    }

    /// Puts the text of a record that continues this one behind this one's.
    pub(super) fn append(&mut self, further: &Self) {
        self.text.push_str(&further.text);
    }
}

/// The kernel writes bytes that are not printable ASCII, and backslashes, as `\x0a`.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split("\\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(&[b"\\x", piece.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_kernel_is_read() {
        let bytes = b"6,339,5140900,-,caller=T66;IPv6: lan: link becomes ready\n SUBSYSTEM=net\n DEVICE=n4\n";
        let record = Record::parse(bytes).unwrap();
        assert!(record.is_by_kernel() && !record.continues());
        assert_eq!(
            (record.sequence(), record.text()),
            (339, "IPv6: lan: link becomes ready")
        );
    }

    #[test]
    fn a_record_of_user_space_is_told_from_the_kernels() {
        let record = Record::parse(b"12,340,5140901,-;BUG: says a user; who may\n").unwrap();
        assert!(!record.is_by_kernel());
        assert_eq!(record.text(), "BUG: says a user; who may");
    }

    #[test]
    fn a_text_of_several_lines_is_several_records() {
        let record = Record::parse(b"4,1,2,-;first\\x0aBUG: \\x5cx second\n").unwrap();
        let lines: Vec<String> = record.into_lines().map(|line| line.text).collect();
        assert_eq!(lines, ["first", "BUG: \\x second"]);
    }

    #[test]
    fn what_is_no_record_is_none() {
        for bytes in [
            &b""[..],
            b"text",
            b"4,1,2;text",
            b"4,x,2,-;text",
            b"4,1,2,-;\xff",
        ] {
            assert_eq!(Record::parse(bytes), None, "{bytes:?}");
        }
    }
}
