//! The tables of ../shared/captures/oracle: what tshark sees.

use std::{fs, path::Path};

use filter_core::Message;

/// A name that tshark sees.
#[derive(Clone, Debug)]
pub struct Row {
    /// The frame in which the name is complete.
    pub frame: u64,
    /// Frames before that in which it may be complete all the same: the fragments of a datagram, of
    /// which the table names the last.
    pub fragments: Vec<u64>,
    /// What it stands in.
    pub message: Message,
    /// The name, in lower case.
    pub name: String,
}

/// All names of a capture's table.
///
/// # Panics
/// If there is no such table, or it is none.
pub fn rows(collection: &Path, capture: &str) -> Vec<Row> {
    let path = collection.join("oracle").join(format!("{capture}.tsv"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let head: Vec<_> = lines
        .next()
        .expect("a head row")
        .trim_start_matches('#')
        .split('\t')
        .collect();
    let column = |name| {
        head.iter()
            .position(|column| *column == name)
            .expect("a column of the README")
    };
    let columns = [
        "frame",
        "dns_query",
        "dns_response",
        "tls_sni",
        "tls_info",
        "quic_sni",
        "quic_info",
        "notes",
    ]
    .map(column);
    lines
        .flat_map(|line| row(&line.split('\t').collect::<Vec<_>>(), columns))
        .collect()
}

fn row(cells: &[&str], columns: [usize; 8]) -> Vec<Row> {
    let [
        frame,
        queries,
        responses,
        tls_names,
        tls_hellos,
        quic_names,
        quic_hellos,
        notes,
    ] = columns.map(|column| cells[column]);
    let frame = frame.parse().expect("a number");
    let fragments = [numbers(notes, "ip_frames="), numbers(notes, "ip6_frames=")].concat();
    let mut rows = Vec::new();
    let mut add = |frame, message, name: &str| {
        rows.push(Row {
            frame,
            fragments: fragments.clone(),
            message,
            name: name.to_ascii_lowercase(),
        });
    };
    for (message, names) in [(Message::Query, queries), (Message::Response, responses)] {
        for name in names.split('|').filter(|name| *name != "-") {
            add(frame, message, name);
        }
    }
    let hellos = [
        (Message::ClientHello, tls_names, tls_hellos),
        (Message::QuicHello, quic_names, quic_hellos),
    ];
    for (message, names, hellos) in hellos {
        let hellos: Vec<_> = hellos.split(" & ").collect();
        for (place, name) in names.split('|').enumerate() {
            if !["-", "(none)", "(empty)"].contains(&name) {
                add(
                    known(frame, hellos.get(place).copied().unwrap_or_default()),
                    message,
                    name,
                );
            }
        }
    }
    rows
}

/// The frame with which the name of a hello is known that is complete in this frame.
fn known(frame: u64, info: &str) -> u64 {
    let [end] = numbers(info, "sni_end_frame=")[..] else {
        return frame;
    };
    // All that stands before the end of the name has to be there: segments may come in another
    // order.
    let frames = numbers(info, "frames=");
    let needed = frames
        .iter()
        .position(|frame| *frame == end)
        .map_or(1, |place| place + 1);
    frames
        .iter()
        .take(needed)
        .copied()
        .chain([end])
        .max()
        .unwrap_or(frame)
}

fn numbers(info: &str, key: &str) -> Vec<u64> {
    let value = info
        .split(';')
        .find_map(|info| info.strip_prefix(key))
        .unwrap_or_default();
    value
        .split(',')
        .filter_map(|number| number.parse().ok())
        .collect()
}
