//! Rules of each kind by themselves, as documentation has them: what they do there, and here.

use filter_lists::Domain;

use crate::{
    asking::Verdict::{self, Blocks, Passes},
    compile, judge,
    resolver::{Kind, Resolver},
};

/// Rules, the names that they block there and here, and names that pass.
type Same = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Rules, a name, and what becomes of it there; here, the contrary does. The reason is in a
/// comment, and in docs/lists.md.
type Other = (&'static str, &'static str, Verdict);

const ZONE: &str =
    "$TTL 30\n@ SOA localhost. root.localhost. 1 3600 600 86400 30\n NS localhost.\n";

const SAME_IN_ZONES: [Same; 7] = [
    (
        "name.example CNAME .",
        &["name.example"],
        &["a.name.example", "xname.example"],
    ),
    (
        "*.below.example CNAME .",
        &["a.below.example", "a.b.below.example"],
        &["below.example"],
    ),
    (
        "nodata.example CNAME *.",
        &["nodata.example"],
        &["a.nodata.example"],
    ),
    (
        "data.example A 192.0.2.7",
        &["data.example"],
        &["a.data.example"],
    ),
    (
        "garden.example CNAME walled.test.",
        &["garden.example"],
        &["walled.test"],
    ),
    (
        "*.but.example CNAME .\nok.but.example CNAME rpz-passthru.",
        &["a.but.example"],
        &["ok.but.example"],
    ),
    (
        "*.and.example CNAME .\n*.ok.and.example CNAME rpz-passthru.",
        &["a.and.example"],
        &["a.ok.and.example"],
    ),
];

const OTHER_IN_ZONES: [Other; 6] = [
    // RFC 4592, section 3.3.1: a wildcard is not about names below one that is in the zone.
    (
        "*.wild.example CNAME .\nknown.wild.example CNAME .",
        "a.known.wild.example",
        Passes,
    ),
    (
        "*.pass.example CNAME .\nok.pass.example CNAME rpz-passthru.",
        "a.ok.pass.example",
        Passes,
    ),
    // The closest name decides there, and allowing here.
    (
        "*.free.example CNAME rpz-passthru.\nbad.free.example CNAME .",
        "bad.free.example",
        Blocks,
    ),
    (
        "*.open.example CNAME rpz-passthru.\n*.bad.open.example CNAME .",
        "a.bad.open.example",
        Blocks,
    ),
    // A question over UDP is put off to TCP, which blocks nothing.
    ("tcp.example CNAME rpz-tcp-only.", "tcp.example", Blocks),
    // A single label is refused here.
    ("printer CNAME .", "printer", Blocks),
];

const SAME_IN_LOCAL_ZONES: [Same; 9] = [
    (
        "local-zone: nx.example. always_nxdomain",
        &["nx.example", "a.b.nx.example"],
        &["xnx.example", "nx.example.test"],
    ),
    (
        "local-zone: nodata.example. always_nodata",
        &["nodata.example", "a.nodata.example"],
        &[],
    ),
    (
        "local-zone: null.example. always_null",
        &["null.example", "a.null.example"],
        &[],
    ),
    (
        "local-zone: no.example. always_refuse",
        &["no.example", "a.no.example"],
        &[],
    ),
    (
        "local-zone: refuse.example. refuse",
        &["refuse.example", "a.refuse.example"],
        &[],
    ),
    (
        "local-zone: static.example. static",
        &["static.example", "a.static.example"],
        &[],
    ),
    (
        "local-zone: to.example. redirect\nlocal-data: \"to.example. A 192.0.2.7\"",
        &["to.example", "a.to.example"],
        &[],
    ),
    (
        "local-zone: trans.example. transparent",
        &[],
        &["trans.example", "a.trans.example"],
    ),
    (
        "local-zone: inform.example. inform",
        &[],
        &["inform.example", "a.inform.example"],
    ),
];

