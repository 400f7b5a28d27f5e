//! The walks from label to label.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{LABEL_OCTETS, NAME_OCTETS, Name, NameError};
use crate::packet::Step;

/// Walks from length octet to length octet. Its numbers are as wide as registers: narrower ones are
/// cut in each turn.
pub(super) struct WireLabels<'n> {
    pub name: &'n mut Name,
    pub at: u64,
    pub available: u64,
    pub end: Result<u32, NameError>,
}

impl Step for WireLabels<'_> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        let at = self.at & 0xff;
        let len = u64::from(self.name.octet(at));
        let next = at + 1 + len;
        self.end = match len {
            _ if at >= self.available => Err(NameError::Cut),
            0 => Ok(at as u32 + 1),
            // A pointer takes two octets.
            192.. if at + 1 >= self.available => Err(NameError::Cut),
            192.. => Err(NameError::Pointer),
            64.. => Err(NameError::LabelType),
            // The root still needs an octet.
            _ if next >= NAME_OCTETS.into() => Err(NameError::TooLong),
            _ if next >= self.available => Err(NameError::Cut),
            _ => {
                self.name.push_label(at + 1);
                self.at = next;
                return Continue(());
            }
        };
        Break(())
    }
}

/// Walks from dot to dot. There is a dot behind the last octet.
pub(super) struct TextLabels<'n> {
    pub name: &'n mut Name,
    pub at: u32,
    pub len: u32,
    pub end: Result<u32, NameError>,
}

impl Step for TextLabels<'_> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        let at = self.at & 0xff;
        let Some(len @ 1..) = octets_before_dot(self.name, at) else {
            self.end = Err(NameError::Label);
            return Break(());
        };
        self.name.push_label(at);
        self.at = at + len + 1;
        if self.at > self.len {
            self.end = Ok(self.len);
            return Break(());
        }
        Continue(())
    }
}

/// Length of the label that starts at `at`, if it is at most 63.
#[inline(always)]
fn octets_before_dot(name: &Name, at: u32) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    for octet in (0..=LABEL_OCTETS as u32).step_by(8) {
        let word = name.word(at + octet) ^ (u64::from(b'.') * EACH);
        // The lowest set bit marks the first zero octet (Mycroft's test); the bits above it may be
        // wrong.
        let zeros = word.wrapping_sub(EACH) & !word & (0x80 * EACH);
        if zeros != 0 {
            return Some(octet + octets_below_lowest_bit(zeros));
        }
    }
    None
}

/// Number of whole octets below the lowest set bit. BPF has no instruction that counts zeros.
#[inline(always)]
fn octets_below_lowest_bit(marks: u64) -> u32 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A mark is the highest bit of its octet.
    let below = ((marks & marks.wrapping_neg()) >> 7).wrapping_sub(1);
    ((below & EACH).wrapping_mul(EACH) >> 56) as u32
}
