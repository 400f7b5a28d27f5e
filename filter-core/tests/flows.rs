//! What is claimed of the table of flows: how many, which goes, and what is held of each.

mod engine;
#[path = "flows/sources.rs"]
mod sources;

use filter_core::{
    Actions, Counter, Directions, DnsAction, Interface, Offline, Options, Reason, Sent, Settings,
    TcpAction, WAYS,
};
use frames::{Drawn, Wrap};

use engine::{Listed, one_bucket};

const LISTED: &str = "ads.example.com";
const OTHER: &str = "web.example.com";
/// Sequence number of the first octet of a stream.
const FIRST: u32 = 3_000;
const SPLIT: Reason = Reason::TlsHelloSplit;

fn offline(options: &Options) -> Offline<Listed> {
    engine::offline(options, &[LISTED])
}

/// How often this was counted.
fn count(offline: &Offline<Listed>, counter: Counter) -> u64 {
    offline
        .counters()
        .get(&counter)
        .copied()
        .unwrap_or_default()
}

/// The gaps that were too many in these frames.
fn gaps(frames: &[Vec<u8>]) -> u64 {
    let mut offline = offline(&one_bucket());
    for frame in frames {
        offline.decide(frame);
    }
    count(&offline, Counter::FlowGaps)
}

/// Octets of the hello up to the end of its server name.
fn name_end(hello: &[u8], name: &str) -> usize {
    frames::server_name_at(hello, name).unwrap() + name.len()
}

fn segment(payload: &[u8], from: usize, to: usize) -> Vec<u8> {
    frames::segment(&Wrap::v4(443), FIRST, payload, from..to)
}

/// Parts of a hello of which one is missing before each.
fn parts_beyond_gaps(pieces: usize) -> Vec<(usize, usize)> {
    (0..pieces)
        .map(|piece| (20 + 20 * piece, 30 + 20 * piece))
        .collect()
}

#[test]
fn four_pieces_beyond_gaps_are_held_and_a_fifth_is_not() {
    let hello = frames::client_hello(LISTED);
    for pieces in [3, 4, 5] {
        let beyond = parts_beyond_gaps(pieces);
        let mut frames = vec![Wrap::v4(443).syn(FIRST - 1, &[])];
        frames.extend(
            beyond
                .iter()
                .rev()
                .map(|(from, to)| segment(&hello, *from, *to)),
        );
        let lost = pieces.saturating_sub(4) as u64;
        assert_eq!(gaps(&frames), lost, "{pieces} pieces");

        let mut offline = offline(&one_bucket());
        for frame in &frames {
            assert!(!offline.decide(frame).is_blocked());
        }
        let mut from = 0;
        let mut reason = SPLIT;
        for (next_from, next_to) in &beyond {
            reason = offline.decide(&segment(&hello, from, *next_from));
            from = *next_to;
        }
        assert_eq!(reason, SPLIT, "{pieces} pieces, the rest is missing");
        let end = offline.decide(&segment(&hello, from, hello.len()));
        let expected = if lost == 0 { Reason::TlsBlocked } else { SPLIT };
        assert_eq!(end, expected, "{pieces} pieces");
        let again = beyond[..lost as usize]
            .iter()
            .map(|(from, to)| offline.decide(&segment(&hello, *from, *to)))
            .last();
        assert_eq!(
            again.unwrap_or(end),
            Reason::TlsBlocked,
            "{pieces} pieces, those that were not held again"
        );
    }
}

#[test]
fn pieces_that_join_or_come_again_take_no_further_place() {
    let mut wrong = Vec::new();
    let hello = frames::client_hello(LISTED);
    let four = parts_beyond_gaps(4);
    let again: Vec<_> = four
        .iter()
        .chain(&four)
        .chain(four.iter().rev())
        .copied()
        .collect();
    let joined = vec![(20, 30), (40, 50), (30, 40), (60, 70), (80, 90), (100, 110)];
    // The first piece is reached, and the others come again.
    let reached = [&four[..], &[(0, 20)], &four[1..], &four[1..], &[(100, 110)]].concat();
    let reversed = [
        (0, 20),
        (40, 50),
        (60, 70),
        (80, 90),
        (20, 40),
        (80, 90),
        (100, 110),
        (120, 130),
    ]
    .to_vec();
    for (what, parts) in [
        ("again", again),
        ("joined", joined),
        ("reached", reached),
        ("reversed", reversed),
    ] {
        let mut frames = vec![Wrap::v4(443).syn(FIRST - 1, &[])];
        frames.extend(parts.iter().map(|(from, to)| segment(&hello, *from, *to)));
        if gaps(&frames) > 0 {
            wrong.push((what, parts));
        }
    }
    assert_eq!(wrong, []);
}

