//! The file that keeps rules which were added by hand.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use filter_lists::{Action, Domain, NameError};
use tempfile::NamedTempFile;

/// What the file begins with, for people who open it.
const HEADER: &str = "# Names that were added with `namegate block add` and `namegate allow`. The controller rewrites this file.\n";

/// What stands before a name that is allowed.
const ALLOW: &str = "allow ";

/// A file of names, one a line, that is replaced as a whole: a crash leaves the old one or the new
/// one.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
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
    /// The file at this path, with the names that it keeps; none if it is not there yet.
    pub fn open(path: &Path) -> Result<(Self, Vec<(Domain, Action)>), StateError> {
        // Replacing a symbolic link would leave the file that it points to as it was.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| StateError::Read {
                path: path.clone(),
                error,
            })?,
        };
        let mut rules = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if !text.trim().is_empty() && !text.starts_with('#') {
                let (action, text) = match text.strip_prefix(ALLOW) {
                    Some(name) => (Action::Allow, name),
                    None => (Action::Block, text),
                };
                let name = Domain::parse_rule(text);
                rules.push((
                    name.map_err(|error| StateError::Line {
                        path: path.clone(),
                        line,
                        error,
                    })?,
                    action,
                ));
            }
        }
        Ok((Self { path }, rules))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the rules.
    pub fn write(&self, rules: &[(&Domain, Action)]) -> Result<(), StateError> {
        self.replace(rules).map_err(|error| StateError::Write {
            path: self.path.clone(),
            error,
        })
    }

    fn replace(&self, rules: &[(&Domain, Action)]) -> io::Result<()> {
        let directory = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let word = |action: &Action| if *action == Action::Allow { ALLOW } else { "" };
        let lines = rules
            .iter()
            .flat_map(|(name, action)| [word(action), name.as_str(), "\n"]);
        let lines: String = lines.collect();
        let mut file = NamedTempFile::new_in(directory)?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(lines.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        File::open(directory)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn names_that_were_written_are_read_again() {
        let (_dir, path) = place();
        let (file, names) = StateFile::open(&path).unwrap();
        assert!(names.is_empty() && !path.exists());
        let [a, b] = ["a.example", "b.example"].map(|name| Domain::parse(name).unwrap());
        file.write(&[(&a, Action::Block), (&b, Action::Allow)])
            .unwrap();
        assert_eq!(
            StateFile::open(&path).unwrap().1,
            [(a, Action::Block), (b.clone(), Action::Allow)]
        );
        file.write(&[(&b, Action::Block)]).unwrap();
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
    fn a_directory_that_is_missing_is_an_error_when_it_is_written() {
        let (dir, _) = place();
        let (file, _) = StateFile::open(&dir.path().join("none/state")).unwrap();
        assert!(matches!(file.write(&[]), Err(StateError::Write { .. })));
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
