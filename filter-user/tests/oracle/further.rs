//! Further names of DNS responses, by another decoder: hickory-proto.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use etherparse::{SlicedPacket, TransportSlice};
use filter_user::replay::Capture;
use hickory_proto::{
    op::{Message, MessageType},
    rr::{Name, RData},
};

use crate::found::Found;

/// The types whose targets hickory tells; it knows no DNAME.
const TYPES: [u16; 3] = [5, 64, 65];

/// The further names of each plain response over UDP that hickory can read, by frame, in the order
/// of the answers.
///
/// # Panics
/// If the capture cannot be opened.
pub fn decoded(file: &Path) -> BTreeMap<u64, Vec<(u16, String)>> {
    let mut names = BTreeMap::new();
    let mut progress = |_| {};
    let Ok(mut capture) = Capture::open(file, &mut progress) else {
        return names;
    };
    while let Ok(Some(frame)) = capture.next_frame() {
        if let Some(message) = response(frame.bytes) {
            names.insert(
                frame.number,
                message
                    .answers
                    .iter()
                    .filter_map(|record| target(&record.data))
                    .collect(),
            );
        }
    }
    names
}

/// The same as a replay has them.
pub fn found(frame: u64, found: &[Found]) -> Vec<(u16, String)> {
    let here = found.iter().filter(|found| found.frame == frame);
    let records = here.filter_map(|found| Some((found.seen.record?, found.seen.name.clone())));
    records
        .filter(|(record, _)| TYPES.contains(record))
        .collect()
}

fn response(frame: &[u8]) -> Option<Message> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = packet.transport else {
        return None;
    };
    if udp.source_port() != 53 {
        return None;
    }
    let message = Message::from_vec(udp.payload()).ok()?;
    (message.metadata.message_type == MessageType::Response).then_some(message)
}

fn target(data: &RData) -> Option<(u16, String)> {
    let (record, name) = match data {
        RData::CNAME(cname) => (5, &cname.0),
        RData::SVCB(service) => (64, &service.target_name),
        RData::HTTPS(service) => (65, &service.0.target_name),
        _ => return None,
    };
    (!name.is_root()).then(|| (record, written(name)))
}

/// As the tables write names.
fn written(name: &Name) -> String {
    let mut text = String::new();
    for label in name {
        if !text.is_empty() {
            text.push('.');
        }
        for octet in label {
            match octet {
                b'.' | b'\\' | b'|' => write!(text, "\\x{octet:02x}"),
                0x21..=0x7e => write!(text, "{}", char::from(octet.to_ascii_lowercase())),
                _ => write!(text, "\\x{octet:02x}"),
            }
            .expect("a string takes all");
        }
    }
    text
}
