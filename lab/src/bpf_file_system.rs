//! A BPF file system for what is pinned.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::namespace::program;

/// A BPF file system that goes with this value, and with it what is pinned there.
#[derive(Debug)]
pub struct BpfFileSystem(PathBuf);

impl BpfFileSystem {
    /// Mounts one at a folder, which is made.
    pub fn mount(folder: &Path) -> Result<Self> {
        fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut mount = program("mount");
        let status = mount.args(["-t", "bpf", "bpf"]).arg(folder).status();
        ensure!(
            status.context("cannot start mount")?.success(),
            "cannot mount a BPF file system at {}: are you root?",
            folder.display()
        );
        Ok(Self(folder.into()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for BpfFileSystem {
    fn drop(&mut self) {
        let unmounted = program("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|it| it.success()) || std::thread::panicking());
    }
}
