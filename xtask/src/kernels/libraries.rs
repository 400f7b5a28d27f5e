//! The shared libraries that programs need, read from the programs: the loader of another
//! architecture cannot be asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use object::Endianness;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};

use crate::archive::Architecture;

/// What a program or library says it needs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    /// The program that loads it, as an absolute path.
    loader: Option<String>,
    /// Names of libraries.
    libraries: Vec<String>,
}

/// The loader and libraries of these programs: where each belongs (from the root, without the first
/// `/`), and where it is below `root`.
pub fn of(
    programs: &[&Path],
    root: &Path,
    architecture: Architecture,
) -> Result<BTreeMap<String, PathBuf>> {
    let folder = folder(architecture);
    let mut found = BTreeMap::new();
    let mut open: Vec<PathBuf> = programs.iter().map(|path| (*path).to_owned()).collect();
    while let Some(path) = open.pop() {
        let Needs { loader, libraries } = needs(&path)
            .with_context(|| format!("{} is no program for {architecture}", path.display()))?;
        let loader = loader.map(|path| path.trim_start_matches('/').to_owned());
        for place in loader
            .into_iter()
            .chain(libraries.iter().map(|name| format!("{folder}/{name}")))
        {
            if found.contains_key(&place) {
                continue;
            }
            let file = [root.join(&place), root.join("usr").join(&place)]
                .into_iter()
                .find(|file| file.is_file());
            let file = file.with_context(|| {
                format!(
                    "{} needs {place}, and {} does not have it",
                    path.display(),
                    root.display()
                )
            })?;
            open.push(file.clone());
            found.insert(place, file);
        }
    }
    Ok(found)
}

/// Where Debian's loader looks for libraries.
fn folder(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Amd64 => "lib/x86_64-linux-gnu",
        Architecture::Arm64 => "lib/aarch64-linux-gnu",
    }
}

fn needs(path: &Path) -> Result<Needs> {
    let data = fs::read(path)?;
    let data = data.as_slice();
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, data)? {
        if let Some(loader) = segment.interpreter(endian, data)? {
            needs.loader = Some(String::from_utf8_lossy(loader).into_owned());
        }
    }
    let sections = header.sections(endian, data)?;
    let Some((entries, names)) = sections.dynamic(endian, data)? else {
        return Ok(needs);
    };
    let names = sections.strings(endian, data, names)?;
    for entry in entries
        .iter()
        .filter(|entry| entry.tag(endian) == DT_NEEDED)
    {
        needs
            .libraries
            .push(String::from_utf8_lossy(entry.string(endian, names)?).into_owned());
    }
    // The loader is a library of itself.
    needs.libraries.retain(|name| !name.starts_with("ld-linux"));
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_needs_a_loader_and_the_c_library() {
        let needs = needs(&std::env::current_exe().unwrap()).unwrap();
        assert!(
            needs
                .loader
                .is_some_and(|loader| loader.contains("/ld-linux"))
        );
        assert!(
            needs.libraries.iter().any(|name| name == "libc.so.6"),
            "{:?}",
            needs.libraries
        );
    }

    #[test]
    fn what_is_no_program_is_an_error_that_names_it() {
        let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = of(&[&text], Path::new("/"), Architecture::Arm64)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Cargo.toml is no program for arm64"),
            "{error}"
        );
    }
}
