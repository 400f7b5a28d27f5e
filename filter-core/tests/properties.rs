//! What holds of any frame.

mod engine;

use filter_core::{Name, Reason, RuleKey, Verdict};
use frames::Wrap;
use proptest::{
    collection::vec,
    prelude::{any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::{Index, select},
    strategy::{Just, Strategy},
};

const LISTED: &str = "ads.example.com";
const OTHER: &str = "web.example.com";

fn rule() -> RuleKey {
    engine::key().rule_key(LISTED).unwrap()
}

fn judge(frame: &[u8]) -> (Reason, Name) {
    let mut offline = engine::offline(&engine::one_bucket(), &[LISTED]);
    let reason = offline.decide(frame);
    (reason, *offline.name())
}

/// True if a rule, or a query that asks for several names, has the frame dropped.
fn is_dropped_by_rule(frame: &[u8]) -> bool {
    let (reason, _) = judge(frame);
    reason.verdict() == Verdict::Drop && reason != Reason::DnsQuestionsRefused
}

fn is_about_name(reason: Reason) -> bool {
    reason.message().is_some()
}

const NAMES: [&str; 4] = [LISTED, OTHER, "x.ads.example.com", "com"];

/// Frames of each kind that is judged.
fn judged_frame() -> impl Strategy<Value = Vec<u8>> {
    let wrap = |port| prop_oneof![Just(Wrap::v4(port)), Just(Wrap::v6(port))];
    let name = || select(&NAMES[..]);
    let query = (wrap(53), 0..=2_u8, name())
        .prop_map(|(wrap, tags, name)| wrap.vlan(tags).udp(&frames::query(name)));
    let hello = (wrap(443), 0..=2_u8, name())
        .prop_map(|(wrap, tags, name)| wrap.vlan(tags).tcp(&frames::client_hello(name)));
    prop_oneof![query, hello]
}

/// Nothing, the header of a query, and the headers of a hello.
const STARTS: [&[u8]; 3] = [
    b"",
    b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
];

/// Payloads that get past the headers.
fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    (select(&STARTS[..]), vec(any::<u8>(), 0..600))
        .prop_map(|(start, rest)| [start, &rest[..]].concat())
}

proptest! {
    #[test]
    fn any_bytes_have_a_reason_and_no_rule_blocks_them(frame in vec(any::<u8>(), 0..2_000)) {
        prop_assert!(!is_dropped_by_rule(&frame));
    }

    #[test]
    fn any_payload_has_a_reason_and_no_rule_blocks_it(payload in any_payload()) {
        for frame in [Wrap::v4(53).udp(&payload), Wrap::v6(443).tcp(&payload)] {
            prop_assert!(!is_dropped_by_rule(&frame));
        }
    }

    #[test]
    fn a_name_is_always_bytes_of_the_frame(
        mut frame in judged_frame(),
        changes in vec((any::<Index>(), any::<u8>()), 0..8),
        end in prop::option::weighted(0.3, any::<Index>()),
    ) {
        for (at, byte) in changes {
            *at.get_mut(&mut frame[..]) = byte;
        }
        let end = end.map_or(frame.len(), |end| end.index(frame.len() + 1));
        frame.truncate(end);
        let (reason, name) = judge(&frame);
        if is_about_name(reason) {
            let octets = name.octets();
            prop_assert!(frame.windows(octets.len()).any(|bytes| bytes == octets), "{name:?} in {frame:02x?}");
        }
        if is_dropped_by_rule(&frame) {
            prop_assert_eq!(name.matched(), rule());
        }
    }

    #[test]
    fn a_judged_frame_blocks_exactly_what_the_rule_does(frame in judged_frame()) {
        let (reason, name) = judge(&frame);
        let name = name.to_string();
        let blocked = name == LISTED || name.ends_with(&format!(".{LISTED}"));
        prop_assert!(is_about_name(reason), "{reason:?}");
        prop_assert_eq!(reason.verdict() == Verdict::Drop, blocked, "{}", name);
    }

    #[test]
    fn padding_changes_no_decision(frame in judged_frame(), padding in vec(any::<u8>(), 0..100)) {
        let (reason, name) = judge(&frame);
        let (padded_reason, padded_name) = judge(&[&frame[..], &padding].concat());
        prop_assert_eq!((padded_reason, padded_name.to_string()), (reason, name.to_string()));
    }

    #[test]
    fn a_frame_that_is_cut_blocks_nothing_that_it_would_not_block_whole(frame in judged_frame(), end in any::<Index>()) {
        let cut = &frame[..end.index(frame.len())];
        let (cut_reason, cut_name) = judge(cut);
        let (reason, name) = judge(&frame);
        if is_about_name(cut_reason) {
            prop_assert_eq!((cut_reason, cut_name.to_string()), (reason, name.to_string()));
        }
    }
}

#[test]
fn a_frame_is_cut_wherever_its_headers_end_early() {
    let frame = Wrap::v4(53).udp(&frames::query(LISTED));
    for end in 0..42 {
        assert_eq!(judge(&frame[..end]).0, Reason::HeadersCut, "{end} bytes");
    }
    assert_eq!(judge(&frame).0, Reason::DnsBlocked);
}
