use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use filter_core::{Counter, Reason, Sent};
use filter_user::kernel::Filter;
use frames::Wrap;

use super::{drained, filter, key, reason};

/// The interface that a test run's frames come in by: the namespace's loopback.
const LOOPBACK: u32 = 1;
/// More events than the ring buffer holds.
const MORE_THAN_FIT: u64 = 4_000;

fn query(name: &str) -> Vec<u8> {
    Wrap::v4(53).udp(&frames::query(name))
}

fn count(filter: &Filter, counter: Counter) -> u64 {
    filter.counters().unwrap()[&counter]
}

/// Runs the frame so many times, each of which must be dropped for this reason.
fn block(filter: &mut Filter, frame: &[u8], times: u64, expected: Reason) {
    let mut bed = filter.test_bed().unwrap();
    for _ in 0..times {
        let judged = bed.judge(frame).unwrap();
        assert_eq!((judged.reason, judged.sent), (expected, Some(Sent::Drop)));
    }
}

#[test]
fn an_event_says_who_asked_whom_for_which_name_and_by_which_rule_it_is_blocked() {
    let mut filter = filter(&["ads.example.com", "example.net"], u32::MAX);
    let (ads, net) = (key(&filter, "ads.example.com"), key(&filter, "example.net"));
    let v4 = ("192.0.2.1:40000", "198.51.100.2");
    let v6 = ("[2001:db8::1]:40000", "[2001:db8:1::2]");
    let query = frames::query("X.Ads.example.com");
    let hello = frames::client_hello("www.example.net");
    for (frame, (client, server), port, reason, name, rule) in [
        (
            Wrap::v4(53).udp(&query),
            v4,
            53,
            Reason::DnsBlocked,
            "x.ads.example.com",
            ads,
        ),
        (
            Wrap::v6(53).udp(&query),
            v6,
            53,
            Reason::DnsBlocked,
            "x.ads.example.com",
            ads,
        ),
        (
            Wrap::v4(8443).tcp(&hello),
            v4,
            8443,
            Reason::TlsBlocked,
            "www.example.net",
            net,
        ),
        (
            Wrap::v6(443).tcp(&hello),
            v6,
            443,
            Reason::TlsBlocked,
            "www.example.net",
            net,
        ),
        (
            Wrap::v6(443).vlan(2).tcp(&hello),
            v6,
            443,
            Reason::TlsBlocked,
            "www.example.net",
            net,
        ),
    ] {
        let before = SystemTime::now();
        block(&mut filter, &frame, 1, reason);
        let [event] = &drained(&mut filter)[..] else {
            panic!("one event")
        };
        assert_eq!(event.client(), client.parse::<SocketAddr>().unwrap());
        assert_eq!(
            event.server(),
            format!("{server}:{port}").parse::<SocketAddr>().unwrap()
        );
        assert_eq!(
            (event.reason, &event.name[..], event.rule),
            (reason, name, Some(rule))
        );
        assert_eq!(event.interface, LOOPBACK);
        let slack = Duration::from_millis(100);
        assert!(
            event.time >= before - slack && event.time <= SystemTime::now() + slack,
            "{:?}",
            event.time
        );
    }
}

#[test]
fn the_longest_name_fits_into_an_event() {
    let mut filter = filter(&["ads.example.com"], u32::MAX);
    let name = format!("{}ads.example.com", "a.".repeat(119));
    block(&mut filter, &query(&name), 1, Reason::DnsBlocked);
    block(
        &mut filter,
        &Wrap::v4(443).tcp(&frames::client_hello(&name)),
        1,
        Reason::TlsBlocked,
    );
    let names: Vec<_> = drained(&mut filter)
        .into_iter()
        .map(|event| event.name)
        .collect();
    assert_eq!(names, [name.clone(), name]);
}

#[test]
fn what_passes_sends_no_event() {
    let mut filter = filter(&["ads.example.com"], u32::MAX);
    for frame in [
        query("example.com"),
        Wrap::v4(443).tcp(&frames::client_hello("example.com")),
        vec![0; 64],
    ] {
        reason(&mut filter, &frame);
    }
    assert!(drained(&mut filter).is_empty());
}

#[test]
fn events_beyond_those_of_a_second_are_suppressed_and_counted_and_their_packets_dropped() {
    let mut filter = filter(&["ads.example.com"], 3);
    block(
        &mut filter,
        &query("ads.example.com"),
        10,
        Reason::DnsBlocked,
    );
    assert_eq!(drained(&mut filter).len(), 3);
    assert_eq!(count(&filter, Counter::EventsSuppressed), 7);
    assert_eq!(count(&filter, Counter::EventsLost), 0);
    assert_eq!(count(&filter, Counter::Packets(Reason::DnsBlocked)), 10);

    std::thread::sleep(Duration::from_millis(1_010));
    block(
        &mut filter,
        &query("ads.example.com"),
        2,
        Reason::DnsBlocked,
    );
    assert_eq!(
        drained(&mut filter).len(),
        2,
        "the next second has events of its own"
    );
    assert_eq!(count(&filter, Counter::EventsSuppressed), 7);
}

#[test]
fn without_events_packets_are_dropped_all_the_same() {
    let mut filter = filter(&["ads.example.com"], 0);
    block(
        &mut filter,
        &query("ads.example.com"),
        5,
        Reason::DnsBlocked,
    );
    assert!(drained(&mut filter).is_empty());
    assert_eq!(count(&filter, Counter::EventsSuppressed), 5);
}

#[test]
fn events_that_a_full_ring_buffer_has_no_room_for_are_lost_and_counted_and_their_packets_dropped() {
    let mut filter = filter(&["ads.example.com"], u32::MAX);
    block(
        &mut filter,
        &query("ads.example.com"),
        MORE_THAN_FIT,
        Reason::DnsBlocked,
    );
    block(
        &mut filter,
        &Wrap::v6(443).tcp(&frames::client_hello("ads.example.com")),
        10,
        Reason::TlsBlocked,
    );
    let lost = count(&filter, Counter::EventsLost);
    assert!(lost > 10, "{lost}");
    assert_eq!(drained(&mut filter).len() as u64 + lost, MORE_THAN_FIT + 10);
    assert_eq!(count(&filter, Counter::EventsSuppressed), 0);
    let rule = key(&filter, "ads.example.com");
    assert_eq!(filter.hits(rule).unwrap(), MORE_THAN_FIT + 10);

    block(
        &mut filter,
        &query("ads.example.com"),
        1,
        Reason::DnsBlocked,
    );
    assert_eq!(drained(&mut filter).len(), 1, "there is room again");
    assert_eq!(count(&filter, Counter::EventsLost), lost);
}
