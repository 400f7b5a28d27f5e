//! A name out of a packet: its bytes, and where each of its labels starts.
//!
//! DNS gives a name as labels with their lengths (RFC 1035 §3.1), TLS as text with dots
//! (RFC 6066 §3). Either way an octet stands between two labels, and one set of rules serves both.
//! A label is any octets: one with a dot inside is not two labels.

mod display;
mod found;
mod labels;
mod reading;
#[cfg(test)]
mod tests;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    abi::Precedence,
    hash::{HashKey, RuleKey},
    intrinsics::load_u64,
    packet::{LoopState, Step},
};

pub use crate::buffer::NAME_BYTES;
pub(crate) use crate::hash::LABEL_OCTETS;
pub(crate) use display::write_name;
pub use found::{Found, Link, Walk};
use labels::{TextLabels, WireLabels};
use reading::Pointing;

/// Longest name on the wire, with the octets of the lengths and the root (RFC 1035 §2.3.4).
pub(crate) const NAME_OCTETS: u32 = 255;
/// Longest name as text without the root's dot: no first length octet and no root.
pub(crate) const TEXT_OCTETS: u32 = NAME_OCTETS - 2;
/// Most labels in a name: 127 of one octet and its length fill 254 octets.
pub(crate) const LABELS: u32 = 127;
/// RFC 1035 §4.1.1. No name starts within it.
pub(crate) const DNS_HEADER_BYTES: u32 = 12;
/// RFC 1035 §4.1.4.
pub(crate) const POINTER_BYTES: u32 = 2;

/// How the bytes of a name are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Form {
    /// Labels, each after its length, up to the root (DNS).
    Wire,
    /// Text with dots, without the root's (TLS).
    Text,
}

/// Why bytes are no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum NameError {
    /// They end before the name does.
    Cut,
    /// A length octet of an unknown type (RFC 1035 §4.1.4, RFC 6891 §5).
    LabelType,
    /// A compression pointer, or one that leads out of the message, or too many of them
    /// (RFC 1035 §4.1.4).
    Pointer,
    /// An empty label inside a name, or one of more than 63 octets.
    Label,
    /// More than 255 octets.
    TooLong,
    /// They were not read: a failure of the filter.
    NotRead,
}

#[cfg(test)]
impl NameError {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Cut,
        Self::LabelType,
        Self::Pointer,
        Self::Label,
        Self::TooLong,
        Self::NotRead,
    ];
}

/// Where a name ends, or why it is none, as one number: functions of the kernel program give
/// nothing else back.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameEnd(pub u32);

impl NameEnd {
    /// Above every offset.
    const ERRORS: u32 = 1 << 31;

    #[inline(always)]
    pub(crate) fn of(end: Result<u32, NameError>) -> Self {
        match end {
            Ok(end) => Self(end),
            Err(error) => Self(Self::ERRORS + error as u32),
        }
    }

    #[inline(always)]
    pub(crate) fn result(self) -> Result<u32, NameError> {
        const CUT: u32 = NameEnd::ERRORS + NameError::Cut as u32;
        const LABEL_TYPE: u32 = NameEnd::ERRORS + NameError::LabelType as u32;
        const POINTER: u32 = NameEnd::ERRORS + NameError::Pointer as u32;
        const LABEL: u32 = NameEnd::ERRORS + NameError::Label as u32;
        const TOO_LONG: u32 = NameEnd::ERRORS + NameError::TooLong as u32;

        match self.0 {
            CUT => Err(NameError::Cut),
            LABEL_TYPE => Err(NameError::LabelType),
            POINTER => Err(NameError::Pointer),
            LABEL => Err(NameError::Label),
            TOO_LONG => Err(NameError::TooLong),
            end if end < Self::ERRORS => Ok(end),
            _ => Err(NameError::NotRead),
        }
    }
}

/// The name that is being judged. It is too large for the kernel's stack and lives in a map there.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Name {
    bytes: [u8; NAME_BYTES],
    /// Where each label starts; behind them, where one more would.
    starts: [u8; LABELS as usize + 1],
    /// The rule that prevails.
    matched: u64,
    pointing: Pointing,
    /// Where the walk of a pattern automaton stands.
    pub(crate) walk: Walk,
    labels: u32,
    len: u32,
    form: u32,
    /// Where the walk over the labels stands.
    walked: u32,
    /// The precedence that prevails.
    precedence: u32,
    /// The audiences of lists that count.
    audiences: u32,
    /// Those of them that say what prevails.
    found_audiences: u32,
    found_list: u16,
    found_labels: u8,
    found_bank: u8,
    /// Steps of pattern automata since the packet began.
    steps: u32,
    /// Where the words of the client's group begin in the map of groups.
    row: u32,
    reserved: u32,
}

