//! Names that TCP or QUIC carries again.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use super::Seen;

/// Names that are kept. What is sent again after so many others counts as new; at 16 bytes each,
/// with the room of the table, the set stays below 4 MiB however long the capture is.
const KEPT: usize = 1 << 16;

/// The names of the last messages of TCP and QUIC, by a hash of where they stood.
#[derive(Default)]
pub(super) struct Repeats {
    random: RandomState,
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Repeats {
    /// Takes out the names that an earlier frame had at the same place of the same flow. Within one
    /// frame nothing is a repetition: a message may hold a name twice.
    pub fn remove_from(&mut self, names: &mut Vec<Seen>) {
        let mut new = Vec::new();
        names.retain(|name| match self.place(name) {
            Some(place) if self.known.contains(&place) => false,
            place => {
                new.extend(place);
                true
            }
        });
        for place in new {
            self.keep(place);
        }
    }

    /// Where a name stands in a TCP stream, or which connection of QUIC it is of.
    fn place(&self, name: &Seen) -> Option<u64> {
        let sequence = name.sequence?;
        Some(
            self.random
                .hash_one((name.flow, sequence, &name.name, name.record)),
        )
    }

    fn keep(&mut self, place: u64) {
        if !self.known.insert(place) {
            return;
        }
        self.order.push_back(place);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use filter_core::{Reason, ResponseAction};

    use super::*;

    fn seen(name: &str, port: u16, sequence: Option<u32>) -> Seen {
        Seen {
            reason: Reason::TlsNotListed,
            action: ResponseAction::Pass,
            name: name.into(),
            rule: None,
            record: None,
            flow: (([192, 0, 2, 1], port).into(), ([192, 0, 2, 2], 443).into()),
            sequence,
        }
    }

    /// The names that are left of each frame's.
    fn left(frames: impl IntoIterator<Item = Vec<Seen>>) -> Vec<Vec<String>> {
        let mut repeats = Repeats::default();
        let mut each = |mut names: Vec<Seen>| {
            repeats.remove_from(&mut names);
            names.into_iter().map(|seen| seen.name).collect()
        };
        frames.into_iter().map(&mut each).collect()
    }

    #[test]
    fn what_tcp_sends_again_is_named_once() {
        let again = || vec![seen("a.example", 1, Some(7))];
        assert_eq!(left([again(), again()]), [vec!["a.example"], vec![]]);
    }

    #[test]
    fn another_name_flow_sequence_or_record_is_no_repetition() {
        let first = seen("a.example", 1, Some(7));
        let others = [
            seen("b.example", 1, Some(7)),
            seen("a.example", 2, Some(7)),
            seen("a.example", 1, Some(8)),
            Seen {
                record: Some(5),
                ..first.clone()
            },
        ];
        for other in others {
            assert_eq!(
                left([vec![first.clone()], vec![other.clone()]])[1],
                [other.name]
            );
        }
    }

    #[test]
    fn datagrams_and_the_names_of_one_frame_are_never_repetitions() {
        let datagram = || vec![seen("a.example", 1, None)];
        assert_eq!(
            left([datagram(), datagram()]),
            [["a.example"], ["a.example"]]
        );
        let twice = vec![seen("a.example", 1, Some(7)), seen("a.example", 1, Some(7))];
        assert_eq!(left([twice]), [["a.example", "a.example"]]);
    }

    #[test]
    fn as_many_names_are_kept_as_said_and_no_more() {
        for (others, again) in [(KEPT - 1, 0), (KEPT, 1)] {
            let mut repeats = Repeats::default();
            let first = || vec![seen("a.example", 1, Some(1))];
            repeats.remove_from(&mut first());
            for sequence in 2..others as u32 + 2 {
                repeats.remove_from(&mut vec![seen("a.example", 1, Some(sequence))]);
            }
            assert!(repeats.known.len() <= KEPT);
            let mut names = first();
            repeats.remove_from(&mut names);
            assert_eq!(names.len(), again, "after {others} others");
        }
    }
}
