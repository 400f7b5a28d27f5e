//! The frames of one connection, under the addresses of many.

use std::net::Ipv4Addr;

/// Where the fields lie in a frame of TCP in IPv4 without options or tags.
mod at {
    pub const IP_CHECKSUM: usize = 14 + 10;
    pub const SOURCE: usize = 14 + 12;
    pub const DESTINATION: usize = 14 + 16;
    pub const SOURCE_PORT: usize = 14 + 20;
    pub const SEQUENCE: usize = 14 + 20 + 4;
    pub const TCP_CHECKSUM: usize = 14 + 20 + 16;
    pub const END: usize = 14 + 20 + 20;
}

/// Addresses of a connection, and the client's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Who says hello.
    pub client: Ipv4Addr,
    /// From this port.
    pub port: u16,
    /// To whom.
    pub server: Ipv4Addr,
}

/// A connection with a `ClientHello` in two segments.
#[derive(Clone, Debug)]
pub struct SplitHello {
    frames: [Vec<u8>; 3],
}

impl SplitHello {
    /// `frames` are the SYN and both halves of the hello: TCP in IPv4 without options or VLAN tags,
    /// with right checksums.
    ///
    /// # Panics
    /// If a frame is too short for its headers.
    pub fn new(frames: [Vec<u8>; 3]) -> Self {
        assert!(
            frames.iter().all(|frame| frame.len() >= at::END),
            "a frame without its headers"
        );
        Self { frames }
    }

    /// SYN, first and second half of this connection.
    pub fn of(&mut self, connection: Connection) -> &[Vec<u8>; 3] {
        let Connection {
            client,
            port,
            server,
        } = connection;
        let addresses = [(at::SOURCE, client), (at::DESTINATION, server)];
        for frame in &mut self.frames {
            for (place, address) in addresses {
                let [a, b, c, d] = address.octets();
                change(frame, place, [a, b], &[at::IP_CHECKSUM, at::TCP_CHECKSUM]);
                change(
                    frame,
                    place + 2,
                    [c, d],
                    &[at::IP_CHECKSUM, at::TCP_CHECKSUM],
                );
            }
            change(
                frame,
                at::SOURCE_PORT,
                port.to_be_bytes(),
                &[at::TCP_CHECKSUM],
            );
        }
        &self.frames
    }

    /// Sequence numbers of both halves.
    pub(super) fn sequences(&self) -> [u32; 2] {
        let [_, first, second] = &self.frames;
        [first, second]
            .map(|half| u32::from_be_bytes(std::array::from_fn(|octet| half[at::SEQUENCE + octet])))
    }
}

/// Writes two octets, and has these checksums say so (RFC 1624 §3, equation 3).
fn change(frame: &mut [u8], place: usize, new: [u8; 2], checksums: &[usize]) {
    let word = |frame: &[u8], place: usize| u16::from_be_bytes([frame[place], frame[place + 1]]);
    let (old, new) = (word(frame, place), u16::from_be_bytes(new));
    for checksum in checksums {
        let sum = u32::from(!word(frame, *checksum)) + u32::from(!old) + u32::from(new);
        let folded = (sum & 0xffff) + (sum >> 16);
        let folded = (folded & 0xffff) + (folded >> 16);
        frame[*checksum..checksum + 2].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    }
    frame[place..place + 2].copy_from_slice(&new.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of a header with its checksum is all ones (RFC 1071 §1).
    fn sum(octets: &[u8]) -> u16 {
        let sum: u32 = octets
            .chunks(2)
            .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
            .sum();
        ((sum & 0xffff) + (sum >> 16)) as u16
    }

    #[test]
    fn checksums_stay_right() {
        // From RFC 1071 §3 and by hand: version, lengths, TTL 64, TCP, from 10.0.0.1:1025 to
        // 10.0.0.2:443.
        let mut frame = vec![0; at::END];
        frame[14..34].copy_from_slice(&[
            0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        frame[34..38].copy_from_slice(&[4, 1, 1, 187]);
        let pseudo_header =
            |frame: &[u8]| [&frame[26..34], &[0, 6, 0, 20], &frame[34..54]].concat();
        for (checksum, covered) in [
            (at::IP_CHECKSUM, frame[14..34].to_vec()),
            (at::TCP_CHECKSUM, pseudo_header(&frame)),
        ] {
            frame[checksum..checksum + 2].copy_from_slice(&(!sum(&covered)).to_be_bytes());
        }
        let mut hello = SplitHello::new([frame.clone(), frame.clone(), frame]);
        for (client, port, server) in [
            ([203, 0, 113, 255], 65_535, [255, 255, 255, 255]),
            ([0, 0, 0, 1], 0, [0, 0, 0, 0]),
            ([10, 0, 0, 1], 1_025, [10, 0, 0, 2]),
        ] {
            let connection = Connection {
                client: client.into(),
                port,
                server: server.into(),
            };
            for frame in hello.of(connection) {
                assert_eq!(
                    (sum(&frame[14..34]), sum(&pseudo_header(frame))),
                    (0xffff, 0xffff),
                    "{connection:?}"
                );
                assert_eq!((&frame[26..30], &frame[30..34]), (&client[..], &server[..]));
            }
        }
    }
}
