use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use tempfile::NamedTempFile;

use super::*;

/// Bytes of a pcap file's header, and of each record's.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

#[test]
fn a_capture_that_is_cut_anywhere_gives_its_whole_frames_and_says_where_it_ends() {
    let whole = corpus("dig.pcap");
    let (frames, end) = read(&whole);
    assert!(
        end.is_none() && frames.len() > 40,
        "{} frames, {end:?}",
        frames.len()
    );
    let mut ends = vec![FILE_HEADER];
    for frame in &frames {
        ends.push(ends[ends.len() - 1] + RECORD_HEADER + frame.1.len());
    }
    assert_eq!(ends[ends.len() - 1], whole.len());
    for cut in FILE_HEADER..ends[12] {
        let (read, end) = read(&whole[..cut]);
        let whole_frames = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(read, frames[..whole_frames], "cut at {cut}");
        match end {
            None => assert!(ends.contains(&cut), "cut at {cut}"),
            Some(CaptureError::Truncated { place, .. }) => {
                assert!(!ends.contains(&cut), "cut at {cut}");
                assert_eq!(
                    (place.frames, place.byte),
                    (whole_frames as u64, ends[whole_frames] as u64)
                );
            }
            Some(other) => panic!("cut at {cut}: {other}"),
        }
    }
}

#[test]
fn a_file_that_ends_in_its_first_header_is_cut_or_empty_or_foreign() {
    let whole = corpus("dig.pcap");
    for cut in 0..FILE_HEADER {
        let message = read(&whole[..cut]).1.unwrap().to_string();
        match cut {
            0 => assert!(
                message.ends_with("is not a pcap or pcapng file: it is empty"),
                "{message}"
            ),
            1..4 => assert!(
                message.contains("is not a pcap or pcapng file"),
                "{message}"
            ),
            _ => assert!(
                message.ends_with("frame 1 (byte 0 of the capture); no frame was read"),
                "{message}"
            ),
        }
    }
}

#[test]
fn packed_captures_are_read_as_they_are_and_a_cut_one_up_to_the_cut() {
    let plain = corpus("dig.pcap");
    let (frames, _) = read(&plain);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&plain).unwrap();
    for packed in [
        gzip.finish().unwrap(),
        zstd::encode_all(&*plain, 1).unwrap(),
    ] {
        let (unpacked, end) = read(&packed);
        assert!(end.is_none() && unpacked == frames, "{end:?}");
        let (some, end) = read(&packed[..packed.len() / 2]);
        assert_eq!(some, frames[..some.len()]);
        assert!(
            matches!(end, Some(CaptureError::Truncated { .. })),
            "{end:?}"
        );
    }
}

#[test]
fn what_is_no_capture_is_told() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"<html>").unwrap();
    for (content, expected) in [
        (&b"<!DOCTYPE html>"[..], "it is an HTML page"),
        (
            b"\xfd7zXZ\0...",
            "it is a xz file; unpack it first (gzip and zstd are read as they are)",
        ),
        (
            b"snoop\0\0\0\0\0\0\x02",
            "it is a snoop capture; `editcap -F pcapng` converts it",
        ),
        (
            b"anything",
            "it is nothing that tcpdump or Wireshark writes; name a capture of theirs",
        ),
        (
            &gzip.finish().unwrap(),
            "it is a gzip file, and of what is in it: it is an HTML page",
        ),
    ] {
        let message = read(content).1.unwrap().to_string();
        assert!(message.ends_with(expected), "{message}");
    }
    let missing = Capture::open(Path::new("/nowhere/a.pcap"), &mut |_| {})
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        missing,
        "there is no capture `/nowhere/a.pcap`: check the path"
    );
    let directory = Capture::open(Path::new("/"), &mut |_| {})
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        directory,
        "the capture `/` is a directory: name the files in it one by one"
    );
}

