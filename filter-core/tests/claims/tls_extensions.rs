use filter_core::Reason;
use frames::{Extension, Hello, Wrap};

use super::*;

/// Server names of a list that are judged.
const SERVER_NAMES: usize = 16;
const HOST_NAME: u8 = 0;
/// Octets that an IPv4 packet holds behind the smallest IP and TCP headers.
const LARGEST_SEGMENT: usize = 65_495;

fn reason(hello: &Hello) -> Reason {
    judge(&Wrap::v4(443).tcp(&hello.record())).reason
}

/// Asserts that the hello with a listed name is blocked and the one with another is not, both
/// changed in the same way.
#[track_caller]
fn assert_both(what: &str, change: impl Fn(&mut Vec<Extension>)) {
    for (name, expected) in [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)] {
        let mut hello = Hello::of(name);
        change(hello.extensions_mut());
        assert_eq!(reason(&hello), expected, "{what}");
    }
}

fn grease(place: u16) -> u16 {
    // RFC 8701 §2.
    0x0a0a + (place % 16) * 0x1010
}

#[test]
fn extensions_may_stand_in_any_order() {
    let count = Hello::of(LISTED).extensions_mut().len();
    for turn in 0..count {
        assert_both(&format!("turned by {turn}"), |extensions| {
            extensions.rotate_left(turn);
        });
        assert_both(&format!("reversed, turned by {turn}"), |extensions| {
            extensions.reverse();
            extensions.rotate_left(turn);
        });
    }
}

#[test]
fn the_server_name_may_stand_anywhere_among_the_others() {
    let count = Hello::of(LISTED).extensions_mut().len();
    for place in 0..count {
        assert_both(&format!("at {place}"), |extensions| {
            let from = extensions
                .iter()
                .position(|extension| extension.kind == Extension::SERVER_NAME)
                .unwrap();
            let server_name = extensions.remove(from);
            extensions.insert(place, server_name);
        });
    }
}

#[test]
fn grease_is_skipped() {
    for value in 0..16 {
        assert_both("GREASE at both ends", |extensions| {
            extensions.insert(
                0,
                Extension {
                    kind: grease(value),
                    data: Vec::new(),
                },
            );
            extensions.push(Extension {
                kind: grease(value + 1),
                data: vec![0],
            });
        });
    }
}

#[test]
fn hundreds_of_extensions_are_skipped() {
    for count in [100, 1000, 10_000] {
        assert_both(&format!("{count} before it"), |extensions| {
            let many = (0..count).map(|place| Extension {
                kind: grease(place),
                data: Vec::new(),
            });
            extensions.splice(0..0, many);
        });
    }
}

#[test]
fn a_hello_may_fill_the_largest_segment() {
    for first in [true, false] {
        for (name, expected) in [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)] {
            let mut hello = Hello::of(name);
            let padding = LARGEST_SEGMENT - hello.record().len() - 4;
            let server_name = hello.place_of(Extension::SERVER_NAME).unwrap();
            let server_name = hello.extensions_mut().remove(server_name);
            let (front, back) = if first {
                (server_name, Extension::padding(padding))
            } else {
                (Extension::padding(padding), server_name)
            };
            hello.extensions_mut().insert(0, front);
            hello.extensions_mut().push(back);
            assert_eq!(hello.record().len(), LARGEST_SEGMENT);
            assert_eq!(reason(&hello), expected, "name first: {first}");
        }
    }
}

#[test]
fn every_name_of_a_list_is_judged() {
    for (what, names, expected) in [
        ("the second is listed", [OTHER, LISTED], Reason::TlsBlocked),
        ("the first is listed", [LISTED, OTHER], Reason::TlsBlocked),
        (
            "both are listed",
            [LISTED, "tracker.example"],
            Reason::TlsBlocked,
        ),
        (
            "none is listed",
            [OTHER, "example.com"],
            Reason::TlsNotListed,
        ),
        ("the first is none", ["", LISTED], Reason::TlsBlocked),
    ] {
        assert_eq!(
            reason(&Hello::of_names(&names.map(|name| (HOST_NAME, name)))),
            expected,
            "{what}"
        );
    }
}

