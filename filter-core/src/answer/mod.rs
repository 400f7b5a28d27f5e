//! What a client hears of what is blocked: an answer to its DNS query, a negative one in place of a response to it, or the
//! end of its TCP connection. It is made of the frame that is blocked, and takes its place.
//!
//! ```text
//! frame -> envelope (who may be answered) -> dns | tcp -> headers and checksums -> frame
//! ```
//! Whatever nobody can be told something about, or should not, is dropped, and counted by what stood against it.

mod checksum;
mod dns;
mod edns;
mod envelope;
mod records;
mod tcp;
mod validity;

use crate::{
    abi::{Generation, Scratch, Settings},
    bounds::opaque,
    flows::{Flow, HeldBytes},
    headers::Protocol,
    maps::Maps,
    packet::{LoopState, Replace, Replaced},
    reason::{Counter, Message, Reason},
};

pub(crate) use edns::Edns;
pub(crate) use envelope::Envelope;

/// Where a frame goes whose first packet was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nowhere.
    Nowhere,
    /// Back to whom it came from.
    Back,
    /// On to whom it is for.
    On,
}

impl Scratch {
    /// True if somebody hears of a packet that was judged with this reason.
    #[inline(always)]
    pub fn is_answered(&self, reason: Reason) -> bool {
        // What no rule is about is treated as the interface has it, which shows when it is answered.
        reason == Reason::DnsQuestionsRefused || (reason.is_blocked() && self.is_treated_with_an_answer())
    }

    #[inline(always)]
    fn is_treated_with_an_answer(&self) -> bool {
        match self.transport.protocol() {
            Protocol::Udp => self.treatment.answers_dns(),
            Protocol::Tcp => self.treatment.answers_tcp(),
        }
    }
}

/// Makes the answer of a frame that was blocked, as the scratch has it. `flow` is what has the place of the segment's flow
/// in the table of flows, if the frame is a segment and its flow has one.
#[inline(always)]
pub fn answer<F: Replace, M: Maps>(
    frame: &mut F,
    settings: &Settings,
    maps: &M,
    flow: Option<&mut Flow>,
    scratch: &mut Scratch,
    draft: &mut HeldBytes,
) -> Sent {
    // Another one may have taken the place since.
    let flow = flow.filter(|flow| flow.is_of(&scratch.segment));
    if scratch.reason == Reason::DnsQuestionsRefused.index() {
        scratch.treatment = *maps.interface().treatment();
        if !scratch.is_treated_with_an_answer() {
            return Sent::Nowhere;
        }
    }
    match (Answering { frame, settings, maps, flow, scratch, draft }).answer() {
        Ok((counter, sent)) => {
            maps.count(counter);
            sent
        }
        Err(counter) => {
            maps.count(counter);
            Sent::Nowhere
        }
    }
}

/// All that an answer takes. What stands against one is the `Err` of its methods.
struct Answering<'f, F, M> {
    frame: &'f mut F,
    settings: &'f Settings,
    maps: &'f M,
    flow: Option<&'f mut Flow>,
    scratch: &'f mut Scratch,
    /// The frame from its start on, and what is written over it and behind.
    draft: &'f mut HeldBytes,
}

impl<F, M> LoopState for Answering<'_, F, M> {}

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    #[inline(always)]
    fn answer(&mut self) -> Result<(Counter, Sent), Counter> {
        let is_response = self.scratch.is_of_response();
        let interface = self.maps.interface();
        if !is_response && !interface.faces_clients() {
            return Err(Counter::UnansweredSide);
        }
        self.open(!is_response, interface.keeps_buffers())?;
        let is_dns = self.scratch.transport.protocol() == Protocol::Udp;
        if is_dns {
            self.read_message()?;
        } else if !is_response && self.is_reset() {
            return Err(Counter::UnansweredInvalid);
        } else if self.has_reset_under_way() {
            return Err(Counter::ClosedAlready);
        }
        if !is_response && !self.may_answer() {
            return Err(Counter::UnansweredRate);
        }
        // What costs most comes last, and no more often than there are answers.
        if !is_response && !self.has_valid_checksum(interface.keeps_buffers()).ok_or(Counter::UnansweredLayers)? {
            return Err(Counter::UnansweredInvalid);
        }
        if !is_dns {
            self.note_reset();
        }
        let counter = match (is_dns, is_response) {
            (false, _) => Counter::Closed,
            (true, true) => Counter::Rewritten,
            (true, false) => Counter::Answered,
        };
        self.turn_around().ok_or(Counter::UnansweredLayers)?;
        // What would be unrolled does not fit on the kernel's stack.
        for turn in 0..opaque(2) {
            let is_brief = is_response && turn > 0;
            let end = if is_dns { self.write_datagram(is_brief) } else { self.write_segment() };
            let end = end.ok_or(Counter::UnansweredLayers)?;
            self.close(end).ok_or(Counter::UnansweredLayers)?;
            // A device that is to make the checksum knows where in the frame.
            let keeps_start = is_response || self.scratch.envelope.leaves_checksum();
            if let Some(replaced) = self.frame.replace(self.draft, end, keeps_start) {
                if replaced == Replaced::Padded {
                    self.maps.count(Counter::AnsweredPadded);
                }
                return Ok((counter, if is_response { Sent::On } else { Sent::Back }));
            }
            if !keeps_start {
                break;
            }
            // A response that cannot become longer still can say that there is nothing. To a client in the same machine no
            // device makes a checksum, in most cases, and a whole answer is worth more.
            if !is_response {
                self.scratch.envelope.make_checksum();
            }
        }
        Err(Counter::UnansweredRoom)
    }

    /// Turns source and destination of the link and the transport around, if the answer goes back.
    #[inline(always)]
    fn turn_around(&mut self) -> Option<()> {
        if !self.scratch.envelope.is_back() {
            return Some(());
        }
        let [destination @ .., s0, s1, s2, s3, s4, s5]: [u8; 12] = self.read(0)?;
        let [d0, d1, d2, d3, d4, d5] = destination;
        self.write(0, [s0, s1, s2, s3, s4, s5, d0, d1, d2, d3, d4, d5])?;
        let ports_at = self.scratch.transport.transport_at;
        let [s0, s1, d0, d1] = self.read(ports_at)?;
        self.write(ports_at, [d0, d1, s0, s1])
    }

    #[inline(always)]
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.draft.load::<F, N>(at)
    }

    #[inline(always)]
    fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()> {
        self.draft.write::<F, N>(at, bytes)
    }

    #[inline(always)]
    fn generation(&self) -> Generation {
        Generation::from_index(self.scratch.generation)
    }

    /// Takes one answer off what the client's prefix may have in a second.
    #[inline(always)]
    fn may_answer(&self) -> bool {
        let per_second = self.settings.answers_per_second();
        per_second == 0 || self.maps.take_answer(self.scratch.envelope.prefix_bucket(self.settings), per_second)
    }
}

impl Scratch {
    #[inline(always)]
    fn is_of_response(&self) -> bool {
        let reason = Reason::from_index(self.reason);
        matches!(reason.and_then(Reason::message), Some(Message::Response))
    }
}
