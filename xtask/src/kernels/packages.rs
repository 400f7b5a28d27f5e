//! Kernels from the archive, unpacked in a folder that outlives a checkout.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::choice;
use super::list::Kernel;
use super::lock::{Lock, version_in};
use crate::archive::{Architecture, Archive, Versions, clear};
use crate::cache;

/// What says that a folder is whole, and which packages are in it.
const MARK: &str = "packages.json";

/// A kernel that has been fetched.
#[derive(Clone, Debug)]
pub struct Unpacked {
    /// The compressed kernel.
    pub image: PathBuf,
    /// What lies in its packages.
    pub files: Vec<PathBuf>,
    /// Its packages.
    pub packages: Versions,
    /// Set if the archive no longer had the packages of the lock.
    pub successor: Option<String>,
}

/// The packages of a folder, and those of the lock when it was made.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    locked: Option<Versions>,
    taken: Versions,
}

/// The kernels of the list that are not in the cache as the lock has them.
pub fn missing<'a>(kernels: &'a [Kernel], lock: &Lock) -> Result<Vec<&'a Kernel>> {
    let mut missing = Vec::new();
    for kernel in kernels {
        if cached(kernel, lock)?.is_none() {
            missing.push(kernel);
        }
    }
    Ok(missing)
}

/// A kernel of the cache.
pub fn find(kernel: &Kernel, lock: &Lock) -> Result<Unpacked> {
    let (folder, contents) = cached(kernel, lock)?.with_context(|| {
        format!(
            "the kernel {} is not fetched: run `cargo xtask setup`",
            kernel.label
        )
    })?;
    let mut files = Vec::new();
    walk(&folder, &mut files)?;
    let is_image = |path: &PathBuf| name_of(path).starts_with("vmlinuz");
    let image = files.iter().find(|path| is_image(path)).cloned();
    let image =
        image.with_context(|| format!("the packages of {} have no vmlinuz", kernel.label))?;
    Ok(Unpacked {
        image,
        files,
        successor: successor(kernel, &contents),
        packages: contents.taken,
    })
}

fn successor(kernel: &Kernel, contents: &Contents) -> Option<String> {
    let Contents {
        locked: Some(locked),
        taken,
    } = contents
    else {
        return None;
    };
    let versions = |packages: &Versions| {
        let (name, version) = (
            version_in(packages).unwrap_or("?"),
            packages.values().next().map_or("?", String::as_str),
        );
        format!("{name} ({version})")
    };
    (locked != taken).then(|| {
        format!(
            "the kernel {} of the lock, {}, is gone from the archive; its successor {} is taken \
             (`cargo xtask kernels --update` writes that into the lock)",
            kernel.label,
            versions(locked),
            versions(taken)
        )
    })
}

/// Fetches kernels. Gives those that could not be had, with the reason.
pub fn fetch(kernels: &[&Kernel], lock: &Lock) -> Result<Vec<(String, anyhow::Error)>> {
    let mut failures = Vec::new();
    for architecture in architectures(kernels) {
        let of_it: Vec<_> = kernels
            .iter()
            .filter(|kernel| kernel.architecture == architecture)
            .collect();
        let suites: BTreeSet<_> = of_it.iter().map(|kernel| kernel.suite.as_str()).collect();
        let archive = Archive::open(architecture, &suites.into_iter().collect::<Vec<_>>())?;
        for kernel in of_it {
            if let Err(error) = fetch_one(kernel, lock, &archive) {
                failures.push((kernel.label.clone(), error));
            }
        }
    }
    Ok(failures)
}

