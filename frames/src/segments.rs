//! Payloads of TCP, cut into records and segments.

use std::ops::Range;

use crate::Wrap;

/// The hello of one record, in records of so many octets; the last has what is left.
///
/// # Panics
/// If the hello has no record header, or a record would be empty or too long.
pub fn in_records(hello: &[u8], octets: usize) -> Vec<u8> {
    let (header, handshake) = hello.split_at_checked(5).expect("a record");
    let record = |octets: &[u8]| {
        let length = u16::try_from(octets.len())
            .expect("a record's length")
            .to_be_bytes();
        [&header[..3], &length, octets].concat()
    };
    handshake.chunks(octets).flat_map(record).collect()
}

/// The payload in segments that start at these offsets of it, in this order; each goes up to the
/// next larger offset, or to the end. The first octet has the sequence number `first`.
pub fn in_segments(wrap: &Wrap, first: u32, payload: &[u8], starts: &[usize]) -> Vec<Vec<u8>> {
    let end = |start: usize| {
        starts
            .iter()
            .copied()
            .filter(|it| *it > start)
            .min()
            .unwrap_or(payload.len())
    };
    starts
        .iter()
        .map(|start| segment(wrap, first, payload, *start..end(*start)))
        .collect()
}

/// A segment with this range of the payload, whose first octet has the sequence number `first`.
pub fn segment(wrap: &Wrap, first: u32, payload: &[u8], range: Range<usize>) -> Vec<u8> {
    let offset = u32::try_from(range.start).unwrap_or(u32::MAX);
    wrap.tcp_at(
        first.wrapping_add(offset),
        payload.get(range).unwrap_or_default(),
    )
}
