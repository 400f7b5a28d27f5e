//! Opening a list.

use std::{io::BufRead, path::Path};

use super::{Bounds, Files, ListError, bounds::Bounded};
use crate::packed::{self, Packing, Unpacked};

/// Opens the list, or standard input for `-`, and gives its text. `progress` is told how many bytes
/// of the file each read took.
pub(super) fn open<'a>(
    path: &Path,
    bounds: &'a Bounds,
    progress: &'a mut dyn FnMut(u64),
) -> Result<Box<dyn BufRead + 'a>, ListError> {
    let opened = match bounds.files() {
        Files::Any => packed::open(path, progress),
        Files::Regular => packed::open_regular(path, progress),
    };
    let Unpacked { content, packing } = opened.map_err(|error| ListError::read(path, error))?;
    match packing {
        Packing::Plain | Packing::Gzip | Packing::Zstd => {
            Ok(Box::new(Bounded::new(content, bounds)))
        }
        Packing::Foreign(kind) => Err(ListError::Foreign {
            list: path.into(),
            kind,
        }),
    }
}