/// The newest packages of these kernels in the archive, as the lock is to have them.
pub fn update(kernels: &[Kernel], lock: &mut Lock) -> Result<()> {
    let all: Vec<_> = kernels.iter().collect();
    for architecture in architectures(&all) {
        let of_it: Vec<_> = kernels
            .iter()
            .filter(|kernel| kernel.architecture == architecture)
            .collect();
        let suites: BTreeSet<_> = of_it.iter().map(|kernel| kernel.suite.as_str()).collect();
        let archive = Archive::open(architecture, &suites.into_iter().collect::<Vec<_>>())?;
        for kernel in of_it {
            let packages = choice::newest_of(kernel, &archive.packages(&kernel.suite)?)?;
            let (old, new) = (
                lock.version_of(&kernel.label).unwrap_or("nothing"),
                version_in(&packages),
            );
            println!("{}: {old} -> {}", kernel.label, new.unwrap_or("?"));
            lock.set(&kernel.label, packages);
        }
    }
    Ok(())
}

fn architectures(kernels: &[&Kernel]) -> BTreeSet<Architecture> {
    kernels.iter().map(|kernel| kernel.architecture).collect()
}

fn fetch_one(kernel: &Kernel, lock: &Lock, archive: &Archive) -> Result<()> {
    let suite = archive.packages(&kernel.suite)?;
    let locked = lock
        .get(&kernel.label)
        .filter(|locked| !locked.is_empty())
        .cloned();
    let taken = match &locked {
        Some(locked) if choice::is_there(locked, &suite) => locked.clone(),
        _ => choice::newest_of(kernel, &suite)?,
    };
    let folder = folder_of(kernel)?;
    let tree = folder.with_extension("new");
    clear(&tree)?;
    archive.unpack(
        &format!("kernel {}, not installed", kernel.label),
        &taken,
        &tree,
    )?;
    let contents = Contents { locked, taken };
    if let Some(successor) = successor(kernel, &contents) {
        println!("{successor}");
    }
    fs::write(tree.join(MARK), serde_json::to_vec(&contents)?)?;
    clear(&folder)?;
    fs::rename(&tree, &folder)
        .with_context(|| format!("cannot put {} in its place", folder.display()))
}

/// The folder of a kernel, if it has what the lock names or, where the archive had no such version,
/// what came instead.
fn cached(kernel: &Kernel, lock: &Lock) -> Result<Option<(PathBuf, Contents)>> {
    let folder = folder_of(kernel)?;
    let Ok(text) = fs::read(folder.join(MARK)) else {
        return Ok(None);
    };
    let Ok(contents) = serde_json::from_slice::<Contents>(&text) else {
        return Ok(None);
    };
    let locked = lock.get(&kernel.label);
    let is_current = contents.locked.as_ref() == locked || Some(&contents.taken) == locked;
    let contents = Contents {
        locked: locked.cloned(),
        taken: contents.taken,
    };
    Ok(is_current.then_some((folder, contents)))
}

fn folder_of(kernel: &Kernel) -> Result<PathBuf> {
    ensure!(
        !kernel.label.contains('/'),
        "the label `{}` is no name of a folder",
        kernel.label
    );
    Ok(cache::folder("kernels")?.join(&kernel.label).join("tree"))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The last part of a path.
pub fn name_of(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_told_with_both_versions_and_the_same_packages_are_none() {
        let kernel: Kernel = toml::from_str(
            "label = \"6.1\"\narchitecture = \"amd64\"\nsuite = \"s\"\nseries = \"6.1\"\nflavour = \"cloud-amd64\"",
        )
        .unwrap();
        let versions =
            |name: &str, version: &str| Versions::from([(name.to_owned(), version.to_owned())]);
        let old = versions("linux-image-6.1.0-57-cloud-amd64", "6.1.192-3");
        let new = versions("linux-image-6.1.0-58-cloud-amd64", "6.1.199-1");
        let told = |locked: Option<&Versions>, taken: &Versions| {
            successor(
                &kernel,
                &Contents {
                    locked: locked.cloned(),
                    taken: taken.clone(),
                },
            )
        };
        assert_eq!(told(Some(&old), &old), None);
        assert_eq!(told(None, &old), None);
        let sentence = told(Some(&old), &new).unwrap();
        assert!(
            sentence.contains("6.1.0-57-cloud-amd64 (6.1.192-3), is gone")
                && sentence.contains("6.1.0-58-cloud-amd64 (6.1.199-1) is taken"),
            "{sentence}"
        );
    }
}
