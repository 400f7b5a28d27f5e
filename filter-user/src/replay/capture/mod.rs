//! Frames out of capture files, in their order, each as it would stand on an Ethernet.
//!
//! A capture is read once, from front to back, and never held as a whole: at most one frame is in
//! memory. Whatever a file holds, its whole frames come first and then one [`CaptureError`] that
//! says where it went wrong.

mod bytes;
mod error;
mod foreign;
mod link;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use filter_lists::packed::{self, Unpacked};
use pcap_parser::Linktype;

use bytes::Bytes;
use link::Shape;
use pcap::Pcap;
use pcapng::PcapNg;

pub use error::{CaptureError, Place};
pub use link::Link;

/// Bytes that a frame may have; one that says to have more is taken for damaged. Networks and
/// tcpdump stop at 262,144.
const LARGEST_FRAME: u32 = 1 << 24;

/// Addresses of an Ethernet header that is put before what a capture has without one; made up, and
/// nobody's.
const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

/// A capture that is being read.
pub struct Capture<'a> {
    path: PathBuf,
    bytes: Bytes<'a>,
    format: Format,
    frames: u64,
    skipped: Vec<Skipped>,
    /// The block or record that was read last.
    room: Vec<u8>,
    /// The frame that was made of it.
    ethernet: Vec<u8>,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// A frame of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'c> {
    /// Its number, from 1, with those counted that were skipped.
    pub number: u64,
    /// Its bytes from the Ethernet header on, as many as were captured.
    pub bytes: &'c [u8],
}

/// Frames that were skipped: their link type is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The link type.
    pub link: Link,
    /// The interface that was captured on, from 0.
    pub interface: u32,
    /// How many.
    pub frames: u64,
}

/// A frame as it lies in the file.
struct Packet<'r> {
    interface: u32,
    link: Linktype,
    big_endian: bool,
    data: &'r [u8],
}

impl<'a> Capture<'a> {
    /// Opens a capture: plain or packed by gzip or zstd, in a file or, for `-`, on standard input.
    /// `progress` is told how many bytes of the file each read took.
    ///
    /// # Errors
    /// If there is no such file, or it is no capture, or one of a link type that is not read.
    pub fn open(path: &Path, progress: &'a mut dyn FnMut(u64)) -> Result<Self, CaptureError> {
        let Unpacked { content, packing } =
            packed::open(path, progress).map_err(|error| CaptureError::open(path, error))?;
        let stopped = |stop| CaptureError::stopped(path, Place { frames: 0, byte: 0 }, stop);
        let (mut bytes, start) = Bytes::new(content).map_err(stopped)?;
        let format = if PcapNg::starts(&start) {
            Format::PcapNg(PcapNg::default())
        } else if let Some(holds) = foreign::describe(&start, packing) {
            return Err(CaptureError::Foreign {
                capture: path.into(),
                holds,
            });
        } else {
            Format::Pcap(Pcap::open(&mut bytes).map_err(stopped)?)
        };
        if let Format::Pcap(pcap) = &format
            && link::shape(pcap.link(), false, &[]).is_none()
        {
            return Err(CaptureError::LinkType {
                capture: path.into(),
                link: Link(pcap.link()),
                interface: 0,
            });
        }
        let (room, ethernet, skipped) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            path: path.into(),
            bytes,
            format,
            frames: 0,
            skipped,
            room,
            ethernet,
        })
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// Where the file ends too early or contradicts itself; there is nothing to be read behind
    /// that. At the end, if there are frames and none is of a link type that is read.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        while let Some(is_read) = self.advance()? {
            if is_read {
                return Ok(Some(Frame {
                    number: self.frames,
                    bytes: &self.ethernet,
                }));
            }
        }
        match self.skipped.first() {
            Some(Skipped {
                link, interface, ..
            }) if self.frames == self.skipped_frames() => Err(CaptureError::LinkType {
                capture: self.path.clone(),
                link: *link,
                interface: *interface,
            }),
            _ => Ok(None),
        }
    }

    /// The frames that have come so far, with those counted that were skipped.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The frames that were skipped so far, by link type and interface.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn skipped_frames(&self) -> u64 {
        self.skipped.iter().map(|skipped| skipped.frames).sum()
    }

    /// Goes to the next frame; says whether it is one that is read, or nothing at the end.
    fn advance(&mut self) -> Result<Option<bool>, CaptureError> {
        let place = Place {
            frames: self.frames,
            byte: self.bytes.offset(),
        };
        self.room.clear();
        let next = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.bytes, &mut self.room),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.bytes, &mut self.room),
        };
        let next = next.map_err(|stop| CaptureError::stopped(&self.path, place, stop))?;
        let Some(packet) = next else { return Ok(None) };
        self.frames += 1;
        self.ethernet.clear();
        match link::shape(packet.link, packet.big_endian, packet.data) {
            Some(Shape::Ethernet(frame)) => self.ethernet.extend_from_slice(frame),
            Some(Shape::Payload(ether_type, payload)) => {
                self.ethernet.extend_from_slice(&ADDRESSES);
                self.ethernet.extend_from_slice(&ether_type.to_be_bytes());
                self.ethernet.extend_from_slice(payload);
            }
            None => {
                skip(&mut self.skipped, &packet);
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }
}

fn skip(skipped: &mut Vec<Skipped>, packet: &Packet<'_>) {
    let (link, interface) = (Link(packet.link), packet.interface);
    match skipped
        .iter_mut()
        .find(|it| it.link == link && it.interface == interface)
    {
        Some(known) => known.frames += 1,
        None => skipped.push(Skipped {
            link,
            interface,
            frames: 1,
        }),
    }
}
