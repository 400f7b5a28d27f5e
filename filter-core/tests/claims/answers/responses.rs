//! Responses that become others, and checksums that are left to a device.

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, Sent, TcpAction};
use frames::{Data, Opened, Wrap, answer, opened};

use super::{AUTHORITY, COOKIE, LISTED, OTHER, answering, assert_unanswered, edns, send};

#[test]
fn a_response_becomes_a_negative_one_and_goes_on() {
    let server = |wrap: Wrap| Wrap {
        from: 53,
        to: 40_000,
        ..wrap
    };
    let interface = Interface::new(Directions::Responses)
        .with_actions(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    let cname = frames::response_of(
        &[OTHER],
        &[(OTHER, Data::Cname(LISTED)), (LISTED, Data::Address)],
    );
    for wrap in [Wrap::v4(53), Wrap::v6(53).vlan(1)] {
        for (message, asked) in [(cname.clone(), OTHER), (frames::response(LISTED), LISTED)] {
            let response = server(wrap.clone()).udp(&message);
            let (reason, sent, frame, counters) = send(&response, interface);
            assert_eq!((reason, sent), (Reason::DnsResponseBlocked, Sent::Pass));
            assert_eq!(counters, [Counter::Rewritten]);
            let (before, after) = (opened(&response), opened(&frame));
            assert_eq!(
                Opened {
                    payload: Vec::new(),
                    ..after.clone()
                },
                Opened {
                    payload: Vec::new(),
                    ..before
                }
            );
            let answer = answer(&after.payload);
            assert_eq!(
                (answer.id, answer.code, answer.answers.len()),
                (0x1234, 3, 0)
            );
            assert!(asked.ends_with("example.com"));
            assert_eq!(answer.authorities, [format!("example.com.{AUTHORITY}")]);
            assert_eq!(answer.edns, None);
        }
    }
}

/// RFC 1071 over what RFC 768 calls the pseudo header, without the complement: what stands in a
/// packet whose checksum is left to a device.
fn left_to_device(frame: &[u8]) -> [u8; 2] {
    let length = u16::from_be_bytes([frame[38], frame[39]]);
    let words = frame[26..34]
        .chunks(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum = words.sum::<u32>() + 17 + u32::from(length);
    u16::try_from((sum & 0xffff) + (sum >> 16))
        .unwrap()
        .to_be_bytes()
}

#[test]
fn a_checksum_that_is_left_to_a_device_stays_so() {
    let interface = Interface::new(Directions::Responses)
        .with_actions(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    let cname = frames::response_of(
        &[OTHER],
        &[(OTHER, Data::Cname(LISTED)), (LISTED, Data::Address)],
    );
    let mut response = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .udp(&cname);
    let left = left_to_device(&response);
    response[40..42].copy_from_slice(&left);
    let (_, sent, frame, _) = send(&response, interface);
    assert_eq!(
        (sent, frame[40..42].try_into().unwrap()),
        (Sent::Pass, left_to_device(&frame))
    );
    assert_eq!(answer(&frame[42..]).code, 3);

    for payload in [frames::query(LISTED), frames::query_without_edns(LISTED)] {
        let mut query = Wrap::v4(53).udp(&payload);
        let left = left_to_device(&query);
        query[40..42].copy_from_slice(&left);
        let driver = send(&query, answering(DnsAction::NxDomain)).2;
        assert_eq!(
            answer(&opened(&driver).payload).code,
            3,
            "a driver makes no checksum"
        );
        let (_, sent, frame, _) = send(&query, answering(DnsAction::NxDomain).in_network_stack());
        let expected = if frame.len() == query.len() {
            left
        } else {
            left_to_device(&frame)
        };
        assert_eq!(
            (sent, frame[40..42].try_into().unwrap()),
            (Sent::Tx, expected)
        );
        assert_eq!(answer(&frame[42..]).code, 3);
    }
}

#[test]
fn a_response_with_edns_stays_one() {
    let opt = |flags: u8| [0, 0, 41, 4, 208, 0, 0, flags, 0, 0, 0];
    let actions = Actions::new(DnsAction::Null, TcpAction::Reset);
    for (flags, dnssec) in [(0, false), (0x80, true)] {
        let mut message = frames::response_of(
            &[LISTED],
            &[(LISTED, Data::Text(3)), (LISTED, Data::Address)],
        );
        message[11] = 1;
        message.extend(opt(flags));
        let response = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message);
        let (_, sent, frame, _) = send(
            &response,
            Interface::new(Directions::Both).with_actions(actions),
        );
        assert_eq!(sent, Sent::Pass);
        let answer = answer(&opened(&frame).payload);
        assert_eq!(answer.edns, Some(edns(dnssec, &[(15, &[0, 15])])));
        assert_eq!(answer.answers, [format!("{LISTED}. 60 IN A 0.0.0.0")]);
    }
}

#[test]
fn the_version_of_edns_in_a_response_is_the_server_s_own() {
    let mut message = frames::response_of(&[LISTED], &[]);
    message[11] = 1;
    // Version 1, and a cookie of 8 and 8 octets.
    message.extend([0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 20, 0, 10, 0, 16]);
    message.extend([7; 16]);
    let actions = Actions::new(DnsAction::NoData, TcpAction::Reset);
    let response = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .udp(&message);
    let (_, sent, frame, _) = send(
        &response,
        Interface::new(Directions::Both).with_actions(actions),
    );
    let answer = answer(&opened(&frame).payload);
    assert_eq!((sent, answer.code), (Sent::Pass, 0));
    assert_eq!(
        answer.edns,
        Some(edns(false, &[(COOKIE, &[7; 16]), (15, &[0, 15])]))
    );
}

#[test]
fn where_an_alias_is_blocked_the_zone_is_the_name_above_the_one_that_was_asked_for() {
    let interface = Interface::new(Directions::Both)
        .with_actions(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    for asked in [
        "a.b.example.net",
        "www.example.org",
        "wwww.x.y.example.org",
        "example.net",
        "host",
    ] {
        for target in [LISTED, "x.y.z.ads.example.com", "tracker.example"] {
            let message = frames::response_of(&[asked], &[(asked, Data::Cname(target))]);
            let response = Wrap {
                from: 53,
                ..Wrap::v4(40_000)
            }
            .udp(&message);
            let (_, sent, frame, _) = send(&response, interface);
            let above = asked.split_once('.').map_or("", |(_, above)| above);
            let answer = answer(&opened(&frame).payload);
            assert_eq!(
                (sent, answer.authorities),
                (Sent::Pass, vec![format!("{above}.{AUTHORITY}")]),
                "{asked}"
            );
        }
    }
}

/// RFC 1035 §4.1.1, RFC 4035 §3: what is said of the server and of the query stays; what was said
/// of the answers does not.
#[test]
fn flags_of_a_response_are_those_of_its_server_but_for_those_about_its_answers() {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    for (flags, expected) in [
        ([0x80, 0x00], ""),
        ([0x84, 0x00], "aa"),
        ([0x81, 0x00], "rd"),
        ([0x80, 0x80], "ra"),
        ([0x80, 0x10], "cd"),
        ([0x82, 0x22], ""),
        ([0x87, 0xb3], "aa rd ra cd"),
    ] {
        for server in [
            Wrap {
                from: 53,
                ..Wrap::v4(40_000)
            },
            Wrap {
                from: 53,
                ..Wrap::v6(40_000)
            },
        ] {
            let mut message = frames::response(LISTED);
            message[2..4].copy_from_slice(&flags);
            let response = server.udp(&message);
            let (_, sent, frame, _) = send(
                &response,
                Interface::new(Directions::Both).with_actions(actions),
            );
            let answer = answer(&opened(&frame).payload);
            assert_eq!(
                (sent, answer.code, &*answer.flags),
                (Sent::Pass, 3, expected),
                "{flags:x?}"
            );
        }
    }
}

#[test]
fn of_a_name_whose_service_is_blocked_there_may_be_other_records() {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let interface = Interface::new(Directions::Both).with_actions(actions);
    for (data, code) in [
        (Data::Https(1, LISTED), 0),
        (Data::Svcb(1, LISTED), 0),
        (Data::Cname(LISTED), 3),
    ] {
        let response = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&frames::response_of(&[OTHER], &[(OTHER, data)]));
        let (_, sent, frame, _) = send(&response, interface);
        let answer = answer(&opened(&frame).payload);
        assert_eq!(
            (sent, answer.code, answer.authorities.len()),
            (Sent::Pass, code, 1),
            "{data:?}"
        );
    }
}

#[test]
fn a_response_that_no_negative_one_fits_is_lost() {
    let interface = Interface::new(Directions::Both)
        .with_actions(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    let server = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    };
    let two = frames::response_of(&[OTHER, LISTED], &[]);
    assert_unanswered(
        &server.udp(&two),
        interface,
        Counter::UnansweredMessage,
        "two questions",
    );
}
