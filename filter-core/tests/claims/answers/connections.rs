//! Connections that end.

use filter_core::{Counter, DnsAction, Interface, Reason, Sent, Sides, TcpAction, Treatment};
use frames::{Wrap, opened};

use super::{LISTED, answering, assert_is_way_back, clients, send};

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
