use filter_core::Reason;
use frames::Wrap;

use super::*;

/// Offset of the question in a message (RFC 1035 §4.1).
const QUESTION: usize = 12;
const QUESTION_COUNT: usize = 4;

fn ask(message: &[u8]) -> Decided {
    let v4 = judge(&Wrap::v4(53).udp(message));
    assert_eq!(judge(&Wrap::v6(53).udp(message)), v4, "IPv6 as IPv4");
    v4
}

fn reason(message: &[u8]) -> Reason {
    ask(message).reason
}

#[test]
fn a_rule_blocks_its_name_and_what_is_below_in_any_case() {
    for name in [
        "ads.example.com",
        "x.ads.example.com",
        "a.b.c.ads.example.com",
        "tracker.example",
        "_dns.tracker.example",
    ] {
        assert_eq!(
            ask(&frames::query(name)),
            Decided::of(Reason::DnsBlocked, name)
        );
        assert_eq!(
            ask(&frames::query(&name.to_uppercase())),
            Decided::of(Reason::DnsBlocked, name)
        );
    }
    assert_eq!(
        ask(&frames::query("aDs.ExAmPlE.cOm")),
        Decided::of(Reason::DnsBlocked, LISTED)
    );
}

#[test]
fn a_rule_blocks_neither_parents_nor_siblings_nor_lookalikes() {
    for name in [
        "example.com",
        "com",
        "web.example.com",
        "xads.example.com",
        "ads.example.com.example",
        "ads.example.org",
        "adsxexample.com",
        "example.ads.com",
        "tracker",
        "tracker.example.com",
    ] {
        assert_eq!(
            ask(&frames::query(name)),
            Decided::of(Reason::DnsNotListed, name)
        );
    }
}

#[test]
fn a_dot_inside_a_label_divides_nothing() {
    let wire = |name: &[u8]| [&frames::query(".")[..QUESTION], name, &[0, 0, 1, 0, 1]].concat();
    assert_eq!(
        ask(&wire(b"\x0bads.example\x03com")),
        Decided::of(Reason::DnsNotListed, "ads\\x2eexample.com")
    );
    assert_eq!(
        reason(&wire(b"\x03ads\x07example\x03com")),
        Reason::DnsBlocked
    );
}

#[test]
fn the_root_is_a_name_like_any() {
    assert_eq!(
        ask(&frames::query(".")),
        Decided::of(Reason::DnsNotListed, ".")
    );
}

#[test]
fn edns_and_what_else_follows_the_question_changes_nothing() {
    for (name, expected) in [(LISTED, Reason::DnsBlocked), (OTHER, Reason::DnsNotListed)] {
        assert_eq!(reason(&frames::query(name)), expected);
        assert_eq!(reason(&frames::query_without_edns(name)), expected);
        assert_eq!(
            reason(&[&frames::query(name)[..], &[0xff; 300]].concat()),
            expected,
            "trailing bytes"
        );
    }
}

#[test]
fn the_zone_of_an_update_is_judged_as_a_question_is() {
    assert_eq!(reason(&frames::update(LISTED)), Reason::DnsBlocked);
    assert_eq!(reason(&frames::update(OTHER)), Reason::DnsNotListed);
}

#[test]
fn the_question_of_a_response_is_judged() {
    assert_eq!(
        ask(&frames::response(LISTED)),
        Decided::of(Reason::DnsResponseBlocked, LISTED)
    );
    assert_eq!(
        ask(&frames::response(OTHER)),
        Decided::of(Reason::DnsResponseNotListed, OTHER)
    );
}

#[test]
fn a_query_with_several_questions_is_refused_and_those_of_which_one_is_listed_are_blocked() {
    const REFUSED: Reason = Reason::DnsQuestionsRefused;
    assert_eq!(reason(&frames::query_of(&[])), Reason::DnsNoQuestion);
    assert_eq!(reason(&frames::query_of(&[LISTED])), Reason::DnsBlocked);
    assert_eq!(reason(&frames::query_of(&[OTHER, "example.org"])), REFUSED);
    assert_eq!(
        reason(&frames::query_of(&[LISTED, OTHER])),
        Reason::DnsBlocked
    );
    assert_eq!(
        reason(&frames::query_of(&[OTHER, LISTED, OTHER])),
        Reason::DnsBlocked
    );
    for (before, expected) in [
        (2, Reason::DnsBlocked),
        (3, Reason::DnsBlocked),
        (4, REFUSED),
        (100, REFUSED),
    ] {
        let names = [&vec![OTHER; before][..], &[LISTED]].concat();
        assert_eq!(
            reason(&frames::query_of(&names)),
            expected,
            "{before} before"
        );
    }
    let fewer = with(&frames::query_of(&[OTHER, LISTED]), QUESTION_COUNT, &[0, 1]);
    assert_eq!(reason(&fewer), Reason::DnsNotListed, "the second is none");
    let more = with(&frames::query_without_edns(OTHER), QUESTION_COUNT, &[1, 0]);
    assert_eq!(
        reason(&more),
        Reason::DnsCut,
        "256 questions, of which one is there"
    );
    let more = with(&frames::query_without_edns(LISTED), QUESTION_COUNT, &[1, 0]);
    assert_eq!(
        reason(&more),
        Reason::DnsBlocked,
        "256 questions, of which the first is listed"
    );
}

