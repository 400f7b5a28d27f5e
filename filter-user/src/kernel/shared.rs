//! Memory of a map that the kernel program reads and writes at the same time.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
    sync::atomic::AtomicU64,
};

use memmap2::{MmapOptions, MmapRaw};

/// Words of a map. They are mapped for as long as they are needed: they would count as memory of
/// the process.
pub(super) struct Words(MmapRaw);

impl Words {
    /// The first `count` words of a map that can be mapped.
    pub fn of(map: BorrowedFd<'_>, count: usize) -> io::Result<Self> {
        Ok(Self(
            MmapOptions::new()
                .len(count * size_of::<AtomicU64>())
                .map_raw(map.as_raw_fd())?,
        ))
    }

    pub fn get(&self) -> &[AtomicU64] {
        // SAFETY: the memory begins with a page and has so many words, and whoever else may write
        // does so by such words.
        unsafe {
            std::slice::from_raw_parts(
                self.0.as_ptr().cast(),
                self.0.len() / size_of::<AtomicU64>(),
            )
        }
    }
}
