//! The programs of the kernel object.

/// A program that another goes on with. Each has a stack of its own, and is verified by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Program {
    /// Frames that are cut, or go on in other buffers.
    Paged,
    /// TCP segments of interest.
    Segment,
    /// The same in frames that are cut, or go on in other buffers.
    SegmentPaged,
    /// Answers to what is blocked.
    Answer,
}

impl Program {
    /// Their names in the object, in the order of their places in the map of programs.
    pub const NAMES: [&str; 4] = ["namegate_paged", "namegate_segment", "namegate_seg_paged", "namegate_answer"];
}
