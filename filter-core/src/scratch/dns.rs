//! What is known of the DNS messages of a packet while they are gone through.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::abi::Actions;

/// Messages behind the first that are judged, as many as the kernel joins (`UDP_GRO_CNT_MAX`).
pub(crate) const MESSAGES: u32 = 64;

/// How far a message is gone through.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Sections {
    pub(crate) message_at: u32,
    /// The next question or answer.
    pub(crate) at: u32,
    pub(crate) end: u32,
    /// Questions and answers that are still to come.
    pub(crate) questions: u32,
    pub(crate) answers: u32,
    pub(crate) is_response: u32,
    /// 1 if the name that was asked for last is allowed. So are the names behind it, then.
    pub(crate) is_exempt: u32,
    /// 1 for a query with several questions.
    pub(crate) is_to_be_refused: u32,
    /// Index of the [`Reason`](crate::Reason) so far.
    pub(crate) outcome: u32,
}

/// A message that is blocked, of those of a datagram.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct BlockedMessage {
    /// Where it starts in the frame.
    pub(crate) at: u32,
    /// Where its question ends; 0 if it has no single one with a name that stands there in full.
    pub(crate) question_end: u32,
    /// The record with the name that is blocked, as in [`Scratch`](super::Scratch).
    pub(crate) record: u32,
    /// What is done with it, as [`Actions::dns`] has it.
    pub(crate) action: u32,
    /// The [`ResponseAction`](crate::ResponseAction) that its client was given.
    pub(crate) given: u32,
}

/// The messages of a datagram with several.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Joined {
    /// The message at hand.
    pub(crate) at: u32,
    /// Where the next is looked for.
    pub(crate) from: u32,
    pub(crate) end: u32,
    /// Where a header was found behind which a question is to be; 0 if none was.
    pub(crate) candidate: u32,
    /// The next label of that question.
    pub(crate) label_at: u32,
    /// Its labels so far.
    pub(crate) labels: u32,
    /// Looks that are left.
    pub(crate) looks: u32,
    /// 1 if messages are looked for, 0 if the end of one is the start of the next.
    pub(crate) is_scanned: u32,
    /// Questions and records of a message that are still to be gone over.
    pub(crate) questions: u32,
    pub(crate) records: u32,
    /// Index of the [`Reason`](crate::Reason) so far.
    pub(crate) outcome: u32,
    pub(crate) reserved: u32,
    /// What is done with the first message that is to be answered.
    pub(crate) actions: Actions,
    /// How many messages are to be answered.
    pub(crate) blocked: u32,
    pub(crate) reserved_behind: u32,
    pub(crate) messages: [BlockedMessage; MESSAGES as usize],
}

impl Joined {
    /// No messages.
    pub(crate) const NONE: Self = Self {
        at: 0,
        from: 0,
        end: 0,
        candidate: 0,
        label_at: 0,
        labels: 0,
        looks: 0,
        is_scanned: 0,
        questions: 0,
        records: 0,
        outcome: 0,
        reserved: 0,
        actions: Actions::NONE,
        blocked: 0,
        reserved_behind: 0,
        messages: [BlockedMessage {
            at: 0,
            question_end: 0,
            record: 0,
            action: 0,
            given: 0,
        }; MESSAGES as usize],
    };
}