#[test]
fn sixteen_names_of_a_list_are_judged_and_no_more() {
    for before in [SERVER_NAMES - 2, SERVER_NAMES - 1] {
        let names = [vec![(HOST_NAME, OTHER); before], vec![(HOST_NAME, LISTED)]].concat();
        assert_eq!(
            reason(&Hello::of_names(&names)),
            Reason::TlsBlocked,
            "behind {before}"
        );
    }
    let names = [
        vec![(HOST_NAME, OTHER); SERVER_NAMES],
        vec![(HOST_NAME, LISTED)],
    ]
    .concat();
    assert_eq!(
        reason(&Hello::of_names(&names)),
        Reason::TlsNotListed,
        "the seventeenth"
    );
}

#[test]
fn entries_of_other_types_are_no_names() {
    for kind in [1, 2, 255] {
        let before = Hello::of_names(&[(kind, LISTED), (HOST_NAME, OTHER)]);
        assert_eq!(reason(&before), Reason::TlsNotListed, "type {kind} before");
        let behind = Hello::of_names(&[(kind, OTHER), (HOST_NAME, LISTED)]);
        assert_eq!(
            reason(&behind),
            Reason::TlsBlocked,
            "type {kind}, then a name"
        );
        assert_eq!(
            reason(&Hello::of_names(&[(kind, LISTED)])),
            Reason::TlsNoServerName,
            "nothing but type {kind}"
        );
    }
}

#[test]
fn an_empty_list_is_malformed() {
    assert_eq!(reason(&Hello::of_names(&[])), Reason::TlsMalformed);
    let mut hello = Hello::of(LISTED);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    hello.extensions_mut()[place].data.clear();
    hello.extensions_mut().truncate(place + 1);
    assert_eq!(reason(&hello), Reason::TlsMalformed, "no list at all");
}

#[test]
fn lengths_that_lead_out_of_the_hello_are_malformed() {
    let mut hello = Hello::of(LISTED);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    let server_name = hello.extensions_mut().remove(place);
    hello.extensions_mut().push(server_name);
    let record = hello.record();
    // From the end: the name, two octets of its length, its type, two octets of the list's length.
    let name_length = record.len() - LISTED.len() - 2;
    let lying = with(&record, name_length, &[0xff, 0xff]);
    assert_reason(
        &Wrap::v4(443).tcp(&lying),
        Reason::TlsMalformed,
        "the name's",
    );
    assert_reason(&Wrap::v4(443).tcp(&record), Reason::TlsBlocked, "as it was");
}

#[test]
fn a_name_that_is_whole_is_judged_though_its_list_leads_out_of_the_hello() {
    for (name, expected) in [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsMalformed)] {
        let mut hello = Hello::of(name);
        let place = hello.place_of(Extension::SERVER_NAME).unwrap();
        let mut server_name = hello.extensions_mut().remove(place);
        server_name.data[0] = 0xff;
        hello.extensions_mut().push(server_name);
        assert_eq!(reason(&hello), expected, "{name}");
    }
}

#[test]
fn a_name_that_is_not_listed_excuses_no_broken_list() {
    let names = [(HOST_NAME, OTHER), (HOST_NAME, LISTED)];
    let mut hello = Hello::of_names(&names);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    let second_length = 2 + 3 + OTHER.len() + 1;
    hello.extensions_mut()[place].data[second_length] = 0xff;
    assert_eq!(reason(&hello), Reason::TlsMalformed);
    assert_eq!(reason(&Hello::of_names(&names)), Reason::TlsBlocked);
}

/// RFC 8446 §4.2 allows no two; servers refuse such a hello.
#[test]
fn of_two_lists_of_names_the_first_is_judged() {
    for (first, second, expected) in [
        (LISTED, OTHER, Reason::TlsBlocked),
        (OTHER, LISTED, Reason::TlsNotListed),
        (LISTED, LISTED, Reason::TlsBlocked),
    ] {
        let mut hello = Hello::of(first);
        hello
            .extensions_mut()
            .push(Extension::server_names(&[(HOST_NAME, second)]));
        let what = format!("{first}, then {second}");
        assert_eq!(reason(&hello), expected, "{what}");
    }
}

#[test]
fn of_several_names_of_a_list_each_is_judged() {
    for (names, expected) in [
        ([LISTED, OTHER], Reason::TlsBlocked),
        ([OTHER, LISTED], Reason::TlsBlocked),
        ([OTHER, OTHER], Reason::TlsNotListed),
    ] {
        assert_eq!(
            reason(&Hello::of_names(&names.map(|name| (HOST_NAME, name)))),
            expected,
            "{names:?}"
        );
    }
}
