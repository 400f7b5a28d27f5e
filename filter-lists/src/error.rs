//! Why a list could not be read, in sentences that say what to do.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::{Beyond, Content, Example, ListReport, TooManyNames, Unclear};

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// There is no such file.
    #[error("there is no list `{}`: check the path", .0.display())]
    Missing(PathBuf),
    /// The path names a directory.
    #[error("the list `{}` is a directory: name the files in it one by one", .0.display())]
    Directory(PathBuf),
    /// The file cannot be opened or read.
    #[error("cannot read the list `{}`: {error}", .list.display())]
    Read {
        /// The list.
        list: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The path names something else than a file, which a reload does not read.
    #[error(
        "the list `{}` is no regular file: a pipe or a device can be read at the start alone; name a file",
        .0.display()
    )]
    NoFile(PathBuf),
    /// It takes more than reading may take.
    #[error("{beyond} (reached in line {line} of the list `{}`)", .list.display())]
    Beyond {
        /// The list.
        list: PathBuf,
        /// The line.
        line: u32,
        /// What it takes too much of.
        beyond: Beyond,
    },
    /// The file is in a format that is not read.
    #[error("the list `{}` is a {kind} file: unpack it first (plain text, gzip and zstd are read)", .list.display())]
    Foreign {
        /// The list.
        list: PathBuf,
        /// The format.
        kind: &'static str,
    },
    /// The file is something else than a list.
    #[error("the list `{}` {content}", .list.display())]
    NoList {
        /// The list.
        list: PathBuf,
        /// What it is.
        content: Content,
    },
    /// Nothing tells what format it is in.
    #[error("the list `{}` {unclear}", .list.display())]
    Unclear {
        /// The list.
        list: PathBuf,
        /// What it may be.
        unclear: Unclear,
    },
    /// The file is not text.
    #[error(
        "the list `{}` is not UTF-8 text (line {line} has a zero byte): fetch it again, and look at that line",
        .list.display()
    )]
    Binary {
        /// The list.
        list: PathBuf,
        /// Where that shows.
        line: u32,
    },
    /// No entry can be used.
    #[error("the list `{}` has no rule that can be used: {holds}", .list.display())]
    Empty {
        /// The list.
        list: PathBuf,
        /// What it has instead.
        holds: Holds,
    },
    /// It says that another file is part of it.
    #[error(
        "the list `{}` includes another file in line {line}: give that file as a list of its own, and take the line out",
        .list.display()
    )]
    Include {
        /// The list.
        list: PathBuf,
        /// Where it does.
        line: u32,
    },
    /// A rule that stands by itself is none.
    #[error("`{}`, line {line}: `{}` is no rule: {why}; write a name, ||name^ or /pattern/", .file.display(), .text.escape_debug())]
    NoRule {
        /// Where it stands.
        file: PathBuf,
        /// Its line.
        line: u32,
        /// What it says.
        text: String,
        /// Why not.
        why: String,
    },
    /// The names are more than can be held.
    #[error("the list `{}` has too many rules: {error} (reached in line {line})", .list.display())]
    TooMany {
        /// The list.
        list: PathBuf,
        /// The line that was one too many.
        line: u32,
        /// The limit.
        error: TooManyNames,
    },
}

impl ListError {
    pub(super) fn read(list: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(list.into()),
            io::ErrorKind::IsADirectory => Self::Directory(list.into()),
            io::ErrorKind::InvalidFilename => Self::NoFile(list.into()),
            _ => match error.downcast() {
                Ok(beyond) => Self::Beyond {
                    list: list.into(),
                    line: 1,
                    beyond,
                },
                Err(error) => Self::Read {
                    list: list.into(),
                    error,
                },
            },
        }
    }

    /// The same, where the bound was reached in this line.
    pub(super) fn in_line(mut self, reached: u32) -> Self {
        if let Self::Beyond { line, .. } = &mut self {
            *line = reached;
        }
        self
    }
}

/// What a list holds that has no rules.
#[derive(Debug)]
pub struct Holds(pub(super) Box<ListReport>);

impl Holds {
    /// What became of its entries.
    pub fn report(&self) -> &ListReport {
        &self.0
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report) = self;
        match (report.lines, report.examples.first()) {
            (0, _) => f.write_str("it is empty"),
            (_, None) => f.write_str("it has only comments and local names"),
            (
                _,
                Some(Example {
                    line, reason, text, ..
                }),
            ) => {
                let entries = report.unusable_entries();
                write!(
                    f,
                    "as {} none of its {entries} entries is usable; line {line}, \"{text}\": {reason}",
                    report.format
                )?;
                f.write_str(
                    ". If it is in another format, name that before the path (`adblock:FILE`)",
                )
            }
        }
    }
}
