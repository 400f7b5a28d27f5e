//! Frames that no program here sends: with VLAN tags, and larger than one buffer. They go out of a
//! packet socket in the client, and one in the gateway sees what gets through the filter.

use frames::{Extension, Hello, Wrap};
use lab::Options;

use crate::{
    network::{LISTED, Network, OTHER},
    raw,
};

const TAGS: [&[u16]; 4] = [&[0x8100], &[0x88a8], &[0x88a8, 0x8100], &[0x8100, 0x8100]];

#[test]
fn in_native_mode_names_behind_vlan_tags_are_blocked_and_their_neighbours_arrive() {
    assert_tagged_names_are_judged("native");
}

#[test]
fn in_generic_mode_names_behind_vlan_tags_are_blocked_and_their_neighbours_arrive() {
    assert_tagged_names_are_judged("generic");
}

#[test]
fn a_hello_as_long_as_a_jumbo_frame_is_judged() {
    let mut network = Network::without_servers(&Options {
        mtu: 9000,
        ..Options::default()
    });
    network.filter("generic");
    let frame = |name: &str, from| {
        let mut hello = Hello::of(name);
        let place = hello.place_of(Extension::SERVER_NAME).unwrap();
        let server_name = hello.extensions_mut().remove(place);
        hello
            .extensions_mut()
            .extend([Extension::padding(8_000), server_name]);
        Wrap {
            from,
            ..Wrap::v4(443)
        }
        .tcp(&hello.record())
    };
    assert_eq!(
        arrived(
            &network,
            &[
                (frame(LISTED, 40_000), LISTED),
                (frame(OTHER, 40_001), OTHER)
            ]
        ),
        [OTHER]
    );
    assert_eq!(
        Vec::from_iter(network.counters()),
        [
            ("tls_blocked".to_owned(), 1),
            ("tls_not_listed".to_owned(), 1)
        ]
    );
}

fn assert_tagged_names_are_judged(mode: &str) {
    let off = vec!["rxvlan", "txvlan"];
    let mut network = Network::without_servers(&Options {
        off,
        ..Options::default()
    });
    network.filter(mode);
    let (query, hello) = (frames::query, frames::client_hello);
    let mut sent = Vec::new();
    for (from, tags) in (40_000..).step_by(2).zip(TAGS) {
        // A connection each: what comes again on one that is blocked is blocked with it.
        for (from, name) in [(from, LISTED), (from + 1, OTHER)] {
            sent.push((frames::tagged(&Wrap::v4(53).udp(&query(name)), tags), name));
            sent.push((
                frames::tagged(
                    &Wrap {
                        from,
                        ..Wrap::v6(443)
                    }
                    .tcp(&hello(name)),
                    tags,
                ),
                name,
            ));
        }
    }
    let arrived = arrived(&network, &sent);
    assert_eq!(arrived, vec![OTHER; 2 * TAGS.len()]);
    let each = TAGS.len() as u64;
    let expected = [
        "dns_blocked",
        "dns_not_listed",
        "tls_blocked",
        "tls_not_listed",
    ]
    .map(|name| (name.to_owned(), each));
    assert_eq!(Vec::from_iter(network.counters()), expected);
}

/// The names of those frames that get through to the gateway, in their order. An untagged query for
/// a name of its own comes last, to tell that all have come. Frames are told by their ends: on
/// arrival, a tag may be taken out.
fn arrived<'n>(network: &Network, sent: &[(Vec<u8>, &'n str)]) -> Vec<&'n str> {
    const LAST: &str = "last.test";
    let last = Wrap::v4(5300).udp(&frames::query(LAST));
    let seen = raw::listening(network.lab.gateway(), "lan", &last, || {
        let frames = sent.iter().map(|(frame, _)| &frame[..]).chain([&last[..]]);
        raw::send(network.lab.client(), "eth0", frames);
    });
    let packet_end = |frame: &[u8]| frame[frame.len() - 60..].to_vec();
    let name_of = |seen: &Vec<u8>| {
        sent.iter()
            .find(|(frame, _)| seen.ends_with(&packet_end(frame)))
            .map(|(_, name)| *name)
    };
    seen.iter().filter_map(name_of).collect()
}
