//! Which names only one side has.

use std::fmt;

use filter_core::Message;

use crate::{found::Found, table::Row};

/// Which side lacks a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Namegate.
    Missed,
    /// The other witness.
    Extra,
}

impl Side {
    /// The word for it in the list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Extra => "extra",
        }
    }
}

/// A name that only one side has.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The capture.
    pub capture: String,
    /// The frame; `None` of a witness who does not tell.
    pub frame: Option<u64>,
    /// What it stands in.
    pub message: Message,
    /// The name.
    pub name: String,
    /// Who lacks it.
    pub side: Side,
}

/// As a row of the list, but for the reason.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            capture,
            frame,
            message,
            name,
            side,
        } = self;
        let frame = frame.map_or("*".into(), |frame| frame.to_string());
        write!(
            f,
            "{capture}\t{frame}\t{}\t{name}\t{}",
            message.protocol(),
            side.as_str()
        )
    }
}

/// The names that both have, and those that one has.
pub fn compare(
    capture: &str,
    mut rows: Vec<Row>,
    mut found: Vec<Found>,
) -> (Vec<Message>, Vec<Difference>) {
    found.retain(|found| found.seen.record.is_none());
    let mut both = Vec::new();
    for step in [is_the_same, is_in_earlier_fragment] {
        rows.retain(
            |row| match found.iter().position(|found| step(row, found)) {
                Some(place) => {
                    both.push(found.remove(place).message);
                    false
                }
                None => true,
            },
        );
    }
    let difference = |frame, message, name, side| Difference {
        capture: capture.into(),
        frame: Some(frame),
        message,
        name,
        side,
    };
    let missed = rows
        .into_iter()
        .map(|row| difference(row.frame, row.message, row.name, Side::Missed));
    let extra = found
        .into_iter()
        .map(|found| difference(found.frame, found.message, found.seen.name, Side::Extra));
    (both, missed.chain(extra).collect())
}

fn is_the_same(row: &Row, found: &Found) -> bool {
    row.frame == found.frame && row.message == found.message && row.name == found.seen.name
}

fn is_in_earlier_fragment(row: &Row, found: &Found) -> bool {
    row.fragments.contains(&found.frame)
        && row.message == found.message
        && row.name == found.seen.name
}
