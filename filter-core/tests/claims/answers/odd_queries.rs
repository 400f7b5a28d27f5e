//! Queries that are odd, and that BIND, Unbound and dnsmasq answer all the same.

use filter_core::{Counter, DnsAction, Reason, Sent, TcpAction};
use frames::{Asking, Edns, Wrap, answer, opened};

use super::{COOKIE, LISTED, OTHER, PADDING, answered, answering, clients, edns, send};

/// Code of an answer that says that the name does not exist (RFC 1035 §4.1.1).
const NX_DOMAIN: u16 = 3;
const FORMAT_ERROR: u16 = 1;
const REFUSED: u16 = 5;
/// Octets of a header.
const HEADER: usize = 12;

fn with(message: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut message = message.to_vec();
    message[at] = byte;
    message
}

/// The answer to this message over IPv4, and the same over IPv6.
#[track_caller]
fn answer_to(message: &[u8]) -> frames::Answer {
    let v4 = answered(&Wrap::v4(53).udp(message), answering(DnsAction::NxDomain));
    let v6 = answered(&Wrap::v6(53).udp(message), answering(DnsAction::NxDomain));
    assert_eq!(v4, v6);
    v4
}

/// The answer to this frame, which need not be one that etherparse reads.
#[track_caller]
fn answer_to_frame(frame: &[u8]) -> frames::Answer {
    let (reason, sent, left, counters) = send(frame, answering(DnsAction::NxDomain));
    assert_eq!(
        (reason, sent, &counters[..]),
        (Reason::DnsBlocked, Sent::Tx, &[Counter::Answered][..])
    );
    answer(&opened(&left).payload)
}

/// An OPT record with these options, as in RFC 6891 §6.1.2.
fn opt(options: &[u8]) -> Vec<u8> {
    let length = u16::try_from(options.len()).unwrap().to_be_bytes();
    [&[0, 0, 41, 4, 208, 0, 0, 0, 0][..], &length, options].concat()
}

/// A record of the root with this type and data.
fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    [
        &[0, 0, kind, 0, 1, 0, 0, 0, 0][..],
        &u16::try_from(data.len()).unwrap().to_be_bytes(),
        data,
    ]
    .concat()
}

/// A query without EDNS, with these records behind it, of which so many are said to be answers,
/// authorities and additional.
fn query_with(counts: [u8; 3], records: &[u8]) -> Vec<u8> {
    let mut message = [&frames::query_without_edns(LISTED)[..], records].concat();
    (message[7], message[9], message[11]) = (counts[0], counts[1], counts[2]);
    message
}

#[test]
fn what_is_behind_the_message_is_ignored() {
    for octets in [vec![0], vec![0xff; 3], vec![0; 400], vec![0xc0; 512]] {
        let plain = answer_to(&[&frames::query_without_edns(LISTED)[..], &octets].concat());
        assert_eq!(
            (plain.code, plain.edns.is_some()),
            (NX_DOMAIN, false),
            "{} octets",
            octets.len()
        );
        let with_edns = answer_to(&[&frames::query(LISTED)[..], &octets].concat());
        assert_eq!(
            (with_edns.code, with_edns.edns),
            (NX_DOMAIN, Some(edns(false, &[(15, &[0, 15])])))
        );
    }
}

#[test]
fn what_is_behind_the_datagram_is_ignored() {
    let mut surplus = Wrap::v4(53).udp(&[&frames::query(LISTED)[..], &[7; 11]].concat());
    let octets = u16::from_be_bytes([surplus[38], surplus[39]]) - 11;
    surplus[38..40].copy_from_slice(&octets.to_be_bytes());
    // Without a checksum (RFC 768), since etherparse makes none for a datagram that ends before its
    // packet.
    surplus[40..42].fill(0);
    let answer = answer_to_frame(&surplus);
    assert_eq!(
        (answer.code, answer.edns),
        (NX_DOMAIN, Some(edns(false, &[(15, &[0, 15])])))
    );
}

