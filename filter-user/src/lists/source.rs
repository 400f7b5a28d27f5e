//! Opening a list.

use std::{io::BufRead, path::Path};

use super::ListError;
use crate::packed::{self, Packing, Unpacked};

/// How much larger than its packed form a list is: of 16 real ones 2.8 to 39 times, half of them below 4.6.
const PACKED: u64 = 4;

/// A list's text.
pub(super) struct Source<'a> {
    pub text: Box<dyn BufRead + 'a>,
    /// About how much that is; 0 where nobody knows.
    pub bytes: u64,
}

/// Opens the list, or standard input for `-`. `progress` is told how many bytes of the file each read took.
pub(super) fn open<'a>(path: &Path, progress: &'a mut dyn FnMut(u64)) -> Result<Source<'a>, ListError> {
    let Unpacked { content: text, packing, file_bytes } =
        packed::open(path, progress).map_err(|error| ListError::read(path, error))?;
    let bytes = match packing {
        Packing::Plain => file_bytes,
        Packing::Gzip | Packing::Zstd => file_bytes.saturating_mul(PACKED),
        Packing::Foreign(kind) => return Err(ListError::Foreign { list: path.into(), kind }),
    };
    Ok(Source { text, bytes })
}
