//! Kernels that are fetched and not installed, for guests.

use anyhow::Result;

use super::Need;
use crate::kernels;

/// The kernels that `cargo xtask test` boots.
pub struct QuickKernels;

impl Need for QuickKernels {
    fn name(&self) -> &'static str {
        "kernels for guests"
    }

    fn version(&self) -> Option<String> {
        kernels::quick_versions()
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        kernels::fetch_quick()
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        // Fetching needs no root: the set-up does it by itself once the programs above are there.
        debian.then(|| {
            "then `cargo xtask setup` once more, which fetches kernels for guests".to_owned()
        })
    }
}
