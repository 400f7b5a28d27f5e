//! Builds the kernel programs, which the library embeds.

use anyhow::anyhow;
use aya_build::{Package, Toolchain};

#[path = "../xtask/src/toolchain.rs"]
mod toolchain;

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=../xtask/src/toolchain.rs");
    println!("cargo:rerun-if-changed=../filter-core/src");
    let toolchain = toolchain::ebpf_toolchain().map_err(|reason| anyhow!(reason))?;
    if toolchain.needs_bootstrap() {
        // SAFETY: nothing else runs in this process yet.
        unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "1") };
    }
    let features: Vec<_> = [("feed", cfg!(feature = "feed")), ("trace", cfg!(feature = "trace"))]
        .into_iter()
        .filter_map(|(name, is_on)| is_on.then_some(name))
        .collect();
    let root_dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../filter-ebpf");
    let program = Package { name: "filter-ebpf", root_dir, features: &features, ..Package::default() };
    aya_build::build_ebpf([program], Toolchain::Custom(toolchain.name()))
}