#[test]
fn flags_that_mean_nothing_in_a_query_change_nothing() {
    let plain = frames::query_without_edns(LISTED);
    for (what, at, flag) in [
        ("truncated", 2, 0x02),
        ("authoritative", 2, 0x04),
        ("recursion available", 3, 0x80),
        ("reserved", 3, 0x40),
        ("authentic data", 3, 0x20),
        ("a code", 3, 0x03),
    ] {
        let answer = answer_to(&with(&plain, at, flag));
        assert_eq!((answer.code, &*answer.flags), (NX_DOMAIN, "aa"), "{what}");
    }
}

#[test]
fn edns_is_heeded_wherever_its_record_stands() {
    let told = Some(edns(false, &[(15, &[0, 15])]));
    let (opt, other) = (opt(&[]), record(16, &[1, b'x']));
    let signature = record(250, &[7; 61]);
    for (what, counts, records, expected) in [
        ("a record", [0, 0, 1], other.clone(), &None),
        (
            "a record before it",
            [0, 0, 2],
            [&other[..], &opt].concat(),
            &told,
        ),
        (
            "a record behind it",
            [0, 0, 2],
            [&opt[..], &other].concat(),
            &told,
        ),
        ("two of it", [0, 0, 2], [&opt[..], &opt].concat(), &told),
        ("a signature", [0, 0, 1], signature.clone(), &None),
        (
            "a signature behind it",
            [0, 0, 2],
            [&opt[..], &signature].concat(),
            &told,
        ),
        ("an answer", [1, 0, 0], other.clone(), &None),
        ("an authority", [0, 1, 0], other.clone(), &None),
        (
            "an answer and an authority before it",
            [1, 1, 1],
            [&other[..], &other, &opt].concat(),
            &told,
        ),
    ] {
        let answer = answer_to(&query_with(counts, &records));
        assert_eq!((answer.code, &answer.edns), (NX_DOMAIN, expected), "{what}");
    }
}

#[test]
fn records_that_are_cut_or_missing_are_not_there() {
    let query = frames::query(LISTED);
    let end = frames::query_without_edns(LISTED).len();
    for (what, message) in [
        ("a record less than announced", query_with([0, 0, 1], &[])),
        (
            "EDNS behind all that is announced",
            query_with(
                [0, 0, 1],
                &[&record(16, &[1, b'x'])[..], &opt(&[])].concat(),
            ),
        ),
        ("EDNS that is cut", query[..query.len() - 1].to_vec()),
        (
            "EDNS with less data than it says",
            with(&query, query.len() - 1, 9),
        ),
        ("an answer that is not there", query_with([1, 0, 0], &[])),
        ("a record other than EDNS", with(&query, end + 2, 1)),
        (
            "a label of a type that there is not",
            with(&query, end, 0x40),
        ),
    ] {
        let answer = answer_to(&message);
        assert_eq!((answer.code, answer.edns), (NX_DOMAIN, None), "{what}");
    }
}

#[test]
fn options_that_contradict_themselves_are_not_heeded() {
    let padded = Asking {
        option: Some((PADDING, 8)),
        ..Asking::of(LISTED)
    }
    .query();
    for octets in [9, 6, 0] {
        let answer = answer_to(&with(&padded, padded.len() - 9, octets));
        assert_eq!(
            (answer.code, answer.edns),
            (NX_DOMAIN, Some(edns(false, &[(15, &[0, 15])]))),
            "{octets}"
        );
    }
    // A cookie that goes on behind the record.
    let cookie = Asking {
        option: Some((COOKIE, 16)),
        ..Asking::of(LISTED)
    }
    .query();
    let longer = [&with(&cookie, cookie.len() - 17, 17)[..], &[1; 8]].concat();
    assert_eq!(
        answer_to(&longer).edns,
        Some(edns(false, &[(15, &[0, 15])]))
    );
}

