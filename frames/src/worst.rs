//! Frames that cost much: families of them, each made of a few numbers that a search changes.

use crate::{Wrap, in_records, in_segments, over_tcp};

/// How a frame is made, as numbers that the search changes.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its family, below [`Shape::KINDS`].
    pub kind: usize,
    /// What it is made of.
    pub numbers: [usize; 8],
}

/// A name of so many labels of so many octets, as long as names may be.
fn name(labels: usize, octets: usize) -> Vec<u8> {
    let octets = octets.clamp(1, 63);
    let label = [&[u8::try_from(octets).unwrap()][..], &vec![b'a'; octets]].concat();
    let labels = labels.min(254 / (octets + 1));
    [label.repeat(labels), vec![0]].concat()
}

fn message(flags: u8, counts: [usize; 2], rest: &[u8]) -> Vec<u8> {
    let [q, a] = counts.map(|count| u16::try_from(count.min(0xffff)).unwrap().to_be_bytes());
    [&[0x12, 0x34, flags, 0][..], &q, &a, &[0; 4], rest].concat()
}

fn pointer(to: usize) -> [u8; 2] {
    (0xc000 | u16::try_from(to & 0x3fff).unwrap()).to_be_bytes()
}

impl Shape {
    /// Families.
    pub const KINDS: usize = 10;

    /// The frames, of which the last is as long as `room` allows.
    ///
    /// # Panics
    /// If there is not room for headers.
    pub fn frames(&self, room: usize) -> Vec<Vec<u8>> {
        let [a, b, c, d, ..] = self.numbers;
        let room = room - 74;
        let one = |frame| vec![frame];
        let client = Wrap::v6(53);
        match self.kind {
            // Questions with pointers to one name, in a query or a response.
            0 | 1 => {
                let flags = if self.kind == 0 { 1 } else { 0x80 };
                let first = name(a % 128, b % 64);
                let pointers = (room.saturating_sub(12 + first.len() + 4) / 6).min(0xffff);
                let rest = [
                    &first[..],
                    &[0, 1, 0, 1],
                    &[&pointer(12)[..], &[0, 1, 0, 1]].concat().repeat(pointers),
                ];
                one(client.udp(&message(flags, [pointers + 1, 0], &rest.concat())))
            }
            // Aliases of one name, with so many other records between them.
            2 => {
                let first = name(a % 128, b % 64);
                let alias = [&[0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2][..], &pointer(12)].concat();
                let other = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0].repeat(c % 8);
                let unit = [&alias[..], &other].concat();
                let units = room.saturating_sub(12 + first.len() + 4) / unit.len();
                let rest = [&first[..], &[0, 1, 0, 1], &unit.repeat(units)].concat();
                one(client.udp(&message(0x80, [1, units * (1 + c % 8)], &rest)))
            }
            // Queries or responses of one stream, with names of this length.
            3 => {
                let flags = if d % 2 == 0 { 1 } else { 0x80 };
                let one_message = over_tcp(&message(
                    flags,
                    [1, 0],
                    &[&name(a % 128, b % 64)[..], &[0, 1, 0, 1]].concat(),
                ));
                let empty = [0, 0].repeat(c % 4);
                let unit = [&one_message[..], &empty].concat();
                one(Wrap::v6(53).tcp(&unit.repeat(room / unit.len())))
            }
            // Pointers to pointers, with labels between them, and aliases of the last.
            4 => one(client.udp(&chained_pointers(a % 128, b % 16, room))),
            // A hello with so many empty extensions, and so many names.
            5 => {
                let sni = server_names(a % 254, c % 20);
                let extensions = room.saturating_sub(60 + sni.len()) / 4;
                hello(
                    &[&[0, 99, 0, 0].repeat(extensions)[..], &sni].concat(),
                    d % 300,
                    room,
                )
            }
            // The start of a hello is held, in records of few octets; the next octets come.
            6 => {
                let octets = 1 + a % 8;
                let whole =
                    hello(&[0, 99, 0, 0].repeat(1_100), 0, usize::MAX).remove(0)[74..].to_vec();
                let records: Vec<u8> = in_records(&whole, octets).into_iter().take(4_600).collect();
                let cut = 1 + b % 4_500;
                in_segments(
                    &Wrap::v6(443),
                    99,
                    &records,
                    &[0, 10, cut.max(11).min(records.len() - 1)],
                )
            }
            // Queries in one datagram, with octets between them.
            7 => {
                let one_message = message(
                    1,
                    [1, 0],
                    &[&name(a % 128, b % 64)[..], &[0, 1, 0, 1]].concat(),
                );
                let unit = [&one_message[..], &vec![u8::from(d % 2 == 0); c % 70]].concat();
                one(client.udp(&unit.repeat(room / unit.len())))
            }
            // What looks like headers of queries behind a query, with labels behind each.
            8 => {
                let first = message(
                    1,
                    [1, 0],
                    &[&name(1 + a % 4, 3)[..], &[0, 1, 0, 1]].concat(),
                );
                let label = [&[1][..], &[0; 1]].concat().repeat(b % 40);
                let unit = [&[0, 0, 1, 0, 0, 1, 0, 0, 0, 0][..], &[0, 0], &label].concat();
                let unit = &unit[..unit.len() - c % 8];
                one(client
                    .udp(&[&first[..], &unit.repeat((room - first.len()) / unit.len())].concat()))
            }
            // Records before a hello, and messages without octets.
            _ => {
                if a % 2 == 0 {
                    return one(Wrap::v6(53).tcp(&[0, 0].repeat(room / 2)));
                }
                one(Wrap::v6(443).tcp(&[22, 3, 1, 0, 0].repeat(room / 5)))
            }
        }
    }
}

