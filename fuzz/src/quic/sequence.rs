//! A handshake in several packets and datagrams: split, out of order, sent again, damaged.

use std::ops::Range;

use filter_core::{Offline, Reason};
use frames::{Initial, crypto_frame};

use super::{
    super::world::{self, Listed},
    ID, LONGEST, damaged, decide_damaged, filter, frame, of_quic, over_tcp, version,
};

/// Parts that a sequence lists at most.
const PARTS: u8 = 15;
/// Packets of a datagram at most: as many are looked at.
const PACKETS: usize = 8;
const PING: u8 = 1;

/// A handshake, and how it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Selects a version.
    pub version: u8,
    /// The parts, in the order in which they are sent. What is in none of them is sent at the end.
    pub parts: Vec<Part>,
    /// The handshake, of which the filter has the room for all.
    pub handshake: Vec<u8>,
}

/// A CRYPTO frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The offset, and how many octets there are.
    pub range: (u16, u16),
    /// The flags of [`flags`].
    pub flags: u8,
    /// Which bit is damaged of what is sent damaged.
    pub damaged: u8,
}

/// Flags of a part.
pub mod flags {
    /// It begins a datagram.
    pub const DATAGRAM: u8 = 1;
    /// It begins a packet.
    pub const PACKET: u8 = 2;
    /// A PING comes before it.
    pub const PING: u8 = 4;
    /// Padding comes before it.
    pub const PADDING: u8 = 8;
    /// Its datagram is sent twice.
    pub const TWICE: u8 = 16;
    /// Its datagram's first packet comes damaged and alone before it.
    pub const DAMAGED: u8 = 32;
}

/// Packets that are sent together.
#[derive(Default)]
struct Datagram {
    packets: Vec<Vec<u8>>,
    twice: bool,
    damaged: Option<u16>,
}

