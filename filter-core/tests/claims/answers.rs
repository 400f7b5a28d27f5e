//! What becomes of frames that are blocked. Expected are RFC 1035, 2308, 3225, 6891, 8914 and 9293, as hickory-proto and
//! etherparse read what comes out.

use filter_core::{Counter, DnsAction, Interface, Reason, Sent, Sides, TcpAction, Treatment};
use frames::{Answer, Asking, Data, Edns, Opened, Tunnel, Wrap, answer, opened};

use super::{LISTED, OTHER, send};

/// In an answer, who says so, and for how long.
const AUTHORITY: &str = " 60 IN SOA namegate.invalid. . 1 3600 600 86400 60";
/// Padding (RFC 7830) and COOKIE (RFC 7873).
const PADDING: u16 = 12;
const COOKIE: u16 = 10;

fn clients(dns: DnsAction, tcp: TcpAction) -> Interface {
    let addresses = (Some([192, 0, 2, 7].into()), Some("2001:db8::7".parse().unwrap()));
    Interface::new(Sides::Both).facing_clients(Treatment::new(dns, tcp).with_addresses(addresses.0, addresses.1))
}

fn answering(dns: DnsAction) -> Interface {
    clients(dns, TcpAction::Reset)
}

/// Ours, with these options.
fn edns(dnssec: bool, options: &[(u16, &[u8])]) -> Edns {
    let options = options.iter().map(|(code, bytes)| (*code, bytes.to_vec())).collect();
    Edns { version: 0, dnssec, size: 1232, options }
}

/// The answer to a query, after making sure that its way back is the query's.
#[track_caller]
fn answered(query: &[u8], interface: Interface) -> Answer {
    let (reason, sent, frame, counters) = send(query, interface);
    assert_eq!((reason, sent, &counters[..]), (Reason::DnsBlocked, Sent::Back, &[Counter::Answered][..]));
    let (asked, answering) = (opened(query), opened(&frame));
    assert_is_way_back(&asked, &answering);
    assert!(answering.payload.len() <= 512, "what every client takes");
    let answer = answer(&answering.payload);
    assert_eq!(answering.payload[..2], asked.payload[..2]);
    answer
}

#[track_caller]
fn assert_is_way_back(asked: &Opened, answering: &Opened) {
    assert_eq!((answering.source, answering.destination), (asked.destination, asked.source));
    assert_eq!((answering.macs, answering.vlan_tags), ([asked.macs[1], asked.macs[0]], asked.vlan_tags));
    assert_eq!(answering.hops, 64);
}

#[test]
fn each_action_has_its_answer() {
    let [a, aaaa, https, any, ptr, unknown] = [1, 28, 65, 255, 12, 4711];
    // What does not exist has no records, so the zone is the one above.
    let soa = |code| format!("{}.{AUTHORITY}", if code == 3 { "example.com" } else { LISTED });
    let v4 = |address: &str| vec![format!("{LISTED}. 60 IN A {address}")];
    let v6 = |address: &str| vec![format!("{LISTED}. 60 IN AAAA {address}")];
    for (action, kinds, code, answers) in [
        (DnsAction::NxDomain, &[a, aaaa, https, any, ptr, unknown][..], 3, vec![]),
        (DnsAction::NoData, &[a, aaaa, https, any, ptr, unknown], 0, vec![]),
        (DnsAction::Refused, &[a, aaaa, https, any, ptr, unknown], 5, vec![]),
        (DnsAction::Null, &[a, any], 0, v4("0.0.0.0")),
        (DnsAction::Null, &[aaaa], 0, v6("::")),
        (DnsAction::Null, &[https, ptr, unknown], 0, vec![]),
        (DnsAction::Address, &[a, any], 0, v4("192.0.2.7")),
        (DnsAction::Address, &[aaaa], 0, v6("2001:db8::7")),
        (DnsAction::Address, &[https, ptr, unknown], 0, vec![]),
    ] {
        for kind in kinds {
            for (wrap, edns) in [(Wrap::v4(53), None), (Wrap::v6(53), Some((0, false)))] {
                let query = wrap.udp(&Asking { kind: *kind, edns, ..Asking::of(LISTED) }.query());
                let answer = answered(&query, answering(action));
                let what = format!("{action:?} of {kind}");
                assert_eq!((answer.code, &answer.answers), (code, &answers), "{what}");
                let negative = answers.is_empty() && action != DnsAction::Refused;
                assert_eq!(answer.authorities, if negative { vec![soa(code)] } else { vec![] }, "{what}");
                assert_eq!(answer.edns.is_some(), edns.is_some(), "{what}");
            }
        }
    }
}

