//! The seeds of the fuzzers, held to what the fuzzers hold any input to. They lie in `fuzz/seeds`,
//! a folder for each target; inputs that failed once are among them. `NAMEGATE_WRITE_SEEDS=1` makes
//! those of `made.rs` that are missing.

#[path = "seeds/made.rs"]
mod made;
#[path = "../../fuzz/src/lib.rs"]
mod properties;

use std::{fs, panic, path::PathBuf};

use frames::Wrap;
use made::Made;
use properties::{
    flow::{Conversation, flags},
    frame,
    quic::{self, datagram::Datagram, sequence::Sequence},
    segment::Ends,
    world,
};

#[test]
fn every_seed_of_frame_has_the_properties_of_any_frame() {
    replay("frame", frame::check);
}

#[test]
fn every_seed_of_flow_is_judged_as_the_whole_is() {
    replay("flow", |seed| {
        Conversation::from_bytes(seed)
            .expect("a conversation")
            .check();
    });
}

#[test]
fn every_seed_of_quic_has_the_properties_of_any_packet() {
    replay("quic", |seed| {
        Datagram::from_bytes(seed).expect("a datagram").check();
    });
}

#[test]
fn every_seed_of_quic_flow_is_judged_as_the_whole_is() {
    replay("quic_flow", |seed| {
        Sequence::from_bytes(seed).expect("a sequence").check();
    });
}

/// Seeds that no longer reach what they are named for would show nothing.
#[test]
fn seeds_of_frame_are_what_their_names_say() {
    for Made {
        name,
        bytes,
        reason,
        asked,
    } in made::frames()
    {
        write("frame", name, &bytes);
        let mut filter = world::filter(false);
        assert_eq!(filter.decide(&seed("frame", name)), reason, "{name}");
        assert!(
            reason.message().is_none() || filter.name().to_string() == asked,
            "{name}: {}",
            filter.name()
        );
    }
}

#[test]
fn seeds_of_flow_are_what_their_names_say() {
    for Made {
        name,
        bytes,
        reason,
        asked,
    } in made::flows()
    {
        write("flow", name, &bytes);
        let conversation = Conversation::from_bytes(&seed("flow", name)).expect("a conversation");
        let mut filter = world::filter(false);
        let port = if conversation.flags & flags::DNS == 0 {
            443
        } else {
            53
        };
        let ends = Ends {
            v6: conversation.flags & flags::V6 != 0,
            port,
        };
        assert_eq!(
            filter.decide(&ends.segment(1, false, &conversation.payload)),
            reason,
            "{name}"
        );
        assert!(
            reason.message().is_none() || filter.name().to_string() == asked,
            "{name}: {}",
            filter.name()
        );
        assert!(conversation.ranges().len() > 1, "{name} is in one segment");
    }
}

#[test]
fn seeds_of_quic_are_what_their_names_say() {
    for Made {
        name,
        bytes,
        reason,
        asked,
    } in made::quic()
    {
        write("quic", name, &bytes);
        let datagram = Datagram::from_bytes(&seed("quic", name)).expect("a datagram");
        let mut filter = quic::filter();
        assert_eq!(
            filter.decide(&quic::frame(&datagram.packet().sealed())),
            reason,
            "{name}"
        );
        assert!(
            reason.message().is_none() || filter.name().to_string() == asked,
            "{name}: {}",
            filter.name()
        );
    }
    for Made {
        name,
        bytes,
        reason,
        asked,
    } in made::quic_flows()
    {
        write("quic_flow", name, &bytes);
        let sequence = Sequence::from_bytes(&seed("quic_flow", name)).expect("a sequence");
        assert_eq!(quic::over_tcp(&sequence.handshake).0, reason, "{name}");
        let mut filter = quic::filter();
        assert!(
            sequence.decide(&mut filter).len() > 1,
            "{name} is in one datagram"
        );
        assert_eq!(filter.name().to_string(), asked, "{name}");
    }
}

#[test]
fn what_a_conversation_is_written_as_is_read_as_the_same() {
    let conversation = Conversation {
        flags: flags::SYN,
        segments: vec![(0, 7), (300, 1)],
        payload: b"\x16\x03".into(),
    };
    assert_eq!(
        Conversation::from_bytes(&conversation.to_bytes()),
        Some(conversation.clone())
    );
    let dns = Conversation {
        flags: flags::DNS,
        ..conversation
    };
    assert_eq!(
        Conversation::from_bytes(&dns.to_bytes()),
        None,
        "a hello is no DNS message"
    );
}

#[test]
fn segments_have_the_headers_that_etherparse_writes() {
    for v6 in [false, true] {
        let wrap = if v6 { Wrap::v6(443) } else { Wrap::v4(443) };
        let mut expected = wrap.tcp_at(0x0102_0304, b"payload");
        let checksums: &[usize] = if v6 { &[70] } else { &[24, 50] };
        for at in checksums {
            expected[*at..at + 2].fill(0);
        }
        assert_eq!(
            Ends { v6, port: 443 }.segment(0x0102_0304, false, b"payload"),
            expected
        );
        assert_ne!(
            Ends { v6, port: 443 }.segment(0x0102_0304, true, b"payload"),
            expected
        );
    }
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target)
}

fn seed(target: &str, name: &str) -> Vec<u8> {
    let file = folder(target).join(name);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Writes a seed that is missing, if that is asked for. rustls writes other random octets each
/// time.
fn write(target: &str, name: &str, bytes: &[u8]) {
    let file = folder(target).join(name);
    if std::env::var_os("NAMEGATE_WRITE_SEEDS").is_some() && !file.exists() {
        fs::write(file, bytes).unwrap();
    }
}

/// Checks each seed of the target, and names all that fail.
fn replay(target: &str, check: impl Fn(&[u8]) + panic::RefUnwindSafe) {
    let entries = fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort_unstable();
    assert!(!names.is_empty(), "no seeds of {target}");
    names.retain(|name| panic::catch_unwind(|| check(&seed(target, name))).is_err());
    assert!(
        names.is_empty(),
        "seeds of {target} that fail: {}",
        names.join(", ")
    );
}
