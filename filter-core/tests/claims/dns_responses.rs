use filter_core::Reason;
use frames::{Data, Sections, Wrap, response_of, response_with};

use super::*;

const ANOTHER: &str = "cdn.example.net";
const BLOCKED: Reason = Reason::DnsResponseBlocked;
const NOT_LISTED: Reason = Reason::DnsResponseNotListed;

/// What becomes of a message from a server.
fn answer(message: &[u8]) -> Decided {
    let from_server = |wrap: Wrap| Wrap {
        from: 53,
        to: 40_000,
        ..wrap
    };
    let v4 = judge(&from_server(Wrap::v4(0)).udp(message));
    assert_eq!(
        judge(&from_server(Wrap::v6(0)).udp(message)),
        v4,
        "IPv6 as IPv4"
    );
    assert_eq!(
        judge(&from_server(Wrap::v4(0)).tcp(&frames::over_tcp(message))),
        v4,
        "TCP as UDP"
    );
    v4
}

#[track_caller]
fn assert_answer(message: &[u8], reason: Reason, what: &str) {
    assert_eq!(answer(message).reason, reason, "{what}");
}

/// Each kind of record with a target.
fn aliases(target: &str) -> [(&'static str, Data<'_>); 6] {
    [
        ("CNAME", Data::Cname(target)),
        ("DNAME", Data::Dname(target)),
        ("SVCB alias", Data::Svcb(0, target)),
        ("SVCB service", Data::Svcb(1, target)),
        ("HTTPS alias", Data::Https(0, target)),
        ("HTTPS service", Data::Https(1, target)),
    ]
}

#[test]
fn the_targets_of_aliases_are_judged() {
    for (target, expected) in [
        (LISTED, BLOCKED),
        (OTHER, NOT_LISTED),
        ("x.ads.example.com", BLOCKED),
    ] {
        for (what, data) in aliases(target) {
            let message = response_of(&[ANOTHER], &[(ANOTHER, data)]);
            assert_eq!(answer(&message), Decided::of(expected, target), "{what}");
        }
    }
}

#[test]
fn every_answer_of_a_chain_is_judged() {
    let names = [
        "a.example.net",
        "b.example.net",
        "c.example.net",
        "d.example.net",
        "e.example.net",
    ];
    for place in 0..names.len() {
        let mut targets = names;
        targets[place] = LISTED;
        let owners = [&[ANOTHER], &targets[..4]].concat();
        let chain: Vec<_> = owners
            .iter()
            .zip(targets)
            .map(|(owner, target)| (*owner, Data::Cname(target)))
            .collect();
        let chain = [&chain[..], &[(targets[4], Data::Address)]].concat();
        assert_eq!(
            answer(&response_of(&[ANOTHER], &chain)),
            Decided::of(BLOCKED, LISTED),
            "link {place}"
        );
    }
    let chain = [
        (ANOTHER, Data::Cname(names[0])),
        (names[0], Data::Cname(names[1])),
        (names[1], Data::Address),
    ];
    assert_eq!(
        answer(&response_of(&[ANOTHER], &chain)),
        Decided::of(NOT_LISTED, names[1])
    );
}

#[test]
fn owners_of_answers_are_not_judged() {
    let message = response_of(
        &[OTHER],
        &[(LISTED, Data::Address), (LISTED, Data::Cname(ANOTHER))],
    );
    assert_eq!(answer(&message), Decided::of(NOT_LISTED, ANOTHER));
    assert_answer(
        &response_of(&[LISTED], &[(LISTED, Data::Address)]),
        BLOCKED,
        "asked for",
    );
}

#[test]
fn targets_in_the_authority_and_additional_sections_are_not_judged() {
    let aliases = [
        (ANOTHER, Data::Cname(LISTED)),
        (ANOTHER, Data::Https(0, LISTED)),
    ];
    let answers = [(OTHER, Data::Address)];
    let authorities = response_with(
        &[OTHER],
        &Sections {
            answers: &answers,
            authorities: &aliases,
            additionals: &[],
        },
    );
    assert_answer(&authorities, NOT_LISTED, "authority");
    let additionals = response_with(
        &[OTHER],
        &Sections {
            answers: &answers,
            authorities: &[],
            additionals: &aliases,
        },
    );
    assert_answer(&additionals, NOT_LISTED, "additional");
    assert_answer(&response_of(&[OTHER], &aliases), BLOCKED, "answers");
}

#[test]
fn names_in_records_of_other_types_are_not_judged() {
    assert_answer(
        &response_of(&[OTHER], &[(OTHER, Data::Ns(LISTED))]),
        NOT_LISTED,
        "NS",
    );
    let target = &frames::query(LISTED)[12..][..LISTED.len() + 2];
    // SOA, PTR, and types next to those that are judged.
    for kind in [6, 12, 4, 38, 40, 63, 66, 5 << 8, 65 << 8] {
        let message = response_of(&[OTHER], &[(OTHER, Data::Other(kind, target))]);
        assert_answer(&message, NOT_LISTED, &format!("type {kind}"));
    }
    assert_answer(
        &response_of(&[OTHER], &[(OTHER, Data::Other(5, target))]),
        BLOCKED,
        "CNAME",
    );
}

#[test]
fn a_target_of_the_root_is_no_name() {
    for (what, data) in aliases(".") {
        let message = response_of(&[OTHER], &[(OTHER, data)]);
        assert_eq!(answer(&message), Decided::of(NOT_LISTED, OTHER), "{what}");
        assert_answer(
            &response_of(&[], &[(OTHER, data)]),
            Reason::DnsNoQuestion,
            what,
        );
        let message = response_of(&[OTHER], &[(OTHER, data), (OTHER, Data::Cname(LISTED))]);
        assert_answer(&message, BLOCKED, &format!("{what}, and a name behind it"));
    }
}

