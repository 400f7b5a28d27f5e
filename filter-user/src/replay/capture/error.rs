//! Why a capture could not be read to its end, in sentences that say where.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::{Link, bytes::Stop};

/// Why a capture could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is no such file.
    #[error("there is no capture `{}`: check the path", .0.display())]
    Missing(PathBuf),
    /// The path names a directory.
    #[error("the capture `{}` is a directory: name the files in it one by one", .0.display())]
    Directory(PathBuf),
    /// The file cannot be opened or read.
    #[error("cannot read the capture `{}`: {error}; {place}", .capture.display())]
    Read {
        /// The file.
        capture: PathBuf,
        /// How far it was read.
        place: Place,
        /// What the system says.
        error: io::Error,
    },
    /// The file is something else.
    #[error("`{}` is not a pcap or pcapng file: {holds}", .capture.display())]
    Foreign {
        /// The file.
        capture: PathBuf,
        /// What it is instead.
        holds: String,
    },
    /// The file ends too early.
    #[error("the capture `{}` is cut: it ends in the middle of {place}", .capture.display())]
    Truncated {
        /// The file.
        capture: PathBuf,
        /// Where.
        place: Place,
    },
    /// The file contradicts itself.
    #[error("the capture `{}` is damaged: {what}, at {place}", .capture.display())]
    Damaged {
        /// The file.
        capture: PathBuf,
        /// Where.
        place: Place,
        /// In what way.
        what: String,
    },
    /// No frame of the file is of a link that is read.
    #[error(
        "the capture `{}` has link type {link} on its interface {interface}, which is not read (Ethernet, raw IP, Linux \
         cooked, BSD loopback and PPP are)",
        .capture.display()
    )]
    LinkType {
        /// The file.
        capture: PathBuf,
        /// The link type.
        link: Link,
        /// The interface, from 0.
        interface: u32,
    },
}

/// A place in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The whole frames before it.
    pub frames: u64,
    /// The byte of the unpacked file at which what was being read begins.
    pub byte: u64,
}

/// `frame 3 (byte 1170 of the capture); the 2 frames before it were read`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, byte } = self;
        write!(f, "frame {} (byte {byte} of the capture); ", frames + 1)?;
        match frames {
            0 => f.write_str("no frame was read"),
            1 => f.write_str("the frame before it was read"),
            _ => write!(f, "the {frames} frames before it were read"),
        }
    }
}

impl CaptureError {
    pub(super) fn open(capture: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(capture.into()),
            io::ErrorKind::IsADirectory => Self::Directory(capture.into()),
            _ => Self::Read {
                capture: capture.into(),
                place: Place { frames: 0, byte: 0 },
                error,
            },
        }
    }

    pub(super) fn stopped(capture: &Path, place: Place, stop: Stop) -> Self {
        let capture = capture.into();
        match stop {
            Stop::Truncated => Self::Truncated { capture, place },
            Stop::Damaged(what) => Self::Damaged {
                capture,
                place,
                what,
            },
            Stop::Read(error) => Self::Read {
                capture,
                place,
                error,
            },
        }
    }
}
