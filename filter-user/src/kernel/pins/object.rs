//! What is pinned of one loaded object.

use std::{
    borrow::Cow,
    fs, io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use super::{
    super::requirements,
    error::{PinError, failed},
    files::{make, names},
};

const MAPS: &str = "maps";
const PROGRAMS: &str = "programs";

/// The pins of a loaded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct ObjectPins(PathBuf);

impl ObjectPins {
    /// The pins in a folder.
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// No pins yet, in a folder that is made.
    pub fn make(folder: PathBuf) -> Result<Self, PinError> {
        for folder in [&folder, &folder.join(MAPS), &folder.join(PROGRAMS)] {
            make(folder)?;
        }
        Ok(Self(folder))
    }

    /// The name of the folder.
    pub fn name(&self) -> Cow<'_, str> {
        self.0.file_name().unwrap_or_default().to_string_lossy()
    }

    /// Has a map stay.
    pub fn keep_map(&self, name: &str, map: BorrowedFd<'_>) -> Result<(), PinError> {
        let path = self.map_path(name);
        requirements::pin(map, &path).map_err(failed("pin a map at", &path))
    }

    /// Has a program stay, unless it is pinned.
    pub fn keep_program(&self, name: &str, program: BorrowedFd<'_>) -> Result<(), PinError> {
        let path = self.0.join(PROGRAMS).join(name);
        match requirements::pin(program, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            pinned => pinned.map_err(failed("pin a program at", &path)),
        }
    }

    /// A descriptor of a map; `None` if it was not pinned.
    pub fn map(&self, name: &str) -> Result<Option<OwnedFd>, PinError> {
        let path = self.map_path(name);
        match requirements::open_pin(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some).map_err(failed("open", &path)),
        }
    }

    /// Names in a BPF file system have no dots.
    fn map_path(&self, name: &str) -> PathBuf {
        self.0
            .join(MAPS)
            .join(name.trim_start_matches('.').replace('.', "_"))
    }

    /// The ids of its programs.
    pub fn programs(&self) -> Result<Vec<u32>, PinError> {
        let folder = self.0.join(PROGRAMS);
        let id = |name: String| {
            let path = folder.join(name);
            let program = requirements::open_pin(&path).map_err(failed("open", &path))?;
            requirements::program_id(program.as_fd()).map_err(failed("read", &path))
        };
        names(&folder)?.into_iter().map(id).collect()
    }

    pub fn remove(&self) -> Result<(), PinError> {
        fs::remove_dir_all(&self.0).map_err(failed("remove", &self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn maps_have_names_that_a_bpf_file_system_takes() {
        let object = ObjectPins::at("/sys/fs/bpf/namegate/object_1_1".into());
        assert_eq!(
            object.map_path(".data.SETTINGS"),
            Path::new("/sys/fs/bpf/namegate/object_1_1/maps/data_SETTINGS")
        );
    }
}