#[test]
fn a_cookie_behind_sixty_three_options_comes_back_and_one_behind_more_does_not() {
    for before in [0, 63, 64, 65, 200] {
        let mut options = [0xfd, 0xe9, 0, 0].repeat(before);
        options.extend([0, 10, 0, 16]);
        options.extend(0..16);
        let answer = answer_to(&query_with([0, 0, 1], &opt(&options)));
        let cookie = (before < 64).then(|| (COOKIE, (0..16).collect::<Vec<_>>()));
        // Behind another record as well.
        let other = query_with(
            [0, 0, 2],
            &[&record(16, &[1, b'x'])[..], &opt(&options)].concat(),
        );
        assert_eq!(
            answer_to(&other).edns.unwrap().options.len(),
            1 + usize::from(before < 64),
            "{before} before"
        );
        let options = cookie.into_iter().chain([(15, vec![0, 15])]).collect();
        let expected = Edns {
            version: 0,
            dnssec: false,
            size: 1232,
            options,
        };
        assert_eq!(
            (answer.code, answer.edns),
            (NX_DOMAIN, Some(expected)),
            "{before} before"
        );
    }
}

/// Where the draft of the answer has nothing any more of the query.
#[test]
fn a_cookie_behind_a_long_option_comes_back() {
    for padding in [700, 720, 1_100] {
        let mut options = [
            &PADDING.to_be_bytes()[..],
            &u16::try_from(padding).unwrap().to_be_bytes(),
        ]
        .concat();
        options.extend(vec![0; padding]);
        options.extend([0, 10, 0, 16]);
        options.extend(0..16);
        for before in [vec![], record(16, &[1, b'x'])] {
            let counts = [0, 0, 1 + u8::from(!before.is_empty())];
            let answer = answer_to(&query_with(counts, &[&before[..], &opt(&options)].concat()));
            assert_eq!(
                answer.edns.unwrap().options[0],
                (COOKIE, (0..16).collect()),
                "behind {padding} octets"
            );
        }
    }
}

#[test]
fn a_query_of_which_more_is_in_other_fragments_is_answered() {
    let mut query = Asking {
        option: Some((PADDING, 255)),
        ..Asking::of(LISTED)
    }
    .query();
    // EDNS with 1,600 octets of padding.
    let (record, option) = (query.len() - 255 - 4 - 2, query.len() - 255 - 2);
    query[record..record + 2].copy_from_slice(&1_604_u16.to_be_bytes());
    query[option..option + 2].copy_from_slice(&1_600_u16.to_be_bytes());
    query.resize(query.len() + 1_600 - 255, 0);
    let whole = Wrap::v4(53).udp(&query);
    let mut first = frames::ipv4_fragment(&whole[..34 + 1_480], 0, true);
    first[16..18].copy_from_slice(&1_500_u16.to_be_bytes());
    fix_header(&mut first);
    let answer = answer_to_frame(&first);
    assert_eq!(
        (answer.code, answer.edns),
        (NX_DOMAIN, Some(edns(false, &[(15, &[0, 15])])))
    );
}

/// Writes the checksum of an IPv4 header anew.
fn fix_header(frame: &mut [u8]) {
    frame[24..26].fill(0);
    let (header, _) = etherparse::Ipv4Header::from_slice(&frame[14..]).unwrap();
    frame[24..26].copy_from_slice(&header.calc_header_checksum().to_be_bytes());
}

#[test]
fn other_operations_on_a_blocked_name_are_refused() {
    let query = frames::query(LISTED);
    for operation in [1, 2, 4, 5, 6, 15] {
        let asked = Wrap::v4(53).udp(&with(&query, 2, operation << 3));
        let (reason, sent, frame, counters) = send(&asked, answering(DnsAction::NxDomain));
        assert_eq!(
            (reason, sent, &counters[..]),
            (Reason::DnsBlocked, Sent::Tx, &[Counter::Answered][..])
        );
        let message = opened(&frame).payload;
        assert_eq!(
            message[2] & 0x78,
            operation << 3,
            "the operation comes back"
        );
        assert_eq!(u16::from(message[3] & 0xf), REFUSED, "{operation}");
    }
    let (_, sent, frame, _) = send(
        &Wrap::v4(53).udp(&frames::update(LISTED)),
        answering(DnsAction::NxDomain),
    );
    assert_eq!(
        (sent, u16::from(opened(&frame).payload[3] & 0xf)),
        (Sent::Tx, REFUSED)
    );
}

