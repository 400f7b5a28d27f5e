//! A copy of the source, in which mutants are made. It stays where it is, so that what was built of
//! it is built once, and the checkout can be worked in meanwhile.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// Makes `copy` a copy of the files of the checkout at `root` that git knows or would take, as they
/// are now. What is the same already is not written: cargo would build it again.
pub fn copy(root: &Path, copy: &Path) -> Result<()> {
    let files = files(root)?;
    for file in &files {
        let (from, to) = (root.join(file), copy.join(file));
        copy_file(&from, &to)
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    remove_others(copy, Path::new(""), &files)
        .with_context(|| format!("cannot clear {}", copy.display()))
}

/// The files of a checkout, without those that are deleted in it.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut list = Command::new("git");
    list.current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let output = list.output().context("git does not start")?;
    ensure!(
        output.status.success(),
        "git cannot list the files: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let names = String::from_utf8(output.stdout).context("a file's name is no text")?;
    let files = names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from);
    Ok(files.filter(|file| root.join(file).is_file()).collect())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes)
}

/// Removes what is below `folder` of the copy and is none of these files.
fn remove_others(copy: &Path, folder: &Path, files: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(copy.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            remove_others(copy, &path, files)?;
        } else if !files.contains(&path) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_what_is_in_the_checkout_and_what_is_the_same_is_not_written() -> Result<()> {
        let [root, copied] = [tempfile::tempdir()?, tempfile::tempdir()?];
        ensure!(
            Command::new("git")
                .arg("-C")
                .arg(root.path())
                .args(["init", "-q"])
                .status()?
                .success()
        );
        fs::create_dir(root.path().join("src"))?;
        for (file, text) in [
            ("src/a", "1"),
            ("src/b", "2"),
            ("left", "3"),
            (".gitignore", "left\n"),
        ] {
            fs::write(root.path().join(file), text)?;
        }
        copy(root.path(), copied.path())?;
        let at = |file: &str| copied.path().join(file);
        let written = fs::metadata(at("src/a"))?.modified()?;
        fs::write(at("src/b"), "a mutant")?;
        fs::write(at("src/c"), "of a file that is gone")?;
        copy(root.path(), copied.path())?;
        assert_eq!(fs::read_to_string(at("src/b"))?, "2");
        assert!(!at("src/c").exists() && !at("left").exists());
        assert_eq!(fs::metadata(at("src/a"))?.modified()?, written);
        Ok(())
    }
}