#[test]
fn sections_may_differ_in_their_byte_order_and_interfaces_in_their_links() {
    let ethernet = [7; 20];
    let raw = [0x45; 21];
    let with_header = |payload: &[u8]| [&ADDRESSES[..], &[8, 0], payload].concat();
    for first_big in [false, true] {
        let first = Section {
            big_endian: first_big,
        };
        let second = Section {
            big_endian: !first_big,
        };
        let file = [
            first.header(),
            first.interface(1, 0),
            first.interface(101, 0),
            first.packet(1, &raw),
            first.unknown(),
            first.packet(0, &ethernet),
            second.header(),
            second.interface(101, 0),
            second.packet(0, &raw),
            second.obsolete(0, &raw),
        ]
        .concat();
        let (frames, end) = read(&file);
        assert!(end.is_none(), "{end:?}");
        let expected = [
            with_header(&raw),
            ethernet.to_vec(),
            with_header(&raw),
            with_header(&raw),
        ];
        assert_eq!(frames, (1..).zip(expected).collect::<Vec<_>>());
    }
}

#[test]
fn a_simple_packet_has_as_many_bytes_as_the_first_interface_takes() {
    let section = Section { big_endian: false };
    for (limit, expected) in [(0, 10), (10, 10), (9, 9), (11, 10)] {
        let file = [
            section.header(),
            section.interface(1, limit),
            section.simple(&[7; 10]),
        ]
        .concat();
        assert_eq!(read(&file).0, [(1, vec![7; expected])], "limit {limit}");
    }
}

#[test]
fn frames_of_a_link_that_is_not_read_keep_their_numbers() {
    let section = Section { big_endian: false };
    let start = [
        section.header(),
        section.interface(1, 0),
        section.interface(127, 0),
    ]
    .concat();
    let file = [
        start.clone(),
        section.packet(1, &[1; 8]),
        section.packet(0, &[2; 8]),
        section.packet(1, &[3; 8]),
    ];
    let path = written(&file.concat());
    let mut progress = |_| {};
    let mut capture = Capture::open(path.path(), &mut progress).unwrap();
    assert_eq!(
        capture.next_frame().unwrap(),
        Some(Frame {
            number: 2,
            bytes: &[2; 8]
        })
    );
    assert_eq!(capture.next_frame().unwrap(), None);
    assert_eq!(capture.frames(), 3);
    assert_eq!(
        capture.skipped(),
        [Skipped {
            link: Link(Linktype(127)),
            interface: 1,
            frames: 2
        }]
    );

    let (frames, end) = read(&[start, section.packet(1, &[1; 8])].concat());
    assert!(frames.is_empty());
    let message = end.unwrap().to_string();
    assert!(
        message
            .contains("has link type 127 (IEEE802_11_RADIOTAP) on its interface 1, which is not"),
        "{message}"
    );
}

#[test]
fn a_pcap_file_of_a_link_that_is_not_read_is_refused() {
    let mut file = corpus("dig.pcap");
    file[20] = 105;
    let message = read(&file).1.unwrap().to_string();
    assert!(
        message.contains("has link type 105 (IEEE802_11) on its interface 0"),
        "{message}"
    );
}

#[test]
fn a_file_that_contradicts_itself_is_damaged_from_there_on() {
    let mut pcap = corpus("dig.pcap");
    pcap[FILE_HEADER + 8..][..4].copy_from_slice(&(LARGEST_FRAME + 1).to_le_bytes());
    let section = Section { big_endian: false };
    let start = || {
        [
            section.header(),
            section.interface(1, 0),
            section.packet(0, &[1; 8]),
        ]
        .concat()
    };
    for (file, before, expected) in [
        (
            pcap,
            0,
            "it says that it has 16777217 bytes, at frame 1 (byte 24 of the capture); no frame was read",
        ),
        (
            [start(), section.packet(1, &[1; 8])].concat(),
            1,
            "it is of interface 1, which is not described, at frame 2",
        ),
        (
            [start(), section.block(6, &[0; 4])].concat(),
            1,
            "its block contradicts itself, at frame 2",
        ),
        (
            [start(), section.block(2, &[0xff; 20])].concat(),
            1,
            "its block contradicts itself, at frame 2",
        ),
        (
            [start(), vec![6, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0]].concat(),
            1,
            "a block says that it has 11 bytes",
        ),
        (
            [start(), vec![6, 0, 0, 0, 0, 0, 0, 0x7f]].concat(),
            1,
            "its block says that it has 2130706432 bytes",
        ),
        (
            [start(), vec![10, 13, 13, 10, 28, 0, 0, 0, 1, 2, 3, 4]].concat(),
            1,
            "a section does not tell its byte order",
        ),
    ] {
        let (frames, end) = read(&file);
        let message = end.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(expected), "{message}\nnot: {expected}");
        assert_eq!(frames.len(), before, "{message}");
    }
}

