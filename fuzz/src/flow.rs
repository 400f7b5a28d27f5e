//! What holds of the segments of one flow: cut in whatever way, in whatever order, they are judged
//! as the whole is.

use std::{collections::BTreeSet, ops::Range};

use filter_core::{Counter, MessageBuffer, Offline, Reason, Verdict};

use super::{
    segment::Ends,
    world::{self, Listed},
};

/// Bytes that are held of a message, and so of a payload here.
const LONGEST: usize = MessageBuffer::LEN as usize;
/// Pieces beyond gaps that are held of a flow at once.
const GAPS: usize = 4;
/// Segments that a conversation lists at most.
const SEGMENTS: u8 = 31;
/// DNS messages that are judged in a segment; what is behind them waits for the next segment of the
/// flow.
const MESSAGES: usize = 128;
/// What a record of a ClientHello starts with, up to the message's type (RFC 8446 §5.1 and §4).
const HELLO: [Option<u8>; 6] = [Some(22), Some(3), None, None, None, Some(1)];

/// A payload, and how it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// The flags of [`flags`].
    pub flags: u8,
    /// The segments as offsets and lengths, in the order in which they are sent. What is in none of
    /// them is sent at the end.
    pub segments: Vec<(u16, u16)>,
    /// A ClientHello, or DNS messages with their lengths.
    pub payload: Vec<u8>,
}

/// Flags of a conversation.
pub mod flags {
    /// It starts with a SYN; without, the first octet is sent first.
    pub const SYN: u8 = 1;
    /// Over IPv6.
    pub const V6: u8 = 2;
    /// To port 53, and not 443.
    pub const DNS: u8 = 4;
    /// Sequence numbers go past zero within the payload.
    pub const WRAPS: u8 = 8;
    /// If the first segment has the first octet, the SYN brings it (RFC 7413).
    pub const FAST_OPEN: u8 = 16;
}

/// What came of frames.
struct Judged {
    filter: Offline<Listed>,
    reasons: Vec<Reason>,
    names: BTreeSet<String>,
}

impl Conversation {
    /// Reads what [`Conversation::to_bytes`] writes, and takes any other bytes for something like
    /// it. `None` if the payload is not what the flags say that it is.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [flags, count, rest @ ..] = bytes else {
            return None;
        };
        let (segments, payload) =
            rest.split_at_checked(4 * usize::from(*count % (SEGMENTS + 1)))?;
        let (segments, _) = segments.as_chunks();
        let segment = |[f0, f1, l0, l1]: &[u8; 4]| {
            (
                u16::from_be_bytes([*f0, *f1]),
                u16::from_be_bytes([*l0, *l1]),
            )
        };
        let conversation = Self {
            flags: *flags,
            segments: segments.iter().map(segment).collect(),
            payload: payload.get(..LONGEST).unwrap_or(payload).to_vec(),
        };
        let is_meant = if conversation.has(flags::DNS) {
            !conversation.may_be_hello() && messages(&conversation.payload) <= MESSAGES
        } else {
            conversation.may_be_hello()
        };
        (!payload.is_empty() && is_meant).then_some(conversation)
    }

    /// Flags, number of segments, the segments with two octets for each number, and the payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self
            .segments
            .iter()
            .flat_map(|(from, len)| [*from, *len])
            .flat_map(u16::to_be_bytes);
        let count = u8::try_from(self.segments.len())
            .unwrap_or(SEGMENTS)
            .min(SEGMENTS);
        [self.flags, count]
            .into_iter()
            .chain(numbers)
            .chain(self.payload.iter().copied())
            .collect()
    }

    /// Decides over the segments, and over the payload in one.
    ///
    /// # Panics
    /// If the segments are not judged as the whole is.
    pub fn check(&self) {
        let ranges = self.ranges();
        let whole = 0..self.payload.len();
        let one = self.judge(std::slice::from_ref(&whole), true);
        if one.is_beyond()
            || (!self.has(flags::SYN) && self.has(flags::DNS) && self.may_be_joined_again(&ranges))
        {
            return;
        }
        let mut split = self.judge(&ranges, true);
        assert_eq!(
            split.reasons,
            self.judge(&ranges, false).reasons,
            "reporting what passes changes nothing"
        );
        let said = format!(
            "the whole: {:?}; segments {ranges:?}: {:?}",
            one.reasons, split.reasons
        );
        let names = |judged: &Judged| format!("{:?}", judged.names);
        let (all, found) = (names(&one), names(&split));
        assert!(
            one.names.is_subset(&split.names),
            "of the names {all} there are {found}; {said}"
        );
        if one.is_dropped() {
            assert!(
                split.is_dropped(),
                "a segment is dropped if the whole is; {said}"
            );
            assert!(
                !is_covered(&whole, &split.passed(&ranges)),
                "not all of what is dropped comes through; {said}"
            );
            let again = split.filter.decide(&self.frame(&whole, false));
            assert_eq!(
                again.verdict(),
                Verdict::Drop,
                "what is dropped is dropped when it is sent again; {said}"
            );
        } else if self.is_exact(&ranges) {
            assert!(
                !split.is_dropped(),
                "no segment is dropped if the whole is not; {said}"
            );
            assert_eq!(
                one.names, split.names,
                "the names are those of the whole; {said}"
            );
            assert_eq!(
                one.counted(),
                split.counted(),
                "the counters are those of the whole; {said}"
            );
        }
    }

    /// The segments that are sent.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let len = self.payload.len();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (from, octets) in &self.segments {
            let (from, octets) = (usize::from(*from).min(len), usize::from(*octets));
            let to = (from + octets).min(len);
            let range = if ranges.is_empty() && !self.has(flags::SYN) {
                0..to
            } else {
                from..to
            };
            let with_it = [&ranges[..], std::slice::from_ref(&range)].concat();
            if !range.is_empty() && islands(&with_it) <= GAPS {
                ranges = with_it;
            }
        }
        while let Some(gap) = first_gap(len, &ranges) {
            ranges.push(gap);
        }
        ranges
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn may_be_hello(&self) -> bool {
        self.payload
            .iter()
            .zip(HELLO)
            .all(|(octet, expected)| expected.is_none_or(|expected| *octet == expected))
    }

    /// True if each octet is sent once, and no later segment could be taken for the start of
    /// another message.
    fn is_exact(&self, ranges: &[Range<usize>]) -> bool {
        let sent: usize = ranges.iter().map(Range::len).sum();
        let starts =
            |range: &Range<usize>| matches!(self.payload.get(range.start), Some(20 | 22 | 0x80..));
        sent == self.payload.len() && !ranges.iter().any(|range| range.start > 0 && starts(range))
    }

    /// True if a segment starts with what looks like another message, though it is the middle of
    /// one: without a SYN, such a stream is judged from there.
    fn may_be_joined_again(&self, ranges: &[Range<usize>]) -> bool {
        let is_message = |start: usize| {
            let octets = self.payload.get(start..).unwrap_or_default();
            matches!(octets, [_, _, _, _, flags, _, 0, 1, 0, _, 0, _, 0, _, ..] if flags & 0x78 == 0)
        };
        ranges
            .iter()
            .any(|range| range.start > 0 && is_message(range.start))
    }

    fn judge(&self, ranges: &[Range<usize>], report_passed: bool) -> Judged {
        let mut filter = world::filter(report_passed);
        let fast_open =
            self.has(flags::FAST_OPEN) && ranges.first().is_some_and(|first| first.start == 0);
        if self.has(flags::SYN) && !fast_open {
            filter.decide(&self.frame(&(0..0), true));
        }
        let frame =
            |(place, range)| self.frame(range, place == 0 && self.has(flags::SYN) && fast_open);
        let reasons = ranges
            .iter()
            .enumerate()
            .map(frame)
            .map(|frame| filter.decide(&frame))
            .collect();
        let names = world::take_names(&mut filter);
        Judged {
            filter,
            reasons,
            names,
        }
    }

    fn frame(&self, range: &Range<usize>, syn: bool) -> Vec<u8> {
        let first = if self.has(flags::WRAPS) {
            100_u32.wrapping_neg()
        } else {
            1_000
        };
        let ends = Ends {
            v6: self.has(flags::V6),
            port: if self.has(flags::DNS) { 53 } else { 443 },
        };
        let sequence = first
            .wrapping_add(u32::try_from(range.start).unwrap_or_default())
            .wrapping_sub(u32::from(syn));
        ends.segment(
            sequence,
            syn,
            self.payload.get(range.clone()).unwrap_or_default(),
        )
    }
}

