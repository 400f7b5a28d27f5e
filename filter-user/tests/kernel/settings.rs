//! What the loaded program is told when it is loaded.

use std::time::{Duration, Instant};

use filter_core::{Counter, Directions, Fragments, Interface, Reason, Sent, WAYS};
use filter_user::kernel::{Filter, LoadOptions};
use frames::Wrap;

use super::{judge_alone, key};

/// The kernel has frames from memory come in by the loopback interface.
const LOOPBACK: u32 = 1;
const LISTED: &str = "ads.example.com";

#[test]
fn later_fragments_are_dropped_where_they_are_to_be() {
    let fragment = frames::ipv4_fragment(&Wrap::v4(53).udp(&frames::query(LISTED)), 3, true);
    for (fragments, reason, sent) in [
        (Fragments::Pass, Reason::Fragment, Sent::Pass),
        (Fragments::Drop, Reason::FragmentDropped, Sent::Drop),
    ] {
        let mut filter = filter_with(&LoadOptions {
            fragments,
            ..LoadOptions::default()
        });
        let judged = judge_alone(&mut filter, &fragment);
        assert_eq!((judged.reason, judged.sent), (reason, Some(sent)));
        assert_eq!(filter.counters().unwrap()[&Counter::Packets(reason)], 1);
        let mut events = 0;
        filter.drain_events(|_| events += 1);
        assert_eq!(events, 0, "a fragment has no name to report");
    }
}

#[test]
fn each_interface_judges_its_directions() {
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let response = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .udp(&frames::response(LISTED));
    for (directions, of_query, of_response) in [
        (
            Directions::Both,
            Reason::DnsBlocked,
            Reason::DnsResponseBlocked,
        ),
        (
            Directions::Queries,
            Reason::DnsBlocked,
            Reason::DnsResponseNotJudged,
        ),
        (
            Directions::Responses,
            Reason::DnsQueryNotJudged,
            Reason::DnsResponseBlocked,
        ),
    ] {
        let mut filter = filter_with(&LoadOptions {
            interfaces: [(LOOPBACK, Interface::new(directions))].into(),
            ..LoadOptions::default()
        });
        assert_eq!(
            judge_alone(&mut filter, &query).reason,
            of_query,
            "{directions:?}"
        );
        assert_eq!(
            judge_alone(&mut filter, &response).reason,
            of_response,
            "{directions:?}"
        );
    }
    let elsewhere = LoadOptions {
        interfaces: [(LOOPBACK + 1, Interface::new(Directions::Queries))].into(),
        ..LoadOptions::default()
    };
    let mut filter = filter_with(&elsewhere);
    assert_eq!(
        judge_alone(&mut filter, &response).reason,
        Reason::DnsResponseBlocked,
        "another interface's sides"
    );
}

#[test]
fn names_that_pass_are_reported_only_if_that_is_asked_for() {
    for (report_passed, expected) in [(false, vec![]), (true, vec!["web.example.com"])] {
        let mut filter = filter_with(&LoadOptions {
            report_passed,
            ..LoadOptions::default()
        });
        judge_alone(
            &mut filter,
            &Wrap::v4(53).udp(&frames::query("web.example.com")),
        );
        let mut names = Vec::new();
        filter.drain_events(|event| {
            assert!(event.rule.is_none() && event.reason == Reason::DnsNotListed);
            names.push(event.name);
        });
        assert_eq!(names, expected);
    }
}

#[test]
fn a_flow_that_has_to_go_for_another_is_counted() {
    let mut filter = filter_with(&LoadOptions {
        flows: 1,
        ..LoadOptions::default()
    });
    let hello = frames::client_hello("web.example.com");
    let mut bed = filter.test_bed().unwrap();
    // One bucket, and a flow more than it has places.
    let first = Wrap::v4(443).tcp_at(1, &hello[..20]);
    for network in 0..=WAYS as u8 {
        let first = frames::from_ipv4(&first, [10, 0, network, 9]);
        assert_eq!(bed.judge(&first).unwrap().reason, Reason::TlsHelloSplit);
    }
    drop(bed);
    assert_eq!(filter.counters().unwrap()[&Counter::FlowsEvicted], 1);
}

/// It waits, and for less than a sender takes for a loss.
#[test]
fn a_segment_whose_flows_another_cpu_keeps_is_dropped_after_a_while_and_judged_when_it_comes_again()
{
    let mut filter = filter_with(&LoadOptions {
        flows: 1,
        ..LoadOptions::default()
    });
    let first = Wrap::v4(443).tcp_at(1, &frames::client_hello(LISTED)[..20]);
    let mut bed = filter.test_bed().unwrap();
    bed.keep_flows_busy().unwrap();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let judged = bed.judge(&first).unwrap();
        waits.push(begun.elapsed());
        assert_eq!(
            (judged.reason, judged.sent),
            (Reason::FlowBusy, Some(Sent::Drop))
        );
    }
    let wait = waits.into_iter().min().unwrap();
    eprintln!("the shortest wait: {wait:?}");
    assert!(
        wait > Duration::from_micros(20) && wait < Duration::from_millis(20),
        "{wait:?}"
    );
    bed.forget_flows().unwrap();
    assert_eq!(bed.judge(&first).unwrap().reason, Reason::TlsHelloSplit);
}

/// The second half of a hello is held until the first one comes again: it would make the hello
/// whole for the server.
#[test]
fn what_follows_a_first_segment_that_was_dropped_since_its_flows_were_kept_is_held() {
    let mut filter = filter_with(&LoadOptions {
        flows: 1,
        ..LoadOptions::default()
    });
    let hello = frames::client_hello(LISTED);
    let cut = frames::server_name_at(&hello, LISTED).unwrap() + 3;
    let wrap = Wrap::v4(443);
    let [first, second]: [_; 2] = frames::in_segments(&wrap, 5_000, &hello, &[0, cut])
        .try_into()
        .unwrap();
    let mut bed = filter.test_bed().unwrap();
    bed.keep_flows_busy().unwrap();
    assert_eq!(
        bed.judge(&wrap.syn(4_999, &[])).unwrap().reason,
        Reason::TcpOther
    );
    assert_eq!(bed.judge(&first).unwrap().reason, Reason::FlowBusy);
    bed.let_go_of_flows().unwrap();
    assert_eq!(bed.judge(&second).unwrap().reason, Reason::TlsHelloSplit);
    assert_eq!(bed.judge(&first).unwrap().reason, Reason::TlsBlocked);
}

fn filter_with(options: &LoadOptions) -> Filter {
    let options = LoadOptions {
        max_rules: 10,
        events_per_second: 100,
        ..options.clone()
    };
    let mut filter = Filter::load(&options).unwrap();
    let rule = key(&filter, LISTED);
    filter.insert(rule).unwrap();
    filter
}
