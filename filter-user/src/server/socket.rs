//! The socket of the API, which one controller has at a time.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

/// Only the user who runs the controller may use the API: it decides what is blocked.
const PERMISSIONS: u32 = 0o600;

/// A socket that this process listens on; dropping it removes the file.
#[derive(Debug)]
pub struct ApiSocket {
    path: PathBuf,
    /// The file's inode, by which we know it again.
    inode: u64,
    listener: UnixListener,
}

/// Why a socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody answers on it.
    #[error(
        "another controller answers on `{}`: stop it, or give this one a socket of its own with --socket",
        .0.display()
    )]
    InUse(PathBuf),
    /// There is something else in its place.
    #[error("`{}` is there and is no socket: remove it, or name another path with --socket", .0.display())]
    NotASocket(PathBuf),
    /// The directory is missing.
    #[error("there is no directory `{}` for the socket: make it, or name another path with --socket", .0.display())]
    NoDirectory(PathBuf),
    /// The system refuses.
    #[error("cannot listen on `{}`: {error}; name another path with --socket", .socket.display())]
    Io {
        /// The socket.
        socket: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl ApiSocket {
    /// Takes the socket, also from a controller that died, and never from one that lives.
    pub fn claim(path: &Path) -> Result<Self, SocketError> {
        let failed = |error| SocketError::Io {
            socket: path.into(),
            error,
        };
        // Two controllers that find a dead one's socket at the same time must not both replace it.
        let _one_at_a_time = lock_directory(path)?;
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(SocketError::NotASocket(path.into()));
            }
            match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(path).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
                Ok(_) => return Err(SocketError::InUse(path.into())),
            }
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let inode = fs::symlink_metadata(path).map_err(failed)?.ino();
        let socket = Self {
            path: path.into(),
            inode,
            listener,
        };
        fs::set_permissions(path, Permissions::from_mode(PERMISSIONS)).map_err(failed)?;
        socket.listener.set_nonblocking(true).map_err(failed)?;
        Ok(socket)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A listener for the server; clients that came before it wait in the queue.
    pub fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

impl Drop for ApiSocket {
    fn drop(&mut self) {
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode);
        if ours {
            // Nothing is left to do about a failure, and the next controller takes the socket over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn lock_directory(socket: &Path) -> Result<File, SocketError> {
    let directory = match socket.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => SocketError::NoDirectory(directory.into()),
        _ => SocketError::Io {
            socket: socket.into(),
            error,
        },
    };
    let file = File::open(directory).map_err(failed)?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_socket_is_for_its_owner_alone_and_goes_with_its_controller() {
        let (_dir, path) = place();
        let socket = ApiSocket::claim(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            PERMISSIONS
        );
        assert!(UnixStream::connect(&path).is_ok());
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_second_controller_is_refused_and_the_first_still_answers() {
        let (_dir, path) = place();
        let _first = ApiSocket::claim(&path).unwrap();
        let error = ApiSocket::claim(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("another controller answers on `"),
            "{error}"
        );
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn the_socket_of_a_dead_controller_is_taken_over() {
        let (_dir, path) = place();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists() && UnixStream::connect(&path).is_err());
        let _socket = ApiSocket::claim(&path).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn of_many_that_take_over_at_once_one_has_the_socket() {
        let (_dir, path) = place();
        drop(UnixListener::bind(&path).unwrap());
        let claims: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| ApiSocket::claim(&path)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
    }

    #[test]
    fn a_file_in_its_place_is_left_alone() {
        let (_dir, path) = place();
        fs::write(&path, "precious").unwrap();
        assert!(matches!(
            ApiSocket::claim(&path),
            Err(SocketError::NotASocket(_))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_socket_that_replaced_ours_stays() {
        let (_dir, path) = place();
        let first = ApiSocket::claim(&path).unwrap();
        // Buffered open, so that its inode is not used again.
        fs::hard_link(&path, path.with_extension("old")).unwrap();
        fs::remove_file(&path).unwrap();
        let _second = ApiSocket::claim(&path).unwrap();
        drop(first);
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn a_missing_directory_is_named() {
        let (dir, _) = place();
        let error = ApiSocket::claim(&dir.path().join("none/socket"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error.replace(&dir.path().display().to_string(), "DIR"),
            "there is no directory `DIR/none` for the socket: make it, or name another path with --socket"
        );
    }

    fn place() -> (TempDir, PathBuf) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("namegate.sock");
        (dir, path)
    }
}
