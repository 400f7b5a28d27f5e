//! The memory that a table lies in.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    ops::Deref,
    path::Path,
};

use memmap2::{Mmap, UncheckedAdvice};

/// Bytes that nobody changes.
pub(in crate::compiled) enum Bytes {
    /// In the memory of this process.
    Owned(Vec<u8>),
    /// In a file, of which the system keeps in memory what is asked for.
    Mapped(Mmap),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

impl Bytes {
    /// The bytes of this file, which has no name: nobody can open it to cut it short or to write
    /// into it, and a page that is gone would end the process (`SIGBUS`).
    pub fn map_nameless(file: &File) -> io::Result<Self> {
        // SAFETY: nobody else has the file, and this program writes nothing more into it.
        let map = unsafe { Mmap::map(file) }?;
        Ok(Self::Mapped(map))
    }

    /// The bytes of a file that others may write, as they are now: in a copy without a name in this
    /// folder, or in memory where there can be none.
    pub fn copy_of(file: &File, folder: &Path) -> io::Result<Self> {
        let copied = tempfile::tempfile_in(folder).and_then(|mut copy| {
            io::copy(&mut &*file, &mut copy)?;
            Self::map_nameless(&copy)
        });
        copied.or_else(|_| {
            let (mut file, mut bytes) = (file, Vec::new());
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            Ok(Self::Owned(bytes))
        })
    }

    /// Hands back what of a file lies in this process's memory. It comes from the file again when
    /// it is asked for.
    pub fn rest(&self) {
        if let Self::Mapped(map) = self {
            // SAFETY: the map is of a file and is never written to, so what is handed back is what
            // will be read again.
            let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }

    /// Bytes that they take of this process's own memory.
    pub fn owned(&self) -> usize {
        match self {
            Self::Owned(bytes) => bytes.capacity(),
            Self::Mapped(_) => 0,
        }
    }
}
