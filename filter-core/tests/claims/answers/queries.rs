//! Queries, each with its answer.

use filter_core::{Actions, Directions, DnsAction, Interface, Sent, TcpAction};
use frames::{Asking, Edns, Wrap, answer, opened};

use super::{AUTHORITY, COOKIE, LISTED, PADDING, answered, answering, edns, send};

#[test]
fn each_action_has_its_answer() {
    let [a, aaaa, https, any, ptr, unknown] = [1, 28, 65, 255, 12, 4711];
    // What does not exist has no records, so the zone is the one above.
    let soa = |code| {
        format!(
            "{}.{AUTHORITY}",
            if code == 3 { "example.com" } else { LISTED }
        )
    };
    let v4 = |address: &str| vec![format!("{LISTED}. 60 IN A {address}")];
    let v6 = |address: &str| vec![format!("{LISTED}. 60 IN AAAA {address}")];
    for (action, kinds, code, answers) in [
        (
            DnsAction::NxDomain,
            &[a, aaaa, https, any, ptr, unknown][..],
            3,
            vec![],
        ),
        (
            DnsAction::NoData,
            &[a, aaaa, https, any, ptr, unknown],
            0,
            vec![],
        ),
        (
            DnsAction::Refused,
            &[a, aaaa, https, any, ptr, unknown],
            5,
            vec![],
        ),
        (DnsAction::Null, &[a, any], 0, v4("0.0.0.0")),
        (DnsAction::Null, &[aaaa], 0, v6("::")),
        (DnsAction::Null, &[https, ptr, unknown], 0, vec![]),
        (DnsAction::Address, &[a, any], 0, v4("192.0.2.7")),
        (DnsAction::Address, &[aaaa], 0, v6("2001:db8::7")),
        (DnsAction::Address, &[https, ptr, unknown], 0, vec![]),
    ] {
        for kind in kinds {
            for (wrap, edns) in [(Wrap::v4(53), None), (Wrap::v6(53), Some((0, false)))] {
                let query = wrap.udp(
                    &Asking {
                        kind: *kind,
                        edns,
                        ..Asking::of(LISTED)
                    }
                    .query(),
                );
                let answer = answered(&query, answering(action));
                let what = format!("{action:?} of {kind}");
                assert_eq!((answer.code, &answer.answers), (code, &answers), "{what}");
                let negative = answers.is_empty() && action != DnsAction::Refused;
                assert_eq!(
                    answer.authorities,
                    if negative { vec![soa(code)] } else { vec![] },
                    "{what}"
                );
                assert_eq!(answer.edns.is_some(), edns.is_some(), "{what}");
            }
        }
    }
}

#[test]
fn an_action_address_without_one_of_the_family_has_no_data() {
    let actions = Actions::new(DnsAction::Address, TcpAction::Reset);
    for (actions, kind, answers) in [
        (
            actions.with_addresses(Some([192, 0, 2, 7].into()), None),
            28,
            0,
        ),
        (
            actions.with_addresses(None, Some("2001:db8::7".parse().unwrap())),
            1,
            0,
        ),
        (
            actions.with_addresses(None, Some("2001:db8::7".parse().unwrap())),
            255,
            1,
        ),
    ] {
        let query = Wrap::v4(53).udp(
            &Asking {
                kind,
                ..Asking::of(LISTED)
            }
            .query(),
        );
        let answer = answered(
            &query,
            Interface::new(Directions::Both).facing_clients(actions),
        );
        assert_eq!(
            (answer.code, answer.answers.len(), answer.authorities.len()),
            (0, answers, 1 - answers)
        );
    }
}

#[test]
fn the_question_comes_back_as_it_was_asked_and_flags_as_a_resolver_sets_them() {
    let asked = "X.aDs.eXaMpLe.CoM.";
    for (checking_disabled, flags) in [(false, "rd ra"), (true, "rd ra cd")] {
        let query = Asking {
            checking_disabled,
            ..Asking::of(asked)
        }
        .query();
        let answer = answered(&Wrap::v4(53).udp(&query), answering(DnsAction::NxDomain));
        assert_eq!((answer.id, &*answer.flags), (0x1234, flags));
        assert!(answer.question.starts_with(asked), "{}", answer.question);
    }
    let answer = answered(
        &Wrap::v4(53).udp(&frames::query(LISTED)),
        answering(DnsAction::NxDomain),
    );
    assert_eq!(
        answer.flags, "aa",
        "a server that others ask, as no recursion was desired"
    );
}

