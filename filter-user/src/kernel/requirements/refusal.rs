//! A program that the verifier refuses: one sentence, and the verifier's log in a file.

use std::{
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use super::running_kernel;

/// Which program which kernel refused.
#[derive(Debug)]
pub struct Refusal {
    program: String,
    running: String,
    error: io::Error,
    log: SavedLog,
}

/// Where the verifier's log is.
#[derive(Debug)]
pub enum SavedLog {
    /// In this file, which only its owner may read.
    In(PathBuf),
    /// The verifier wrote none.
    None,
    /// It could not be saved.
    Lost(io::Error),
}

impl Refusal {
    pub(super) fn new(program: &str, error: io::Error, log: &str, folder: Option<&Path>) -> Self {
        let running = running_kernel();
        let text = format!(
            "namegate {}, Linux {running}, program `{program}`: {error}\n\n{log}\n",
            env!("CARGO_PKG_VERSION")
        );
        let saved = if log.is_empty() {
            SavedLog::None
        } else {
            save(program, &text, folder)
        };
        Self {
            program: program.to_owned(),
            running,
            error,
            log: saved,
        }
    }

    /// Where the verifier's log is.
    pub fn log(&self) -> &SavedLog {
        &self.log
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            running,
            error,
            log,
        } = self;
        write!(
            f,
            "Linux {running} refuses the program `{program}` ({error}): boot another kernel, and report it"
        )?;
        match log {
            SavedLog::In(path) => write!(f, " with the verifier's log, {}", path.display()),
            SavedLog::None => f.write_str("; the verifier gave no reason"),
            SavedLog::Lost(error) => write!(f, "; the verifier's log could not be saved ({error})"),
        }
    }
}

/// Saves a log: in this folder under one name, in place of the log before; else among the system's
/// temporary files under a name that nobody can guess.
fn save(program: &str, text: &str, folder: Option<&Path>) -> SavedLog {
    let stem = format!("namegate-refused-{}", file_name(program));
    let in_folder = folder.map(|folder| {
        let file = written(&stem, text, folder)?;
        let path = folder.join(format!("{stem}.log"));
        file.persist(&path).map(|_| path).map_err(io::Error::from)
    });
    if let Some(Ok(path)) = in_folder {
        return SavedLog::In(path);
    }
    let kept = written(&stem, text, &std::env::temp_dir())
        .and_then(|file| file.keep().map_err(io::Error::from));
    kept.map_or_else(SavedLog::Lost, |(_, path)| SavedLog::In(path))
}

/// A new file that only its owner may read.
fn written(stem: &str, text: &str, folder: &Path) -> io::Result<NamedTempFile> {
    let mut file = Builder::new()
        .prefix(&format!("{stem}-"))
        .suffix(".log")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// The letters of a name that may stand in a path.
fn file_name(program: &str) -> String {
    program
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "_-".contains(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    const LOG: &str = "R4 invalid zero-sized read: u64=[0,255]\nprocessed 355012 insns\n";

    fn refusal(folder: &Path) -> Refusal {
        Refusal::new(
            "namegate_x",
            io::Error::from_raw_os_error(libc::EACCES),
            LOG,
            Some(folder),
        )
    }

    #[test]
    fn it_is_one_sentence_with_the_path_of_the_log_and_not_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let said = refusal(folder.path()).to_string();
        let path = folder.path().join("namegate-refused-namegate_x.log");
        let (head, rest) = said
            .split_once(" refuses the program `namegate_x` (Permission denied (os error 13)): ")
            .unwrap();
        assert_eq!(head, format!("Linux {}", running_kernel()));
        assert_eq!(
            rest,
            format!(
                "boot another kernel, and report it with the verifier's log, {}",
                path.display()
            )
        );
        let saved = fs::read_to_string(&path).unwrap();
        assert!(
            saved.starts_with("namegate ") && saved.contains("`namegate_x`") && saved.contains(LOG),
            "{saved}"
        );
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_folder_has_one_log_of_a_program() {
        let folder = tempfile::tempdir().unwrap();
        refusal(folder.path());
        refusal(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_a_folder_it_is_among_temporary_files() {
        let refusal = refusal(Path::new("/proc/no such folder"));
        let SavedLog::In(path) = refusal.log() else {
            panic!("{refusal}")
        };
        assert!(path.starts_with(std::env::temp_dir()), "{refusal}");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_name_leads_out_of_no_folder() {
        assert_eq!(file_name("../../etc/x y"), "etcxy");
    }

    #[test]
    fn without_a_log_no_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = Refusal::new(
            "x",
            io::Error::from_raw_os_error(libc::EINVAL),
            "",
            Some(folder.path()),
        );
        assert!(
            refusal
                .to_string()
                .ends_with("and report it; the verifier gave no reason"),
            "{refusal}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
