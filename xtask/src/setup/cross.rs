//! What builds for the other architecture.

use anyhow::Result;

use super::kernel_build::EbpfToolchain;
use super::{Need, host};
use crate::cross::{Cross, rustc_version};

/// The C library's headers and stubs, which linking needs.
pub struct Headers;

const HEADERS: &str = "libc6-dev-arm64-cross";

impl Need for Headers {
    fn name(&self) -> &'static str {
        HEADERS
    }

    fn version(&self) -> Option<String> {
        host::is_installed(HEADERS).then(|| "installed".to_owned())
    }

    fn packages(&self) -> Vec<String> {
        vec![HEADERS.to_owned()]
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        (!debian).then(|| format!("Debian, for its package {HEADERS}"))
    }
}

/// Rust's standard library for the other architecture, of Debian's compiler; not installed.
pub struct Std;

impl Need for Std {
    fn name(&self) -> &'static str {
        "Rust's library for AArch64"
    }

    fn version(&self) -> Option<String> {
        Cross::find().ok()?;
        EbpfToolchain::debian_version()?;
        rustc_version().ok()
    }

    fn packages(&self) -> Vec<String> {
        EbpfToolchain::debian_packages()
    }

    fn finish(&self) -> Result<()> {
        EbpfToolchain::link_debian()?;
        Cross::fetch()
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        let then = "then `cargo xtask build --target aarch64` once more, which fetches Rust's library for AArch64";
        debian.then(|| then.to_owned())
    }
}