#[test]
fn an_action_address_without_one_of_the_family_has_no_data() {
    let treatment = Treatment::new(DnsAction::Address, TcpAction::Reset);
    for (treatment, kind, answers) in [
        (treatment.with_addresses(Some([192, 0, 2, 7].into()), None), 28, 0),
        (treatment.with_addresses(None, Some("2001:db8::7".parse().unwrap())), 1, 0),
        (treatment.with_addresses(None, Some("2001:db8::7".parse().unwrap())), 255, 1),
    ] {
        let query = Wrap::v4(53).udp(&Asking { kind, ..Asking::of(LISTED) }.query());
        let answer = answered(&query, Interface::new(Sides::Both).facing_clients(treatment));
        assert_eq!((answer.code, answer.answers.len(), answer.authorities.len()), (0, answers, 1 - answers));
    }
}

#[test]
fn the_question_comes_back_as_it_was_asked_and_flags_as_a_resolver_sets_them() {
    let asked = "X.aDs.eXaMpLe.CoM.";
    for (checking_disabled, flags) in [(false, "rd ra"), (true, "rd ra cd")] {
        let query = Asking { checking_disabled, ..Asking::of(asked) }.query();
        let answer = answered(&Wrap::v4(53).udp(&query), answering(DnsAction::NxDomain));
        assert_eq!((answer.id, &*answer.flags), (0x1234, flags));
        assert!(answer.question.starts_with(asked), "{}", answer.question);
    }
    let answer = answered(&Wrap::v4(53).udp(&frames::query(LISTED)), answering(DnsAction::NxDomain));
    assert_eq!(answer.flags, "aa", "a server that others ask, as no recursion was desired");
}

#[test]
fn edns_is_answered_with_an_extended_error() {
    for (dnssec, option) in [(false, None), (true, Some((PADDING, 0))), (false, Some((PADDING, 255)))] {
        let query = Asking { edns: Some((0, dnssec)), option, ..Asking::of(LISTED) }.query();
        let answer = answered(&Wrap::v6(53).udp(&query), answering(DnsAction::Refused));
        assert_eq!(answer.edns, Some(edns(dnssec, &[(15, &[0, 15])])));
    }
    let filtered = Treatment::new(DnsAction::NoData, TcpAction::Reset).with_code(Treatment::FILTERED);
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let answer = answered(&query, Interface::new(Sides::Both).facing_clients(filtered));
    assert_eq!(answer.edns, Some(edns(false, &[(15, &[0, 17])])));
}

#[test]
fn a_cookie_of_a_server_comes_back_and_others_do_not() {
    for (octets, expected) in [(8, None), (16, Some(16)), (24, Some(24)), (40, Some(40)), (41, None)] {
        let query = Asking { option: Some((COOKIE, octets)), ..Asking::of(LISTED) }.query();
        let answer = answered(&Wrap::v4(53).udp(&query), answering(DnsAction::NxDomain));
        let cookie = expected.map(|octets: u8| (COOKIE, (0..octets).collect::<Vec<_>>()));
        let options: Vec<_> = cookie.into_iter().chain([(15, vec![0, 15])]).collect();
        assert_eq!(answer.edns, Some(Edns { version: 0, dnssec: false, size: 1232, options }));
    }
}

#[test]
fn the_zone_of_what_does_not_exist_is_the_name_above() {
    for (name, owner) in [("tracker.example", "example"), (LISTED, "example.com"), ("x.y.tracker.example", "example")] {
        let answer = answered(&Wrap::v4(53).udp(&frames::query(name)), answering(DnsAction::NxDomain));
        assert_eq!(answer.authorities, [format!("{owner}.{AUTHORITY}")]);
    }
}

#[test]
fn an_unknown_version_of_edns_is_answered_as_such() {
    let query = Asking { edns: Some((1, false)), ..Asking::of(LISTED) }.query();
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
    let answer = answered(&Wrap::v4(53).udp(&Asking::of(&long).query()), answering(DnsAction::NxDomain));
    assert!(answer.question.starts_with(&long));
    assert_eq!(answer.authorities.len(), 1);
}

