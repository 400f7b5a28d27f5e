//! Response policy zones in every style that people and programs write, against Unbound and BIND
//! reading the same files.

use std::{fmt::Write, fs, process::Command};

use fastrand::Rng;
use filter_lists::Domain;

use crate::{
    asking::Verdict,
    collection, compile, judge,
    resolver::{Kind, Resolver, ZONE},
};

/// A list of which the names are taken, each of them once.
const LIST: &str = "urlhaus-filter/urlhaus.rpz";

/// Names that are blocked, and that pass, at least.
const MIN_NAMES: usize = 3_000;

#[test]
fn a_zone_means_the_same_in_whatever_style_it_is_written() {
    let names = names();
    let zone = by_hand(&names, Kind::BindRpz);
    let styles = [
        (
            "by hand, as Unbound reads it",
            by_hand(&names, Kind::Rpz),
            &[Kind::Rpz, Kind::BindRpz][..],
        ),
        (
            "relative",
            compiled(&zone, "relative"),
            &[Kind::Rpz, Kind::BindRpz],
        ),
        ("full", compiled(&zone, "full"), &[Kind::Rpz, Kind::BindRpz]),
        ("by hand", zone, &[Kind::BindRpz]),
    ];
    let asked = asked(&names);
    for (style, zone, kinds) in styles {
        let here = judge(&compile(&zone, Kind::Rpz), &asked);
        let blocked = here
            .iter()
            .filter(|verdict| **verdict == Verdict::Blocks)
            .count();
        assert!(
            blocked >= MIN_NAMES && asked.len() - blocked >= MIN_NAMES,
            "{style}: {blocked} of {}",
            asked.len()
        );
        for kind in kinds {
            let there = Resolver::start(*kind, &zone).judge(&asked);
            let compared = asked.iter().zip(here.iter().zip(there));
            let different: Vec<_> = compared
                .filter(|(_, (here, there))| *here != there)
                .collect();
            let some = &different[..different.len().min(20)];
            assert!(
                different.is_empty(),
                "{style}, {kind:?}: {} names, here and there: {some:?}",
                different.len()
            );
            println!(
                "{style}, {kind:?}: {} names, {blocked} of them blocked",
                asked.len()
            );
        }
    }
}

/// Names of the list, none below another.
fn names() -> Vec<Domain> {
    let text = fs::read_to_string(collection().join(LIST)).expect("a list");
    let records = text
        .lines()
        .filter_map(|line| line.strip_suffix(" CNAME ."));
    let mut names: Vec<Domain> = records
        .filter_map(|name| Domain::parse_rule(name).ok())
        .collect();
    // In this order a name comes behind those above it.
    names.sort_by_cached_key(|name| {
        name.as_str()
            .split('.')
            .rev()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    let mut apart: Vec<Domain> = Vec::new();
    for name in names {
        let is_below =
            |above: &Domain| name.as_str().ends_with(&format!(".{above}")) || name == *above;
        if !apart.last().is_some_and(is_below) {
            apart.push(name);
        }
    }
    apart
}

fn asked(names: &[Domain]) -> Vec<Domain> {
    let around = |name: &Domain| {
        [
            name.to_string(),
            format!("ok.{name}"),
            format!("a.b.{name}"),
            format!("x{name}"),
        ]
    };
    names
        .iter()
        .flat_map(around)
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// A zone as people write it, of whom each has a style. Unbound reads no time to live behind a
/// class, and an origin that is relative for an absolute one.
fn by_hand(names: &[Domain], reader: Kind) -> String {
    let mut rng = Rng::with_seed(1);
    let styles = if reader == Kind::Rpz { 7 } else { 9 };
    let mut record = |zone: &mut String, owner: &str, target: &str| {
        record(zone, owner, target, rng.u8(0..styles));
    };
    let mut zone = format!(
        "; a zone\n$ORIGIN {ZONE}.\n$TTL 3H ; for all\n@ 1D IN SOA LOCALHOST. host\\.master.LOCALHOST. (\n\t1 ; serial (1)\n\t\
         1h\n\t15M 30d 2h ) ; times\n\t1w\tIN NS LOCALHOST.\n"
    );
    for (number, name) in names.iter().enumerate() {
        match number % 3 {
            0 => record(&mut zone, name.as_str(), "."),
            1 => {
                record(&mut zone, name.as_str(), "*.");
                record(&mut zone, &format!("*.{name}"), ".");
            }
            _ => {
                record(&mut zone, &format!("*.{name}"), ".");
                let passes = if number % 2 == 0 {
                    "RPZ-PASSTHRU."
                } else {
                    "Rpz-PassThru."
                };
                record(&mut zone, &format!("ok.{name}"), passes);
            }
        }
    }
    zone
}

fn record(zone: &mut String, owner: &str, target: &str, style: u8) {
    let (first, rest) = owner.split_once('.').expect("two labels");
    let written = match style {
        0 => writeln!(zone, "{owner} CNAME {target}"),
        1 => writeln!(
            zone,
            "{}.{}.\t300\tIN\tCNAME\t{target}",
            owner.to_uppercase(),
            ZONE.to_uppercase()
        ),
        2 => writeln!(zone, "{owner} 1h cname {target} ; why (not"),
        3 => writeln!(
            zone,
            "{owner} ( 1D ; a day\n\tIN CNAME\n\n  {target} ) ; done"
        ),
        4 => writeln!(zone, "{}.{rest} 60 in CNAME {target}", in_numbers(first)),
        5 => writeln!(
            zone,
            "$ORIGIN {rest}.{ZONE}.\n{first}\tCNAME {target}\n$ORIGIN {ZONE}."
        ),
        7 => writeln!(
            zone,
            "$origin {rest}\n{first}\tIN CNAME\t{target}\n$ORIGIN {ZONE}.\n$TTL 1d"
        ),
        8 => writeln!(zone, "{owner} IN 1h30m CNAME {target}"),
        // Data of its own, whose other records have no owner.
        _ if target == "." => {
            writeln!(
                zone,
                "{owner} A 192.0.2.7\n  IN TXT \"a ; (b)\" \"c \\\" d\"\n\t1h AAAA 2001:db8::7"
            )
        }
        _ => writeln!(zone, "{owner}  0\tCNAME {target}"),
    };
    written.expect("a string takes all");
}

/// The label with its first letter as a number.
fn in_numbers(label: &str) -> String {
    let (first, rest) = label.split_at(1);
    if first == "*" {
        label.to_owned()
    } else {
        format!("\\{:03}{rest}", first.as_bytes()[0])
    }
}

/// The zone as BIND's own program writes it.
fn compiled(zone: &str, style: &str) -> String {
    let folder = tempfile::TempDir::new().expect("a folder");
    let [written, compiled] = ["zone", "compiled"].map(|name| folder.path().join(name));
    fs::write(&written, zone).expect("a file");
    let mut command = Command::new("named-compilezone");
    command
        .args([
            "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-s", style, "-o",
        ])
        .arg(&compiled);
    let status = command
        .arg(ZONE)
        .arg(&written)
        .status()
        .expect("it runs: `cargo xtask setup` installs it");
    assert!(status.success(), "{command:?}");
    fs::read_to_string(&compiled).expect("a zone")
}