impl Judged {
    fn is_dropped(&self) -> bool {
        self.reasons
            .iter()
            .any(|reason| reason.verdict() == Verdict::Drop)
    }

    /// True if it took more work than a packet may, or has more records before a hello than are
    /// read.
    fn is_beyond(&self) -> bool {
        let beyond = [
            Reason::DnsBeyond,
            Reason::DnsBeyondDropped,
            Reason::TlsBeyond,
        ];
        self.reasons.iter().any(|reason| beyond.contains(reason))
    }

    /// The segments that come through.
    fn passed(&self, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
        let segments = ranges.iter().zip(&self.reasons);
        segments
            .filter(|(_, reason)| reason.verdict() == Verdict::Pass)
            .map(|(range, _)| range.clone())
            .collect()
    }

    /// What is counted once for a message, in however many segments it comes.
    fn counted(&self) -> Vec<(Counter, u64)> {
        let once = [Counter::EncryptedClientHello, Counter::DnsSeveralQuestions];
        self.filter
            .counters()
            .into_iter()
            .filter(|(counter, _)| once.contains(counter))
            .collect()
    }
}

/// Number of DNS messages, each behind its length (RFC 1035 §4.2.2).
fn messages(mut stream: &[u8]) -> usize {
    let mut messages = 0;
    while let Some((length, rest)) = stream.split_first_chunk() {
        messages += 1;
        stream = rest
            .get(usize::from(u16::from_be_bytes(*length))..)
            .unwrap_or_default();
    }
    messages
}

/// What is missing first of `0..len`.
fn first_gap(len: usize, ranges: &[Range<usize>]) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(range) = ranges.iter().find(|range| range.contains(&from)) {
        from = range.end;
    }
    if from >= len {
        return None;
    }
    let to = ranges
        .iter()
        .map(|range| range.start)
        .filter(|start| *start > from)
        .min();
    Some(from..to.unwrap_or(len))
}

fn is_covered(whole: &Range<usize>, ranges: &[Range<usize>]) -> bool {
    first_gap(whole.end, ranges).is_none()
}

/// Number of pieces beyond the first gap.
fn islands(ranges: &[Range<usize>]) -> usize {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    let mut islands = 0;
    let mut end = 0;
    for range in sorted {
        islands += usize::from(range.start > end);
        end = end.max(range.end);
    }
    islands
}
