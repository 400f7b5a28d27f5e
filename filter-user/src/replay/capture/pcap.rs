//! The records of a pcap file (draft-ietf-opsawg-pcap).

use pcap_parser::{
    Linktype, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::{
    LARGEST_FRAME, Packet,
    bytes::{Bytes, Stop},
};

/// Bytes of the file header (draft-ietf-opsawg-pcap §4).
const FILE_HEADER_BYTES: u64 = 24;
/// Bytes of a record's header (draft-ietf-opsawg-pcap §5).
const RECORD_HEADER_BYTES: u64 = 16;
/// The same in the form that some patched tools of 1999 write, with the interface besides.
const MODIFIED_HEADER_BYTES: u64 = 24;
/// The part of the header's last field that is the link type; beside it is the length of the frame
/// check sequence.
const LINK_TYPE: i32 = 0xffff;

/// A pcap file behind its header.
pub(super) struct Pcap {
    header: PcapHeader,
}

impl Pcap {
    /// Reads the file's header.
    pub fn open(bytes: &mut Bytes<'_>) -> Result<Self, Stop> {
        let mut room = Vec::new();
        bytes.append_all(FILE_HEADER_BYTES, &mut room)?;
        match parse_pcap_header(&room) {
            Ok((_, header)) => Ok(Self { header }),
            Err(_) => Err(Stop::Damaged("the file's header makes no sense".into())),
        }
    }

    pub fn link(&self) -> Linktype {
        Linktype(self.header.network.0 & LINK_TYPE)
    }

    pub fn next<'r>(
        &self,
        bytes: &mut Bytes<'_>,
        room: &'r mut Vec<u8>,
    ) -> Result<Option<Packet<'r>>, Stop> {
        let modified = self.header.is_modified_format();
        if !bytes.append(
            if modified {
                MODIFIED_HEADER_BYTES
            } else {
                RECORD_HEADER_BYTES
            },
            room,
        )? {
            return Ok(None);
        }
        let captured = room
            .get(8..)
            .and_then(|fields| fields.first_chunk())
            .copied()
            .unwrap_or_default();
        let big_endian = self.header.is_bigendian();
        let captured = if big_endian {
            u32::from_be_bytes(captured)
        } else {
            u32::from_le_bytes(captured)
        };
        if captured > LARGEST_FRAME {
            return Err(Stop::Damaged(format!(
                "it says that it has {captured} bytes"
            )));
        }
        bytes.append_all(captured.into(), room)?;
        let parsed = match (modified, big_endian) {
            (true, _) => parse_pcap_frame_modified(room),
            (false, true) => parse_pcap_frame_be(room),
            (false, false) => parse_pcap_frame(room),
        };
        let Ok((_, record)) = parsed else {
            return Err(Stop::Damaged("its header makes no sense".into()));
        };
        Ok(Some(Packet {
            interface: 0,
            link: self.link(),
            big_endian,
            data: record.data,
        }))
    }
}
