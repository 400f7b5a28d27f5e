//! The kernel's decisions are filter-core's: over each frame of the repository's own corpus, and
//! over changed ones.

mod captures;
mod engines;
mod mutations;

use std::path::Path;

use filter_core::Reason;

lab::fail_on_kernel_damage!();

const MUTATED: usize = 100_000;

#[test]
fn the_kernel_decides_as_user_space_does_over_every_frame_of_the_corpus() {
    let frames = corpus();
    let rules = engines::every_third_name(&frames);
    let count = frames.len();
    let tally = engines::compare(&rules, "corpus in order", || frames.clone());
    println!("{} rules, {tally:?}", rules.len());
    assert_eq!((tally.judged, tally.not_taken), (count, 0));
    for reason in [
        Reason::DnsBlocked,
        Reason::DnsNotListed,
        Reason::TlsBlocked,
        Reason::TlsNotListed,
    ] {
        assert!(tally.reasons.contains(&reason), "no frame is {reason:?}");
    }
}

#[test]
fn the_kernel_decides_as_user_space_does_over_changed_frames_of_the_corpus() {
    let (seed, count) = (mutations::seed(), mutations::count(MUTATED));
    let frames = corpus();
    let rules = engines::every_third_name(&frames);
    let carriers: Vec<_> = frames
        .iter()
        .filter(|frame| engines::carries_name(frame))
        .map(Vec::as_slice)
        .collect();
    let tally = engines::compare(&rules, &format!("seed {seed}"), || {
        mutations::mutated(&carriers, seed, count)
    });
    println!("{tally:?}");
    assert!(tally.judged > count / 2, "{tally:?}");
    assert!(
        tally.dropped > count / 100 && tally.answered > count / 200,
        "{tally:?}"
    );
}

/// The frames of all files. An empty corpus would let every claim above pass.
fn corpus() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let mut frames = Vec::new();
    for file in captures::files(&directory) {
        let captures::Frames { read, skipped } = captures::frames(&file);
        assert_eq!(skipped, Some(0), "{}", file.display());
        frames.extend(read);
    }
    assert!(
        !frames.is_empty(),
        "there is no capture in corpus/: it belongs to the repository"
    );
    frames
}