impl Sequence {
    /// Reads what [`Sequence::to_bytes`] writes, and takes any other bytes for something like it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [version, count, rest @ ..] = bytes else {
            return None;
        };
        let (parts, handshake) = rest.split_at_checked(6 * usize::from(*count % (PARTS + 1)))?;
        let part = |[f0, f1, l0, l1, flags, damaged]: &[u8; 6]| Part {
            range: (
                u16::from_be_bytes([*f0, *f1]),
                u16::from_be_bytes([*l0, *l1]),
            ),
            flags: *flags,
            damaged: *damaged,
        };
        let (parts, _) = parts.as_chunks();
        let handshake = handshake.get(..LONGEST).unwrap_or(handshake).to_vec();
        (!handshake.is_empty()).then(|| Self {
            version: *version,
            parts: parts.iter().map(part).collect(),
            handshake,
        })
    }

    /// The version, the number of parts, six octets for each, and the handshake.
    pub fn to_bytes(&self) -> Vec<u8> {
        let part = |part: &Part| {
            let ([f0, f1], [l0, l1]) = (part.range.0.to_be_bytes(), part.range.1.to_be_bytes());
            [f0, f1, l0, l1, part.flags, part.damaged]
        };
        let count = u8::try_from(self.parts.len()).unwrap_or(PARTS).min(PARTS);
        let parts = self.parts.iter().take(count.into()).flat_map(part);
        [self.version, count]
            .into_iter()
            .chain(parts)
            .chain(self.handshake.iter().copied())
            .collect()
    }

    /// Decides over the datagrams, and over the handshake in one segment of TCP.
    ///
    /// # Panics
    /// If the datagrams are not judged as the whole is, or anything damaged is.
    pub fn check(&self) {
        let (whole, names_of_whole) = over_tcp(&self.handshake);
        let mut filter = filter();
        let reasons = self.decide(&mut filter);
        let names = world::take_names(&mut filter);
        let said = format!("the whole: {whole:?}; datagrams: {reasons:?}");
        let found: Vec<_> = reasons
            .iter()
            .filter(|reason| reason.message().is_some())
            .collect();
        let Some(expected) = of_quic(whole) else {
            assert!(
                !found.contains(&&Reason::QuicBlocked),
                "nothing is blocked unless the whole is; {said}"
            );
            return;
        };
        assert_eq!(
            found,
            [&expected],
            "one datagram is judged, as the whole is; {said}"
        );
        assert_eq!(
            names, names_of_whole,
            "the names are those of the whole; {said}"
        );
        let place = reasons
            .iter()
            .position(|reason| *reason == expected)
            .unwrap_or_default();
        let (before, behind) = reasons.split_at(place);
        let is_waiting =
            |reason: &Reason| matches!(reason, Reason::QuicHelloSplit | Reason::QuicNoHello);
        assert!(
            before.iter().all(is_waiting),
            "nothing is known before; {said}"
        );
        let after = if expected == Reason::QuicBlocked {
            Reason::QuicFlowBlocked
        } else {
            Reason::QuicJudged
        };
        assert!(
            behind.iter().skip(1).all(|reason| *reason == after),
            "the verdict binds what follows; {said}"
        );
    }

    /// What the datagrams met that came as they were sent.
    pub fn decide(&self, filter: &mut Offline<Listed>) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = Vec::new();
        let mut number = 0;
        for datagram in self.datagrams() {
            let sealed: Vec<_> = datagram
                .packets
                .iter()
                .map(|frames| self.seal(&mut number, frames))
                .collect();
            if let (Some(selector), Some(first)) = (datagram.damaged, sealed.first()) {
                let is_blocked = reasons.contains(&Reason::QuicBlocked);
                decide_damaged(filter, &damaged(first, selector), is_blocked);
            }
            for _ in 0..=usize::from(datagram.twice) {
                let reason = filter.decide(&frame(&sealed.concat()));
                assert!(
                    reason.as_str().starts_with("quic_"),
                    "{reason:?} is not about QUIC"
                );
                reasons.push(reason);
            }
        }
        reasons
    }

    fn seal(&self, number: &mut u8, frames: &[u8]) -> Vec<u8> {
        *number = number.wrapping_add(1);
        let packet = Initial {
            version: version(self.version),
            number: u32::from(*number),
            ..Initial::to(ID)
        };
        Initial {
            frames: frames.to_vec(),
            ..packet
        }
        .sealed()
    }

    fn datagrams(&self) -> Vec<Datagram> {
        let mut datagrams = vec![Datagram::default()];
        for (range, Part { flags, damaged, .. }) in self.ranges() {
            let has = |flag| flags & flag != 0;
            let mut frames = [has(flags::PING).then_some(PING)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>();
            frames.resize(frames.len() + if has(flags::PADDING) { 40 } else { 0 }, 0);
            frames.extend(crypto_frame(
                range.start,
                self.handshake.get(range).unwrap_or_default(),
            ));
            let Some(last) = datagrams.last_mut() else {
                continue;
            };
            let is_full = last.packets.iter().map(Vec::len).sum::<usize>() + frames.len() > LONGEST;
            let begins_packet = has(flags::PACKET) || last.packets.is_empty();
            if has(flags::DATAGRAM) || is_full || (begins_packet && last.packets.len() == PACKETS) {
                datagrams.push(Datagram::default());
            }
            let Some(last) = datagrams.last_mut() else {
                continue;
            };
            match last.packets.last_mut() {
                Some(packet) if !has(flags::PACKET) => packet.extend(frames),
                _ => last.packets.push(frames),
            }
            last.twice |= has(flags::TWICE);
            last.damaged = has(flags::DAMAGED)
                .then(|| u16::from(damaged) * 129)
                .or(last.damaged);
        }
        datagrams.retain(|datagram| !datagram.packets.is_empty());
        datagrams
    }

    /// What each part carries, and last what none of them does.
    fn ranges(&self) -> Vec<(Range<usize>, Part)> {
        let len = self.handshake.len();
        let mut ranges = Vec::new();
        let mut sent = vec![false; len];
        for part in &self.parts {
            let from = usize::from(part.range.0).min(len);
            let range = from..(from + usize::from(part.range.1)).min(len);
            sent.get_mut(range.clone()).unwrap_or_default().fill(true);
            ranges.push((range, *part));
        }
        while let Some(from) = sent.iter().position(|sent| !sent) {
            let octets = sent.iter().skip(from).take_while(|sent| !**sent).count();
            sent.iter_mut()
                .skip(from)
                .take(octets)
                .for_each(|sent| *sent = true);
            ranges.push((
                from..from + octets,
                Part {
                    flags: flags::DATAGRAM,
                    ..Part::default()
                },
            ));
        }
        ranges
    }
}
