//! What `local-data` says: a record, as a zone file would have it.

use std::net::IpAddr;

use super::super::Words;

/// What a record does with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data<'a> {
    /// It has this name lead nowhere.
    Nowhere(&'a [u8]),
    /// It has an address of its own for it.
    Address,
    /// It is of another type than an address.
    Other,
}

pub(super) fn data(text: &[u8]) -> Data<'_> {
    let mut words = Words(text);
    let Some(name) = words.next() else {
        return Data::Other;
    };
    let is_class = |word: &[u8]| {
        [b"IN", b"CH", b"HS"]
            .iter()
            .any(|class| word.eq_ignore_ascii_case(*class))
    };
    let mut words = words.skip_while(|word| word[0].is_ascii_digit() || is_class(word));
    let kind = words.next().unwrap_or_default();
    let is_address = kind.eq_ignore_ascii_case(b"A") || kind.eq_ignore_ascii_case(b"AAAA");
    let address = words
        .next()
        .and_then(|word| str::from_utf8(word).ok()?.parse::<IpAddr>().ok());
    match address.filter(|_| is_address) {
        Some(address) if address.is_unspecified() || address.is_loopback() => Data::Nowhere(name),
        Some(_) => Data::Address,
        None => Data::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_leads_nowhere_is_told_from_others() {
        for (text, expected) in [
            ("a.example A 0.0.0.0", Data::Nowhere(b"a.example")),
            ("a.example. 60 in aaaa ::", Data::Nowhere(b"a.example.")),
            ("a.example IN 3600 A 127.0.0.1", Data::Nowhere(b"a.example")),
            ("a.example 1h A 0.0.0.0", Data::Nowhere(b"a.example")),
            ("a.example A 192.0.2.1", Data::Address),
            ("a.example TXT 0.0.0.0", Data::Other),
            ("a.example A", Data::Other),
            ("a.example", Data::Other),
            ("", Data::Other),
        ] {
            assert_eq!(data(text.as_bytes()), expected, "{text}");
        }
    }
}
