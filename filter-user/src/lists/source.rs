//! Opening a list.

use std::{io::BufRead, path::Path};

use super::ListError;
use crate::packed::{self, Packing, Unpacked};

/// Opens the list, or standard input for `-`, and gives its text. `progress` is told how many bytes of the file each read
/// took.
pub(super) fn open<'a>(path: &Path, progress: &'a mut dyn FnMut(u64)) -> Result<Box<dyn BufRead + 'a>, ListError> {
    let Unpacked { content, packing } = packed::open(path, progress).map_err(|error| ListError::read(path, error))?;
    match packing {
        Packing::Plain | Packing::Gzip | Packing::Zstd => Ok(content),
        Packing::Foreign(kind) => Err(ListError::Foreign { list: path.into(), kind }),
    }
}
