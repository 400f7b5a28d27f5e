//! What stays in the kernel when the controller ends: links, programs and maps, pinned in a folder
//! of a BPF file system.
//!
//! ```text
//! /sys/fs/bpf/namegate/             locked by the controller that runs
//!   links/if_3                      the link of the interface with index 3
//!   object_5f0c…_1/                 a loaded object, by the build that it is of, and a number
//!     maps/CPUS, maps/PROGRAMS, …   what the next controller goes on with
//!     programs/namegate             by which the object is found that a link runs
//! ```
//!
//! A link has its program, and a program its maps. Only a map of programs needs a pin for the
//! filter to go on: the kernel empties it once no descriptor and no pin of it is left
//! (`bpf_fd_array_map_clear`). The other pins are for the next controller.

mod error;
mod files;
mod object;

use std::{
    collections::{BTreeSet, hash_map::DefaultHasher},
    fs::{self, File},
    hash::{Hash as _, Hasher as _},
    io,
    os::fd::{AsFd as _, BorrowedFd},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock, statfs};

use super::{OBJECT, links::Link, requirements};
pub use error::PinError;
use error::failed;
use files::{make, names, remove};
pub(super) use object::ObjectPins;

/// Where controllers pin by default.
pub const DEFAULT_PINS: &str = "/sys/fs/bpf/namegate";

/// `BPF_FS_MAGIC` of `linux/magic.h`.
const BPF_FS: i128 = 0xcafe_4a11;

const LINKS: &str = "links";
const OBJECT_PREFIX: &str = "object_";

/// A folder with pins, which one controller has at a time.
#[derive(Debug)]
pub struct Pins {
    folder: PathBuf,
    /// Has the lock for as long as it is open.
    _lock: File,
}

/// A link that a controller left.
#[derive(Debug)]
pub(super) struct LinkLeft {
    /// The index of its interface.
    pub interface: u32,
    /// The id of the program that is attached.
    pub program: u32,
    pub link: Link,
}

impl Pins {
    /// Takes a folder in a BPF file system, and makes it if it is not there.
    ///
    /// # Errors
    /// If it is in no such file system, another controller has it, or it has something else than
    /// pins of this program.
    pub fn open(folder: &Path) -> Result<Self, PinError> {
        let parent = match folder.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let is_bpf = |path: &Path| statfs(path).is_ok_and(|it| i128::from(it.f_type) == BPF_FS);
        if !is_bpf(folder) && !is_bpf(parent) {
            return Err(PinError::NoFileSystem(folder.into()));
        }
        make(folder)?;
        let pins = Self::lock(folder)?;
        make(&folder.join(LINKS))?;
        for entry in names(folder)? {
            if entry != LINKS && !entry.starts_with(OBJECT_PREFIX) {
                return Err(PinError::Foreign(folder.join(entry)));
            }
        }
        Ok(pins)
    }

