//! The reviewed list of where we differ on purpose: `differences.tsv`.

use std::collections::BTreeSet;

use crate::compare::{Difference, Side};

/// The list: capture, frames or `*`, protocol, name or `*`, `missed` or `extra`, and the reason.
const LIST: &str = include_str!("differences.tsv");

/// The rows, and which of them were met.
pub struct Reviewed {
    rows: Vec<Row>,
}

struct Row {
    text: &'static str,
    capture: &'static str,
    frames: Option<BTreeSet<u64>>,
    protocol: &'static str,
    name: &'static str,
    side: Side,
    met: bool,
    /// Frames without a difference so far.
    unmet: BTreeSet<u64>,
}

impl Reviewed {
    /// The rows of the list.
    ///
    /// # Panics
    /// Where it is not in its format, or a row lacks its reason.
    pub fn read() -> Self {
        Self {
            rows: LIST
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(Row::read)
                .collect(),
        }
    }

    /// Meets the difference; false if no row is about it. That of a witness who does not tell the
    /// frame has none.
    pub fn allows(&mut self, difference: &Difference) -> bool {
        self.rows.iter_mut().any(|row| row.meets(difference))
    }

    /// Rows, and frames of rows, that no difference met.
    pub fn left(&self) -> Vec<String> {
        let left = |row: &Row| match row {
            Row {
                met: false, text, ..
            } => Some((*text).into()),
            Row { unmet, text, .. } => {
                (!unmet.is_empty()).then(|| format!("frames {unmet:?} of: {text}"))
            }
        };
        self.rows.iter().filter_map(left).collect()
    }
}

impl Row {
    fn read(text: &'static str) -> Self {
        let [capture, frames, protocol, name, side, reason] =
            text.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("six cells: {text}");
        };
        assert!(
            ["dns", "tls", "quic"].contains(&protocol) && !reason.is_empty(),
            "a protocol and a reason: {text}"
        );
        let side = [Side::Missed, Side::Extra]
            .into_iter()
            .find(|known| known.as_str() == side);
        let side = side.unwrap_or_else(|| panic!("missed or extra: {text}"));
        let frames =
            (frames != "*").then(|| frames.split(',').flat_map(range).collect::<BTreeSet<_>>());
        let unmet = frames.clone().unwrap_or_default();
        Self {
            text,
            capture,
            frames,
            protocol,
            name,
            side,
            met: false,
            unmet,
        }
    }

    fn meets(&mut self, difference: &Difference) -> bool {
        let here = match (&self.frames, difference.frame) {
            (None, _) => true,
            (Some(frames), frame) => frame.is_some_and(|frame| frames.contains(&frame)),
        };
        let meets = here
            && self.capture == difference.capture
            && self.protocol == difference.message.protocol()
            && self.side == difference.side
            && (self.name == "*" || self.name == difference.name);
        if meets {
            self.met = true;
            difference.frame.map(|frame| self.unmet.remove(&frame));
        }
        meets
    }
}

/// `7` or `3-9`.
fn range(text: &str) -> std::ops::RangeInclusive<u64> {
    let number = |text: &str| {
        text.parse()
            .unwrap_or_else(|_| panic!("a frame or a range of frames: {text}"))
    };
    match text.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => number(text)..=number(text),
    }
}
