//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), over several sections and interfaces.

use pcap_parser::{
    Block, Linktype, parse_block_be, parse_block_le, traits::PcapNGPacketBlock as _,
};

use super::{
    LARGEST_FRAME, Packet,
    bytes::{Bytes, Stop},
};

/// Block types (draft-ietf-opsawg-pcapng §10.1).
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The number that tells a section's byte order (§4.1).
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Type and length of a block, and the length again at its end (§3.1).
const BLOCK_BYTES: u32 = 12;
/// Type and length alone.
const BLOCK_HEADER_BYTES: u64 = 8;
/// What a block with a frame has besides: its fields, and options of at most so much.
const BESIDE_FRAME: u32 = 1 << 20;
/// Interfaces of a section; a capture of more is taken for damaged.
const INTERFACES: usize = 1 << 16;

/// Where in a pcapng file the reading is.
#[derive(Default)]
pub(super) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

struct Interface {
    link: Linktype,
    /// Bytes that a simple packet has at most; 0 for no limit.
    snap_bytes: u32,
}

/// Where a frame lies in the room that a block was read into.
struct Found {
    interface: u32,
    at: usize,
    len: usize,
}

impl PcapNg {
    /// True if a section header stands at the start of these bytes.
    pub fn starts(bytes: &[u8]) -> bool {
        bytes.starts_with(&SECTION_HEADER.to_be_bytes())
    }

    pub fn next<'r>(
        &mut self,
        bytes: &mut Bytes<'_>,
        room: &'r mut Vec<u8>,
    ) -> Result<Option<Packet<'r>>, Stop> {
        let found = loop {
            room.clear();
            if !bytes.append(BLOCK_HEADER_BYTES, room)? {
                return Ok(None);
            }
            if let Some(found) = self.block(bytes, room)? {
                break found;
            }
        };
        let Some(interface) = self.interfaces.get(found.interface as usize) else {
            return Err(Stop::Damaged(format!(
                "it is of interface {}, which is not described",
                found.interface
            )));
        };
        let data = room
            .get(found.at..)
            .and_then(|data| data.get(..found.len))
            .unwrap_or_default();
        Ok(Some(Packet {
            interface: found.interface,
            link: interface.link,
            big_endian: self.big_endian,
            data,
        }))
    }

    /// Reads the rest of the block whose header is in the room.
    fn block(&mut self, bytes: &mut Bytes<'_>, room: &mut Vec<u8>) -> Result<Option<Found>, Stop> {
        if Self::starts(room) {
            self.begin_section(bytes, room)?;
        }
        let (kind, length) = (self.number(room, 0), self.number(room, 4));
        let left = length.checked_sub(room.len() as u32);
        let Some(left) = left.filter(|_| length >= BLOCK_BYTES) else {
            return Err(Stop::Damaged(format!(
                "a block says that it has {length} bytes"
            )));
        };
        if !matches!(
            kind,
            INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET
        ) {
            bytes.skip(left.into())?;
            return Ok(None);
        }
        if length > LARGEST_FRAME + BESIDE_FRAME {
            return Err(Stop::Damaged(format!(
                "its block says that it has {length} bytes"
            )));
        }
        bytes.append_all(left.into(), room)?;
        self.content(room)
    }

    fn begin_section(&mut self, bytes: &mut Bytes<'_>, room: &mut Vec<u8>) -> Result<(), Stop> {
        bytes.append_all(4, room)?;
        let magic = room
            .get(8..)
            .and_then(|magic| magic.first_chunk())
            .copied()
            .unwrap_or_default();
        self.big_endian = match magic {
            magic if u32::from_be_bytes(magic) == BYTE_ORDER_MAGIC => true,
            magic if u32::from_le_bytes(magic) == BYTE_ORDER_MAGIC => false,
            _ => {
                return Err(Stop::Damaged(
                    "a section does not tell its byte order".into(),
                ));
            }
        };
        self.interfaces.clear();
        Ok(())
    }

    /// What a whole block says: of an interface, which is kept, or of a frame.
    fn content(&mut self, room: &[u8]) -> Result<Option<Found>, Stop> {
        let parsed = if self.big_endian {
            parse_block_be(room)
        } else {
            parse_block_le(room)
        };
        let Ok((_, block)) = parsed else {
            return Err(Stop::Damaged("its block contradicts itself".into()));
        };
        let found = |interface, at, data: &[u8]| {
            Ok(Some(Found {
                interface,
                at,
                len: data.len(),
            }))
        };
        match block {
            Block::InterfaceDescription(it) if self.interfaces.len() < INTERFACES => {
                self.interfaces.push(Interface {
                    link: it.linktype,
                    snap_bytes: it.snaplen,
                });
                Ok(None)
            }
            Block::InterfaceDescription(_) => Err(Stop::Damaged(format!(
                "a section has over {INTERFACES} interfaces"
            ))),
            // §4.3: five fields before the frame; §4.4: one.
            Block::EnhancedPacket(packet) => found(packet.if_id, 28, packet.packet_data()),
            Block::SimplePacket(packet) => {
                let limit = self
                    .interfaces
                    .first()
                    .map_or(0, |interface| interface.snap_bytes);
                let limit = if limit == 0 {
                    usize::MAX
                } else {
                    limit as usize
                };
                let data = packet.packet_data();
                found(0, 12, data.get(..limit).unwrap_or(data))
            }
            Block::Unknown(_) => Ok(Some(self.obsolete(room)?)),
            _ => Ok(None),
        }
    }

    /// The frame of a block that was written before there were enhanced ones (appendix A of the
    /// draft).
    fn obsolete(&self, room: &[u8]) -> Result<Found, Stop> {
        let [a, b] = room
            .get(8..)
            .and_then(|interface| interface.first_chunk())
            .copied()
            .unwrap_or_default();
        let interface = if self.big_endian {
            u16::from_be_bytes([a, b])
        } else {
            u16::from_le_bytes([a, b])
        };
        let len = self.number(room, 20) as usize;
        if len + 32 > room.len() {
            return Err(Stop::Damaged("its block contradicts itself".into()));
        }
        Ok(Found {
            interface: interface.into(),
            at: 28,
            len,
        })
    }

    /// The 32-bit number at a place of a block; 0 behind its end.
    fn number(&self, room: &[u8], at: usize) -> u32 {
        let octets = room
            .get(at..)
            .and_then(|octets| octets.first_chunk())
            .copied()
            .unwrap_or_default();
        if self.big_endian {
            u32::from_be_bytes(octets)
        } else {
            u32::from_le_bytes(octets)
        }
    }
}
