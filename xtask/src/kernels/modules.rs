//! Kernel modules for a guest, in the order in which they load.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use object::{Object as _, ObjectSection as _};

use super::packages::{Unpacked, name_of};

/// A module, not compressed.
pub struct Module {
    /// Its name, without `.ko`.
    pub name: String,
    /// Its object file.
    pub bytes: Vec<u8>,
}

/// These modules and those that they depend on, each behind what it depends on. Modules that the
/// packages do not have are left out: they are in the kernel itself, or the guest says that it
/// misses them.
pub fn load_order(kernel: &Unpacked, names: &[&str]) -> Result<Vec<Module>> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for name in names {
        add(kernel, name, &mut seen, &mut order)?;
    }
    Ok(order)
}

fn add(
    kernel: &Unpacked,
    name: &str,
    seen: &mut BTreeSet<String>,
    order: &mut Vec<Module>,
) -> Result<()> {
    if !seen.insert(name.to_owned()) {
        return Ok(());
    }
    let Some(file) = find(kernel, name) else {
        return Ok(());
    };
    let bytes = read(file)?;
    for needed in depends(&bytes).with_context(|| format!("{} is no module", file.display()))? {
        add(kernel, &needed, seen, order)?;
    }
    order.push(Module {
        name: name.to_owned(),
        bytes,
    });
    Ok(())
}

/// In names of modules, `-` and `_` are the same.
fn find<'a>(kernel: &'a Unpacked, name: &str) -> Option<&'a PathBuf> {
    kernel.files.iter().find(|file| {
        let stem = name_of(file).split_once(".ko").map(|(stem, _)| stem);
        stem.is_some_and(|stem| stem.replace('-', "_") == name.replace('-', "_"))
    })
}

fn read(file: &PathBuf) -> Result<Vec<u8>> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("ko") => fs::read(file).with_context(|| format!("cannot read {}", file.display())),
        Some("xz") => {
            let output = Command::new("xz")
                .arg("-dc")
                .arg(file)
                .output()
                .context("cannot run xz")?;
            ensure!(output.status.success(), "xz cannot read {}", file.display());
            Ok(output.stdout)
        }
        _ => bail!(
            "{} is compressed in a way that is not known here",
            file.display()
        ),
    }
}

/// The modules that a module says it needs.
fn depends(module: &[u8]) -> Result<Vec<String>> {
    let file = object::File::parse(module)?;
    let section = file
        .section_by_name(".modinfo")
        .context("it has no .modinfo")?;
    Ok(depends_in(section.data()?))
}

/// Of strings `key=value`, each with a zero behind it.
fn depends_in(modinfo: &[u8]) -> Vec<String> {
    let mut fields = modinfo.split(|byte| *byte == 0);
    let value = fields
        .find_map(|field| field.strip_prefix(b"depends="))
        .unwrap_or_default();
    let names = String::from_utf8_lossy(value).into_owned();
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_is_read_from_its_strings() {
        assert_eq!(
            depends_in(b"license=GPL\0depends=mii,usbcore\0name=x\0"),
            ["mii", "usbcore"]
        );
        assert_eq!(depends_in(b"license=GPL\0depends=\0"), [""; 0]);
        assert_eq!(depends_in(b"license=GPL\0"), [""; 0]);
    }

    #[test]
    fn a_module_is_found_by_its_name_however_it_is_spelt_or_compressed() {
        let kernel = Unpacked {
            image: PathBuf::new(),
            files: ["k/veth-pair.ko", "k/veth.ko.xz", "k/veth.txt"]
                .map(PathBuf::from)
                .into(),
            packages: [].into(),
            successor: None,
        };
        let found = |name| find(&kernel, name).map(|file| name_of(file));
        assert_eq!(found("veth"), Some("veth.ko.xz"));
        assert_eq!(found("veth_pair"), Some("veth-pair.ko"));
        assert_eq!(found("mii"), None);
    }
}