#[test]
fn tags_and_sessions_stay_around_the_answer() {
    for tags in 0..=2 {
        for wrap in [Wrap::v4(53).vlan(tags), Wrap::v6(53).vlan(tags)] {
            answered(&wrap.udp(&frames::query(LISTED)), answering(DnsAction::NxDomain));
        }
    }
    for wrap in [Wrap::v4(53), Wrap::v6(53)] {
        let query = frames::in_pppoe(&wrap.udp(&frames::query(LISTED)));
        let (_, sent, frame, _) = send(&query, answering(DnsAction::NxDomain));
        assert_eq!(sent, Sent::Back);
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
    assert_eq!((sent, frame.len()), (Sent::Back, len));
    assert_eq!(answer(&opened(&frame).payload).code, 5);
}

/// Dropped, and counted by what stands against an answer.
#[track_caller]
fn assert_unanswered(frame: &[u8], interface: Interface, counter: Counter, what: &str) {
    let (reason, sent, left, counters) = send(frame, interface);
    assert!(reason.is_blocked(), "{what}: {reason:?}");
    let several = |counter: &&Counter| **counter != Counter::DnsSeveralQuestions;
    let counters: Vec<_> = counters.iter().filter(several).collect();
    assert_eq!((sent, counters), (Sent::Nowhere, vec![&counter]), "{what}");
    assert_eq!(left, frame, "{what}");
}

#[test]
fn only_clients_are_answered() {
    let unanswered = |frame: &[u8], what: &str| {
        assert_unanswered(frame, answering(DnsAction::NxDomain), Counter::UnansweredEnds, what);
    };
    let query = frames::query(LISTED);
    unanswered(&Wrap { from: 53, ..Wrap::v4(53) }.udp(&query), "from a server's port");
    unanswered(&Wrap { from: 0, ..Wrap::v4(53) }.udp(&query), "from no port");
    let v4 = Wrap::v4(53).udp(&query);
    let v6 = Wrap::v6(53).udp(&query);
    let with = |frame: &[u8], at: usize, bytes: &[u8]| {
        let mut frame = frame.to_vec();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    };
    unanswered(&with(&v4, 0, &[0xff; 6]), "to all on the link");
    unanswered(&with(&v4, 6, &[1, 0, 0x5e, 0, 0, 1]), "from a group of the link");
    let (source, destination) = (26, 30);
    for (at, address, what) in [
        (destination, [255; 4], "to all"),
        (destination, [224, 0, 0, 251], "to a group"),
        (source, [224, 0, 0, 251], "from a group"),
        (source, [0; 4], "from nobody"),
        (source, [127, 0, 0, 1], "from a loopback"),
        (source, [198, 51, 100, 2], "from where it is sent to"),
    ] {
        unanswered(&with(&v4, at, &address), what);
    }
    let (source, destination) = (22, 38);
    let mut group = [0; 16];
    (group[0], group[15]) = (0xff, 0xfb);
    let mut loopback = [0; 16];
    loopback[15] = 1;
    let own: [u8; 16] = v6[destination..destination + 16].try_into().unwrap();
    for (at, address, what) in [
        (destination, group, "to a group"),
        (source, group, "from a group"),
        (source, [0; 16], "from nobody"),
        (source, loopback, "from a loopback"),
        (source, own, "from where it is sent to"),
    ] {
        unanswered(&with(&v6, at, &address), what);
    }
}

#[test]
fn an_interface_without_clients_answers_nobody() {
    let treatment = Treatment::new(DnsAction::NxDomain, TcpAction::Reset);
    let interface = Interface::new(Sides::Both).with_treatment(treatment);
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    assert_unanswered(&query, interface, Counter::UnansweredSide, "a query");
    let hello = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    assert_unanswered(&hello, interface, Counter::UnansweredSide, "a hello");
    for interface in [Interface::new(Sides::Both), clients(DnsAction::Drop, TcpAction::Drop)] {
        for frame in [&query, &hello] {
            let (reason, sent, left, counters) = send(frame, interface);
            assert!(reason.is_blocked() && sent == Sent::Nowhere && left == *frame && counters.is_empty());
        }
    }
}

#[test]
fn what_is_around_a_packet_and_would_be_lost_has_no_answer() {
    let unanswered = |frame: &[u8], what: &str| {
        assert_unanswered(frame, answering(DnsAction::NxDomain), Counter::UnansweredLayers, what);
    };
    let query = frames::query(LISTED);
    let v4 = Wrap::v4(53).udp(&query);
    unanswered(&frames::behind_labels(&v4, 1), "MPLS");
    unanswered(&Tunnel::Ip.carry(&Wrap::v4(0), &v4), "a tunnel");
    let options = Wrap { network: frames::Network::V4(vec![1; 4]), ..Wrap::v4(53) };
    unanswered(&options.udp(&query), "IP options");
    let extensions = Wrap { network: frames::Network::V6 { extensions: true }, ..Wrap::v6(53) };
    unanswered(&extensions.udp(&query), "extension headers");
    let mut first = v4.clone();
    first[20] |= 0x20;
    unanswered(&first, "a first fragment");
}

#[test]
fn a_message_that_no_answer_fits_has_none() {
    let unanswered = |message: &[u8], what: &str| {
        let frame = Wrap::v4(53).udp(message);
        assert_unanswered(&frame, answering(DnsAction::NxDomain), Counter::UnansweredMessage, what);
    };
    let plain = frames::query_without_edns(LISTED);
    let edns = frames::query(LISTED);
    let end = plain.len();
    unanswered(&[&plain[..], &[0]].concat(), "bytes behind the question");
    unanswered(&[&edns[..], &[0]].concat(), "bytes behind EDNS");
    unanswered(&edns[..edns.len() - 1], "EDNS that is cut");
    unanswered(&frames::query_of(&[LISTED, OTHER]), "two questions");
    unanswered(&frames::update(LISTED), "an update");
    let with = |message: &[u8], at: usize, byte: u8| {
        let mut message = message.to_vec();
        message[at] = byte;
        message
    };
    unanswered(&with(&plain, 2, 0x02), "a truncated query");
    unanswered(&with(&plain, 2, 0x10), "another operation");
    unanswered(&with(&plain, 7, 1), "a query with an answer");
    unanswered(&with(&plain, 9, 1), "a query with an authority");
    unanswered(&with(&plain, 11, 1), "a record less than announced");
    unanswered(&with(&edns, 11, 2), "two records");
    unanswered(&with(&edns, end, 1), "EDNS of another owner than the root");
    unanswered(&with(&edns, end + 2, 1), "a record other than EDNS");
    let padded = Asking { option: Some((PADDING, 8)), ..Asking::of(LISTED) }.query();
    unanswered(&with(&padded, padded.len() - 9, 9), "an option that is longer than EDNS");
    unanswered(&with(&padded, padded.len() - 9, 6), "an option that leaves half of another");
    let mut jumbo = Wrap::v4(53).udp(&plain);
    jumbo[38..40].fill(0);
    assert_unanswered(&jumbo, answering(DnsAction::NxDomain), Counter::UnansweredMessage, "a length of zero");
}

#[test]
fn a_response_becomes_a_negative_one_and_goes_on() {
    let server = |wrap: Wrap| Wrap { from: 53, to: 40_000, ..wrap };
    let interface =
        Interface::new(Sides::Responses).with_treatment(Treatment::new(DnsAction::NxDomain, TcpAction::Reset));
    let cname = frames::response_of(&[OTHER], &[(OTHER, Data::Cname(LISTED)), (LISTED, Data::Address)]);
    for wrap in [Wrap::v4(53), Wrap::v6(53).vlan(1)] {
        for (message, asked) in [(cname.clone(), OTHER), (frames::response(LISTED), LISTED)] {
            let response = server(wrap.clone()).udp(&message);
            let (reason, sent, frame, counters) = send(&response, interface);
            assert_eq!((reason, sent), (Reason::DnsResponseBlocked, Sent::On));
            assert_eq!(counters, [Counter::Rewritten]);
            let (before, after) = (opened(&response), opened(&frame));
            assert_eq!(Opened { payload: Vec::new(), ..after.clone() }, Opened { payload: Vec::new(), ..before });
            let answer = answer(&after.payload);
            assert_eq!((answer.id, answer.code, answer.answers.len()), (0x1234, 3, 0));
            assert!(asked.ends_with("example.com"));
            assert_eq!(answer.authorities, [format!("example.com.{AUTHORITY}")]);
            assert_eq!(answer.edns, None);
        }
    }
}

/// RFC 1071 over what RFC 768 calls the pseudo header, without the complement: what stands in a packet whose checksum is
/// left to a device.
fn left_to_device(frame: &[u8]) -> [u8; 2] {
    let length = u16::from_be_bytes([frame[38], frame[39]]);
    let words = frame[26..34].chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum = words.sum::<u32>() + 17 + u32::from(length);
    u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap().to_be_bytes()
}

#[test]
fn a_checksum_that_is_left_to_a_device_stays_so() {
    let interface =
        Interface::new(Sides::Responses).with_treatment(Treatment::new(DnsAction::NxDomain, TcpAction::Reset));
    let cname = frames::response_of(&[OTHER], &[(OTHER, Data::Cname(LISTED)), (LISTED, Data::Address)]);
    let mut response = Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&cname);
    let left = left_to_device(&response);
    response[40..42].copy_from_slice(&left);
    let (_, sent, frame, _) = send(&response, interface);
    assert_eq!((sent, frame[40..42].try_into().unwrap()), (Sent::On, left_to_device(&frame)));
    assert_eq!(answer(&frame[42..]).code, 3);

    for payload in [frames::query(LISTED), frames::query_without_edns(LISTED)] {
        let mut query = Wrap::v4(53).udp(&payload);
        let left = left_to_device(&query);
        query[40..42].copy_from_slice(&left);
        let driver = send(&query, answering(DnsAction::NxDomain)).2;
        assert_eq!(answer(&opened(&driver).payload).code, 3, "a driver makes no checksum");
        let (_, sent, frame, _) = send(&query, answering(DnsAction::NxDomain).in_network_stack());
        let expected = if frame.len() == query.len() { left } else { left_to_device(&frame) };
        assert_eq!((sent, frame[40..42].try_into().unwrap()), (Sent::Back, expected));
        assert_eq!(answer(&frame[42..]).code, 3);
    }
}

