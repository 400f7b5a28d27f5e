//! The kernel's decisions are filter-core's: over each frame of the captures in ../shared, and over
//! changed ones.

mod bloom;
mod captures;
mod engines;
mod mutations;
mod policy;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use captures::Frames;
use filter_core::Reason;

lab::fail_on_kernel_damage!();

/// Files and frames of the collection, as its README counts them.
const FILES: usize = 553;
const FRAMES: usize = 76_123;
/// Whole frames of the one file that is broken, for which the manifest has no number.
const FRAMES_OF_BROKEN: usize = 6;
const MUTATED: usize = 200_000;
/// Link types of which no frame is read, as the manifest has them.
const NOT_READ: [&str; 9] = [
    "arcnet_linux",
    "chdlc",
    "fddi-swapped",
    "frelay",
    "ieee-802-11",
    "ieee-802-11-radiotap",
    "nflog",
    "slip",
    "wpan",
];

/// The frames of each file, under its name in the manifest.
static CAPTURES: LazyLock<BTreeMap<String, Frames>> = LazyLock::new(|| {
    let collection = collection();
    let name = |file: &Path| {
        file.strip_prefix(&collection)
            .expect("below it")
            .to_string_lossy()
            .into_owned()
    };
    captures::files(&collection)
        .into_iter()
        .map(|file| (name(&file), captures::frames(&file)))
        .collect()
});

#[test]
fn every_frame_of_every_capture_is_read() {
    assert_eq!(CAPTURES.len(), FILES);
    let manifest = fs::read_to_string(collection().join("MANIFEST.tsv"))
        .expect("../shared/captures/MANIFEST.tsv");
    let mut counted = 0;
    for row in manifest.lines().skip(1) {
        let cells: Vec<_> = row.split('\t').collect();
        let frames = if cells[7] == "?" {
            FRAMES_OF_BROKEN
        } else {
            cells[7].parse().expect(row)
        };
        let Frames { read, skipped } = &CAPTURES[cells[0]];
        match skipped {
            Some(skipped) => assert_eq!(read.len() as u64 + skipped, frames as u64, "{}", cells[0]),
            None => assert!(NOT_READ.contains(&cells[8]), "{}: {}", cells[0], cells[8]),
        }
        counted += frames;
    }
    assert_eq!(counted, FRAMES + FRAMES_OF_BROKEN);
}

#[test]
fn the_kernel_decides_as_user_space_does_over_every_frame_of_the_captures() {
    let rules = engines::every_third_name(all_frames());
    let tally = engines::compare(&rules, "captures in order", || all_frames().cloned());
    println!("{} rules, {tally:?}", rules.len());
    assert_eq!(tally.judged + tally.not_taken, all_frames().count());
    assert!(tally.judged > FRAMES - 1_000, "{} judged", tally.judged);
    assert_eq!(
        tally.not_taken,
        all_frames().filter(|frame| frame.len() < 14).count()
    );
    assert!(tally.dropped > 500 && tally.answered > 100, "{tally:?}");
    for reason in [
        Reason::DnsBlocked,
        Reason::DnsNotListed,
        Reason::TlsBlocked,
        Reason::TlsNotListed,
        Reason::TlsHelloSplit,
    ] {
        assert!(tally.reasons.contains(&reason), "no frame is {reason:?}");
    }
}

#[test]
fn the_kernel_decides_as_user_space_does_over_changed_frames() {
    let (seed, count) = (mutations::seed(), mutations::count(MUTATED));
    let rules = engines::every_third_name(all_frames());
    let carriers: Vec<_> = all_frames()
        .filter(|frame| engines::carries_name(frame))
        .map(Vec::as_slice)
        .collect();
    let tally = engines::compare(&rules, &format!("seed {seed}"), || {
        mutations::mutated(&carriers, seed, count)
    });
    println!("{tally:?}");
    assert!(tally.judged > count / 2, "{} judged", tally.judged);
    assert!(
        tally.dropped > count / 200 && tally.dropped < tally.judged / 2,
        "{tally:?}"
    );
    assert!(tally.answered > count / 400, "{tally:?}");
}

fn all_frames() -> impl Iterator<Item = &'static Vec<u8>> {
    CAPTURES.values().flat_map(|frames| &frames.read)
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures")
}
