//! Opening files that may be packed: plain, gzip or zstd, told by their first bytes.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// What stands for standard input among paths.
const STANDARD_INPUT: &str = "-";

/// A file's content, unpacked.
pub struct Unpacked<'a> {
    /// The content.
    pub content: Box<dyn BufRead + 'a>,
    /// How it was packed.
    pub packing: Packing,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all, in any format that is known here.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// In a format that people meet and that is not read.
    Foreign(&'static str),
}

/// The name of a file in messages and reports.
pub fn display_name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) {
        "standard input".into()
    } else {
        path.display().to_string()
    }
}

/// Opens the file, or standard input for `-`. `progress` is told how many bytes of the file each
/// read took.
///
/// # Errors
/// What the system says; a directory is an error of its kind.
pub fn open<'a>(path: &Path, progress: &'a mut dyn FnMut(u64)) -> io::Result<Unpacked<'a>> {
    let file: Box<dyn Read> = if path == Path::new(STANDARD_INPUT) {
        Box::new(io::stdin())
    } else {
        Box::new(file(path)?)
    };
    unpacked(file, progress)
}

/// Opens a regular file, and nothing else: a pipe without a writer would be waited for.
///
/// # Errors
/// What the system says; a directory is an error of its kind, and what else is no file
/// `InvalidFilename`.
pub fn open_regular<'a>(path: &Path, progress: &'a mut dyn FnMut(u64)) -> io::Result<Unpacked<'a>> {
    let no_file = || Err(io::ErrorKind::InvalidFilename.into());
    if path == Path::new(STANDARD_INPUT) {
        return no_file();
    }
    // Waits for nobody, whatever is there.
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    match file.metadata()?.file_type() {
        kind if kind.is_file() => unpacked(Box::new(file), progress),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => no_file(),
    }
}

fn unpacked(file: Box<dyn Read>, progress: &mut dyn FnMut(u64)) -> io::Result<Unpacked<'_>> {
    let mut file = Watched { file, progress };
    let mut start = [0; 6];
    let mut len = 0;
    while let Some(room) = start.get_mut(len..).filter(|room| !room.is_empty()) {
        match file.read(room)? {
            0 => break,
            read => len += read,
        }
    }
    let packing = packing(start);
    let whole = Cursor::new(start).take(len as u64).chain(file);
    let content: Box<dyn Read> = match packing {
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        Packing::Zstd => Box::new(zstd::Decoder::new(whole)?),
        Packing::Plain | Packing::Foreign(_) => Box::new(whole),
    };
    Ok(Unpacked {
        content: Box::new(BufReader::with_capacity(BUFFER, content)),
        packing,
    })
}

fn file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        Ok(file)
    }
}

fn packing(start: [u8; 6]) -> Packing {
    match start {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Packing::Foreign("xz"),
        [b'B', b'Z', b'h', ..] => Packing::Foreign("bzip2"),
        [b'P', b'K', 3, 4, ..] => Packing::Foreign("zip"),
        [b'7', b'z', 0xbc, 0xaf, ..] => Packing::Foreign("7z"),
        _ => Packing::Plain,
    }
}

/// Says how much was read of a file.
struct Watched<'a> {
    file: Box<dyn Read>,
    progress: &'a mut dyn FnMut(u64),
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}