/// RFC 6762 §5.3.
#[test]
fn a_query_of_multicast_dns_may_have_several_questions() {
    let query = frames::query_of(&[OTHER, OTHER]);
    for (wrap, expected) in [
        (
            Wrap {
                from: 53,
                ..Wrap::v4(5353)
            },
            Reason::DnsNotListed,
        ),
        (
            Wrap {
                from: 5353,
                ..Wrap::v4(53)
            },
            Reason::DnsQuestionsRefused,
        ),
    ] {
        assert_reason(&wrap.udp(&query), expected, "by its destination port");
    }
}

#[test]
fn a_pointer_in_a_question_leads_to_anywhere_behind_the_header() {
    let query = frames::query(LISTED);
    // To nowhere, to a pointer or a label that leads back to it, and to another type of label.
    for (target, first, second) in [
        (0, Reason::DnsPointer, Reason::DnsPointer),
        (11, Reason::DnsPointer, Reason::DnsPointer),
        (12, Reason::DnsPointer, Reason::DnsNameTooLong),
        (255, Reason::DnsPointer, Reason::DnsPointer),
    ] {
        assert_eq!(
            reason(&with(&query, QUESTION, &[0xc0, target])),
            first,
            "first, {target}"
        );
        assert_eq!(
            reason(&with(&query, QUESTION + 4, &[0xc0, target])),
            second,
            "second, {target}"
        );
    }
    // To behind the question: dnsmasq answers that, BIND and Unbound refuse it, whatever the name
    // is.
    for name in ["example.com", "example.net"] {
        let whole = frames::query_without_edns(name);
        let (header, name) = (&whole[..QUESTION], &whole[QUESTION..whole.len() - 4]);
        let forward = [header, b"\x03ads\xc0\x16\0\x01\0\x01", name].concat();
        assert_eq!(
            reason(&forward),
            Reason::DnsQuestionsRefused,
            "a label, and the rest behind"
        );
        let segment = Wrap::v4(53).tcp(&frames::over_tcp(&forward));
        assert_reason(&segment, Reason::DnsQuestionsRefused, "over TCP");
    }
}

#[test]
fn unknown_label_types_pass_as_such() {
    // RFC 2673, and the one that nothing uses.
    for kind in [0x40, 0x80_u8] {
        let query = frames::query(LISTED);
        assert_eq!(
            reason(&with(&query, QUESTION, &[kind, 12])),
            Reason::DnsLabelType,
            "first, {kind:#x}"
        );
        assert_eq!(
            reason(&with(&query, QUESTION + 4, &[kind, 12])),
            Reason::DnsLabelType,
            "second, {kind:#x}"
        );
    }
}

#[test]
fn labels_of_63_octets_are_judged_and_64_are_a_label_type() {
    let name = format!("{}.{LISTED}", "a".repeat(63));
    let query = frames::query(&name);
    assert_eq!(ask(&query), Decided::of(Reason::DnsBlocked, &name));
    let longer = [&query[..QUESTION], &[64, b'a'], &query[QUESTION + 1..]].concat();
    assert_eq!(reason(&longer), Reason::DnsLabelType);
}

#[test]
fn names_of_255_octets_are_judged_and_256_are_too_long() {
    for labels in [118, 119] {
        // 17 octets of `ads.example.com`, and two for each label.
        let query = frames::query(&format!("{}{LISTED}", "a.".repeat(labels)));
        assert_eq!(
            reason(&query),
            Reason::DnsBlocked,
            "{} octets",
            17 + 2 * labels
        );
    }
    let longest = frames::query(&format!("{}{LISTED}", "a.".repeat(119)));
    let longer = [&longest[..QUESTION], &[2, b'a'], &longest[QUESTION + 1..]].concat();
    assert_eq!(reason(&longer), Reason::DnsNameTooLong);
    let without_end = [&longest[..QUESTION], &b"\x01a".repeat(400)].concat();
    assert_eq!(reason(&without_end), Reason::DnsNameTooLong);
}

#[test]
fn a_message_that_ends_in_its_question_is_cut_wherever_it_ends() {
    let query = frames::query_without_edns(LISTED);
    for end in 0..query.len() {
        assert_eq!(reason(&query[..end]), Reason::DnsCut, "{end} octets");
    }
    assert_eq!(reason(&query), Reason::DnsBlocked);
}

#[test]
fn a_frame_that_ends_in_its_question_is_cut_wherever_it_ends() {
    let frame = Wrap::v4(53).udp(&frames::query_without_edns(LISTED));
    for end in 42..frame.len() {
        assert_reason(&frame[..end], Reason::DnsCut, &format!("{end} bytes"));
    }
}

#[test]
fn an_empty_message_is_cut_and_noise_is_whatever_its_header_says() {
    assert_eq!(reason(&[]), Reason::DnsCut);
    assert_eq!(reason(&[0; 12]), Reason::DnsNoQuestion);
    assert_eq!(reason(&[0xff; 40]), Reason::DnsPointer);
}
