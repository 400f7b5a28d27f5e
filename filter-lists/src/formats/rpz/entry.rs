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

use super::{
    absolute,
    record::Record,
    words::{Words, seconds},
};

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

/// The names that an entry may leave out, absolute and without a dot at the end; the root is empty.
pub(super) struct Names<'a> {
    pub origin: &'a str,
    pub owner: &'a str,
}

pub(super) fn read(text: &[u8], names: &Names<'_>) -> Entry {
    let has_owner = !text.first().is_some_and(u8::is_ascii_whitespace);
    let mut words = Words(text);
    match words.next() {
        None => return Entry::Nothing,
        Some(word) if !has_owner || !word.starts_with(b"$") => {}
        Some(word) if word.eq_ignore_ascii_case(b"$ORIGIN") => return origin(words.next(), names),
        Some(word) if word.eq_ignore_ascii_case(b"$INCLUDE") => return Entry::Include,
        Some(word) if word.eq_ignore_ascii_case(b"$TTL") => return Entry::Nothing,
        Some(word) if word.eq_ignore_ascii_case(b"$GENERATE") => {
            return Entry::Directive("$GENERATE");
        }
        Some(_) => return Entry::Directive("another directive"),
    }
    match scan(&in_seconds(text, has_owner, names), names) {
        Ok(Some(inplace::Entry::Record(record))) => Entry::Record {
            owner: without_dot(record.owner().to_string()),
            record: of(&record),
        },
        Ok(Some(inplace::Entry::Include { .. })) => Entry::Include,
        Ok(None) => Entry::Nothing,
        Err(error) => Entry::Unreadable(error),
    }
}

/// The record in one line, with its owner, and with times as numbers: the crate knows no units.
fn in_seconds(text: &[u8], has_owner: bool, names: &Names<'_>) -> Vec<u8> {
    let mut words = Words(text);
    let mut record = Vec::with_capacity(text.len() + names.owner.len() + 2);
    match words.next() {
        Some(owner) if has_owner => record.extend_from_slice(owner),
        first => {
            record.extend_from_slice(names.owner.as_bytes());
            record.push(b'.');
            words = Words(text);
            debug_assert!(first.is_some(), "an entry has a word");
        }
    }
    let (mut kind, mut numbers) = (None, 0);
    for word in words {
        record.push(b' ');
        let is_time = match kind {
            // Before the type there are a class and a time to live.
            None => {
                let is_time = seconds(word).is_some();
                kind = (!is_time && !is_class(word)).then_some(word);
                is_time
            }
            // Behind two names and the serial number, an SOA record has times.
            Some(kind) => {
                numbers += 1;
                kind.eq_ignore_ascii_case(b"SOA") && numbers > 3
            }
        };
        match seconds(word).filter(|_| is_time) {
            Some(seconds) => record.extend_from_slice(seconds.to_string().as_bytes()),
            None => record.extend_from_slice(word),
        }
    }
    record.push(b'\n');
    record
}

fn is_class(word: &[u8]) -> bool {
    ["IN", "CH", "HS"]
        .iter()
        .any(|class| word.eq_ignore_ascii_case(class.as_bytes()))
}

fn origin(word: Option<&[u8]>, names: &Names<'_>) -> Entry {
    let Some(word) = word.and_then(|word| str::from_utf8(word).ok()) else {
        return Entry::Unreadable("$ORIGIN without a name".into());
    };
    Entry::Origin(match word.strip_suffix('.') {
        Some(absolute) => absolute.to_owned(),
        None if word == "@" => names.origin.to_owned(),
        None => absolute(word, names.origin),
    })
}

fn scan(record: &[u8], names: &Names<'_>) -> Result<Option<inplace::Entry>, String> {
    let origin = if names.origin.is_empty() {
        "."
    } else {
        names.origin
    };
    let origin: Name<Bytes> = origin
        .parse()
        .map_err(|error| format!("the origin {origin}: {error}"))?;
    let mut file = Zonefile::with_capacity(record.len()).allow_invalid();
    file.set_origin(origin);
    file.set_default_class(Class::IN);
    file.extend_from_slice(record);
    file.next_entry().map_err(|error| error.to_string())
}

fn of(record: &inplace::ScannedRecord) -> Record {
    match (record.data(), record.rtype()) {
        (ZoneRecordData::Soa(_), _) => Record::Soa,
        (ZoneRecordData::Cname(cname), _) => Record::Cname(with_dot(cname.cname().to_string())),
        (_, Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3 | Rtype::DNSKEY | Rtype::DS) => {
            Record::Nothing("DNSSEC")
        }
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
    if name.ends_with('.') {
        name
    } else {
        name + "."
    }
}
