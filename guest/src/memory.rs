//! Giving pages that were freed a new owner.

use std::fs;

use anyhow::{Context as _, Result, ensure};

/// Uses some memory as files and as a process's own: where the kernel freed pages that are still in
/// use, this hits them, or they hit this.
pub fn use_it() -> Result<()> {
    const OCTETS: usize = 16 << 20;
    const FILE: &str = "/tmp/memory";

    for turn in 0..3 {
        let filled = vec![turn; OCTETS];
        fs::write(FILE, &filled).context("cannot write to memory")?;
        let read = fs::read(FILE).context("cannot read from memory")?;
        ensure!(
            read == filled,
            "a file in memory holds other octets than were written"
        );
        fs::remove_file(FILE).context("cannot free memory")?;
    }
    Ok(())
}