#[test]
fn a_response_without_a_question_is_judged_by_its_answers() {
    assert_answer(
        &response_of(&[], &[(OTHER, Data::Cname(LISTED))]),
        BLOCKED,
        "listed",
    );
    assert_answer(
        &response_of(&[], &[(LISTED, Data::Cname(OTHER))]),
        NOT_LISTED,
        "not listed",
    );
    assert_answer(
        &response_of(&[], &[(LISTED, Data::Address)]),
        Reason::DnsNoQuestion,
        "no name",
    );
}

#[test]
fn all_questions_of_a_response_are_judged_before_its_answers() {
    for questions in [[LISTED, OTHER], [OTHER, LISTED]] {
        let message = response_of(&questions, &[(OTHER, Data::Cname("tracker.example"))]);
        assert_eq!(answer(&message), Decided::of(BLOCKED, LISTED));
    }
    let message = response_of(
        &[OTHER, ANOTHER],
        &[(OTHER, Data::Cname("tracker.example"))],
    );
    assert_eq!(answer(&message), Decided::of(BLOCKED, "tracker.example"));
}

#[test]
fn answers_of_a_query_are_not_judged() {
    const FLAGS: usize = 2;
    let message = response_of(&[OTHER], &[(OTHER, Data::Cname(LISTED))]);
    assert_answer(
        &with(&message, FLAGS, &[message[FLAGS] & 0x7f]),
        Reason::DnsNotListed,
        "QR=0",
    );
    assert_answer(&message, BLOCKED, "QR=1");
}

#[test]
fn a_response_that_ends_in_its_answers_is_cut_unless_a_name_before_is_blocked() {
    let answers = [(OTHER, Data::Cname(ANOTHER)), (ANOTHER, Data::Address)];
    let message = response_of(&[OTHER], &answers);
    for end in 0..message.len() {
        assert_answer(&message[..end], Reason::DnsCut, &format!("{end} octets"));
    }
    assert_answer(&message, NOT_LISTED, "whole");

    let answers = [
        (OTHER, Data::Cname("tracker.example")),
        ("tracker.example", Data::Address),
    ];
    let message = response_of(&[OTHER], &answers);
    let name_end =
        frames::server_name_at(&message, "tracker").unwrap() + "tracker.example".len() + 1;
    for end in 0..=message.len() {
        let expected = if end < name_end {
            Reason::DnsCut
        } else {
            BLOCKED
        };
        assert_answer(
            &message[..end],
            expected,
            &format!("{end} octets, with a listed target"),
        );
    }
}

#[test]
fn a_response_with_fewer_answers_than_it_says_is_cut_unless_a_name_is_blocked() {
    const ANSWER_COUNT: usize = 6;
    for (target, expected) in [(OTHER, Reason::DnsCut), (LISTED, BLOCKED)] {
        let message = response_of(&[ANOTHER], &[(ANOTHER, Data::Cname(target))]);
        assert_answer(
            &with(&message, ANSWER_COUNT, &[0xff, 0xff]),
            expected,
            target,
        );
    }
    let message = response_of(&[ANOTHER], &[(ANOTHER, Data::Cname(LISTED))]);
    assert_answer(
        &with(&message, ANSWER_COUNT, &[0, 0]),
        NOT_LISTED,
        "none of which it says so",
    );
}

#[test]
fn a_target_does_not_go_on_behind_its_record() {
    let target = &frames::query(LISTED)[12..][..LISTED.len() + 2];
    for octets in 1..target.len() {
        let message = response_of(&[OTHER], &[(OTHER, Data::Other(5, &target[..octets]))]);
        assert_answer(
            &[&message[..], &target[octets..]].concat(),
            Reason::DnsCut,
            &format!("{octets} octets"),
        );
    }
    assert_answer(
        &response_of(&[OTHER], &[(OTHER, Data::Other(5, target))]),
        BLOCKED,
        "whole",
    );
}

#[test]
fn a_thousand_and_twenty_four_questions_and_answers_are_gone_through() {
    for (addresses, expected) in [(1021, BLOCKED), (1022, BLOCKED), (1023, NOT_LISTED)] {
        let answers = [
            vec![(OTHER, Data::Address); addresses],
            vec![(OTHER, Data::Cname(LISTED))],
        ]
        .concat();
        let message = response_of(&[OTHER], &answers);
        let frame = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message);
        assert_reason(
            &frame,
            expected,
            &format!("a question, {addresses} addresses, an alias"),
        );
    }
}

#[test]
fn a_record_without_data_may_end_a_message_and_one_that_is_cut_may_not_whatever_is_behind_the_packet()
 {
    const HEAD: usize = 2 + 10;
    let mut message = response_of(&[OTHER], &[(OTHER, Data::Other(16, &[7]))]);
    // A length of 0.
    message.pop();
    *message.last_mut().unwrap() = 0;
    assert_answer(&message, NOT_LISTED, "no data");
    let padded = |octets: usize| {
        let frame = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message[..octets]);
        [&frame[..], &message[octets..], &[0; 40]].concat()
    };
    assert_reason(
        &padded(message.len()),
        NOT_LISTED,
        "no data, before padding",
    );
    for missing in 1..=HEAD {
        assert_reason(
            &padded(message.len() - missing),
            Reason::DnsCut,
            &format!("{missing} octets as padding"),
        );
    }
}
