//! Files and folders of a BPF file system.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use super::error::{PinError, failed};

/// Makes a folder for its owner alone, unless it is there.
pub(super) fn make(folder: &Path) -> Result<(), PinError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(failed("make", folder)),
    }
}

/// The names in a folder; none if it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, PinError> {
    let failed = failed("read", folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&failed)?,
    };
    let mut names = entries
        .map(|entry| {
            Ok(entry
                .map_err(&failed)?
                .file_name()
                .to_string_lossy()
                .into_owned())
        })
        .collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

pub(super) fn remove(path: &Path) -> Result<(), PinError> {
    fs::remove_file(path).map_err(failed("remove", path))
}