    /// The same of a folder that must be there; `None` if it is not.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, PinError> {
        match fs::metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("look into", folder)(error)),
            Ok(_) => Self::open(folder).map(Some),
        }
    }

    fn lock(folder: &Path) -> Result<Self, PinError> {
        let lock = File::open(folder).map_err(failed("open", folder))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                folder: folder.into(),
                _lock: lock,
            }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(PinError::InUse(folder.into())),
            Err(error) => Err(failed("lock", folder)(error.into())),
        }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The indices of the interfaces that programs are attached to by pinned links.
    ///
    /// # Errors
    /// If the links cannot be read.
    pub fn interfaces(&self) -> Result<BTreeSet<u32>, PinError> {
        let links = self.links()?;
        Ok(links.iter().map(|link| link.interface).collect())
    }

    /// The links that are pinned. Those whose interface is gone are removed.
    pub(super) fn links(&self) -> Result<Vec<LinkLeft>, PinError> {
        let folder = self.folder.join(LINKS);
        let mut links = Vec::new();
        for name in names(&folder)? {
            let path = folder.join(&name);
            let link = requirements::open_pin(&path).map_err(failed("open", &path))?;
            let info = requirements::link_info(link.as_fd());
            let index = name
                .strip_prefix("if_")
                .and_then(|index| index.parse().ok());
            match (info.map_err(failed("read", &path))?, index) {
                (Some(info), Some(_)) if info.interface == 0 => remove(&path)?,
                (Some(info), Some(index)) if info.interface == index => links.push(LinkLeft {
                    interface: index,
                    program: info.program,
                    link: link.into(),
                }),
                _ => return Err(PinError::Foreign(path)),
            }
        }
        Ok(links)
    }

    /// Has a link stay. One that is pinned is not touched: a crash just then would end it. Another
    /// one that was pinned for this interface has none any more, as an interface has one link.
    pub(super) fn keep_link(&self, interface: u32, link: &Link) -> Result<(), PinError> {
        let path = self.link_path(interface);
        let id = |link: BorrowedFd<'_>| -> io::Result<Option<u32>> {
            Ok(requirements::link_info(link)?.map(|info| info.id))
        };
        match requirements::open_pin(&path) {
            Ok(pinned) => {
                let is_pinned = id(pinned.as_fd()).and_then(|it| Ok(it == id(link.as_fd())?));
                if is_pinned.map_err(failed("read", &path))? {
                    return Ok(());
                }
                remove(&path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("open", &path)(error)),
        }
        requirements::pin(link.as_fd(), &path).map_err(failed("pin a link at", &path))
    }

    /// Takes the programs off all interfaces but these; tells which ones that were.
    pub(super) fn detach_others(&self, but: &BTreeSet<u32>) -> Result<Vec<u32>, PinError> {
        let mut detached = Vec::new();
        for LinkLeft {
            interface, link, ..
        } in self.links()?
        {
            if !but.contains(&interface) {
                let path = self.link_path(interface);
                link.detach().map_err(failed("detach", &path))?;
                remove(&path)?;
                detached.push(interface);
            }
        }
        Ok(detached)
    }

    fn link_path(&self, interface: u32) -> PathBuf {
        self.folder.join(LINKS).join(format!("if_{interface}"))
    }

    /// A place for the pins of an object that was just loaded.
    pub(super) fn new_object(&self) -> Result<ObjectPins, PinError> {
        let numbers = self
            .objects()?
            .into_iter()
            .filter_map(|object| object.name().rsplit_once('_')?.1.parse::<u64>().ok());
        let number = numbers.max().unwrap_or_default() + 1;
        let build = build();
        ObjectPins::make(
            self.folder
                .join(format!("{OBJECT_PREFIX}{build:016x}_{number}")),
        )
    }

    /// The object that the links run, if it is of this very build: its maps have the layout that
    /// this controller knows.
    pub(super) fn object_in_use(&self) -> Result<Option<ObjectPins>, PinError> {
        let attached: BTreeSet<_> = self.links()?.iter().map(|link| link.program).collect();
        let prefix = format!("{OBJECT_PREFIX}{:016x}_", build());
        for object in self.objects()? {
            if object.name().starts_with(&prefix)
                && object.programs()?.iter().any(|id| attached.contains(id))
            {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// Lets go of all objects but this one.
    pub(super) fn forget_others(&self, but: &ObjectPins) -> Result<(), PinError> {
        let objects = self.objects()?;
        objects
            .iter()
            .filter(|object| *object != but)
            .try_for_each(ObjectPins::remove)
    }

    fn objects(&self) -> Result<Vec<ObjectPins>, PinError> {
        let names = names(&self.folder)?;
        let objects = names.iter().filter(|name| name.starts_with(OBJECT_PREFIX));
        Ok(objects
            .map(|name| ObjectPins::at(self.folder.join(name)))
            .collect())
    }

    /// Takes the programs off all interfaces, and removes what is pinned. Tells from which
    /// interfaces.
    ///
    /// # Errors
    /// If the system refuses; what was done by then stays so.
    pub fn remove_all(&self) -> Result<Vec<u32>, PinError> {
        let detached = self.detach_others(&BTreeSet::new())?;
        self.objects()?.iter().try_for_each(ObjectPins::remove)?;
        for folder in [&self.folder.join(LINKS), &self.folder] {
            fs::remove_dir(folder).map_err(failed("remove", folder))?;
        }
        Ok(detached)
    }
}

/// What tells builds apart: the bytes of the kernel object.
fn build() -> u64 {
    let mut hasher = DefaultHasher::new();
    OBJECT.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_folder_in_another_file_system_is_refused_and_not_made() {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("namegate");
        let error = Pins::open(&folder).unwrap_err();
        assert!(error.is_without_place(), "{error}");
        assert!(error.to_string().contains("mount -t bpf"), "{error}");
        assert!(!folder.exists());
    }
}
