//! The file that keeps rules which were added by hand.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use filter_lists::{Action, Domain, NameError};
use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;

/// What the file begins with, for people who open it.
const HEADER: &str = "# Names that were added with `namegate block add` and `namegate allow`. The controller rewrites this file.\n";

/// What stands before a name that is allowed.
const ALLOW: &str = "allow ";

/// Bytes of a file that is read, at most.
const MOST_BYTES: u64 = 1 << 28;

/// A file of names, one a line, that is replaced as a whole: a crash leaves the old one or the new
/// one. It is locked (flock(2)) as long as this is there.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// The file that is in place, with the lock.
    locked: File,
}

/// Why rules that were added by hand cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read.
    #[error("cannot read the state file `{}`: {error}; name another with --state", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process has locked it.
    #[error(
        "the state file `{}` is in use by another controller{}: name another file with --state, or end that one",
        .path.display(), .process.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who has, if that can be told.
        process: Option<u32>,
    },
    /// Nothing can be written where it is.
    #[error(
        "cannot write the state file `{}`: {error}; make its folder one that namegate may write to, or name another file \
         with --state", .path.display()
    )]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the state file `{}`: {error}; manual rules are not kept", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A line of the file is no name.
    #[error("line {line} of the state file `{}` is no rule: {error}; correct it or take it out", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Why not.
        error: NameError,
    },
}

impl StateFile {
    /// The file at this path, with the names that it keeps; one that is not there yet is made. It
    /// is locked, and can be written to: who cannot keep rules is told so at the start.
    pub fn open(path: &Path) -> Result<(Self, Vec<(Domain, Action)>), StateError> {
        // Replacing a symbolic link would leave the file that it points to as it was.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let file = lock(&path)?;
        let rules = read(&file, &path)?;
        NamedTempFile::new_in(folder(&path)).map_err(|error| StateError::Folder {
            path: path.clone(),
            error,
        })?;
        let state = Self { path, locked: file };
        Ok((state, rules))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the rules.
    pub fn write(&mut self, rules: &[(&Domain, Action)]) -> Result<(), StateError> {
        let locked = replace(&self.path, rules);
        self.locked = locked.map_err(|error| StateError::Write {
            path: self.path.clone(),
            error,
        })?;
        Ok(())
    }
}

/// Puts a file with these rules in place of the one that is there; gives it, locked from the start.
fn replace(path: &Path, rules: &[(&Domain, Action)]) -> io::Result<File> {
    let word = |action: &Action| if *action == Action::Allow { ALLOW } else { "" };
    let lines = rules
        .iter()
        .flat_map(|(name, action)| [word(action), name.as_str(), "\n"]);
    let lines: String = lines.collect();
    let folder = folder(path);
    let mut file = NamedTempFile::new_in(folder)?;
    flock(file.as_file(), FlockOperation::NonBlockingLockExclusive)?;
    file.write_all(HEADER.as_bytes())?;
    file.write_all(lines.as_bytes())?;
    file.as_file().sync_all()?;
    let file = file.persist(path)?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Opens the file and locks it; makes it if it is not there.
fn lock(path: &Path) -> Result<File, StateError> {
    let unreadable = |error| StateError::Read {
        path: path.into(),
        error,
    };
    loop {
        // A pipe that somebody put there would be waited for.
        let opened = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return replace(path, &[]).map_err(|error| StateError::Folder {
                    path: path.into(),
                    error,
                });
            }
            file => file.map_err(unreadable)?,
        };
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::other("it is no file")));
        }
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(StateError::InUse {
                path: path.into(),
                process: holder(&metadata),
            });
        }
        // Another controller may have replaced it until just now.
        let in_place = fs::metadata(path).map_err(unreadable)?;
        if (in_place.dev(), in_place.ino()) == (metadata.dev(), metadata.ino()) {
            return Ok(file);
        }
    }
}

/// The process that has a lock on this file (`/proc/locks`, proc(5)).
fn holder(file: &fs::Metadata) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let inode = format!(":{}", file.ino());
    let mut locks = locks.lines().map(|line| line.split_whitespace());
    locks.find_map(|mut lock| {
        // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"
        let process = lock.nth(4)?.parse().ok()?;
        lock.next()?.ends_with(&inode).then_some(process)
    })
}

