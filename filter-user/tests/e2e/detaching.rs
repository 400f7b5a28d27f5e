//! Traffic flows as before once the controller is gone, however it went.

use lab::{Family, Options};
use rustix::process::Signal;

use crate::network::{LISTED, Network, Program};

#[test]
fn traffic_flows_again_after_sigterm() {
    assert_traffic_flows_after(Signal::TERM, "native");
}

#[test]
fn traffic_flows_again_after_ctrl_c() {
    assert_traffic_flows_after(Signal::INT, "generic");
}

/// The kernel detaches the program with the link, and closes that with the process.
#[test]
fn traffic_flows_again_after_the_controller_was_killed() {
    assert_traffic_flows_after(Signal::KILL, "native");
    assert_traffic_flows_after(Signal::KILL, "generic");
}

fn assert_traffic_flows_after(signal: Signal, mode: &str) {
    let mut network = Network::new(&Options::default());
    network.filter(mode);
    let asked = [
        (Program::Dig, Family::V4),
        (Program::Dig, Family::V6),
        (Program::Curl, Family::V4),
    ];
    for (program, family) in asked {
        assert!(
            network.is_silent(program, family, LISTED),
            "{program:?} over {family} before"
        );
    }
    assert!(network.is_attached());
    network.end(signal);
    assert!(!network.is_attached());
    for (program, family) in asked {
        assert!(
            network.answers(program, family, LISTED),
            "{program:?} over {family} after {signal:?}"
        );
    }
    network.filter(mode);
    assert!(
        network.is_silent(Program::Dig, Family::V4, LISTED),
        "a new controller filters again"
    );
}