/// A response with pointers to pointers, a label between so many of them, and aliases of the last.
fn chained_pointers(labels: usize, every: usize, room: usize) -> Vec<u8> {
    let mut chain = name(1, 1);
    let mut last = 12 + 3 + 4 + 11;
    for place in 0..labels * (1 + every) {
        let here = 12 + 3 + 4 + 11 + chain.len();
        if place % (1 + every) == 0 {
            chain.extend(b"\x01a");
        }
        chain.extend(pointer(last));
        last = here;
    }
    chain.truncate(room / 2);
    let length = u16::try_from(chain.len()).unwrap().to_be_bytes();
    let unread = [&[0, 0, 16, 0, 1, 0, 0, 0, 0][..], &length, &chain].concat();
    let alias = [&[0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2][..], &pointer(last)].concat();
    let aliases = (room.saturating_sub(40 + unread.len()) / alias.len()).min(0xfffe);
    let rest = [
        &name(1, 1)[..],
        &[0, 1, 0, 1],
        &unread,
        &alias.repeat(aliases),
    ]
    .concat();
    message(0x80, [1, 1 + aliases], &rest)
}

/// The extension with so many server names of so many octets.
fn server_names(octets: usize, count: usize) -> Vec<u8> {
    let names = [
        &[0][..],
        &u16::try_from(octets).unwrap().to_be_bytes(),
        &b"a.".repeat(octets / 2),
    ]
    .concat();
    let names = names.repeat(count);
    let list = u16::try_from(names.len()).unwrap();
    [
        &[0, 0][..],
        &(list + 2).to_be_bytes(),
        &list.to_be_bytes(),
        &names,
    ]
    .concat()
}

/// A segment with a hello with these extensions, in records of so many octets, as far as there is
/// room.
fn hello(extensions: &[u8], octets: usize, room: usize) -> Vec<Vec<u8>> {
    let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0, 0, 2, 0, 0x2f, 1, 0],
        &length,
        extensions,
    ]
    .concat();
    let handshake = [
        &[1, 0][..],
        &u16::try_from(body.len()).unwrap().to_be_bytes(),
        &body,
    ]
    .concat();
    let record = [
        &[22, 3, 1][..],
        &u16::try_from(handshake.len()).unwrap().to_be_bytes(),
        &handshake,
    ]
    .concat();
    let mut records = if octets == 0 {
        record
    } else {
        in_records(&record, octets)
    };
    records.truncate(room);
    vec![Wrap::v6(443).tcp(&records)]
}
