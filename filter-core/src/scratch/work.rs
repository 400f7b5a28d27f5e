//! What a packet may cost: bounds on the labels, messages, records and steps of patterns that are
//! worked at for its names.
//!
//! A packet with more names than any resolver sends would keep a CPU busy for milliseconds. The
//! unit is about what it takes to look up one label, a fiftieth of a microsecond. The first name of
//! a packet is always judged, whatever it costs.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Scratch;

/// Units for any packet: what 40 queries take, each with four labels.
const BASE: u32 = 360;
/// Octets of a packet for which these are.
const BASE_OCTETS: u32 = 1514;
/// Octets beyond these for which there is one unit more.
const OCTETS_A_UNIT: u32 = 16;
/// Units of a DNS message besides its names.
const MESSAGE: u32 = 1;
/// Units of an answer that is passed over or read.
const RECORD: u32 = 2;
/// Looks for further messages for one unit.
const LOOKS_A_UNIT: u32 = 4;
/// Units of a name besides its labels: it is copied, and its labels are found.
const NAME: u32 = 4;
/// Units of what is held of a hello: it is copied twice.
const HELD: u32 = 80;
/// Steps of pattern automata, one for each octet of a name and each automaton. The longest name
/// takes 4,080 of sixteen automata.
const STEPS: u32 = 4608;

/// What the packet at hand may still cost.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Work {
    /// Units that are left.
    left: u32,
    /// 1 once a name was judged.
    is_begun: u32,
}

impl Scratch {
    /// Begins with the packet at hand.
    #[inline(always)]
    pub(crate) fn begin_work(&mut self) {
        self.work = Work {
            left: BASE + self.transport.end.saturating_sub(BASE_OCTETS) / OCTETS_A_UNIT,
            is_begun: 0,
        };
        self.name.begin_steps();
    }

    /// Takes what a message costs by itself; false if that is not left.
    #[inline(always)]
    pub(crate) fn take_message(&mut self) -> bool {
        self.work.take(MESSAGE)
    }

    /// Takes what so many looks for further messages cost; false if that is not left.
    #[inline(always)]
    pub(crate) fn take_looks(&mut self, looks: u32) -> bool {
        self.work.take(looks / LOOKS_A_UNIT)
    }

    /// Takes what a record costs by itself; false if that is not left.
    #[inline(always)]
    pub(crate) fn take_record(&mut self) -> bool {
        self.work.take(RECORD)
    }

    /// Takes what it costs to put together what is held of a hello.
    #[inline(always)]
    pub(crate) fn take_held(&mut self) {
        self.work.take(HELD);
    }

    /// Takes what it costs to read and to look up the name that was read last, or that is broken;
    /// false if that is not left.
    #[inline(always)]
    pub(crate) fn take_reading(&mut self) -> bool {
        self.work
            .take(NAME + self.name.labels() + self.name.pointing_work())
    }

    /// Takes what the first name cost, unless it was taken.
    #[inline(always)]
    pub(crate) fn take_first_name(&mut self) {
        if self.work.is_begun == 0 {
            self.take_name();
        }
    }

    /// True if what it costs to read and to look up a name of so many labels is left.
    #[inline(always)]
    pub(crate) fn may_take_name(&self, labels: u32) -> bool {
        NAME + labels <= self.work.left
    }

    /// Takes what it costs to judge the name that was read last; false if that is not left.
    #[inline(always)]
    pub(crate) fn take_name(&mut self) -> bool {
        let is_left = self.take_reading() && self.name.steps() <= STEPS;
        // The first name of a packet is judged in any case.
        core::mem::replace(&mut self.work.is_begun, 1) == 0 || is_left
    }
}

impl Work {
    #[inline(always)]
    fn take(&mut self, units: u32) -> bool {
        let is_left = units <= self.left;
        self.left = if is_left { self.left - units } else { 0 };
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_is_judged_and_others_as_long_as_there_are_units() {
        let mut scratch = Scratch::default();
        scratch.begin_work();
        scratch.work.left = 1;
        assert!(scratch.take_name(), "the first");
        assert!(!scratch.take_name(), "nothing is left");
        scratch.begin_work();
        let names = (0..9_999).take_while(|_| scratch.take_name()).count() as u32;
        assert_eq!(names, BASE / NAME, "the root has no label");
        scratch.transport = scratch
            .transport
            .ending_at(BASE_OCTETS + OCTETS_A_UNIT * 30);
        scratch.begin_work();
        assert_eq!(
            (0..9_999).take_while(|_| scratch.take_record()).count() as u32,
            (BASE + 30) / RECORD
        );
        scratch.transport = scratch.transport.ending_at(0);
        scratch.begin_work();
        assert_eq!(
            (0..9_999).take_while(|_| scratch.take_message()).count() as u32,
            BASE / MESSAGE
        );
    }

    #[test]
    fn steps_of_patterns_are_bounded_as_well() {
        let mut scratch = Scratch::default();
        scratch.begin_work();
        assert!(scratch.take_name());
        scratch.name.add_steps(STEPS);
        assert!(scratch.take_name(), "as many as there may be");
        scratch.name.add_steps(1);
        assert!(!scratch.take_name(), "one more");
        scratch.begin_work();
        assert!(
            scratch.take_name() && scratch.take_name(),
            "of the next packet"
        );
    }
}