#[test]
fn a_response_with_edns_stays_one() {
    let opt = |flags: u8| [0, 0, 41, 4, 208, 0, 0, flags, 0, 0, 0];
    let treatment = Treatment::new(DnsAction::Null, TcpAction::Reset);
    for (flags, dnssec) in [(0, false), (0x80, true)] {
        let mut message = frames::response_of(&[LISTED], &[(LISTED, Data::Text(3)), (LISTED, Data::Address)]);
        message[11] = 1;
        message.extend(opt(flags));
        let response = Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&message);
        let (_, sent, frame, _) = send(&response, Interface::new(Sides::Both).with_treatment(treatment));
        assert_eq!(sent, Sent::On);
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
    let treatment = Treatment::new(DnsAction::NoData, TcpAction::Reset);
    let response = Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&message);
    let (_, sent, frame, _) = send(&response, Interface::new(Sides::Both).with_treatment(treatment));
    let answer = answer(&opened(&frame).payload);
    assert_eq!((sent, answer.code), (Sent::On, 0));
    assert_eq!(answer.edns, Some(edns(false, &[(COOKIE, &[7; 16]), (15, &[0, 15])])));
}

#[test]
fn of_a_name_whose_service_is_blocked_there_may_be_other_records() {
    let treatment = Treatment::new(DnsAction::NxDomain, TcpAction::Reset);
    let interface = Interface::new(Sides::Both).with_treatment(treatment);
    for (data, code) in [(Data::Https(1, LISTED), 0), (Data::Svcb(1, LISTED), 0), (Data::Cname(LISTED), 3)] {
        let response = Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&frames::response_of(&[OTHER], &[(OTHER, data)]));
        let (_, sent, frame, _) = send(&response, interface);
        let answer = answer(&opened(&frame).payload);
        assert_eq!((sent, answer.code, answer.authorities.len()), (Sent::On, code, 1), "{data:?}");
    }
}

