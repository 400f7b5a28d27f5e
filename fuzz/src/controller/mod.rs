//! What the fuzz targets hold the controller's readers to. The tests of filter-user compile this
//! source too, and replay the seeds.

pub mod capture;
pub mod configuration;
pub mod list;
pub mod pattern;

use std::{io::Write as _, path::Path};

use tempfile::NamedTempFile;

/// Has `read` read a file with these bytes.
fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("a file");
    read(file.path())
}
