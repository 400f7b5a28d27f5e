//! What is claimed of frames, in user space.

mod claims;
mod engine;

use filter_core::{Counter, Interface, Offline, Reason, Sent};

use claims::Decided;
use engine::Listed;

/// The decision over a frame that nothing came before.
fn judge(frame: &[u8]) -> Decided {
    decide(&mut offline(), frame)
}

/// The decisions over one frame after the other; nothing came before the first.
fn judge_all(frames: &[Vec<u8>]) -> Vec<Decided> {
    let mut offline = offline();
    frames.iter().map(|frame| decide(&mut offline, frame)).collect()
}

/// What becomes of a frame that comes in by this interface, and nothing came before; and what was counted besides its
/// reason.
fn send(frame: &[u8], interface: Interface) -> (Reason, Sent, Vec<u8>, Vec<Counter>) {
    let mut offline = offline().on(interface);
    let (reason, sent, frame) = offline.send(frame);
    let counters = offline.counters().into_keys().filter(|counter| !matches!(counter, Counter::Packets(_)));
    (reason, sent, frame, counters.collect())
}

fn decide(offline: &mut Offline<Listed>, frame: &[u8]) -> Decided {
    let reason = offline.decide(frame);
    Decided::of(reason, offline.name())
}

fn offline() -> Offline<Listed> {
    engine::offline(&engine::one_bucket(), &claims::RULES)
}
