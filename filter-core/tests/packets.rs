//! What is claimed of frames, in user space.

mod claims;
mod engine;

use std::{collections::BTreeMap, time::Duration};

use filter_core::{Counter, Event, Interface, Offline};

use claims::{Became, Decided, Reported};
use engine::Listed;

/// The decision over a frame that nothing came before.
fn judge(frame: &[u8]) -> Decided {
    decide(&mut offline(), frame)
}

/// The decisions over one frame after the other; nothing came before the first.
fn judge_all(frames: &[Vec<u8>]) -> Vec<Decided> {
    let mut offline = offline();
    frames
        .iter()
        .map(|frame| decide(&mut offline, frame))
        .collect()
}

/// What becomes of frames that come in by this interface, each so long after the one before, and
/// nothing came before the first.
fn send_reporting(frames: &[(Duration, Vec<u8>)], interface: Interface) -> Vec<Became> {
    let mut offline = offline().on(interface);
    let (mut now, mut before) = (Duration::ZERO, BTreeMap::new());
    let mut send = |(pause, frame): &(Duration, Vec<u8>)| {
        now += *pause;
        offline.set_time(now);
        let (reason, sent, frame) = offline.send(frame);
        let counters = offline.counters();
        let moved = counters
            .iter()
            .filter(|(counter, count)| before.get(*counter) != Some(*count));
        let others = moved
            .map(|(counter, _)| *counter)
            .filter(|counter| !matches!(counter, Counter::Packets(_)));
        let others = others.collect();
        before = counters;
        let reported = offline.take_events().iter().map(reported).collect();
        Became {
            reason,
            sent,
            frame,
            counters: others,
            reported,
        }
    };
    frames.iter().map(&mut send).collect()
}

fn reported(event: &Event) -> Reported {
    Reported {
        reason: event.reason().unwrap(),
        action: event.action().unwrap(),
        given: event.given().unwrap(),
        hindrance: event.hindrance(),
    }
}

fn decide(offline: &mut Offline<Listed>, frame: &[u8]) -> Decided {
    let reason = offline.decide(frame);
    Decided::of(reason, offline.name())
}

fn offline() -> Offline<Listed> {
    engine::offline(&engine::one_bucket(), &claims::RULES)
}