/// The halves of a hello, each from another client.
fn of_clients(clients: u32, name: &str) -> Vec<[Vec<u8>; 2]> {
    (0..clients)
        .map(|client| {
            let [_, _, high, low] = client.to_be_bytes();
            halves(40_000, name).map(|frame| frames::from_ipv4(&frame, [10, high, low, 9]))
        })
        .collect()
}

/// The halves of a hello between these ports.
fn halves(from: u16, name: &str) -> [Vec<u8>; 2] {
    let hello = frames::client_hello(name);
    let wrap = Wrap {
        from,
        ..Wrap::v4(443)
    };
    let segments = frames::in_segments(&wrap, FIRST, &hello, &[0, name_end(&hello, name) - 3]);
    segments.try_into().expect("two segments")
}

#[test]
fn all_places_of_a_bucket_are_held_and_one_flow_more_takes_that_of_the_least_recent() {
    let connections = of_clients(WAYS + 1, LISTED);
    for flows in [WAYS as usize, WAYS as usize + 1] {
        let mut offline = offline(&one_bucket());
        for [first, _] in &connections[..flows] {
            assert_eq!(offline.decide(first), SPLIT);
        }
        let evicted = flows as u64 - u64::from(WAYS);
        assert_eq!(count(&offline, Counter::FlowsEvicted), evicted);
        for (place, [_, rest]) in connections[..flows].iter().enumerate() {
            let expected = if (place as u64) < evicted {
                Reason::TcpOther
            } else {
                Reason::TlsBlocked
            };
            assert_eq!(offline.decide(rest), expected, "{place} of {flows}");
        }
    }
}

#[test]
fn a_flow_that_is_used_again_is_not_the_least_recent() {
    let connections = of_clients(WAYS + 1, LISTED);
    let mut offline = offline(&one_bucket());
    for [first, _] in &connections[..WAYS as usize] {
        offline.decide(first);
    }
    assert_eq!(offline.decide(&connections[0][0]), SPLIT, "again");
    assert_eq!(
        offline.decide(&connections[WAYS as usize][0]),
        SPLIT,
        "one more"
    );
    assert_eq!(
        offline.decide(&connections[0][1]),
        Reason::TlsBlocked,
        "used again"
    );
    assert_eq!(
        offline.decide(&connections[1][1]),
        Reason::TcpOther,
        "the least recent"
    );
}

#[test]
fn what_only_resembles_the_start_of_a_hello_pushes_nothing_out() {
    let mut offline = offline(&one_bucket());
    for [first, _] in &of_clients(WAYS, LISTED) {
        assert_eq!(offline.decide(first), SPLIT);
    }
    // Type, major version, and type of the message; of a change of cipher all but the minor
    // version.
    let hello = frames::client_hello(LISTED);
    for (start, told) in [
        (&hello[..9], &[0, 1, 5][..]),
        (&[20, 3, 3, 0, 1], &[0, 1, 3, 4]),
    ] {
        for place in told {
            let mut other = start.to_vec();
            other[*place] ^= 0x40;
            assert_eq!(
                offline.decide(&Wrap::v6(443).tcp(&other)),
                Reason::TcpOther,
                "{other:?}"
            );
            assert_eq!(count(&offline, Counter::FlowsEvicted), 0, "{other:?}");
        }
    }
    assert_eq!(offline.decide(&Wrap::v6(443).tcp(&hello[..9])), SPLIT);
    assert_eq!(count(&offline, Counter::FlowsEvicted), 1);
}

#[test]
fn flows_that_are_judged_make_room() {
    let mut offline = offline(&one_bucket());
    for port in 0..100 {
        let [first, rest] = halves(40_000 + port, OTHER);
        assert_eq!(offline.decide(&first), SPLIT);
        assert_eq!(offline.decide(&rest), Reason::TlsNotListed);
    }
    assert_eq!(
        count(&offline, Counter::FlowsEvicted),
        0,
        "nothing had to go"
    );
}

/// First and second half of a hello, as they come from any address and port.
struct Template([Vec<u8>; 2]);

