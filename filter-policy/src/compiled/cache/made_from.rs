//! What a policy was made of: if all of it is the same, so is the policy.

use std::{
    ffi::OsStr,
    fs::{self, Metadata},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use filter_lists::ListOptions;
use serde::{Deserialize, Serialize};

use crate::config::{Entry, Rules};

/// The program, and what it was given.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::compiled) struct MadeFrom {
    /// How lists are read may be another with each build.
    program: Stamp,
    ingredients: Vec<Ingredient>,
}

/// A list, or rules of the configuration.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::compiled) enum Ingredient {
    /// A list and how it is read.
    List {
        path: Vec<u8>,
        stamp: Stamp,
        how: Vec<u8>,
    },
    /// Rules with their lines.
    Rules { file: Vec<u8>, rules: Vec<u8> },
}

/// What tells that a file is the same, and has the same content.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::compiled) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Whatever else is set back to what it was, this is not.
    changed: (i64, i64),
}

/// What a file's clock may stand still for (at 100 ticks a second), and some more. In this time a
/// file may change twice and have the same stamp.
const TICK: Duration = Duration::from_millis(12);

impl MadeFrom {
    /// The program that runs, with these.
    pub fn new(ingredients: Vec<Ingredient>) -> Option<Self> {
        Some(Self {
            program: Stamp::of(Path::new("/proc/self/exe"))?,
            ingredients,
        })
    }

    /// What is not the same, in a sentence.
    pub fn same_as(&self, other: &Self) -> Result<(), String> {
        if self.program != other.program {
            return Err("another build of namegate made it".into());
        }
        if self.ingredients.len() != other.ingredients.len() {
            return Err("it was made of other lists".into());
        }
        self.ingredients
            .iter()
            .zip(&other.ingredients)
            .try_for_each(|(made_from, now)| made_from.same_as(now))
    }
}

impl Ingredient {
    /// This list, which is read in this way; `None` if it is no file. One that changed this very
    /// moment is waited for.
    pub fn list(
        path: &Path,
        options: ListOptions,
        audience: u16,
        trial: bool,
        label: Option<&str>,
    ) -> Option<Self> {
        let stamp = Stamp::of(path)?;
        let how = postcard::to_stdvec(&(
            options.format,
            options.allow,
            options.widen,
            options.trust,
            audience,
            trial,
            label,
        ))
        .ok()?;
        Some(Self::List {
            path: path.as_os_str().as_bytes().into(),
            stamp,
            how,
        })
    }

    /// These rules of a configuration.
    pub fn rules(
        file: &Path,
        Rules {
            block,
            allow,
            audience,
            trial,
        }: &Rules,
    ) -> Option<Self> {
        let entries = |entries: &[Entry]| {
            entries
                .iter()
                .map(|it| (it.text.clone(), it.line))
                .collect::<Vec<_>>()
        };
        let rules = postcard::to_stdvec(&(entries(block), entries(allow), audience, trial)).ok()?;
        Some(Self::Rules {
            file: file.as_os_str().as_bytes().into(),
            rules,
        })
    }

    fn same_as(&self, now: &Self) -> Result<(), String> {
        if self == now {
            return Ok(());
        }
        let shown = |path: &[u8]| Path::new(OsStr::from_bytes(path)).display().to_string();
        Err(match (self, now) {
            (
                Self::List {
                    path: before,
                    how: so,
                    ..
                },
                Self::List { path, how, .. },
            ) if before == path && so == how => {
                format!("the list `{}` has changed", shown(path))
            }
            (Self::List { path: before, .. }, Self::List { path, .. }) if before == path => {
                format!("the list `{}` was to be read in another way", shown(path))
            }
            (Self::Rules { .. }, Self::Rules { .. }) => {
                "the rules in the configuration have changed".into()
            }
            _ => "it was made of other lists".into(),
        })
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        loop {
            let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
            match SystemTime::now().duration_since(changed(&metadata)) {
                Ok(since) if since < TICK => thread::sleep(TICK.saturating_sub(since)),
                _ => return Some(Self::new(&metadata)),
            }
        }
    }

    fn new(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// When anything about the file was changed last.
fn changed(metadata: &Metadata) -> SystemTime {
    let seconds = Duration::from_secs(metadata.ctime().try_into().unwrap_or_default());
    SystemTime::UNIX_EPOCH
        + seconds
        + Duration::from_nanos(metadata.ctime_nsec().try_into().unwrap_or_default())
}
