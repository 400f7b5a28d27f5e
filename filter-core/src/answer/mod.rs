//! What a client hears of what is blocked: an answer to its DNS query, a negative one in place of a
//! response to it, or the end of its TCP connection. It is made of the frame that is blocked, and
//! takes its place.
//!
//! ```text
//! frame -> envelope (who may be answered) -> dns | tcp -> headers and checksums -> frame
//! ```
//! Whatever nobody can be told something about, or should not, is dropped, and counted by what
//! stood against it.

mod checksum;
mod dns;
mod edns;
mod envelope;
mod given;
mod joined;
mod quic;
mod records;
mod stream;
mod tcp;
mod validity;

use crate::{
    abi::{Generation, Settings},
    bounds::opaque,
    buffer::MessageBuffer,
    effect,
    flows::Flow,
    headers::Protocol,
    intrinsics::anew,
    maps::Maps,
    packet::{Length, LoopState, Replace, Replaced},
    quic::QuicRoom,
    reason::{Counter, Message, Reason},
    scratch::{Given, Scratch, Stream},
};

/// Where a frame goes whose first packet was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nowhere: `XDP_DROP`.
    Drop,
    /// Back to whom it came from.
    Tx,
    /// On to whom it is for.
    Pass,
}

impl Scratch {
    /// True if somebody hears of a packet that was judged with this reason.
    #[inline(always)]
    pub fn is_answered(&self, reason: Reason) -> bool {
        match reason {
            // What no rule is about is treated as the interface has it, which shows when it is
            // answered.
            Reason::TcpEnded | Reason::DnsQuestionsRefused => true,
            Reason::QuicBlocked | Reason::QuicFlowBlocked => self.quic.is_to_be_closed(),
            reason => {
                reason.is_blocked()
                    && effect::is_answered(reason, &self.actions, self.transport.protocol())
            }
        }
    }
}

/// Makes the answer of a frame that was blocked, as the scratch has it. `flow` is what has the
/// place of the segment's flow in the table of flows, if the frame is a segment and its flow has
/// one; `room` has the sealed packet, if the frame is one of QUIC.
#[inline(always)]
pub fn answer<F: Replace, M: Maps>(
    frame: &mut F,
    settings: &Settings,
    maps: &M,
    flow: Option<&mut Flow>,
    room: Option<&QuicRoom>,
    scratch: &mut Scratch,
    draft: &mut MessageBuffer,
) -> Sent {
    // Another one may have taken the place since.
    let flow = flow.filter(|flow| flow.is_of(&scratch.segment));
    scratch.give_nothing();
    if scratch.reason == Reason::DnsQuestionsRefused.index() {
        scratch.actions = *maps.interface().1.actions();
        if !effect::is_answered(
            Reason::DnsQuestionsRefused,
            &scratch.actions,
            scratch.transport.protocol(),
        ) {
            return Sent::Drop;
        }
    }
    match (Answering {
        frame,
        settings,
        maps,
        flow,
        room,
        scratch: &mut *scratch,
        draft,
    })
    .answer()
    {
        Ok((counter, sent)) => {
            scratch.given = Given::ANSWERED;
            maps.count(counter);
            sent
        }
        Err(counter) => {
            scratch.given = Given::nothing_because(counter);
            maps.count(counter);
            Sent::Drop
        }
    }
}

/// All that an answer takes. What stands against one is the `Err` of its methods.
struct Answering<'f, F, M> {
    frame: &'f mut F,
    settings: &'f Settings,
    maps: &'f M,
    flow: Option<&'f mut Flow>,
    room: Option<&'f QuicRoom>,
    scratch: &'f mut Scratch,
    /// The frame from its start on, and what is written over it and behind.
    draft: &'f mut MessageBuffer,
}

impl<F, M> LoopState for Answering<'_, F, M> {}

