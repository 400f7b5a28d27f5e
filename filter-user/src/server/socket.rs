//! The socket of the API, which one controller has at a time.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, fchmod},
    io::Errno,
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
    },
};

use super::lock::{Lock, LockError};

/// Only the user who runs the controller may use the API: it decides what is blocked.
const PERMISSIONS: Mode = Mode::RUSR.union(Mode::WUSR);

/// Clients that wait to be accepted.
const QUEUE: i32 = 128;

/// A socket that this process listens on; dropping it removes the file.
#[derive(Debug)]
pub struct ApiSocket {
    path: PathBuf,
    /// The file's inode, by which we know it again.
    inode: u64,
    listener: UnixListener,
    /// Keeps other controllers from the path for as long as this one runs.
    _lock: Lock,
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
    /// The user may not write there.
    #[error(
        "you may not make the socket `{}`: run namegate as root, or name a path with --socket in a folder that you may \
         write to",
        .0.display()
    )]
    Permission(PathBuf),
    /// The file that keeps other controllers away cannot be used.
    #[error("`{}` is not a file of this user alone: remove it, or name another path with --socket", .0.display())]
    Lock(PathBuf),
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
        let failed = |error| SocketError::new(path, error);
        // Two controllers that find a dead one's socket at the same time must not both replace it.
        let lock = Lock::take(path).map_err(|error| match error {
            LockError::Held => SocketError::InUse(path.into()),
            LockError::NotOurs(file) => SocketError::Lock(file),
            LockError::Io(error) => failed(error),
        })?;
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(SocketError::NotASocket(path.into()));
            }
            if is_answered(path).map_err(failed)? {
                return Err(SocketError::InUse(path.into()));
            }
            fs::remove_file(path).map_err(failed)?;
        }
        let listener = listener(path).map_err(failed)?;
        Ok(Self {
            path: path.into(),
            inode: fs::symlink_metadata(path).map_err(failed)?.ino(),
            listener,
            _lock: lock,
        })
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

impl SocketError {
    fn new(socket: &Path, error: io::Error) -> Self {
        let directory = match socket.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoDirectory(directory.into()),
            io::ErrorKind::PermissionDenied => Self::Permission(socket.into()),
            _ => Self::Io {
                socket: socket.into(),
                error,
            },
        }
    }
}

/// True if somebody listens there. A full queue is somebody's, and is not waited for.
fn is_answered(path: &Path) -> io::Result<bool> {
    match connect(&unix_socket()?, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Listens on a path where nothing is. Linux gives the file the mode of the socket that is bound:
/// there is no moment in which others may connect.
fn listener(path: &Path) -> io::Result<UnixListener> {
    let socket = unix_socket()?;
    fchmod(&socket, PERMISSIONS)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    listen(&socket, QUEUE)?;
    Ok(socket.into())
}

fn unix_socket() -> io::Result<std::os::fd::OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::{fs::PermissionsExt, net::UnixStream},
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use rustix::fs::{FlockOperation, flock};
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_socket_is_for_its_owner_alone_and_goes_with_its_controller() {
        let (dir, path) = place();
        let socket = ApiSocket::claim(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(UnixStream::connect(&path).is_ok());
        drop(socket);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
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
        assert!(matches!(
            ApiSocket::claim(&path),
            Err(SocketError::InUse(_))
        ));
        let _other = UnixListener::bind(&path).unwrap();
        drop(first);
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn a_lock_on_the_folder_is_nobodys_business() {
        let (dir, path) = place();
        let folder = fs::File::open(dir.path()).unwrap();
        flock(&folder, FlockOperation::LockExclusive).unwrap();
        assert!(ApiSocket::claim(&path).is_ok());
    }

    #[test]
    fn a_lock_on_its_own_file_is_an_error_at_once() {
        let (_dir, path) = place();
        let file = fs::File::create(path.with_extension("sock.lock")).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        assert!(matches!(
            ApiSocket::claim(&path),
            Err(SocketError::InUse(_))
        ));
    }

    #[test]
    fn what_is_not_a_file_of_its_own_is_not_locked() {
        let (dir, path) = place();
        let lock = path.with_extension("sock.lock");
        let precious = dir.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, &lock).unwrap();
        assert!(matches!(ApiSocket::claim(&path), Err(SocketError::Lock(_))));
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        assert!(matches!(ApiSocket::claim(&path), Err(SocketError::Lock(_))));
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    }

    #[test]
    fn a_socket_whose_queue_is_full_is_in_use_and_not_waited_for() {
        let (_dir, path) = place();
        let _other = UnixListener::bind(&path).unwrap();
        let mut waiting = Vec::new();
        loop {
            let socket = unix_socket().unwrap();
            let connected = connect(&socket, &SocketAddrUnix::new(&path).unwrap());
            if connected == Err(Errno::AGAIN) {
                break;
            }
            connected.unwrap();
            waiting.push(socket);
        }
        assert!(matches!(
            ApiSocket::claim(&path),
            Err(SocketError::InUse(_))
        ));
    }

    #[test]
    fn there_is_no_moment_in_which_others_may_connect() {
        let (_dir, path) = place();
        let ended = AtomicBool::new(false);
        let modes = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut modes = std::collections::BTreeSet::new();
                while !ended.load(Ordering::Relaxed) {
                    let seen = fs::symlink_metadata(&path);
                    modes.extend(seen.map(|it| it.permissions().mode() & 0o777).ok());
                }
                modes
            });
            for _ in 0..300 {
                let _socket = ApiSocket::claim(&path).unwrap();
                std::thread::sleep(Duration::from_micros(50));
            }
            ended.store(true, Ordering::Relaxed);
            watcher.join().unwrap()
        });
        assert_eq!(Vec::from_iter(modes), [0o600]);
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
