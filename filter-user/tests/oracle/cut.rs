//! Captures that end where nobody meant them to.

use std::{fs, path::Path};

use filter_user::replay::{Capture, CaptureError};

use crate::{captures, collection};

/// Pieces that each file is cut into.
const CUTS: usize = 5;

#[test]
fn every_capture_that_is_cut_gives_the_frames_before_the_cut_and_says_where_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let cut = directory.path().join("cut");
    let mut truncated = 0;
    for capture in captures() {
        let whole = fs::read(collection().join(&capture)).expect("a capture");
        let (frames, _) = read(&collection().join(&capture));
        for at in
            (1..CUTS).flat_map(|part| [part * whole.len() / CUTS, part * whole.len() / CUTS + 3])
        {
            fs::write(&cut, &whole[..at.min(whole.len())]).expect("a file");
            let (read, error) = read(&cut);
            assert!(frames.starts_with(&read), "{capture} cut at {at}");
            match error {
                // Between two frames, or of a link that is not read.
                None | Some(CaptureError::LinkType { .. }) => {}
                Some(CaptureError::Truncated { place, .. }) => {
                    truncated += 1;
                    assert!(
                        place.byte <= at as u64 && place.frames >= read.len() as u64,
                        "{capture}, {at}: {place:?}"
                    );
                }
                Some(CaptureError::Foreign { .. }) => assert!(at < 24, "{capture}, {at}"),
                Some(other) => panic!("{capture} cut at {at}: {other}"),
            }
        }
    }
    assert!(truncated > 4_000, "{truncated}");
}

/// A capture's frames, with their numbers, and why there are no more.
fn read(file: &Path) -> (Vec<(u64, Vec<u8>)>, Option<CaptureError>) {
    let mut frames = Vec::new();
    let mut progress = |_| {};
    let mut capture = match Capture::open(file, &mut progress) {
        Ok(capture) => capture,
        Err(error) => return (frames, Some(error)),
    };
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => frames.push((frame.number, frame.bytes.to_vec())),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
    }
}
