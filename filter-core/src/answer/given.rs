//! What the client of a blocked packet was given, for the events of that packet.
//!
//! It is read off the answer itself. Noted while the answer is made, it would have the verifier go
//! through the rest of the program once for each action: a quarter more instructions.

use super::{Kind, dns, tcp};
use crate::{
    abi::Actions,
    bounds::within,
    buffer::MessageBuffer,
    effect::{self, ResponseAction},
    reason::Counter,
    scratch::{Given, JOINED_MESSAGES, Scratch},
};

impl Given {
    /// The packet was dropped, as it was meant to be.
    pub const DROPPED: Self = Self::new(ResponseAction::Drop);
    /// What is in the draft.
    pub const ANSWERED: Self = Self {
        action: u32::MAX,
        hindrance: 0,
    };

    #[inline(always)]
    const fn new(action: ResponseAction) -> Self {
        Self {
            action: action as u32,
            hindrance: 0,
        }
    }

    /// The packet was dropped, since this stood against an answer.
    #[inline(always)]
    pub fn nothing_because(counter: Counter) -> Self {
        Self {
            hindrance: counter.index() + 1,
            ..Self::DROPPED
        }
    }

    /// True if the packet came in by an interface that has no clients behind it.
    #[inline(always)]
    pub fn is_of_side(self) -> bool {
        self == Self::nothing_because(Counter::UnansweredSide)
    }
}

/// What a DNS message with this code is (RFC 1035 §4.1.1) that has so many addresses, where this is
/// the actions.
#[inline(always)]
fn of_message(code: u8, addresses: u8, is_version_known: bool, actions: &Actions) -> Given {
    if addresses > 0 {
        return Given {
            action: effect::number_of_dns(actions),
            hindrance: 0,
        };
    }
    Given::new(match code {
        dns::code::FORMAT_ERROR => ResponseAction::FormatError,
        dns::code::NX_DOMAIN => ResponseAction::NxDomain,
        dns::code::REFUSED => ResponseAction::Refused,
        // The rest of its code is in OPT.
        _ if !is_version_known => ResponseAction::BadVersion,
        _ => ResponseAction::NoData,
    })
}

impl Scratch {
    /// Notes that the client of the packet at hand was given nothing.
    #[inline(always)]
    pub fn give_nothing(&mut self) {
        self.given = Given::DROPPED;
    }

    /// What the client was given for a message of the packet at hand, of which the answer is in
    /// this draft. If it has several, for the one at this place among those that were to be
    /// answered.
    #[inline(always)]
    pub(crate) fn given_for(&self, place: u32, draft: &MessageBuffer) -> Given {
        if self.given != Given::ANSWERED {
            return self.given;
        }
        let given = match Kind::from_index(self.answer_kind) {
            Kind::Joined => Some(self.given_in_place(place)),
            Kind::Query | Kind::Response => {
                self.in_message(self.transport.transport_at + dns::UDP_BYTES, draft)
            }
            Kind::Stream => self.in_message(self.stream.message_at, draft),
            Kind::Segment | Kind::SegmentOn | Kind::Ended => self.in_segment(draft),
            Kind::Quic => Some(Given::new(ResponseAction::Close)),
        };
        given.unwrap_or(Given::DROPPED)
    }

    /// What the message at `at` says.
    #[inline(always)]
    fn in_message(&self, at: u32, draft: &MessageBuffer) -> Option<Given> {
        let [_, flags, _, _, _, answers] = draft.read(at + 2)?;
        Some(of_message(
            flags & dns::flag::CODE,
            answers,
            self.edns.is_known(),
            &self.actions,
        ))
    }

    /// What the segment does to its receiver.
    #[inline(always)]
    fn in_segment(&self, draft: &MessageBuffer) -> Option<Given> {
        let [flags] = draft.read(self.transport.transport_at + tcp::FLAGS_AT)?;
        let is_reset = flags & tcp::flag::RST != 0;
        Some(Given::new(if is_reset {
            ResponseAction::Reset
        } else {
            ResponseAction::Alert
        }))
    }

    /// What was written in the place of one of several messages.
    #[inline(always)]
    fn given_in_place(&self, place: u32) -> Given {
        let place = within(place as usize, 0, JOINED_MESSAGES as usize - 1);
        let message = place.and_then(|place| self.joined.messages.get(place));
        // It may have no question that could stand in an answer, and there may be more messages
        // than are answered.
        let given = message.map_or(ResponseAction::Drop as u32, |message| message.given);
        if given == ResponseAction::Drop as u32 {
            Given::nothing_because(Counter::UnansweredMessage)
        } else {
            Given {
                action: given,
                hindrance: 0,
            }
        }
    }
}