#[test]
fn a_response_that_no_negative_one_fits_is_lost() {
    let interface = Interface::new(Sides::Both).with_treatment(Treatment::new(DnsAction::NxDomain, TcpAction::Reset));
    let server = Wrap { from: 53, ..Wrap::v4(40_000) };
    let two = frames::response_of(&[OTHER, LISTED], &[]);
    assert_unanswered(&server.udp(&two), interface, Counter::UnansweredMessage, "two questions");
}

#[test]
fn a_connection_is_reset_as_its_client_takes_it() {
    let interface = answering(DnsAction::NxDomain);
    let hello = frames::client_hello(LISTED);
    let query = frames::over_tcp(&frames::query(LISTED));
    for (port, payload) in [(443, &hello), (53, &query)] {
        for wrap in [Wrap::v4(port), Wrap::v6(port).vlan(1)] {
            let segment = wrap.tcp(payload);
            let (reason, sent, frame, counters) = send(&segment, interface);
            assert!(reason.is_blocked());
            assert_eq!((sent, &counters[..]), (Sent::Back, &[Counter::Closed][..]));
            let (asked, reset) = (opened(&segment), opened(&frame));
            assert_is_way_back(&asked, &reset);
            let (asked, reset) = (asked.tcp.unwrap(), (reset.tcp.unwrap(), reset.payload));
            assert_eq!(reset.0.sequence, asked.acknowledgement);
            assert_eq!(reset.0.acknowledgement, asked.sequence + payload.len() as u32);
            assert_eq!((&*reset.0.flags, &reset.1[..]), ("AR", &[][..]));
        }
    }
}