/// What becomes of the frame.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    /// A DNS query becomes the answer to it.
    Query,
    /// A DNS response becomes another one.
    Response,
    /// DNS messages that the kernel has joined are answered or changed, each in its place.
    Joined,
    /// A segment with a DNS query becomes the segment with the answer.
    Stream,
    /// A segment becomes a reset or an alert for who sent it.
    Segment,
    /// A segment becomes a reset for whom it is for.
    SegmentOn,
    /// A segment of a connection that has ended for its client.
    Ended,
    /// A datagram with a QUIC hello becomes one with `CONNECTION_CLOSE`.
    Quic,
}

impl Kind {
    #[inline(always)]
    fn from_index(index: u32) -> Self {
        match index {
            0 => Self::Query,
            1 => Self::Response,
            2 => Self::Joined,
            3 => Self::Stream,
            4 => Self::Segment,
            5 => Self::SegmentOn,
            6 => Self::Ended,
            _ => Self::Quic,
        }
    }

    #[inline(always)]
    fn counter(self, is_back: bool) -> Counter {
        match self {
            Self::Query | Self::Stream => Counter::Answered,
            Self::Joined if is_back => Counter::Answered,
            Self::Joined | Self::Response => Counter::Rewritten,
            Self::Segment | Self::SegmentOn | Self::Quic => Counter::Closed,
            Self::Ended if is_back => Counter::FinAcknowledged,
            Self::Ended => Counter::ServerReset,
        }
    }
}

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    #[inline(always)]
    fn answer(&mut self) -> Result<(Counter, Sent), Counter> {
        self.scratch.answer_kind = self.choose_kind()? as u32;
        self.scratch.stream = Stream::default();
        let is_back = match self.kind() {
            Kind::Query | Kind::Stream | Kind::Segment | Kind::Quic => true,
            Kind::Response | Kind::SegmentOn => false,
            Kind::Joined => !self.scratch.is_of_response(),
            Kind::Ended => self.ends_client(),
        };
        let (_, interface) = self.maps.interface();
        if interface.is_recording()
            || (is_back && self.kind() != Kind::Ended && !interface.faces_clients())
        {
            return Err(Counter::UnansweredSide);
        }
        self.open(is_back, interface.keeps_buffers())?;
        match self.kind() {
            Kind::Query | Kind::Response => self.read_message()?,
            Kind::Joined => self.open_datagram()?,
            Kind::Quic => self.open_quic()?,
            Kind::Stream | Kind::Ended => self.open_stream().ok_or(Counter::UnansweredLayers)?,
            Kind::Segment | Kind::SegmentOn => self.open_reset()?,
        }
        if self.is_back() || self.kind() == Kind::Ended {
            self.check(interface.keeps_buffers())?;
        }
        match self.kind() {
            Kind::Stream => self.take_message()?,
            Kind::Segment | Kind::SegmentOn => self.note_reset(),
            Kind::Query | Kind::Response | Kind::Joined | Kind::Ended | Kind::Quic => {}
        }
        self.turn_around().ok_or(Counter::UnansweredLayers)?;
        if self.kind() == Kind::Joined {
            self.write_joined().ok_or(Counter::UnansweredLayers)?;
            return Ok(self.outcome());
        }
        self.write_answer()
    }

    /// The kind of answer, and whether it goes back, are read from memory each time: the verifier
    /// would go through all that comes behind once for each value that it knows.
    #[inline(always)]
    fn kind(&self) -> Kind {
        Kind::from_index(anew(&*self.scratch).answer_kind)
    }

    #[inline(always)]
    fn is_back(&self) -> bool {
        anew(&*self.scratch).envelope.is_back()
    }

    /// What kind of answer the frame has, if any.
    #[inline(always)]
    fn choose_kind(&self) -> Result<Kind, Counter> {
        if self.scratch.reason == Reason::TcpEnded.index() {
            return if self.flow.is_some() {
                Ok(Kind::Ended)
            } else {
                Err(Counter::UnansweredRoom)
            };
        }
        if self.scratch.is_of_quic() {
            return Ok(Kind::Quic);
        }
        let is_response = self.scratch.is_of_response();
        Ok(match self.scratch.transport.protocol() {
            Protocol::Udp if self.scratch.joined.blocked > 0 => Kind::Joined,
            Protocol::Udp if is_response => Kind::Response,
            Protocol::Udp => Kind::Query,
            Protocol::Tcp if is_response => Kind::SegmentOn,
            Protocol::Tcp if self.is_in_stream() => Kind::Stream,
            Protocol::Tcp if self.scratch.actions.answers_tcp() => Kind::Segment,
            Protocol::Tcp => return Err(Counter::UnansweredMessage),
        })
    }

    /// Makes sure that the client may have one more answer, and that a host would take what it
    /// sent. The end of a connection that was answered is no further answer.
    #[inline(always)]
    fn check(&mut self, keeps_buffers: bool) -> Result<(), Counter> {
        if self.kind() != Kind::Ended && !self.may_answer() {
            return Err(Counter::UnansweredRate);
        }
        // What costs most comes last, and no more often than there are answers.
        if !self
            .has_valid_checksum(keeps_buffers)
            .ok_or(Counter::UnansweredLayers)?
        {
            return Err(Counter::UnansweredInvalid);
        }
        Ok(())
    }

    /// Writes the answer in the place of the frame.
    #[inline(always)]
    fn write_answer(&mut self) -> Result<(Counter, Sent), Counter> {
        // What would be unrolled does not fit on the kernel's stack.
        for turn in 0..opaque(2) {
            let is_brief = self.kind() == Kind::Response && turn > 0;
            let end = match self.kind() {
                Kind::Query | Kind::Response | Kind::Joined => self.write_datagram(is_brief),
                Kind::Stream => self.write_stream(),
                Kind::Segment | Kind::SegmentOn => self.write_segment(),
                Kind::Ended => self.write_end(),
                Kind::Quic => self.write_quic(),
            };
            let end = end.ok_or(Counter::UnansweredLayers)?;
            self.close(end).ok_or(Counter::UnansweredLayers)?;
            // A device that is to make the checksum knows where in the frame.
            let keeps_start = !self.is_back() || self.scratch.envelope.leaves_checksum();
            let length = if keeps_start {
                Length::NewAtEnd
            } else {
                Length::New
            };
            if let Some(replaced) = self.frame.replace(self.draft, end, length) {
                if replaced == Replaced::Padded {
                    self.maps.count(Counter::AnsweredPadded);
                }
                return Ok(self.outcome());
            }
            if !keeps_start {
                break;
            }
            // A response that cannot become longer still can say that there is nothing. To a client
            // in the same machine no device makes a checksum, in most cases, and a whole answer is
            // worth more.
            if self.is_back() {
                self.scratch.envelope.make_checksum();
            }
        }
        Err(Counter::UnansweredRoom)
    }

    /// What is counted, and where the frame goes.
    #[inline(always)]
    fn outcome(&self) -> (Counter, Sent) {
        (
            self.kind().counter(self.is_back()),
            if self.is_back() { Sent::Tx } else { Sent::Pass },
        )
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
        self.draft.load(at)
    }

    #[inline(always)]
    fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()> {
        self.draft.write(at, bytes)
    }

    #[inline(always)]
    fn generation(&self) -> Generation {
        Generation::from_index(self.scratch.generation)
    }

    /// Takes one answer off what the client's prefix may have in a second.
    #[inline(always)]
    fn may_answer(&self) -> bool {
        let per_second = self.settings.answers_per_second();
        per_second == 0
            || self.maps.take_from(
                self.scratch.envelope.prefix_bucket(self.settings),
                per_second,
            )
    }
}

impl Scratch {
    #[inline(always)]
    fn is_of_quic(&self) -> bool {
        self.reason == Reason::QuicBlocked.index() || self.reason == Reason::QuicFlowBlocked.index()
    }

    #[inline(always)]
    fn is_of_response(&self) -> bool {
        let reason = Reason::from_index(self.reason);
        matches!(reason.and_then(Reason::message), Some(Message::Response))
    }
}