#[test]
fn edns_is_answered_with_an_extended_error() {
    for (dnssec, option) in [
        (false, None),
        (true, Some((PADDING, 0))),
        (false, Some((PADDING, 255))),
    ] {
        let query = Asking {
            edns: Some((0, dnssec)),
            option,
            ..Asking::of(LISTED)
        }
        .query();
        let answer = answered(&Wrap::v6(53).udp(&query), answering(DnsAction::Refused));
        assert_eq!(answer.edns, Some(edns(dnssec, &[(15, &[0, 15])])));
    }
    let filtered = Actions::new(DnsAction::NoData, TcpAction::Reset).with_code(Actions::FILTERED);
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let answer = answered(
        &query,
        Interface::new(Directions::Both).facing_clients(filtered),
    );
    assert_eq!(answer.edns, Some(edns(false, &[(15, &[0, 17])])));
}

#[test]
fn a_cookie_of_a_server_comes_back_and_others_do_not() {
    for (octets, expected) in [
        (8, None),
        (16, Some(16)),
        (24, Some(24)),
        (40, Some(40)),
        (41, None),
    ] {
        let query = Asking {
            option: Some((COOKIE, octets)),
            ..Asking::of(LISTED)
        }
        .query();
        let answer = answered(&Wrap::v4(53).udp(&query), answering(DnsAction::NxDomain));
        let cookie = expected.map(|octets: u8| (COOKIE, (0..octets).collect::<Vec<_>>()));
        let options: Vec<_> = cookie.into_iter().chain([(15, vec![0, 15])]).collect();
        assert_eq!(
            answer.edns,
            Some(Edns {
                version: 0,
                dnssec: false,
                size: 1232,
                options
            })
        );
    }
}

#[test]
fn the_zone_of_what_does_not_exist_is_the_name_above() {
    for (name, owner) in [
        ("tracker.example", "example"),
        (LISTED, "example.com"),
        ("x.y.tracker.example", "example"),
    ] {
        let answer = answered(
            &Wrap::v4(53).udp(&frames::query(name)),
            answering(DnsAction::NxDomain),
        );
        assert_eq!(answer.authorities, [format!("{owner}.{AUTHORITY}")]);
    }
}

#[test]
fn an_unknown_version_of_edns_is_answered_as_such() {
    let query = Asking {
        edns: Some((1, false)),
        ..Asking::of(LISTED)
    }
    .query();
    let answer = answered(&Wrap::v4(53).udp(&query), answering(DnsAction::NxDomain));
    // 16, BADVERS.
    assert_eq!((answer.code, answer.authorities.len()), (16, 0));
    assert_eq!(answer.edns, Some(edns(false, &[])));
}

#[test]
fn the_longest_name_has_an_answer() {
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{}.{LISTED}.", "b".repeat(45));
    assert_eq!(long.len(), 254);
    let answer = answered(
        &Wrap::v4(53).udp(&Asking::of(&long).query()),
        answering(DnsAction::NxDomain),
    );
    assert!(answer.question.starts_with(&long));
    assert_eq!(answer.authorities.len(), 1);
}

#[test]
fn tags_and_sessions_stay_around_the_answer() {
    for tags in 0..=2 {
        for wrap in [Wrap::v4(53).vlan(tags), Wrap::v6(53).vlan(tags)] {
            answered(
                &wrap.udp(&frames::query(LISTED)),
                answering(DnsAction::NxDomain),
            );
        }
    }
    for wrap in [Wrap::v4(53), Wrap::v6(53)] {
        let query = frames::in_pppoe(&wrap.udp(&frames::query(LISTED)));
        let (_, sent, frame, _) = send(&query, answering(DnsAction::NxDomain));
        assert_eq!(sent, Sent::Tx);
        let (session, length) = (&frame[12..18], u16::from_be_bytes([frame[18], frame[19]]));
        assert_eq!(session, &query[12..18]);
        assert_eq!(usize::from(length), frame.len() - 20, "what PPPoE carries");
        let kind = &wrap.udp(&[])[12..14];
        let unwrapped = [&frame[..12], kind, &frame[22..]].concat();
        assert_eq!(answer(&opened(&unwrapped).payload).code, 3);
    }
}

#[test]
fn padding_behind_a_short_packet_is_not_sent_back() {
    let mut query = Wrap::v4(53).udp(&frames::query_without_edns("tracker.example"));
    let len = query.len();
    query.resize(len + 30, 0);
    let (_, sent, frame, _) = send(&query, answering(DnsAction::Refused));
    assert_eq!((sent, frame.len()), (Sent::Tx, len));
    assert_eq!(answer(&opened(&frame).payload).code, 5);
}
