//! Why a configuration cannot be used, in sentences that say where and what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    MAX_FILE, actions::ActionsError, audiences::AudiencesError, groups::GroupsError,
    member::MemberError, naming::NamingError, rules::RulesError, schedules::SchedulesError,
    service::ServiceError, week::TimesError, words::plain,
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("there is no configuration `{}`: check the path", .0.display())]
    Missing(PathBuf),
    /// The path names a directory.
    #[error("the configuration `{}` is a directory: name the file in it", .0.display())]
    Directory(PathBuf),
    /// The path names something else than a file, which a reload does not read.
    #[error("the configuration `{}` is no regular file: a pipe can be read at the start alone; name a file", .0.display())]
    NoFile(PathBuf),
    /// The file cannot be opened or read.
    #[error("cannot read the configuration `{}`: {error}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is larger than is read.
    #[error(
        "the configuration `{}` is larger than {} bytes: put rules and names into lists, which may be of any size, and \
         name these with [[list]]",
        .0.display(),
        MAX_FILE
    )]
    TooLarge(PathBuf),
    /// The file is not text.
    #[error(
        "the configuration `{}` is not UTF-8 text from line {line} on: write it in TOML, and convert UTF-16 with iconv",
        .file.display()
    )]
    Binary {
        /// The file.
        file: PathBuf,
        /// Where that shows.
        line: u32,
    },
    /// Something that the file says.
    #[error("the configuration `{}`, line {line}, column {column}: {fault}", .file.display())]
    At {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u32,
        /// The column in bytes, from 1.
        column: u32,
        /// What is wrong there.
        fault: Fault,
    },
}

/// What is wrong in a line of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not TOML, or a key or a value that is not known here.
    #[error("{}", shown(.0))]
    Toml(String),
    /// The name of a group or a schedule, where it is given or used.
    #[error(transparent)]
    Naming(#[from] NamingError),
    /// A client of a group.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The groups.
    #[error(transparent)]
    Groups(#[from] GroupsError),
    /// The times of a schedule.
    #[error(transparent)]
    Times(#[from] TimesError),
    /// A schedule.
    #[error(transparent)]
    Schedules(#[from] SchedulesError),
    /// A list or rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// What lists and rules are for.
    #[error(transparent)]
    Audiences(#[from] AudiencesError),
    /// An interface.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// What becomes of what is blocked.
    #[error(transparent)]
    Actions(#[from] ActionsError),
}

/// A fault and where it is: a byte of the text.
#[derive(Debug)]
pub(super) struct Located {
    pub at: usize,
    pub fault: Fault,
}

/// Says where something is wrong.
pub(super) trait At<T> {
    /// The error is about what stands at this byte of the text.
    fn at<S>(self, place: &toml::Spanned<S>) -> Result<T, Located>;
}

impl<T, E: Into<Fault>> At<T> for Result<T, E> {
    fn at<S>(self, place: &toml::Spanned<S>) -> Result<T, Located> {
        self.map_err(|error| Located {
            at: place.span().start,
            fault: error.into(),
        })
    }
}

impl Located {
    pub fn toml(error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        Self {
            at,
            fault: Fault::Toml(plain(error.message())),
        }
    }
}

impl ConfigError {
    pub(super) fn read(file: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(file.into()),
            io::ErrorKind::IsADirectory => Self::Directory(file.into()),
            _ => Self::Read {
                file: file.into(),
                error,
            },
        }
    }
}

/// Characters of the file's text that a message repeats.
const SHOWN: usize = 200;

/// Text of the file as it can be shown: nobody's terminal obeys it.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, char) in text.chars().enumerate() {
        if count == SHOWN {
            return shown + "…";
        }
        match char {
            '\'' | '"' | '\\' => shown.push(char),
            char => shown.extend(char.escape_debug()),
        }
    }
    shown
}