impl Template {
    /// The frame of this half, from the flow with this number.
    fn frame(&mut self, half: usize, flow: u64) -> &[u8] {
        const SOURCE: usize = 14 + 12;
        const SOURCE_PORT: usize = 14 + 20;
        let [p0, p1, a0, a1, a2, a3, ..] = flow.to_be_bytes();
        let frame = &mut self.0[half];
        // Each flow has a source of its own, and no address is that of a group.
        frame[SOURCE..SOURCE + 4].copy_from_slice(&[a0 & 0x7f, a1, a2, a3]);
        frame[SOURCE_PORT..SOURCE_PORT + 2].copy_from_slice(&[p0, p1]);
        frame
    }
}

/// The probability that at least so many of `trials` succeed, each with `chance`.
fn at_least(successes: u32, trials: u32, chance: f64) -> f64 {
    let mut exactly = (1.0 - chance).powi(trials.cast_signed());
    let mut fewer = 0.0;
    for count in 0..successes {
        fewer += exactly;
        exactly *= f64::from(trials - count) / f64::from(count + 1) * chance / (1.0 - chance);
    }
    1.0 - fewer
}

#[test]
fn a_flood_of_half_hellos_evicts_what_small_buckets_and_a_fair_hash_let_it() {
    const FLOWS: u32 = 256;
    const HELLOS: u32 = 1_500;
    let buckets = Settings::buckets(FLOWS);
    assert_eq!(buckets * WAYS, FLOWS);
    // An ideal table of as many places, which evicts the least recent of all, would lose none while
    // fewer others come in between than it has places, and all from then on. Small buckets may
    // differ from that by so much.
    for (between, ideal, difference) in [
        (64, 0.0, 0.01),
        (128, 0.0, 0.07),
        (FLOWS - 1, 0.0, 0.6),
        (FLOWS, 1.0, 0.5),
        (2 * FLOWS, 1.0, 0.02),
    ] {
        let mut offline = offline(&Options {
            flows: FLOWS,
            ..one_bucket()
        });
        let mut template = Template(halves(0, OTHER));
        let mut flows = Drawn(0);
        let mut half_hello = |offline: &mut Offline<Listed>, template: &mut Template| {
            let flow = flows.next().unwrap();
            assert_eq!(offline.decide(template.frame(0, flow)), SPLIT);
            flow
        };
        // Until every place is taken.
        for _ in 0..FLOWS * 8 {
            half_hello(&mut offline, &mut template);
        }
        let mut evicted = 0;
        for _ in 0..HELLOS {
            let flow = half_hello(&mut offline, &mut template);
            for _ in 0..between {
                half_hello(&mut offline, &mut template);
            }
            match offline.decide(template.frame(1, flow)) {
                Reason::TlsNotListed => {}
                Reason::TcpOther => evicted += 1,
                other => panic!("{other:?}"),
            }
        }
        // A hello in progress goes when as many others as a bucket has places came to its own.
        let expected = at_least(WAYS, between, 1.0 / f64::from(buckets));
        let share = f64::from(evicted) / f64::from(HELLOS);
        let deviation = (expected * (1.0 - expected) / f64::from(HELLOS)).sqrt();
        println!(
            "{between} between: {share:.4} evicted, {expected:.4} expected, {ideal} of an ideal table"
        );
        assert!(
            (share - ideal).abs() <= difference,
            "{between}: {share}, {ideal} of an ideal table"
        );
        assert!(
            (share - expected).abs() <= 4.0 * deviation + 1.0 / f64::from(HELLOS),
            "{between}: {share}, {expected}"
        );
        let half_hellos = u64::from(FLOWS * 8 + HELLOS * (between + 1));
        let went = count(&offline, Counter::FlowsEvicted);
        let stayed = u64::from(FLOWS) + u64::from(HELLOS - evicted);
        assert!(
            went >= half_hellos - stayed && went <= half_hellos,
            "{went} of {half_hellos}"
        );
    }
}

#[test]
fn a_blocked_flow_that_had_to_go_for_others_has_another_reset() {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let clients = Interface::new(Directions::Both).facing_clients(actions);
    let mut offline = offline(&one_bucket()).on(clients);
    let hello = frames::client_hello(LISTED);
    let blocked = Wrap::v4(443).tcp(&hello);
    let mut sent = |frame: &[u8]| offline.send(frame).1;
    assert_eq!([sent(&blocked), sent(&blocked)], [Sent::Tx, Sent::Drop]);
    for client in 0..WAYS as u8 {
        assert_eq!(
            sent(&frames::from_ipv4(&blocked, [10, 0, client, 9])),
            Sent::Tx
        );
    }
    assert_eq!([sent(&blocked), sent(&blocked)], [Sent::Tx, Sent::Drop]);
}
