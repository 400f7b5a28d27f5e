//! The memory that a table lies in.

use std::{fs::File, io, ops::Deref};

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
    /// The bytes of this file, which nobody but this program writes, and this program only under
    /// another name: a file that is in place stays as it is until nobody has it any more.
    pub fn map(file: &File) -> io::Result<Self> {
        // SAFETY: the file belongs to this user, who alone may write it (`cache::file` looks at
        // that), and the program replaces it by another one and never writes into it.
        let map = unsafe { Mmap::map(file) }?;
        Ok(Self::Mapped(map))
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
