//! Frames out of capture files, each as it would stand on an Ethernet.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use pcap_parser::{
    Block, Linktype, PcapBlockOwned, PcapError, create_reader,
    data::{ETHERTYPE_IPV4, ETHERTYPE_IPV6},
    traits::PcapNGPacketBlock as _,
};

/// More than any block of a capture takes.
const LARGEST_BLOCK: usize = 1 << 20;
/// Addresses of an Ethernet header that is put before what a capture has without one.
const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

/// A file's frames in their order; as many as are whole if the file ends in the middle of one.
///
/// # Panics
/// If it is no capture.
pub fn frames(file: &Path) -> Vec<Vec<u8>> {
    let mut reader = create_reader(LARGEST_BLOCK, File::open(file).expect("a file")).expect("a capture");
    let mut links = Vec::new();
    let mut frames = Vec::new();
    loop {
        let read = match reader.next() {
            Ok((bytes, block)) => {
                frames.extend(frame(block, &mut links));
                Some(bytes)
            }
            Err(PcapError::Incomplete(_)) => None,
            // The last: a frame that says to be longer than the file.
            Err(PcapError::Eof | PcapError::UnexpectedEof | PcapError::BufferTooSmall) => return frames,
            Err(error) => panic!("{}: {error:?} after {} frames", file.display(), frames.len()),
        };
        match read {
            Some(bytes) => reader.consume(bytes),
            None if reader.reader_exhausted() => return frames,
            None => reader.refill().expect("a file that can be read"),
        }
    }
}

/// All captures below a directory, in order.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if is_capture(&path) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn is_capture(path: &Path) -> bool {
    // Magic numbers of pcap, in both byte orders and with nanoseconds, and of pcapng.
    const MAGIC: [[u8; 4]; 5] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [10, 13, 13, 10],
    ];
    fs::read(path).is_ok_and(|bytes| bytes.first_chunk().is_some_and(|start| MAGIC.contains(start)))
}

/// The frame of a block, if it has one; `links` is what the blocks before said of their interfaces.
fn frame(block: PcapBlockOwned<'_>, links: &mut Vec<Linktype>) -> Option<Vec<u8>> {
    let link = |links: &[Linktype], interface: usize| links.get(interface).copied().unwrap_or(Linktype::ETHERNET);
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            *links = vec![header.network];
            None
        }
        PcapBlockOwned::Legacy(packet) => Some(on_ethernet(link(links, 0), packet.data)),
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            links.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
            links.push(interface.linktype);
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            Some(on_ethernet(link(links, packet.if_id as usize), packet.packet_data()))
        }
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => Some(on_ethernet(link(links, 0), packet.packet_data())),
        PcapBlockOwned::NG(_) => None,
    }
}

/// The frame with an Ethernet header before its IP packet. What is neither Ethernet nor IP stays as it is: any bytes
/// are a frame.
fn on_ethernet(link: Linktype, frame: &[u8]) -> Vec<u8> {
    let ip = match link {
        Linktype::RAW | Linktype(12 | 14) | Linktype::IPV4 | Linktype::IPV6 => Some(frame),
        Linktype::NULL | Linktype::LOOP => frame.get(4..),
        Linktype::LINUX_SLL => frame.get(16..),
        Linktype(276) => frame.get(20..),
        _ => None,
    };
    let Some(ip) = ip else { return frame.to_vec() };
    let ether_type = if ip.first().is_some_and(|version| version >> 4 == 6) { ETHERTYPE_IPV6 } else { ETHERTYPE_IPV4 };
    [&ADDRESSES[..], &ether_type.to_be_bytes(), ip].concat()
}
