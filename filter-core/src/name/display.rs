//! Names for people and for tables.

use core::fmt::{self, Write as _};

use super::{Form, Name};

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} \"{self}\"", self.form())
    }
}

/// Lower case with dots; the root as `.`; what is not printable ASCII, `\`, `|` and dots inside
/// labels as `\xHH`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(f, self.form(), self.octets())
    }
}

/// Writes a name as [`Name`]'s `Display` does.
pub(crate) fn write_name(f: &mut fmt::Formatter<'_>, form: Form, octets: &[u8]) -> fmt::Result {
    match form {
        Form::Text => octets
            .iter()
            .try_for_each(|octet| write_octet(f, *octet, true)),
        Form::Wire => write_labels(f, octets),
    }
}

fn write_labels(f: &mut fmt::Formatter<'_>, mut octets: &[u8]) -> fmt::Result {
    if let [0] = octets {
        return f.write_char('.');
    }
    let mut first = true;
    while let [len, rest @ ..] = octets
        && *len > 0
    {
        if !first {
            f.write_char('.')?;
        }
        first = false;
        let (label, behind) = rest
            .split_at_checked(usize::from(*len))
            .unwrap_or((rest, &[]));
        label
            .iter()
            .try_for_each(|octet| write_octet(f, *octet, false))?;
        octets = behind;
    }
    Ok(())
}

fn write_octet(f: &mut fmt::Formatter<'_>, octet: u8, dots: bool) -> fmt::Result {
    match octet {
        b'.' if dots => f.write_char('.'),
        b'.' | b'\\' | b'|' => write!(f, "\\x{octet:02x}"),
        0x21..=0x7e => f.write_char(octet.to_ascii_lowercase().into()),
        _ => write!(f, "\\x{octet:02x}"),
    }
}