const OTHER_IN_LOCAL_ZONES: [Other; 3] = [
    // The closest zone decides there; here, one that blocks nothing takes no name out of another.
    (
        "local-zone: wide.example. always_nxdomain\nlocal-zone: ok.wide.example. transparent",
        "a.ok.wide.example",
        Passes,
    ),
    (
        "local-zone: all.example. always_nxdomain\nlocal-zone: ok.all.example. always_transparent",
        "ok.all.example",
        Passes,
    ),
    // An answer of one's own, which blocks nothing here.
    (
        "local-data: \"nas.example. A 192.0.2.7\"",
        "nas.example",
        Blocks,
    ),
];

const SAME_IN_DNSMASQ: [Same; 10] = [
    (
        "address=/nothing.example/",
        &["nothing.example", "a.b.nothing.example"],
        &["xnothing.example"],
    ),
    (
        "address=/null.example/#",
        &["null.example", "a.null.example"],
        &[],
    ),
    (
        "address=/zero.example/0.0.0.0",
        &["zero.example", "a.zero.example"],
        &[],
    ),
    (
        "address=/loop.example/127.0.0.1",
        &["loop.example", "a.loop.example"],
        &[],
    ),
    (
        "local=/local.example/",
        &["local.example", "a.local.example"],
        &[],
    ),
    (
        "server=/one.example/two.example/",
        &["one.example", "a.two.example"],
        &["three.example"],
    ),
    (
        "address=/.dot.example/",
        &["dot.example", "a.dot.example"],
        &["xdot.example"],
    ),
    (
        "address=/*.star.example/",
        &["a.star.example", "a.b.star.example"],
        &["star.example", "xstar.example"],
    ),
    (
        "address=/*end.example/",
        &["end.example", "xend.example", "a.end.example"],
        &["endx.example"],
    ),
    (
        "local=/but.example/\nserver=/ok.but.example/#",
        &["a.but.example"],
        &["ok.but.example", "a.ok.but.example"],
    ),
];

const OTHER_IN_DNSMASQ: [Other; 3] = [
    // The longest name decides there, and allowing here.
    (
        "server=/free.example/#\nlocal=/bad.free.example/",
        "bad.free.example",
        Blocks,
    ),
    // An answer of one's own, which blocks nothing here.
    ("address=/nas.example/192.0.2.7", "nas.example", Blocks),
    // All names without a dot.
    ("local=//", "printer", Blocks),
];

#[test]
fn records_of_policy_zones_do_what_the_readme_says() {
    check(Kind::Rpz, ZONE, &SAME_IN_ZONES, &OTHER_IN_ZONES);
}

#[test]
fn local_zones_do_what_the_readme_says() {
    check(
        Kind::LocalZones,
        "server:\n",
        &SAME_IN_LOCAL_ZONES,
        &OTHER_IN_LOCAL_ZONES,
    );
}

#[test]
fn dnsmasqs_lines_do_what_the_readme_says() {
    check(Kind::Dnsmasq, "", &SAME_IN_DNSMASQ, &OTHER_IN_DNSMASQ);
}

fn check(kind: Kind, head: &str, same: &[Same], other: &[Other]) {
    let rules: Vec<_> = same
        .iter()
        .map(|(rules, ..)| *rules)
        .chain(other.iter().map(|(rules, ..)| *rules))
        .collect();
    let list = format!("{head}{}\n", rules.join("\n"));
    let same = same.iter().flat_map(|(_, blocked, passing)| {
        let blocked = blocked.iter().map(|name| (*name, Blocks, Blocks));
        blocked.chain(passing.iter().map(|name| (*name, Passes, Passes)))
    });
    let expected: Vec<_> = same
        .chain(other.iter().map(|(_, name, there)| {
            (
                *name,
                *there,
                if *there == Blocks { Passes } else { Blocks },
            )
        }))
        .collect();
    let names: Vec<Domain> = expected
        .iter()
        .map(|(name, ..)| name.parse().expect("a name"))
        .collect();
    let there = Resolver::start(kind, &list).judge(&names);
    let here = judge(&compile(&list, kind), &names);
    let found: Vec<_> = expected
        .iter()
        .zip(there)
        .zip(here)
        .map(|(((name, ..), there), here)| (*name, there, here))
        .collect();
    assert_eq!(
        found, expected,
        "names, what becomes of them there, and here"
    );
}
