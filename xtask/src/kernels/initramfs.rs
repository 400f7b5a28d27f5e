//! The file system that a guest starts with: a cpio archive (`newc`), compressed with gzip, which
//! every kernel reads.
//!
//! Several archives behind each other are one file system, so the large part that all kernels of an
//! architecture share is compressed once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cpio::newc::{Builder, trailer};
use flate2::Compression;
use flate2::write::GzEncoder;

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_777;

/// A file of the guest.
enum Node {
    Directory,
    /// A copy of a file of the host, with its mode.
    Copy(PathBuf),
    Bytes(Vec<u8>),
    /// A symbolic link, and where it leads.
    Link(String),
}

/// Files under their paths from the root, without the first `/`. Parents come before what is in
/// them, as the kernel wants.
#[derive(Default)]
pub struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// A copy of a file; links of the host are followed.
    pub fn copy(&mut self, place: &str, file: impl Into<PathBuf>) {
        self.add(place, Node::Copy(file.into()));
    }

    /// A file with these bytes.
    pub fn bytes(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.add(place, Node::Bytes(bytes.into()));
    }

    /// A symbolic link.
    pub fn link(&mut self, place: &str, leads_to: &str) {
        self.add(place, Node::Link(leads_to.to_owned()));
    }

    /// An empty folder.
    pub fn directory(&mut self, place: &str) {
        self.add(place, Node::Directory);
    }

    /// A file or a folder with all that is in it, at the path that it has on the host.
    pub fn copy_all(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            self.directory(&place_of(path));
            for entry in
                fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?
            {
                self.copy_all(&entry?.path())?;
            }
        } else {
            self.copy(&place_of(path), path);
        }
        Ok(())
    }

    fn add(&mut self, place: &str, node: Node) {
        let place = place.trim_start_matches('/');
        for (at, _) in place.match_indices('/') {
            self.0
                .entry(place[..at].to_owned())
                .or_insert(Node::Directory);
        }
        self.0.insert(place.to_owned(), node);
    }

    /// Writes the archive, compressed.
    pub fn write(&self, path: &Path) -> Result<()> {
        let write = || {
            let file = BufWriter::new(File::create(path)?);
            let gzip = self.archive(GzEncoder::new(file, Compression::fast()))?;
            gzip.finish()?.flush()?;
            anyhow::Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    fn archive<W: Write>(&self, mut output: W) -> Result<W> {
        for (number, (place, node)) in (1..).zip(&self.0) {
            let (mode, bytes) = match node {
                Node::Directory => (DIRECTORY, Vec::new()),
                Node::Bytes(bytes) => (FILE | 0o644, bytes.clone()),
                Node::Link(leads_to) => (LINK, leads_to.clone().into_bytes()),
                Node::Copy(file) => read(file)?,
            };
            let entry = Builder::new(place).ino(number).mode(mode).nlink(1);
            let mut entry = entry.write(output, u32::try_from(bytes.len())?);
            entry.write_all(&bytes)?;
            output = entry.finish()?;
        }
        Ok(trailer(output)?)
    }
}

/// Puts archives behind each other.
pub fn join(parts: &[&Path], whole: &Path) -> Result<()> {
    let write = || {
        let mut output = File::create(whole)?;
        for part in parts {
            std::io::copy(&mut File::open(part)?, &mut output)?;
        }
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write {}", whole.display()))
}

/// The path of a host's file in a guest.
pub fn place_of(path: &Path) -> String {
    path.to_string_lossy().trim_start_matches('/').to_owned()
}

fn read(file: &Path) -> Result<(u32, Vec<u8>)> {
    let read = || Ok((fs::metadata(file)?.permissions().mode(), fs::read(file)?));
    let (mode, bytes) = read()
        .map_err(|error: std::io::Error| error)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok((FILE | (mode & 0o777) | 0o444, bytes))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn cpio_lists_what_was_written_and_parents_come_first() {
        let archive = sample().archive(Vec::new()).unwrap();
        if let Ok(mut cpio) = Command::new("cpio")
            .args(["-itv", "--quiet", "--numeric-uid-gid"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        {
            cpio.stdin.take().unwrap().write_all(&archive).unwrap();
            let output = cpio.wait_with_output().unwrap();
            assert!(output.status.success());
            let listed = String::from_utf8(output.stdout).unwrap();
            let last: Vec<_> = listed
                .lines()
                .filter_map(|line| line.split_whitespace().last())
                .collect();
            assert_eq!(
                last,
                [
                    "bin",
                    "bin/busybox",
                    "busybox",
                    "etc",
                    "etc/a",
                    "etc/a/plan.json"
                ],
                "{listed}"
            );
            assert!(
                listed
                    .lines()
                    .all(|line| line.split_whitespace().nth(2) == Some("0")),
                "root's:\n{listed}"
            );
        }
        let mut names = Vec::new();
        let mut rest = archive.as_slice();
        loop {
            let mut entry = cpio::newc::Reader::new(rest).unwrap();
            if entry.entry().is_trailer() {
                break;
            }
            names.push((
                entry.entry().name().to_owned(),
                entry.entry().mode(),
                entry.entry().file_size(),
            ));
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            rest = entry.finish().unwrap();
        }
        let expected = [
            ("bin", 0o040_755, 0),
            ("bin/busybox", 0o100_755, 3),
            ("bin/sh", 0o120_777, 7),
            ("etc", 0o040_755, 0),
            ("etc/a", 0o040_755, 0),
            ("etc/a/plan.json", 0o100_644, 2),
        ];
        assert_eq!(
            names,
            expected.map(|(name, mode, size)| (name.to_owned(), mode, size))
        );
    }

    #[test]
    fn archives_behind_each_other_are_what_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other, whole] = ["one", "other", "whole"].map(|name| folder.path().join(name));
        sample().write(&one).unwrap();
        Tree::default().write(&other).unwrap();
        join(&[&one, &other], &whole).unwrap();
        let bytes = |path: &Path| fs::read(path).unwrap();
        assert_eq!(bytes(&whole), [bytes(&one), bytes(&other)].concat());
    }

    #[test]
    fn a_file_that_is_gone_is_named() {
        let mut tree = Tree::default();
        tree.copy("init", "/no/such/file");
        assert_eq!(
            tree.archive(Vec::new()).unwrap_err().to_string(),
            "cannot read /no/such/file"
        );
    }

    fn sample() -> Tree {
        let program = tempfile::NamedTempFile::new().unwrap();
        fs::write(program.path(), "run").unwrap();
        fs::set_permissions(program.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let mut tree = Tree::default();
        tree.bytes("/etc/a/plan.json", "{}");
        tree.link("bin/sh", "busybox");
        tree.copy("bin/busybox", program.path());
        std::mem::forget(program);
        tree
    }
}
