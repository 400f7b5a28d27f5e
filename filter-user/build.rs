//! Builds the kernel programs, which the library embeds.

use std::{env, fs, path::Path, thread};

use anyhow::{Context as _, anyhow};
use aya_build::{Package, Toolchain};
use object::{
    build::elf::{Builder, SectionData},
    elf::SHT_STRTAB,
};

#[path = "../xtask/src/toolchain.rs"]
mod toolchain;

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=../xtask/src/toolchain.rs");
    println!("cargo:rerun-if-changed=../filter-core/src");
    let toolchain = toolchain::ebpf_toolchain().map_err(|reason| anyhow!(reason))?;
    if toolchain.needs_bootstrap() {
        // SAFETY: nothing else runs in this process yet.
        unsafe { env::set_var("RUSTC_BOOTSTRAP", "1") };
    }
    let features: &[_] = if cfg!(feature = "trace") {
        &["trace"]
    } else {
        &[]
    };
    let root_dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../filter-ebpf");
    let filter = Package {
        name: "filter-ebpf",
        root_dir,
        features,
        ..Package::default()
    };
    let build = |package| aya_build::build_ebpf([package], Toolchain::Custom(toolchain.name()));
    // Each has a folder of its own to be built in, and a core to itself for most of the time.
    thread::scope(|scope| {
        let others = cfg!(feature = "feed").then(|| {
            let root_dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../test-programs");
            let package = Package {
                name: "test-programs",
                root_dir,
                features: &["programs"],
                ..Package::default()
            };
            scope.spawn(move || build(package))
        });
        build(filter)?;
        match others.map(thread::ScopedJoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(anyhow!("building the programs of tests panicked")),
            None => Ok(()),
        }
    })?;
    let made = env::var_os("OUT_DIR").context("cargo names no folder for what is made")?;
    for entry in fs::read_dir(made)? {
        let path = entry?.path();
        if path.is_file() {
            strip(&path).with_context(|| {
                format!("cannot take what debuggers want out of {}", path.display())
            })?;
        }
    }
    Ok(())
}

/// Leaves out of an object what debuggers want, four fifths of it: the library embeds it, and the
/// kernel takes types and lines from BTF.
fn strip(path: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(path)?;
    let mut object = Builder::read(&*bytes)?;
    for section in &mut object.sections {
        section.delete = is_for_debuggers(&section.name);
    }
    // LLVM has one table for the names of sections and symbols, and the writer one for each.
    if !object
        .sections
        .iter()
        .any(|section| matches!(section.data, SectionData::SectionString))
    {
        let names = object.sections.add();
        names.name = b".shstrtab".as_slice().into();
        names.sh_type = SHT_STRTAB;
        names.sh_addralign = 1;
        names.data = SectionData::SectionString;
    }
    object.delete_orphan_symbols();
    object.delete_orphan_relocations();
    let mut stripped = Vec::new();
    object.write(&mut stripped)?;
    Ok(fs::write(path, stripped)?)
}

/// True for sections of DWARF, and for relocations in them.
fn is_for_debuggers(section: &[u8]) -> bool {
    section
        .strip_prefix(b".rel")
        .unwrap_or(section)
        .starts_with(b".debug_")
}