impl LoopState for Name {}

impl Default for Name {
    fn default() -> Self {
        Self {
            bytes: [0; NAME_BYTES],
            starts: [0; LABELS as usize + 1],
            matched: 0,
            pointing: Pointing::default(),
            walk: Walk::default(),
            labels: 0,
            len: 0,
            form: Form::Wire as u32,
            walked: 0,
            precedence: 0,
            audiences: 0,
            found_audiences: 0,
            found_list: 0,
            found_labels: 0,
            found_bank: 0,
            steps: 0,
            row: 0,
            reserved: 0,
        }
    }
}

impl Name {
    /// Finds the labels of the octets that were read last. Gives the octets that the name takes.
    #[inline(always)]
    pub fn find_labels(&mut self) -> NameEnd {
        NameEnd::of(match self.form() {
            Form::Wire => self.find_wire_labels(),
            Form::Text => self.find_text_labels(),
        })
    }

    /// [`Name::find_labels`] as a result.
    #[inline(always)]
    fn labels_found(&mut self) -> Result<u32, NameError> {
        self.find_labels().result()
    }

    #[inline(always)]
    pub(crate) fn find_wire_labels(&mut self) -> Result<u32, NameError> {
        let (at, available) = (self.walked.into(), self.len.into());
        let mut labels = WireLabels {
            name: self,
            at,
            available,
            end: Err(NameError::TooLong),
        };
        walk(&mut labels);
        let WireLabels { at, end, .. } = labels;
        self.walked = at as u32;
        self.end_labels(at + 1);
        end
    }

    #[inline(always)]
    fn find_text_labels(&mut self) -> Result<u32, NameError> {
        let with_root = self.len > 0 && self.octet(self.len - 1) == b'.';
        let len = if with_root { self.len - 1 } else { self.len };
        if len > TEXT_OCTETS {
            return Err(NameError::TooLong);
        }
        if let Some(behind) = self.bytes.get_mut((len & 0xff) as usize) {
            *behind = b'.';
        }
        let mut labels = TextLabels {
            name: self,
            at: 0,
            len,
            end: Err(NameError::TooLong),
        };
        walk(&mut labels);
        let TextLabels { at, end, .. } = labels;
        self.end_labels(at);
        end
    }

    /// Takes text that is no part of a packet: a rule, or a name that somebody asks about.
    pub(crate) fn set_text(&mut self, text: &str) -> Result<(), NameError> {
        self.read_text(
            text.as_bytes(),
            0,
            u32::try_from(text.len()).unwrap_or(u32::MAX),
            Self::labels_found,
        )
    }

    /// The name that this text is, with or without the root's dot; `None` if it is none.
    #[cfg(not(target_arch = "bpf"))]
    pub fn of_text(text: &str) -> Option<Self> {
        let mut name = Self::default();
        name.set_text(text).ok().map(|()| name)
    }

    /// The name in wire form that these octets begin with, without compression.
    #[cfg(not(target_arch = "bpf"))]
    pub fn of_wire(octets: &[u8]) -> Option<Self> {
        let mut name = Self::default();
        let end = u32::try_from(octets.len()).ok()?;
        name.read_wire(octets, 0, (0, end), Self::labels_found)
            .ok()
            .map(|_| name)
    }

    /// The octets of the name, in the case that they came in: wire form with the root, or text
    /// without it.
    pub fn octets(&self) -> &[u8] {
        self.bytes.get(..self.len as usize).unwrap_or_default()
    }

    /// How [`Name::octets`] are laid out.
    #[inline(always)]
    pub fn form(&self) -> Form {
        if self.form == Form::Wire as u32 {
            Form::Wire
        } else {
            Form::Text
        }
    }

    /// Number of octets in use.
    #[inline(always)]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True if there is no name.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of labels, without the root.
    #[inline(always)]
    pub(crate) fn labels(&self) -> u32 {
        self.labels
    }

    /// No pattern was run yet over a name of the packet.
    #[inline(always)]
    pub(crate) fn begin_steps(&mut self) {
        self.steps = 0;
    }

    /// Adds steps of a pattern automaton.
    #[inline(always)]
    pub(crate) fn add_steps(&mut self, steps: u32) {
        self.steps = self.steps.wrapping_add(steps);
    }

