//! One datagram with one packet, whatever is in it.

use filter_core::{MessageBuffer, Reason, Verdict};
use frames::Initial;

use super::super::world;
use super::{ID, LONGEST, damaged, decide_damaged, filter, frame, of_quic, over_tcp, version};

/// Frames, and the header of the packet that carries them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Selects a version.
    pub version: u8,
    /// Selects how many octets the packet number has, the lengths of the connection IDs and of the
    /// token.
    pub lengths: [u8; 4],
    /// Which bit is damaged of the copy that comes first.
    pub damaged: u16,
    /// The frames.
    pub frames: Vec<u8>,
}

impl Datagram {
    /// Reads what [`Datagram::to_bytes`] writes, and takes any other bytes for something like it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [version, l0, l1, l2, l3, d0, d1, frames @ ..] = bytes else {
            return None;
        };
        let frames = frames.get(..LONGEST).unwrap_or(frames).to_vec();
        Some(Self {
            version: *version,
            lengths: [*l0, *l1, *l2, *l3],
            damaged: u16::from_be_bytes([*d0, *d1]),
            frames,
        })
    }

    /// Seven octets of the header, and the frames.
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &[self.version],
            &self.lengths[..],
            &self.damaged.to_be_bytes(),
            &self.frames,
        ]
        .concat()
    }

    /// Decides over it, damaged and as it is.
    ///
    /// # Panics
    /// If the decision is not what it has to be.
    pub fn check(&self) {
        let sealed = self.packet().sealed();
        let mut filter = filter();
        decide_damaged(&mut filter, &damaged(&sealed, self.damaged), false);
        assert!(
            world::take_names(&mut filter).is_empty(),
            "a name out of a damaged packet was reported"
        );

        let reason = filter.decide(&frame(&sealed));
        assert!(
            reason.as_str().starts_with("quic_"),
            "{reason:?} is not about QUIC"
        );
        let names = world::take_names(&mut filter);
        assert!(
            reason.message().is_none() || !names.is_empty(),
            "{reason:?}, and no name was reported"
        );
        assert_eq!(
            reason.verdict() == Verdict::Drop,
            reason == Reason::QuicBlocked,
            "{reason:?} of a first packet"
        );

        let again = filter.decide(&frame(&sealed));
        match reason {
            Reason::QuicBlocked => {
                assert_eq!(again, Reason::QuicFlowBlocked, "what is blocked stays so");
            }
            _ => assert_eq!(again.verdict(), Verdict::Pass, "{reason:?} at first"),
        }

        let Some(hello) = hello(&self.frames) else {
            return;
        };
        let (in_tcp, names_in_tcp) = over_tcp(&hello);
        let expected = of_quic(in_tcp);
        let found = reason.message().is_some().then_some(reason);
        if expected.is_some() || found == Some(Reason::QuicBlocked) {
            assert_eq!(found, expected, "{reason:?}, and in TCP {in_tcp:?}");
            assert_eq!(
                names, names_in_tcp,
                "the names of {reason:?}, and those in TCP"
            );
        }
    }

    /// The packet that carries them.
    pub fn packet(&self) -> Initial {
        let [number_bytes, destination, source, token] = self.lengths.map(usize::from);
        let id = ID
            .iter()
            .copied()
            .cycle()
            .take(destination % 21)
            .collect::<Vec<_>>();
        Initial {
            version: version(self.version),
            source: vec![3; source % 21],
            token: vec![9; token],
            number: self.version.into(),
            number_bytes: 1 + number_bytes % 4,
            fixed_bit: number_bytes < 128,
            frames: self.frames.clone(),
            ..Initial::to(&id)
        }
    }
}

/// What the CRYPTO frames carry from the handshake's start on: of several copies the first counts
/// of what has come without a gap, and the last beyond. Nothing behind a frame that is none. `None`
/// if the filter does not look at it after each frame.
fn hello(mut frames: &[u8]) -> Option<Vec<u8>> {
    /// Times that the filter looks at a hello while frames of one packet come.
    const LOOKS: usize = 24;

    let mut come: Vec<Option<u8>> = vec![None; MessageBuffer::LEN as usize];
    let (mut have, mut looks) = (0, 0);
    while let Some((offset, bytes)) = next_crypto(&mut frames) {
        looks += 1;
        for (place, octet) in bytes.iter().enumerate() {
            let at = offset.saturating_add(place as u64);
            if let Some(room) = come.get_mut(at as usize).filter(|_| at >= have as u64) {
                *room = Some(*octet);
            }
        }
        have += come
            .get(have..)?
            .iter()
            .take_while(|octet| octet.is_some())
            .count();
    }
    (looks <= LOOKS).then(|| come.into_iter().map_while(|octet| octet).collect())
}

/// The next CRYPTO frame: its offset and what it carries.
fn next_crypto<'f>(frames: &mut &'f [u8]) -> Option<(u64, &'f [u8])> {
    loop {
        let (kind, rest) = frames.split_first()?;
        *frames = rest;
        match kind {
            0 | 1 => (),
            2 | 3 => {
                let [_, _, ranges] = [integer(frames)?, integer(frames)?, integer(frames)?];
                let integers =
                    1 + 2 * u64::from(u16::try_from(ranges).ok()?) + if *kind == 3 { 3 } else { 0 };
                for _ in 0..integers {
                    integer(frames)?;
                }
            }
            6 => {
                let (offset, length) = (integer(frames)?, integer(frames)?);
                let (bytes, rest) = frames.split_at_checked(usize::try_from(length).ok()?)?;
                *frames = rest;
                return Some((offset, bytes));
            }
            _ => return None,
        }
    }
}

/// RFC 9000 §16.
fn integer(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let (octets, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    *bytes = rest;
    let value = octets
        .iter()
        .fold(0, |value: u64, octet| value << 8 | u64::from(*octet));
    Some(value & (u64::MAX >> (64 - (8 * octets.len() - 2))))
}