#[test]
fn changed_bytes_never_do_worse_than_an_error() {
    let mut random = fastrand::Rng::with_seed(7);
    let section = Section { big_endian: true };
    let pcapng = [
        section.header(),
        section.interface(1, 0),
        section.packet(0, &[1; 9]),
        section.simple(&[3; 5]),
    ];
    for whole in [
        corpus("dig.pcap")[..2000].to_vec(),
        pcapng.concat().repeat(4),
    ] {
        for _ in 0..2000 {
            let mut file = whole.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..file.len());
                file[at] = [0, 1, 2, 4, 6, 0x7f, 0xff, random.u8(..)][random.usize(..8)];
            }
            read(&file);
        }
    }
}

/// Numbers and bytes of the frames, and why there are no more.
fn read(content: &[u8]) -> (Vec<(u64, Vec<u8>)>, Option<CaptureError>) {
    let file = written(content);
    let mut frames = Vec::new();
    let mut progress = |_| {};
    let mut capture = match Capture::open(file.path(), &mut progress) {
        Ok(capture) => capture,
        Err(error) => return (frames, Some(error)),
    };
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => frames.push((frame.number, frame.bytes.to_vec())),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
    }
}

fn written(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content).and_then(|()| file.flush()).unwrap();
    file
}

fn corpus(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(name);
    fs::read(file)
        .map_err(|error: io::Error| error.to_string())
        .unwrap()
}

/// Blocks in a byte order, laid out as draft-ietf-opsawg-pcapng §3 and §4 have them.
struct Section {
    big_endian: bool,
}

impl Section {
    fn header(&self) -> Vec<u8> {
        let magic = self.number(0x1a2b_3c4d);
        self.block(
            0x0a0d_0d0a,
            &[&magic[..], &self.short(1), &self.short(0), &[0xff; 8]].concat(),
        )
    }

    fn interface(&self, link: u16, snap_bytes: u32) -> Vec<u8> {
        self.block(
            1,
            &[&self.short(link)[..], &[0, 0], &self.number(snap_bytes)].concat(),
        )
    }

    fn packet(&self, interface: u32, data: &[u8]) -> Vec<u8> {
        let len = self.number(data.len() as u32);
        self.block(
            6,
            &[&self.number(interface)[..], &[0; 8], &len, &len, data].concat(),
        )
    }

    fn obsolete(&self, interface: u16, data: &[u8]) -> Vec<u8> {
        let len = self.number(data.len() as u32);
        self.block(
            2,
            &[&self.short(interface)[..], &[0; 10], &len, &len, data].concat(),
        )
    }

    fn simple(&self, data: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.number(data.len() as u32)[..], data].concat())
    }

    /// Of a type that nobody uses.
    fn unknown(&self) -> Vec<u8> {
        self.block(0x0bad_0bad, &[0xff; 8])
    }

    fn block(&self, kind: u32, content: &[u8]) -> Vec<u8> {
        let padding = vec![0; content.len().next_multiple_of(4) - content.len()];
        let len = self.number((content.len() + padding.len() + 12) as u32);
        [&self.number(kind)[..], &len, content, &padding, &len].concat()
    }

    fn number(&self, number: u32) -> [u8; 4] {
        if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    fn short(&self, number: u16) -> [u8; 2] {
        if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }
}
