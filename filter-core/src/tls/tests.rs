use std::ops::Range;

use proptest::{collection::vec, prelude::any, prop_assert, proptest};

use super::*;
use crate::{packet::LoopState, reason::Reason};

/// Takes names, and knows nothing of rules.
struct Names<'p> {
    packet: &'p [u8],
    walk: HelloWalk,
    found: Vec<Range<usize>>,
    encrypted: usize,
    /// What becomes of each.
    reason: Reason,
}

impl LoopState for Names<'_> {}

impl<'p> Sink<'p> for Names<'p> {
    type Bytes = [u8];

    fn packet(&self) -> &'p [u8] {
        self.packet
    }

    fn walk(&mut self) -> &mut HelloWalk {
        &mut self.walk
    }

    fn server_name(&mut self, at: u32, octets: u32) -> Reason {
        self.found.push(at as usize..(at + octets) as usize);
        self.reason
    }

    fn encrypted(&mut self) {
        self.encrypted += 1;
    }
}

fn read(packet: &[u8], reason: Reason) -> (HelloEnd, Names<'_>) {
    let mut names = Names {
        packet,
        walk: HelloWalk::default(),
        found: Vec::new(),
        encrypted: 0,
        reason,
    };
    let end = client_hello(&mut names, 0, packet.len() as u32);
    (end, names)
}

#[test]
fn a_hello_is_read_without_any_policy() {
    let hello = frames::Hello::of_names(&[(0, "a.example"), (0, "b.example")]).record();
    let (end, names) = read(&hello, Reason::TlsNotListed);
    let texts: Vec<_> = names
        .found
        .iter()
        .map(|name| &hello[name.clone()])
        .collect();
    assert_eq!(texts, [b"a.example", b"b.example"]);
    assert_eq!(
        (end, names.encrypted),
        (
            HelloEnd {
                reason: Reason::TlsNotListed,
                goes_on: false
            },
            0
        )
    );
}

#[test]
fn no_name_follows_one_that_ends_the_judging() {
    let hello = frames::Hello::of_names(&[(0, "a.example"), (0, "b.example")]).record();
    let (end, names) = read(&hello, Reason::TlsBlocked);
    assert_eq!((end.reason, names.found.len()), (Reason::TlsBlocked, 1));
}

proptest! {
    #[test]
    fn names_lie_within_any_bytes(start in 0..10_usize, rest in vec(any::<u8>(), 0..300)) {
        let hello = frames::client_hello("a.example");
        let packet = [&hello[..start * hello.len() / 9], &rest].concat();
        let (_, names) = read(&packet, Reason::TlsNotListed);
        prop_assert!(names.found.len() <= 16 && names.found.iter().all(|name| name.end <= packet.len()));
    }
}
