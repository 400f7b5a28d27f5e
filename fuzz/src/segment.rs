//! Segments of one TCP flow as frames.

/// Headers as etherparse writes them, with length, port, sequence number and checksums left out. A
/// fuzzer has no time to build them anew; the tests compare.
const V4: [u8; 54] = [
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, // Ethernet
    0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, // IPv4
    0x9c, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 0x50, 0x18, 0xfd, 0xe8, 0, 0, 0, 0, // TCP
];
const V6: [u8; 74] = [
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, // Ethernet
    0x60, 0, 0, 0, 0, 0, 6, 64, // IPv6
    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, // from
    0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, // to
    0x9c, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 0x50, 0x18, 0xfd, 0xe8, 0, 0, 0, 0, // TCP
];
const ETHERNET: usize = 14;
const TCP: usize = 20;

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// IPv6, and not IPv4.
    pub v6: bool,
    /// The server's port.
    pub port: u16,
}

impl Ends {
    /// A segment of it. Checksums are zero: nothing that decides looks at them.
    pub fn segment(self, sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
        let headers: &[u8] = if self.v6 { &V6 } else { &V4 };
        let mut frame = [headers, payload].concat();
        // IPv4 counts its own header, IPv6 what is behind it (RFC 791 §3.1, RFC 8200 §3).
        let (length_at, counted) = if self.v6 {
            (18, TCP)
        } else {
            (16, headers.len() - ETHERNET)
        };
        let length = u16::try_from(counted + payload.len()).unwrap_or(u16::MAX);
        let tcp_at = headers.len() - TCP;
        put(&mut frame, length_at, &length.to_be_bytes());
        put(&mut frame, tcp_at + 2, &self.port.to_be_bytes());
        put(&mut frame, tcp_at + 4, &sequence.to_be_bytes());
        if syn {
            put(&mut frame, tcp_at + 13, &[0x02]);
        }
        frame
    }
}

fn put(frame: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(room) = frame.get_mut(at..at + bytes.len()) {
        room.copy_from_slice(bytes);
    }
}