#[test]
fn a_query_with_two_questions_is_a_format_error() {
    for names in [[LISTED, OTHER], [OTHER, LISTED], [OTHER, OTHER]] {
        let asked = Wrap::v6(53).udp(&frames::query_of(&names));
        let (reason, sent, frame, counters) = send(&asked, answering(DnsAction::NxDomain));
        assert!(reason.is_refused() && sent == Sent::Tx && counters.contains(&Counter::Answered));
        let message = opened(&frame).payload;
        let answer = answer(&message);
        assert_eq!(
            (answer.id, answer.code, &*answer.question, message.len()),
            (0x1234, FORMAT_ERROR, "", HEADER)
        );
        assert_eq!(answer.flags, "aa");
    }
    for wrap in [Wrap::v4(53), Wrap::v6(53)] {
        // Recursion is desired, and checking disabled.
        let asked = with(&with(&frames::query_of(&[OTHER, OTHER]), 2, 1), 3, 0x10);
        let (_, _, frame, _) = send(&wrap.udp(&asked), answering(DnsAction::NxDomain));
        let answer = answer(&opened(&frame).payload);
        assert_eq!((answer.code, &*answer.flags), (FORMAT_ERROR, "rd ra cd"));
    }
}

#[test]
fn a_compressed_question_is_a_format_error() {
    let whole = frames::query_without_edns("example.com");
    let (header, name) = (&whole[..HEADER], &whole[HEADER..whole.len() - 4]);
    let asked = Wrap::v4(53).udp(&[header, b"\x03ads\xc0\x16\0\x01\0\x01", name].concat());
    let (reason, sent, frame, counters) = send(&asked, answering(DnsAction::NxDomain));
    assert_eq!((reason, sent), (Reason::DnsQuestionsRefused, Sent::Tx));
    assert_eq!(counters, [Counter::Answered]);
    let answer = answer(&opened(&frame).payload);
    assert_eq!(
        (answer.id, answer.code, &*answer.question),
        (0x1234, FORMAT_ERROR, "")
    );
    let (reason, sent, ..) = send(&asked, answering(DnsAction::NxDomain).on_trial());
    assert_eq!((reason, sent), (Reason::DnsAudited, Sent::Pass), "on trial");
}

#[test]
fn a_query_with_two_questions_is_dropped_where_nobody_is_answered_and_passes_in_audit_mode() {
    let asked = Wrap::v4(53).udp(&frames::query_of(&[OTHER, OTHER]));
    let several = vec![Counter::DnsSeveralQuestions];
    let dropping = send(&asked, clients(DnsAction::Drop, TcpAction::Reset));
    assert_eq!(
        dropping,
        (
            Reason::DnsQuestionsRefused,
            Sent::Drop,
            asked.clone(),
            several.clone()
        )
    );
    let on_trial = send(&asked, answering(DnsAction::NxDomain).on_trial());
    assert_eq!(on_trial, (Reason::DnsNotListed, Sent::Pass, asked, several));
    let segment = Wrap::v4(53).tcp(&frames::over_tcp(&frames::query_of(&[OTHER, OTHER])));
    for (interface, expected) in [
        (
            clients(DnsAction::NxDomain, TcpAction::Drop),
            Counter::Answered,
        ),
        (clients(DnsAction::Drop, TcpAction::Reset), Counter::Closed),
    ] {
        let (reason, sent, _, counters) = send(&segment, interface);
        assert_eq!(
            (reason, sent),
            (Reason::DnsQuestionsRefused, Sent::Tx),
            "over TCP"
        );
        assert!(counters.contains(&expected), "{counters:?}");
    }
    let (_, sent, ..) = send(&segment, clients(DnsAction::Drop, TcpAction::Drop));
    assert_eq!(sent, Sent::Drop);
}
