//! What can go wrong with pins.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why nothing can be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The folder is in no BPF file system.
    #[error(
        "`{}` is in no BPF file system, where programs stay when the controller ends: mount one with \
         `mount -t bpf bpf /sys/fs/bpf`, name a folder in one with --pins, or start with --without-controller pass",
        .0.display()
    )]
    NoFileSystem(PathBuf),
    /// Another controller has the folder.
    #[error(
        "another controller has its pins in `{}`: stop it, or name another folder with --pins",
        .0.display()
    )]
    InUse(PathBuf),
    /// There is something in the folder that the program did not pin.
    #[error("`{}` is no pin of namegate's: remove it, or name another folder with --pins", .0.display())]
    Foreign(PathBuf),
    /// The system refuses.
    #[error("cannot {what} `{}`: {error}; name another folder with --pins", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl PinError {
    /// True if the system has no place for pins, or none for this user: nothing is wrong with the
    /// place that was named.
    pub fn is_without_place(&self) -> bool {
        match self {
            Self::NoFileSystem(_) => true,
            Self::Io { error, .. } => matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ),
            Self::InUse(_) | Self::Foreign(_) => false,
        }
    }
}

/// The error of an operation on a path.
pub(super) fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> PinError {
    let path = path.to_owned();
    move |error| PinError::Io {
        what,
        path: path.clone(),
        error,
    }
}
