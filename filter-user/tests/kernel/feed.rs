//! The program that feeds frames to the filter, for measurements.

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, TcpAction};
use filter_user::kernel::{Feed, Filter, KernelError};
use frames::Wrap;
use test_programs::Frames;

use super::{LOOPBACK, filter, moved};

fn query(name: &str) -> Vec<u8> {
    Wrap::v4(53).udp(&frames::query(name))
}

/// The reasons that counted more after the filter was fed so many frames, and by how much.
fn feed(filter: &mut Filter, frames: &[Vec<u8>], turns: u32) -> Vec<(Reason, u64)> {
    let before = filter.counters().unwrap();
    Feed::new(filter, frames).unwrap().time(turns).unwrap();
    let packets = |(counter, by)| {
        if let Counter::Packets(reason) = counter {
            Some((reason, by))
        } else {
            None
        }
    };
    moved(&before, &filter.counters().unwrap())
        .into_iter()
        .filter_map(packets)
        .collect()
}

#[test]
fn frames_are_fed_in_turn_whatever_their_lengths() {
    let mut filter = filter(&["ads.example"], 0);
    let long = Wrap::v4(8080).tcp(&[0; 1400]);
    let frames = [query("ads.example"), long, query("www.example")];
    let fed = feed(&mut filter, &frames, 7);
    assert_eq!(
        fed,
        [
            (Reason::TcpOther, 2),
            (Reason::DnsNotListed, 2),
            (Reason::DnsBlocked, 3)
        ]
    );
}

#[test]
fn answers_leave_room_for_the_next_frame_however_many_there_are() {
    const TURNS: u32 = 100_000;
    let mut filter = filter(&["ads.example"], 0);
    for action in [DnsAction::NxDomain, DnsAction::Null] {
        let actions = Actions::new(action, TcpAction::Drop);
        filter
            .set_interface(
                LOOPBACK,
                Interface::new(Directions::Both).facing_clients(actions),
            )
            .unwrap();
        let frames = [
            query("ads.example"),
            query("a.much.longer.name.under.ads.example"),
        ];
        assert_eq!(
            feed(&mut filter, &frames, TURNS),
            [(Reason::DnsBlocked, u64::from(TURNS))],
            "{action:?}"
        );
    }
}

#[test]
fn the_program_that_does_nothing_is_fed_and_not_the_filter() {
    let mut filter = filter(&[], 0);
    let before = filter.counters().unwrap();
    Feed::new(&mut filter, &[query("www.example")])
        .unwrap()
        .time_noop(10)
        .unwrap();
    assert_eq!(filter.counters().unwrap(), before);
}

#[test]
fn a_frame_that_is_empty_or_too_long_is_not_fed() {
    let mut filter = filter(&[], 0);
    for frame in [Vec::new(), vec![0; Frames::MOST + 1]] {
        assert!(matches!(
            Feed::new(&mut filter, &[frame]),
            Err(KernelError::FrameLength { .. })
        ));
    }
    assert!(
        Feed::new(&mut filter, &[vec![0; Frames::MOST]])
            .unwrap()
            .time(2)
            .is_ok()
    );
}

#[test]
fn a_turn_without_a_frame_is_an_error() {
    let mut filter = filter(&[], 0);
    let timed = Feed::new(&mut filter, &[] as &[Vec<u8>]).unwrap().time(2);
    assert!(matches!(
        timed,
        Err(KernelError::NotFed { fed: 0, of: 2, .. })
    ));
}

#[test]
fn frames_of_several_rooms_are_fed_each_once_a_round() {
    const OF_EACH: usize = 1_000;
    let mut filter = filter(&["ads.example"], 0);
    let frames = [
        vec![query("ads.example"); OF_EACH],
        vec![query("www.example"); OF_EACH],
    ]
    .concat();
    let fed = feed(&mut filter, &frames, 4 * OF_EACH as u32);
    let each = 2 * OF_EACH as u64;
    assert_eq!(
        fed,
        [(Reason::DnsNotListed, each), (Reason::DnsBlocked, each)]
    );
}
