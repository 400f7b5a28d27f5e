//! The names and frames that a replay finds are those that others see, in every capture of
//! ../shared/captures: tshark's tables name each frame, nDPI and Arkime the names of their own
//! captures, hickory-proto the further names of responses. Where we differ on purpose,
//! `differences.tsv` says why.

mod compare;
mod cut;
mod differences;
mod found;
mod further;
mod table;
mod witness;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use filter_policy::{
    at::PolicyAt,
    compiled::{CompiledPolicy, hash_key},
    groups::Groups,
};
use filter_user::replay::{Engine, UserEngine};
#[cfg(feature = "root-tests")]
use filter_user::{
    kernel::{Filter, LoadOptions},
    replay::KernelEngine,
};

use compare::{Difference, Side};
use differences::Reviewed;

#[cfg(feature = "root-tests")]
lab::fail_on_kernel_damage!();

/// Captures of the collection, as its README counts them.
const CAPTURES: usize = 553;
/// Names that the witnesses have at least, so that nothing is compared with nothing.
const NAMES: usize = 4_800;
const WITNESSED: usize = 400;
const FURTHER: usize = 500;

#[test]
fn user_space_finds_what_others_see() {
    let compiled = no_rules();
    let mut tally = Tally::new();
    for (ports, captures) in by_ports() {
        let mut engine = UserEngine::new(
            hash_key(),
            &ports,
            PolicyAt::of(&compiled, Groups::default()),
        );
        for capture in captures {
            tally.run(&capture, &mut engine);
        }
    }
    tally.check("user");
}

#[cfg(feature = "root-tests")]
#[test]
fn the_kernel_finds_what_others_see() {
    let mut tally = Tally::new();
    for (dns_ports, captures) in by_ports() {
        let options = LoadOptions {
            dns_ports,
            events_per_second: u32::MAX,
            report_passed: true,
            ..LoadOptions::default()
        };
        let mut filter = Filter::load(&options).expect("a filter");
        let mut engine = KernelEngine::new(&mut filter).expect("a CPU");
        for capture in captures {
            tally.run(&capture, &mut engine);
        }
    }
    tally.check("kernel");
}

/// What came out over all captures.
struct Tally {
    reviewed: Reviewed,
    /// By protocol: names that both have, and those of either side alone.
    found: BTreeMap<&'static str, usize>,
    alone: BTreeMap<(&'static str, Side), usize>,
    /// Names that nDPI and Arkime have.
    witnessed: usize,
    /// Further names of responses that hickory has.
    further: usize,
    /// What no row of the list is about.
    new: Vec<String>,
}

impl Tally {
    fn new() -> Self {
        let (found, alone, new) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self {
            reviewed: Reviewed::read(),
            found,
            alone,
            witnessed: 0,
            further: 0,
            new,
        }
    }

    fn run(&mut self, capture: &str, engine: &mut dyn Engine) {
        let file = collection().join(capture);
        let (names, _) = found::names(&file, engine);
        for (frame, decoded) in further::decoded(&file) {
            let found = further::found(frame, &names);
            self.further += decoded.len();
            if found != decoded {
                self.new.push(format!(
                    "{capture}\t{frame}\tfurther names {found:?}, by hickory {decoded:?}"
                ));
            }
        }
        if let Some((witnessed, lacking)) = witness::compare(&collection(), capture, &names) {
            self.witnessed += witnessed;
            self.review(&lacking);
        }
        let (both, one) = compare::compare(capture, table::rows(&collection(), capture), names);
        for message in both {
            *self.found.entry(message.protocol()).or_default() += 1;
        }
        for difference in &one {
            *self
                .alone
                .entry((difference.message.protocol(), difference.side))
                .or_default() += 1;
        }
        self.review(&one);
    }

    fn review(&mut self, differences: &[Difference]) {
        let new = differences
            .iter()
            .filter(|difference| !self.reviewed.allows(difference));
        self.new
            .extend(new.map(ToString::to_string).collect::<Vec<_>>());
    }

    fn check(&self, engine: &str) {
        for (protocol, found) in &self.found {
            let alone = |side| {
                self.alone
                    .get(&(*protocol, side))
                    .copied()
                    .unwrap_or_default()
            };
            let (missed, extra) = (alone(Side::Missed), alone(Side::Extra));
            println!("{engine}, {protocol}: {found} found, {missed} missed, {extra} extra");
        }
        println!(
            "{engine}: {} names by nDPI and Arkime, {} further ones by hickory",
            self.witnessed, self.further
        );
        let left = self.reviewed.left();
        assert!(
            self.new.is_empty(),
            "{engine}: not in differences.tsv:\n{}",
            self.new.join("\n")
        );
        assert!(
            left.is_empty(),
            "{engine}: rows of differences.tsv that differ no longer:\n{}",
            left.join("\n")
        );
        let found: usize = self.found.values().sum();
        let counts = (found, self.witnessed, self.further);
        assert!(
            found >= NAMES && self.witnessed >= WITNESSED && self.further >= FURTHER,
            "{engine}: {counts:?}"
        );
    }
}

/// The captures by the ports that are DNS in them.
fn by_ports() -> BTreeMap<Vec<u16>, Vec<String>> {
    let mut by_ports = BTreeMap::<_, Vec<String>>::new();
    for capture in captures() {
        by_ports
            .entry(found::dns_ports(&capture))
            .or_default()
            .push(capture);
    }
    by_ports
}

/// The captures of the collection, below which they are named.
fn captures() -> Vec<String> {
    let manifest = fs::read_to_string(collection().join("MANIFEST.tsv"))
        .expect("../shared/captures/MANIFEST.tsv");
    let captures = manifest
        .lines()
        .skip(1)
        .filter_map(|row| row.split('\t').next());
    let captures: Vec<_> = captures.map(Into::into).collect();
    assert_eq!(captures.len(), CAPTURES);
    captures
}

fn no_rules() -> CompiledPolicy {
    CompiledPolicy::empty(hash_key())
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures")
}
