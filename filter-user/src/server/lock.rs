//! The file beside the socket that one controller has locked for as long as it runs.
//!
//! Whoever may open a file may lock it (flock(2)), the folder included: this one is for its owner
//! alone. It is never waited for.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
    process::geteuid,
};

/// A file that nobody else has locked; dropping it removes the file.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

/// Why it cannot be had.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process has it.
    Held,
    /// Something is in its place that is not a file of this user.
    NotOurs(PathBuf),
    /// The system refuses.
    Io(io::Error),
}

impl Lock {
    /// Locks the file that goes with this socket.
    pub fn take(socket: &Path) -> Result<Self, LockError> {
        let mut name = socket.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        loop {
            let file = open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(LockError::Held),
                Err(error) => return Err(LockError::Io(error.into())),
            }
            // A controller that ended removed the file between the two calls: what is locked is no
            // longer what others find there.
            let inode = file.metadata().map_err(LockError::Io)?.ino();
            if fs::symlink_metadata(&path).is_ok_and(|there| there.ino() == inode) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It is locked until the file is closed, after this. One that is left does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> Result<File, LockError> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let not_ours = || LockError::NotOurs(path.into());
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP | libc::EISDIR | libc::ENXIO) => not_ours(),
        _ => LockError::Io(error),
    })?;
    let metadata = file.metadata().map_err(LockError::Io)?;
    if metadata.is_file() && metadata.uid() == geteuid().as_raw() {
        Ok(file)
    } else {
        Err(not_ours())
    }
}