#[test]
fn a_connection_whose_first_segment_is_blocked_is_refused() {
    let segment = Wrap::v4(443).syn(7_000, &frames::client_hello(LISTED));
    let (reason, sent, frame, _) = send(&segment, answering(DnsAction::NxDomain));
    assert_eq!((reason, sent), (Reason::TlsBlocked, Sent::Back));
    let reset = opened(&frame).tcp.unwrap();
    let len = opened(&segment).payload.len() as u32;
    assert_eq!((reset.sequence, reset.acknowledgement, &*reset.flags), (0, 7_001 + len, "AR"));
}

#[test]
fn a_tls_client_gets_an_alert_if_that_is_asked_for_and_others_a_reset() {
    let interface = clients(DnsAction::NxDomain, TcpAction::Alert);
    let segment = Wrap::v6(443).tcp(&frames::client_hello(LISTED));
    let (_, sent, frame, counters) = send(&segment, interface);
    assert_eq!((sent, &counters[..]), (Sent::Back, &[Counter::Closed][..]));
    let alert = opened(&frame);
    assert_eq!(alert.payload, [21, 3, 1, 0, 2, 2, 112]);
    assert_eq!(alert.tcp.unwrap().flags, "AFP");
    let segment = Wrap::v4(53).tcp(&frames::over_tcp(&frames::query(LISTED)));
    let (_, _, frame, _) = send(&segment, interface);
    let reset = opened(&frame);
    assert_eq!((&*reset.tcp.unwrap().flags, &reset.payload[..]), ("AR", &[][..]));
}

#[test]
fn a_response_over_tcp_becomes_the_reset_of_its_connection() {
    let interface = Interface::new(Sides::Both).with_treatment(Treatment::new(DnsAction::NxDomain, TcpAction::Reset));
    let segment = Wrap { from: 53, ..Wrap::v4(40_000) }.tcp(&frames::over_tcp(&frames::response(LISTED)));
    let (reason, sent, frame, _) = send(&segment, interface);
    assert_eq!((reason, sent), (Reason::DnsResponseBlocked, Sent::On));
    let (before, reset) = (opened(&segment), opened(&frame));
    assert_eq!((reset.source, reset.destination, reset.macs), (before.source, before.destination, before.macs));
    let (before, after) = (before.tcp.unwrap(), reset.tcp.unwrap());
    assert_eq!((after.sequence, &*after.flags), (before.sequence, "AR"));
}

#[test]
fn on_trial_everything_passes_and_is_said() {
    let interface = answering(DnsAction::NxDomain).on_trial();
    for (frame, expected) in [
        (Wrap::v4(53).udp(&frames::query(LISTED)), Reason::DnsAudited),
        (Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&frames::response(LISTED)), Reason::DnsResponseAudited),
        (Wrap::v6(443).tcp(&frames::client_hello(LISTED)), Reason::TlsAudited),
        (Wrap::v4(53).udp(&frames::query(OTHER)), Reason::DnsNotListed),
    ] {
        let (reason, sent, left, counters) = send(&frame, interface);
        assert_eq!((reason, sent, left, counters), (expected, Sent::On, frame, vec![]));
    }
}
