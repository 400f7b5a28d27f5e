//! What becomes of frames that are blocked. Expected are RFC 1035, 2308, 3225, 6891, 8914 and 9293,
//! as hickory-proto and etherparse read what comes out.

mod connections;
mod odd_queries;
mod queries;
mod quic;
mod reports;
mod responses;
mod streams;
mod unanswered;
mod validity;

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, Sent, TcpAction};
use frames::{Answer, Edns, Opened, Wrap, answer, opened};

use super::{LISTED, OTHER, send, send_all};

/// In an answer, who says so, and for how long.
const AUTHORITY: &str = " 60 IN SOA namegate.invalid. . 1 3600 600 86400 60";
/// Padding (RFC 7830) and COOKIE (RFC 7873).
const PADDING: u16 = 12;
const COOKIE: u16 = 10;

fn clients(dns: DnsAction, tcp: TcpAction) -> Interface {
    let addresses = (
        Some([192, 0, 2, 7].into()),
        Some("2001:db8::7".parse().unwrap()),
    );
    Interface::new(Directions::Both)
        .facing_clients(Actions::new(dns, tcp).with_addresses(addresses.0, addresses.1))
}

fn answering(dns: DnsAction) -> Interface {
    clients(dns, TcpAction::Reset)
}

/// Ours, with these options.
fn edns(dnssec: bool, options: &[(u16, &[u8])]) -> Edns {
    let options = options
        .iter()
        .map(|(code, bytes)| (*code, bytes.to_vec()))
        .collect();
    Edns {
        version: 0,
        dnssec,
        size: 1232,
        options,
    }
}

/// The answer to a query, after making sure that its way back is the query's.
#[track_caller]
fn answered(query: &[u8], interface: Interface) -> Answer {
    let (reason, sent, frame, counters) = send(query, interface);
    assert_eq!(
        (reason, sent, &counters[..]),
        (Reason::DnsBlocked, Sent::Tx, &[Counter::Answered][..])
    );
    let (asked, answering) = (opened(query), opened(&frame));
    assert_is_way_back(&asked, &answering);
    assert!(answering.payload.len() <= 512, "what every client takes");
    let answer = answer(&answering.payload);
    assert_eq!(answering.payload[..2], asked.payload[..2]);
    answer
}

#[track_caller]
fn assert_is_way_back(asked: &Opened, answering: &Opened) {
    assert_eq!(
        (answering.source, answering.destination),
        (asked.destination, asked.source)
    );
    assert_eq!(
        (answering.macs, answering.vlan_tags),
        ([asked.macs[1], asked.macs[0]], asked.vlan_tags)
    );
    assert_eq!(answering.hops, 64);
}

/// Dropped, and counted by what stands against an answer.
#[track_caller]
fn assert_unanswered(frame: &[u8], interface: Interface, counter: Counter, what: &str) {
    let (reason, sent, left, counters) = send(frame, interface);
    assert!(reason.is_blocked(), "{what}: {reason:?}");
    let several = |counter: &&Counter| **counter != Counter::DnsSeveralQuestions;
    let counters: Vec<_> = counters.iter().filter(several).collect();
    assert_eq!((sent, counters), (Sent::Drop, vec![&counter]), "{what}");
    assert_eq!(left, frame, "{what}");
}

#[test]
fn in_audit_mode_everything_passes_and_is_said() {
    let interface = answering(DnsAction::NxDomain).on_trial();
    for (frame, expected) in [
        (Wrap::v4(53).udp(&frames::query(LISTED)), Reason::DnsAudited),
        (
            Wrap {
                from: 53,
                ..Wrap::v4(40_000)
            }
            .udp(&frames::response(LISTED)),
            Reason::DnsResponseAudited,
        ),
        (
            Wrap::v6(443).tcp(&frames::client_hello(LISTED)),
            Reason::TlsAudited,
        ),
        (
            Wrap::v4(53).udp(&frames::query(OTHER)),
            Reason::DnsNotListed,
        ),
    ] {
        let (reason, sent, left, counters) = send(&frame, interface);
        assert_eq!(
            (reason, sent, left, counters),
            (expected, Sent::Pass, frame, vec![])
        );
    }
}
