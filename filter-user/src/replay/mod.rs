//! Captures through the filter, outside of any network.
//!
//! [`replay`] runs the frames of a capture, in order and with the state of their flows, through an
//! [`Engine`]: the program in the kernel, or the same source in user space. It hands over each name
//! that was judged, once.

mod capture;
mod engine;
mod line;
mod repeats;

use std::{io, path::Path};

pub use capture::{Capture, CaptureError, Frame, Link, Place, Skipped};
pub use engine::{Engine, KernelEngine, Seen, UserEngine};
pub use line::{Line, record_type};
use repeats::Repeats;

use crate::kernel::KernelError;

/// Why a replay cannot go on, whatever the capture.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The kernel does not do its part.
    #[error("the kernel cannot judge frame {frame}: {error}")]
    Kernel {
        /// The frame, from 1.
        frame: u64,
        /// What it says.
        error: KernelError,
    },
    /// A name could not be handed over.
    #[error("cannot hand over a name")]
    Output(#[from] io::Error),
}

/// What became of a capture.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Its frames, as far as it could be read.
    pub frames: u64,
    /// Frames that the engine does not take.
    pub not_taken: u64,
    /// Frames of link types that are not read.
    pub skipped: Vec<Skipped>,
    /// Why it could not be read to its end.
    pub broken: Option<CaptureError>,
}

/// Runs a capture through the engine, which begins without any flow. Each name that is judged is
/// handed over with the number of the frame in which it became known; not again if TCP carries the
/// same bytes again. `progress` is told how many bytes of the file were taken by each step.
///
/// # Errors
/// If the engine fails, or `each` does. A capture that cannot be read to its end is no such error.
pub fn replay(
    path: &Path,
    engine: &mut dyn Engine,
    progress: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(u64, Seen) -> io::Result<()>,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    let mut capture = match Capture::open(path, progress) {
        Ok(capture) => capture,
        Err(error) => {
            return Ok(Replayed {
                broken: Some(error),
                ..replayed
            });
        }
    };
    engine
        .forget_flows()
        .map_err(|error| ReplayError::Kernel { frame: 1, error })?;
    let mut repeats = Repeats::default();
    loop {
        let frame = match capture.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                replayed.broken = Some(error);
                break;
            }
        };
        let judged = engine
            .judge(frame.bytes)
            .map_err(|error| ReplayError::Kernel {
                frame: frame.number,
                error,
            })?;
        let Some((_, mut names)) = judged else {
            replayed.not_taken += 1;
            continue;
        };
        repeats.remove_from(&mut names);
        for name in names {
            each(frame.number, name)?;
        }
    }
    replayed.frames = capture.frames();
    replayed.skipped = capture.skipped().to_vec();
    Ok(replayed)
}
