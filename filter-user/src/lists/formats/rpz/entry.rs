//! An entry of a zone file, read by the crate `domain`.

use bytes::Bytes;
use domain::{
    base::{
        Name,
        iana::{Class, Rtype},
    },
    rdata::ZoneRecordData,
    zonefile::inplace::{self, Zonefile},
};

use super::record::Record;

/// What an entry is.
pub(super) enum Entry {
    Nothing,
    /// What relative names are below from here on.
    Origin(String),
    Include,
    Directive(&'static str),
    /// Of this absolute name, without a dot at the end.
    Record {
        owner: String,
        record: Record,
    },
    Unreadable(String),
}

/// The names that an entry may leave out, absolute and without a dot at the end.
pub(super) struct Names<'a> {
    pub origin: &'a str,
    pub owner: &'a str,
}

pub(super) fn read(text: &[u8], names: &Names<'_>) -> Entry {
    let mut words = super::super::Words(text);
    match words.next() {
        None | Some([b';', ..]) => return Entry::Nothing,
        Some(word) if word.eq_ignore_ascii_case(b"$ORIGIN") => return origin(words.next(), names),
        Some(word) if word.eq_ignore_ascii_case(b"$INCLUDE") => return Entry::Include,
        Some(word) if word.eq_ignore_ascii_case(b"$TTL") => return Entry::Nothing,
        Some(word) if word.eq_ignore_ascii_case(b"$GENERATE") => return Entry::Directive("$GENERATE"),
        Some([b'$', ..]) => return Entry::Directive("another directive"),
        Some(_) => {}
    }
    match scan(text, names) {
        Ok(Some(inplace::Entry::Record(record))) => {
            Entry::Record { owner: without_dot(record.owner().to_string()), record: of(&record) }
        }
        Ok(Some(inplace::Entry::Include { .. })) => Entry::Include,
        Ok(None) => Entry::Nothing,
        Err(error) => Entry::Unreadable(error),
    }
}

/// How many parentheses are open behind the line.
pub(super) fn depth_after(line: &[u8], mut depth: u32) -> u32 {
    let (mut quoted, mut escaped) = (false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b';' => break,
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}

fn origin(word: Option<&[u8]>, names: &Names<'_>) -> Entry {
    let Some(word) = word.and_then(|word| str::from_utf8(word).ok()) else {
        return Entry::Unreadable("$ORIGIN without a name".into());
    };
    Entry::Origin(match word.strip_suffix('.') {
        Some(absolute) => absolute.to_owned(),
        None if word == "@" => names.origin.to_owned(),
        None => format!("{word}.{}", names.origin),
    })
}

fn scan(text: &[u8], names: &Names<'_>) -> Result<Option<inplace::Entry>, String> {
    let origin: Name<Bytes> = names.origin.parse().map_err(|error| format!("the origin {}: {error}", names.origin))?;
    let mut file = Zonefile::with_capacity(text.len() + names.owner.len() + 2).allow_invalid();
    file.set_origin(origin);
    file.set_default_class(Class::IN);
    if text.first().is_some_and(u8::is_ascii_whitespace) {
        file.extend_from_slice(names.owner.as_bytes());
        file.extend_from_slice(b".");
    }
    file.extend_from_slice(text);
    file.next_entry().map_err(|error| error.to_string())
}

fn of(record: &inplace::ScannedRecord) -> Record {
    match (record.data(), record.rtype()) {
        (ZoneRecordData::Soa(_), _) => Record::Soa,
        (ZoneRecordData::Cname(cname), _) => Record::Cname(with_dot(cname.cname().to_string())),
        (_, Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3 | Rtype::DNSKEY | Rtype::DS) => Record::Nothing("DNSSEC"),
        _ => Record::Data,
    }
}

fn without_dot(mut name: String) -> String {
    if name.ends_with('.') {
        name.pop();
    }
    name
}

fn with_dot(name: String) -> String {
    if name.ends_with('.') { name } else { name + "." }
}
