//! The file: a header, the content beside the table, and the table, each behind the other.

use std::{
    fs::{DirBuilder, File},
    io::{self, Seek as _, Write},
    ops::Range,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Unfit;
use crate::compiled::table::{Bytes, Layout, Table};

const MAGIC: [u8; 8] = *b"namegate";

/// Another one with each change of what lies where.
const VERSION: u32 = 3;

/// The magic, the version and the checksum of all that follows.
const CHECKED_FROM: usize = 16;

/// Behind these come the length of the content, and the layout of the table.
const HEADER: usize = CHECKED_FROM + 8 + Layout::BYTES;

/// A file that is there. Whether it is whole is not known yet: to look at all of it takes its time,
/// and most files that are not used can be told by what they were made of.
pub(super) struct Opened {
    bytes: Bytes,
    sum: u32,
    /// Where its content is.
    content: Range<usize>,
    layout: Layout,
}

/// Opens a file. Whatever it has, this ends in one of the reasons.
pub(super) fn open(path: &Path) -> Result<Opened, Unfit> {
    // A pipe that somebody put there would be waited for.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                Unfit::Missing
            } else {
                Unfit::Read(error)
            }
        })?;
    let metadata = file.metadata().map_err(Unfit::Read)?;
    if metadata.uid() != rustix::process::geteuid().as_raw()
        || metadata.mode() & 0o077 != 0
        || !metadata.is_file()
    {
        return Err(Unfit::Foreign);
    }
    if metadata.len() < HEADER as u64 {
        return Err(Unfit::Damaged);
    }
    parse(Bytes::copy_of(&file, folder(path)).map_err(Unfit::Read)?)
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn parse(bytes: Bytes) -> Result<Opened, Unfit> {
    let (header, checked) = bytes
        .split_first_chunk::<CHECKED_FROM>()
        .ok_or(Unfit::Damaged)?;
    let ([magic, rest], []) = header.as_chunks::<8>() else {
        return Err(Unfit::Damaged);
    };
    let [v0, v1, v2, v3, sum @ ..] = *rest;
    if *magic != MAGIC || u32::from_le_bytes([v0, v1, v2, v3]) != VERSION {
        return Err(Unfit::Version);
    }
    let (content, layout) = places(checked).ok_or(Unfit::Damaged)?;
    if layout.end() != bytes.len() {
        return Err(Unfit::Damaged);
    }
    Ok(Opened {
        bytes,
        sum: u32::from_le_bytes(sum),
        content,
        layout,
    })
}

/// Where the content is, and the table.
fn places(checked: &[u8]) -> Option<(Range<usize>, Layout)> {
    let (len, rest) = checked.split_first_chunk()?;
    let (layout, rest) = rest.split_first_chunk()?;
    let len = usize::try_from(u64::from_le_bytes(*len))
        .ok()
        .filter(|len| *len <= rest.len())?;
    Some((
        HEADER..HEADER + len,
        Layout::from_bytes(layout, HEADER + len)?,
    ))
}

impl Opened {
    /// What is in it beside the table, unless it is damaged.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(self.content.clone()).unwrap_or_default()
    }

    /// The table, if all of the file is as it was written.
    pub fn into_table(self) -> Result<Table, Unfit> {
        let Self {
            bytes, sum, layout, ..
        } = self;
        if bytes.get(CHECKED_FROM..).map(crc32fast::hash) != Some(sum) {
            return Err(Unfit::Damaged);
        }
        Table::open(bytes, layout).map_err(|_| Unfit::Damaged)
    }
}

/// A file that is written, and has no name yet.
#[derive(Debug)]
pub(super) struct Written {
    file: File,
    path: PathBuf,
}

impl Written {
    /// Puts a copy in the place of the file before, as a whole. The file itself stays without a
    /// name: nobody can cut it short while the table lies in it.
    pub fn put(self) -> io::Result<()> {
        let Self { mut file, path } = self;
        let mut put = || {
            // For its owner alone from the start.
            let mut named = NamedTempFile::new_in(folder(&path))?;
            file.rewind()?;
            io::copy(&mut file, &mut named)?;
            named.persist(&path)?;
            Ok::<_, io::Error>(())
        };
        put().map_err(|error| said(&path, &error))
    }
}

/// Writes a file that is to be at this path; gives the table as it lies there.
pub(super) fn write(path: &Path, content: &[u8], table: &Table) -> io::Result<(Written, Table)> {
    let (file, table) =
        write_in(folder(path), content, table).map_err(|error| said(path, &error))?;
    Ok((
        Written {
            file,
            path: path.into(),
        },
        table,
    ))
}

fn said(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot write `{}`: {error}", path.display()),
    )
}

fn write_in(folder: &Path, content: &[u8], table: &Table) -> io::Result<(File, Table)> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let (layout, bytes) = table.image();
    let head = [
        &(content.len() as u64).to_le_bytes()[..],
        &layout.to_bytes(),
    ]
    .concat();
    let mut sum = crc32fast::Hasher::new();
    for part in [&*head, content, bytes] {
        sum.update(part);
    }
    let mut file = tempfile::tempfile_in(folder)?;
    for part in [
        &MAGIC[..],
        &VERSION.to_le_bytes(),
        &sum.finalize().to_le_bytes(),
        &head,
        content,
        bytes,
    ] {
        file.write_all(part)?;
    }
    let mapped = Bytes::map_nameless(&file)?;
    let layout = Layout::from_bytes(&layout.to_bytes(), HEADER + content.len());
    let table = layout.and_then(|layout| Table::open(mapped, layout).ok());
    let table = table.ok_or_else(|| io::Error::other("it is not what was written"))?;
    Ok((file, table))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::content::Content, *};
    use crate::compiled::{CompiledPolicy, hash_key};

    proptest! {
        #[test]
        fn a_byte_that_is_another_one_is_found(place: prop::sample::Index, other: u8) {
            let mut bytes = image();
            let place = place.index(bytes.len());
            prop_assume!(bytes[place] != other);
            bytes[place] = other;
            prop_assert!(parse(Bytes::Owned(bytes)).and_then(Opened::into_table).is_err());
        }

        #[test]
        fn whatever_bytes_with_a_right_checksum_do_not_panic(
            changes in prop::collection::vec((0..HEADER + 40, any::<u8>()), 0..8),
            cut: prop::sample::Index,
        ) {
            let mut bytes = image();
            for (place, byte) in changes {
                bytes[place] = byte;
            }
            bytes.truncate(CHECKED_FROM + cut.index(bytes.len()));
            bytes[..8].copy_from_slice(&MAGIC);
            bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
            let sum = crc32fast::hash(&bytes[CHECKED_FROM..]);
            bytes[12..16].copy_from_slice(&sum.to_le_bytes());
            let opened = parse(Bytes::Owned(bytes)).inspect(|opened| drop(Content::read(opened.content())));
            if let Ok(table) = opened.and_then(Opened::into_table) {
                table.each(|index, _, _, _| drop(table.name(index)));
            }
        }
    }

    fn image() -> Vec<u8> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("cache");
        let compiled =
            CompiledPolicy::blocking_all(hash_key(), "list", ["a.example", "b.example"]).unwrap();
        write(&path, b"the content", &compiled.table)
            .unwrap()
            .0
            .put()
            .unwrap();
        std::fs::read(path).unwrap()
    }
}