fn read(file: &File, path: &Path) -> Result<Vec<(Domain, Action)>, StateError> {
    let unreadable = |error| StateError::Read {
        path: path.into(),
        error,
    };
    let mut text = String::new();
    let read = file.take(MOST_BYTES).read_to_string(&mut text);
    if read.map_err(unreadable)? as u64 == MOST_BYTES {
        return Err(unreadable(io::Error::other("it is larger than 256 MiB")));
    }
    let mut rules = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let (action, text) = match text.strip_prefix(ALLOW) {
            Some(name) => (Action::Allow, name),
            None => (Action::Block, text),
        };
        let name = Domain::parse_rule(text).map_err(|error| StateError::Line {
            path: path.into(),
            line,
            error,
        })?;
        rules.push((name, action));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn names_that_were_written_are_read_again() {
        let (_dir, path) = place();
        let (mut file, names) = StateFile::open(&path).unwrap();
        assert!(names.is_empty());
        let [a, b] = ["a.example", "b.example"].map(|name| Domain::parse(name).unwrap());
        file.write(&[(&a, Action::Block), (&b, Action::Allow)])
            .unwrap();
        drop(file);
        let (mut file, names) = StateFile::open(&path).unwrap();
        assert_eq!(names, [(a, Action::Block), (b.clone(), Action::Allow)]);
        file.write(&[(&b, Action::Block)]).unwrap();
        drop(file);
        assert_eq!(StateFile::open(&path).unwrap().1, [(b, Action::Block)]);
    }

    #[test]
    fn nothing_else_is_left_in_the_directory() {
        let (dir, path) = place();
        StateFile::open(&path).unwrap().0.write(&[]).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_line_that_is_no_name_is_an_error_and_stays_where_it_is() {
        let (_dir, path) = place();
        fs::write(&path, "# comment\n\na.example\nnot a name\n").unwrap();
        let error = StateFile::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 4 of the state file `"), "{error}");
        assert!(fs::read_to_string(&path).unwrap().contains("not a name"));
    }

    #[test]
    fn a_directory_that_is_missing_is_an_error_at_once() {
        let (dir, _) = place();
        let error = StateFile::open(&dir.path().join("none/state")).unwrap_err();
        assert!(matches!(error, StateError::Folder { .. }), "{error}");
        let error = StateFile::open(dir.path()).unwrap_err();
        assert!(matches!(error, StateError::Read { .. }), "{error}");
    }

    #[test]
    fn a_second_controller_is_told_which_process_has_the_file_also_after_it_was_replaced() {
        let (_dir, path) = place();
        let (mut file, _) = StateFile::open(&path).unwrap();
        for _ in 0..2 {
            let error = StateFile::open(&path).unwrap_err().to_string();
            let process = format!(
                "is in use by another controller (process {})",
                std::process::id()
            );
            assert!(error.contains(&process), "{error}");
            file.write(&[]).unwrap();
        }
        drop(file);
        StateFile::open(&path).unwrap();
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            cut: prop::sample::Index,
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let (_dir, path) = place();
            let names = ["a.example", "www.b.example"].map(|name| Domain::parse(name).unwrap());
            let (mut file, _) = StateFile::open(&path).unwrap();
            file.write(&[(&names[0], Action::Block), (&names[1], Action::Allow)]).unwrap();
            drop(file);
            let mut damaged = fs::read(&path).unwrap();
            damaged.truncate(cut.index(damaged.len() + 1));
            for (place, byte) in flips {
                if !damaged.is_empty() {
                    let place = place.index(damaged.len());
                    damaged[place] = byte;
                }
            }
            for damaged in [damaged, bytes] {
                fs::write(&path, &damaged).unwrap();
                if let Err(error) = StateFile::open(&path) {
                    prop_assert!(!error.to_string().contains('\n'), "{}", error);
                }
                prop_assert_eq!(fs::read(&path).unwrap(), damaged, "it stays for who mends it");
            }
        }
    }

    #[test]
    fn a_symbolic_link_keeps_pointing_to_the_file() {
        let (dir, path) = place();
        let link = dir.path().join("link");
        fs::write(&path, "").unwrap();
        symlink(&path, &link).unwrap();
        let name = Domain::parse("a.example").unwrap();
        StateFile::open(&link)
            .unwrap()
            .0
            .write(&[(&name, Action::Block)])
            .unwrap();
        assert!(link.is_symlink());
        assert_eq!(StateFile::open(&path).unwrap().1, [(name, Action::Block)]);
    }

    fn place() -> (TempDir, PathBuf) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("state");
        (dir, path)
    }
}
