//! The frames of capture files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use filter_user::replay::{Capture, CaptureError};

/// Frames that a capture gives, and those of link types that are not read.
#[derive(Debug, Default)]
pub struct Frames {
    /// Each as it would stand on an Ethernet.
    pub read: Vec<Vec<u8>>,
    /// How many more there are; `None` if the link type of all of them is not read.
    pub skipped: Option<u64>,
}

/// A file's frames in their order; as many as are whole if the file ends in the middle of one.
///
/// # Panics
/// If it cannot be read for another reason.
pub fn frames(file: &Path) -> Frames {
    let mut progress = |_| {};
    let mut read = Vec::new();
    let mut capture = match Capture::open(file, &mut progress) {
        Err(CaptureError::LinkType { .. }) => return Frames::default(),
        capture => capture.unwrap_or_else(|error| panic!("{error}")),
    };
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => read.push(frame.bytes.to_vec()),
            Ok(None) | Err(CaptureError::Truncated { .. }) => break,
            Err(CaptureError::LinkType { .. }) => return Frames::default(),
            Err(error) => panic!("{error}"),
        }
    }
    Frames {
        read,
        skipped: Some(capture.skipped().iter().map(|skipped| skipped.frames).sum()),
    }
}

/// All captures below a directory, in order.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if is_capture(&path) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn is_capture(path: &Path) -> bool {
    !matches!(
        Capture::open(path, &mut |_| {}),
        Err(CaptureError::Foreign { .. } | CaptureError::Truncated { .. })
    )
}