    /// Steps of pattern automata over the names of the packet.
    #[inline(always)]
    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    /// Nothing is found yet, and the lists of these audiences of the first bank count; those of
    /// others are in this row.
    #[inline(always)]
    pub fn begin_judging(&mut self, audiences: u32, row: u32) {
        (self.audiences, self.row) = (audiences, row);
        self.set_found(Found::default());
    }

    /// The audiences of the first bank whose lists count.
    #[inline(always)]
    pub(crate) fn audiences(&self) -> u32 {
        self.audiences
    }

    /// Where the words of the client's group begin in the map of groups.
    #[inline(always)]
    pub fn row(&self) -> u32 {
        self.row
    }

    /// Remembers what prevails.
    #[inline(always)]
    pub(crate) fn set_found(
        &mut self,
        Found {
            precedence,
            key,
            audiences,
            bank,
            list,
            labels,
        }: Found,
    ) {
        (self.precedence, self.matched) = (precedence as u32, key.0);
        self.found_audiences = audiences;
        (self.found_list, self.found_labels, self.found_bank) =
            (list as u16, labels as u8, bank as u8);
    }

    /// What prevails among the rules about the name.
    #[inline(always)]
    pub fn found(&self) -> Found {
        let Self {
            found_audiences: audiences,
            found_list,
            found_labels,
            found_bank,
            ..
        } = *self;
        let (list, labels, bank) = (found_list.into(), found_labels.into(), found_bank.into());
        Found {
            precedence: self.precedence(),
            key: self.matched(),
            audiences,
            bank,
            list,
            labels,
        }
    }

    /// The precedence that prevails.
    #[inline(always)]
    pub(crate) fn precedence(&self) -> Precedence {
        Precedence::from_index(self.precedence)
    }

    /// The rule that blocks or allows the name, if one does.
    #[inline(always)]
    pub fn matched(&self) -> RuleKey {
        RuleKey(self.matched)
    }

    /// Where the label at this place, counted from the left, starts; behind the last, where one
    /// more would.
    #[inline(always)]
    pub(crate) fn label_start(&self, place: u32) -> u32 {
        self.starts
            .get((place & LABELS) as usize)
            .copied()
            .unwrap_or_default()
            .into()
    }

    /// Where the last label ends.
    #[inline(always)]
    pub(crate) fn labels_end(&self) -> u32 {
        match self.form() {
            // Behind it is the root.
            Form::Wire => self.len.saturating_sub(1),
            Form::Text => self.len,
        }
    }

    #[inline(always)]
    fn start(&mut self, form: Form) {
        self.form = form as u32;
        self.labels = 0;
        self.walked = 0;
        self.pointing.pieces = 0;
        self.pointing.followed = 0;
    }

    /// Adds a label that starts at `at`.
    #[inline(always)]
    fn push_label(&mut self, at: impl Into<u64>) {
        self.end_labels(at);
        self.labels += 1;
    }

    /// One more label would start at `at`.
    #[inline(always)]
    fn end_labels(&mut self, at: impl Into<u64>) {
        if let Some(start) = self.starts.get_mut((self.labels & LABELS) as usize) {
            *start = at.into() as u8;
        }
    }

    /// Hash of the name that has the label at this place below the parent with this hash.
    #[inline(always)]
    pub fn hash_label(&self, key: &HashKey, parent: u64, place: u32) -> u64 {
        let (start, len) = self.label(place);
        key.label(parent, len, |octet| self.word(start + octet))
    }

    /// Where the label at this place starts, and its length.
    #[inline(always)]
    pub(crate) fn label(&self, place: u32) -> (u32, u32) {
        let (start, next) = (self.label_start(place), self.label_start(place + 1));
        (
            start,
            next.wrapping_sub(start).wrapping_sub(1) & LABEL_OCTETS as u32,
        )
    }

    #[inline(always)]
    pub(crate) fn octet(&self, at: impl Into<u64>) -> u8 {
        self.bytes
            .get((at.into() & 0xff) as usize)
            .copied()
            .unwrap_or_default()
    }

    /// Eight octets at `at`, the first in the lowest place. `at` is below 256 + 64.
    #[inline(always)]
    pub(crate) fn word(&self, at: u32) -> u64 {
        self.bytes
            .get(at as usize..)
            .and_then(<[u8]>::first_chunk)
            .map_or(0, load_u64)
    }
}

/// A plain loop: its body is small enough for the verifier to go through every turn, and costs less
/// than the call of a body by `bpf_loop`.
#[inline(always)]
fn walk(labels: &mut impl Step) {
    // A range with its end has more to look at in each turn.
    const TURNS: u32 = LABELS + 1;

    for _ in 0..TURNS {
        if labels.step().is_break() {
            break;
        }
    }
}
