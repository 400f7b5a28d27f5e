//! The compiled policy in a file, so that the next start need not read lists that have not changed.
//!
//! The file holds the table of the compiled policy as it lies in memory, and the compiled policy
//! has it mapped from there: what is not asked for takes no memory. It may be deleted at any time.
//! It is used only if it is whole and was made by this very program of the very files and options
//! that a policy is asked for now; else the reason is told, and the lists are read.
//!
//! The key of the hash is in it as well, since the names lie in the order of their hashes. Who
//! knows it can make names that collide, so the file is for its owner alone.

mod content;
mod file;
mod made_from;

use std::{
    io,
    path::{Path, PathBuf},
};

use filter_core::HashKey;
use filter_lists::ListReport;

use super::CompiledPolicy;
use content::Content;

pub(super) use made_from::{Ingredient, MadeFrom};

/// A folder in which a compiled policy is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    path: PathBuf,
}

/// Why what is in a cache is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// There is none.
    #[error("there is none yet")]
    Missing,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// Somebody else can write it.
    #[error(
        "it is not for its owner alone: have the folder and the file belong to who runs namegate, with mode 0600"
    )]
    Foreign,
    /// It is none, or one of another version.
    #[error("it is of another version")]
    Version,
    /// Its bytes are not those that were written.
    #[error("it is damaged")]
    Damaged,
    /// It was made of something else.
    #[error("{0}")]
    Stale(String),
    /// It is of another run.
    #[error("another controller wrote it")]
    OtherKey,
}

/// Why a policy is not kept.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// A list is no file, or cannot be looked at.
    #[error("a list is no file whose changes can be told")]
    NoFile,
    /// A list is another one than it was.
    #[error("a list changed while it was read")]
    Changed,
    /// The file cannot be written.
    #[error("{0}; name another folder with --cache, or none")]
    Write(#[from] io::Error),
}

impl Cache {
    /// The one in this folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            path: folder.join("policy"),
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The compiled policy in it and what became of the lists, if it was made of just this, and
    /// with this key if one is in force.
    pub(super) fn open(
        &self,
        made_from: &MadeFrom,
        in_force: Option<&HashKey>,
    ) -> Result<(CompiledPolicy, Vec<ListReport>), Unfit> {
        let file = file::open(&self.path)?;
        let content = Content::read(file.content()).ok_or(Unfit::Damaged)?;
        content
            .made_from()
            .same_as(made_from)
            .map_err(Unfit::Stale)?;
        if in_force.is_some_and(|key| !content.has_key(key)) {
            return Err(Unfit::OtherKey);
        }
        content
            .into_compiled(file.into_table()?)
            .ok_or(Unfit::Damaged)
    }

    /// Writes the compiled policy, which takes its table from there from then on. It is in the
    /// cache when that is said.
    pub(super) fn write(
        &self,
        made_from: MadeFrom,
        compiled: &mut CompiledPolicy,
        reports: &[ListReport],
    ) -> Result<Unplaced, Unkept> {
        let content = Content::of(made_from, compiled, reports).to_bytes()?;
        let (written, table) = file::write(&self.path, &content, &compiled.table)?;
        compiled.table = table;
        Ok(Unplaced(written))
    }
}

/// A compiled policy that is written, and not in its cache yet.
#[derive(Debug)]
pub struct Unplaced(file::Written);

impl Unplaced {
    /// Puts it there, in place of what the cache has.
    pub(super) fn place(self) -> Result<(), Unkept> {
        Ok(self.0.put()?)
    }
}

impl CompiledPolicy {
    /// Has the table lie in a file without a name, so that it takes no memory of this process. One
    /// that lies in a file already stays there.
    ///
    /// # Errors
    /// If no file can be written; the table stays where it is.
    pub fn move_to_file(&mut self) -> io::Result<()> {
        if self.table.memory_bytes() == 0 {
            return Ok(());
        }
        // What is in /tmp often takes memory.
        let folder = tempfile::tempdir_in("/var/tmp").or_else(|_| tempfile::tempdir())?;
        let (_, table) = file::write(&folder.path().join("policy"), &[], &self.table)?;
        self.table = table;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
