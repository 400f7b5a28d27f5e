//! What a file is that is no capture.

use filter_lists::packed::Packing;

/// How pcap files begin: in both byte orders, with micro- and nanoseconds, and as some patched
/// tools wrote them.
const PCAP: [[u8; 4]; 5] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x34, 0xcd, 0xb2, 0xa1],
];

/// How other files begin that are taken for captures, in lower case.
const OTHERS: [(&[u8], &str); 12] = [
    (b"<!doct", "it is an HTML page"),
    (b"<html", "it is an HTML page"),
    (b"<?xml", "it is XML"),
    (b"{", "it looks like JSON"),
    (b"%pdf", "it is a PDF"),
    (b"\x7felf", "it is a program"),
    (
        b"snoop\0",
        "it is a snoop capture; `editcap -F pcapng` converts it",
    ),
    (
        b"rtss",
        "it is a capture of Network Monitor; `editcap -F pcapng` converts it",
    ),
    (
        b"gmbu",
        "it is a capture of Network Monitor; `editcap -F pcapng` converts it",
    ),
    (
        b"xcp\0",
        "it is a capture of NetXRay; `editcap -F pcapng` converts it",
    ),
    (b"\x1f\x8b", "it is packed twice"),
    (b"\x28\xb5\x2f\xfd", "it is packed twice"),
];

/// What begins so; `None` if that is a pcap file.
pub(super) fn describe(start: &[u8], packing: Packing) -> Option<String> {
    if start
        .first_chunk()
        .is_some_and(|magic| PCAP.contains(magic))
    {
        return None;
    }
    if let Packing::Foreign(kind) = packing {
        return Some(format!(
            "it is a {kind} file; unpack it first (gzip and zstd are read as they are)"
        ));
    }
    let start = start.to_ascii_lowercase();
    let holds = match OTHERS.iter().find(|(begin, _)| start.starts_with(begin)) {
        Some((_, what)) => what,
        None if start.is_empty() => "it is empty",
        None => "it is nothing that tcpdump or Wireshark writes; name a capture of theirs",
    };
    Some(match packing {
        Packing::Gzip => format!("it is a gzip file, and of what is in it: {holds}"),
        Packing::Zstd => format!("it is a zstd file, and of what is in it: {holds}"),
        Packing::Plain | Packing::Foreign(_) => holds.into(),
    })
}
