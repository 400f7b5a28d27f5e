//! Numbers in as many bytes as they need: seven bits in each, the lowest first; the eighth says
//! that more follow.

/// The next number, which is taken off.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u32> {
    /// Bytes that 32 bits need.
    const MOST: u32 = 5;

    let mut number = 0;
    for place in 0..MOST {
        let byte;
        (byte, *bytes) = bytes.split_first()?;
        number |= u32::from(*byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Adds a number to others.
pub(super) fn put(mut number: u32, bytes: &mut Vec<u8>) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
