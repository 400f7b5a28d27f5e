//! The decision over one frame.

mod calls;
mod dns;
mod quic;
mod segment;

pub use calls::{Frame, Subprograms};

use crate::{
    abi::{Interface, Precedence, Quic, Settings},
    bounds::{Span, opaque},
    flow_key::FlowKey,
    flows::{Buffered, Flows, source_hash},
    headers::{self, Layer, Protocol, Stop, Tcp, Transport, layers},
    maps::Maps,
    name::{Name, NameEnd},
    packet::LoopState,
    reason::{Counter, Message, Reason},
    scratch::{Scratch, Segment},
    tls::{self, HelloEnd, HelloWalk},
};

/// Decides over a frame that starts with its Ethernet header; the verdict follows from the reason.
///
/// Segments of messages that come in several are held in `flows`. The name that was judged last is
/// left in `scratch`; it means something only if the reason is about a name.
#[inline(always)]
pub fn decide<P: Frame + ?Sized, M: Maps, F: Flows>(
    packet: &P,
    settings: &Settings,
    maps: &M,
    flows: &mut F,
    scratch: &mut Scratch,
) -> Reason {
    Inspection {
        packet,
        settings,
        maps,
        scratch,
    }
    .frame(flows, Transport::plain(packet))
}

/// [`decide`], taking layer by layer off from the first on: for frames that lie in several buffers.
#[inline(always)]
pub fn decide_by_layers<P: Frame + ?Sized, M: Maps, F: Flows>(
    packet: &P,
    settings: &Settings,
    maps: &M,
    flows: &mut F,
    scratch: &mut Scratch,
) -> Reason {
    Inspection {
        packet,
        settings,
        maps,
        scratch,
    }
    .frame(flows, Err(Stop::Layered(Layer::ETHERNET, 0)))
}

/// All that judging the names of a packet takes.
pub struct Inspection<'p, P: ?Sized, M> {
    /// The bytes.
    pub packet: &'p P,
    /// The settings in force.
    pub settings: &'p Settings,
    /// The rules in force, and what is counted and reported.
    pub maps: &'p M,
    /// Room for the name that is judged.
    pub scratch: &'p mut Scratch,
}

impl<P: ?Sized, M> LoopState for Inspection<'_, P, M> {}

impl<P: ?Sized, M: Maps> Inspection<'_, P, M> {
    /// What is done with packets that come in by the interface of this one.
    #[inline(always)]
    pub(crate) fn interface(&self) -> &Interface {
        let (_, interface) = self.maps.interface();
        interface
    }
}

/// A reason that ends the judging early is the `Err` of these, so that `?` passes it on.
impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    #[inline(always)]
    fn frame<F: Flows>(&mut self, flows: &mut F, found: Result<Transport, Stop>) -> Reason {
        /// What is around a tunnel, and the tunnel.
        const ROUNDS: u32 = 2;

        // Most frames are done with here, and in the kernel pay for no loop.
        let mut judged = found.and_then(|transport| self.transport(flows, &transport));
        for _ in 0..ROUNDS {
            let Err(Stop::Layered(layer, at)) = judged else {
                break;
            };
            // Put into `judged`, the reason would keep upper bits of whatever lies there: a
            // pointer, which the verifier lets nobody mask.
            if let Err(reason) = P::layered(self, layer, at) {
                return self.settled(reason);
            }
            let transport = self.scratch.transport;
            judged = self.transport(flows, &transport);
        }
        match judged {
            Ok(reason) => reason,
            Err(Stop::Because(reason)) => self.settled(reason),
            Err(Stop::Layered(..)) => Reason::UdpOther,
        }
    }

    /// Finds the transport behind the layers that start with this one at this offset, and leaves it
    /// in the scratch memory.
    #[inline(always)]
    pub fn layered(&mut self, layer: Layer, at: u32) -> Result<(), Reason> {
        let opens_tunnels = self.interface().opens_tunnels();
        let Scratch {
            layers, transport, ..
        } = &mut *self.scratch;
        let key = &self.settings.flow_hash_key;
        *transport = layers::transport(
            self.packet,
            key,
            layers,
            transport,
            (layer, at),
            opens_tunnels,
        )?;
        Ok(())
    }

    /// Later fragments may be dropped.
    #[inline(always)]
    fn settled(&self, reason: Reason) -> Reason {
        match reason {
            Reason::Fragment if self.settings.drops_fragments() => Reason::FragmentDropped,
            _ => reason,
        }
    }

    #[inline(always)]
    fn transport<F: Flows>(
        &mut self,
        flows: &mut F,
        transport: &Transport,
    ) -> Result<Reason, Stop> {
        match transport.protocol() {
            Protocol::Udp => self.datagram(flows, transport),
            Protocol::Tcp => Ok(self.segment(flows, transport)?),
        }
    }

    #[inline(always)]
    fn datagram<F: Flows>(&mut self, flows: &mut F, transport: &Transport) -> Result<Reason, Stop> {
        let udp = headers::udp(self.packet, transport)?;
        if self
            .settings
            .is_dns(udp.ports.source(), udp.ports.destination())
        {
            self.scratch.transport = *transport;
            self.scratch.sequence = 0;
            self.scratch.begin_work();
            self.scratch.begin_datagram(udp.at);
            let reason = P::dns_message(self, udp.at, udp.end);
            let reason = reason.unwrap_or_else(|| P::dns_sections(self, udp.at, udp.end));
            // What is dropped with its client's question unread is not looked at any further.
            let is_dropped = matches!(
                reason,
                Reason::DnsQuestionsRefused | Reason::DnsBeyondDropped
            );
            if is_dropped || !self.scratch.may_be_joined(udp.end) {
                return Ok(reason);
            }
            return Ok(match P::second_message(self, udp.end, reason) {
                Ok(()) => P::further_messages(self),
                Err(reason) => reason,
            });
        }
        if crate::quic::may_start(self.packet, udp.at, udp.end) {
            match self.interface().quic() {
                Quic::Inspect => {
                    self.scratch.transport = *transport;
                    return Ok(P::quic_datagram(self, flows));
                }
                Quic::Refuse if !self.interface().audits() => return Ok(Reason::QuicRefused),
                Quic::Refuse | Quic::Pass => {}
            }
        }
        match Layer::in_udp(udp.ports.destination()) {
            Some(layer)
                if transport.tunnels < layers::TUNNELS && self.interface().opens_tunnels() =>
            {
                self.scratch.transport = transport.ending_at(udp.end);
                Err(Stop::Layered(layer, udp.at))
            }
            _ => Err(Reason::UdpOther.into()),
        }
    }

    /// Most segments are not of interest: they carry nothing, or go on with what is not held.
    #[inline(always)]
    fn segment<F: Flows>(
        &mut self,
        flows: &mut F,
        transport: &Transport,
    ) -> Result<Reason, Reason> {
        let tcp = headers::tcp(self.packet, transport)?;
        if !tcp.syn {
            let is_dns = self
                .settings
                .is_dns(tcp.ports.source(), tcp.ports.destination());
            let may_matter = if tcp.at < tcp.end {
                tls::may_start(self.packet, tcp.at)
                    || is_dns
                    || self.is_awaited(flows, transport, &tcp)?
            } else {
                // It may be of a connection that has ended for its client.
                (is_dns || tcp.closes) && self.is_awaited(flows, transport, &tcp)?
            };
            if !may_matter {
                return Err(Reason::TcpOther);
            }
        }
        self.scratch.transport = *transport;
        Ok(P::segment_of_interest(self, flows))
    }

    /// True if the flow may have a message under way, or its first octet.
    #[inline(always)]
    fn is_awaited<F: Flows>(
        &self,
        flows: &mut F,
        transport: &Transport,
        tcp: &Tcp,
    ) -> Result<bool, Reason> {
        let (interface, _) = self.maps.interface();
        let key =
            FlowKey::of(self.packet, transport, tcp.ports, interface).ok_or(Reason::HeadersCut)?;
        let hash = key.hash(self.settings);
        let bucket = flows
            .bucket(hash & self.settings.bucket_mask())
            .ok_or(Reason::TcpOther)?;
        Ok(bucket.may_hold(hash) || bucket.awaits_first(hash))
    }

    /// Judges a segment that opens a connection, may start a message, or may go on with one.
    #[inline(always)]
    pub fn segment_of_interest<F: Flows>(&mut self, flows: &mut F) -> Reason {
        match P::classify_segment(self, flows) {
            Ok(SegmentKind::WholeHello) => {
                let Segment {
                    at, end, sequence, ..
                } = self.scratch.segment;
                self.scratch.sequence = sequence;
                let reason = P::client_hello(self, at, end).reason;
                if reason.is_blocked() {
                    self.hold_blocked(flows);
                }
                reason
            }
            Ok(SegmentKind::ToHold) => self.buffered_segment(flows),
            Ok(SegmentKind::Empty) => P::empty_segment(self, flows),
            Err(reason) => reason,
        }
    }

    /// Takes down what is at hand: which flow's, which part of it, and what may be in it.
    #[inline(always)]
    pub fn classify_segment<F: Flows>(&mut self, flows: &mut F) -> Result<SegmentKind, Reason> {
        self.scratch.begin_work();
        let tcp = headers::tcp(self.packet, &self.scratch.transport)?;
        let (interface, _) = self.maps.interface();
        let key = FlowKey::of(self.packet, &self.scratch.transport, tcp.ports, interface)
            .ok_or(Reason::HeadersCut)?;
        let hash = key.hash(self.settings);
        let bucket = flows
            .bucket(hash & self.settings.bucket_mask())
            .ok_or(Reason::TcpOther)?;
        // A SYN takes a sequence number; what comes with it is behind that (RFC 9293 §3.4).
        let sequence = tcp.sequence.wrapping_add(u32::from(tcp.syn));
        if tcp.syn {
            bucket.open(hash, sequence, self.source().ok_or(Reason::HeadersCut)?);
            if tcp.at >= tcp.end {
                return Err(Reason::TcpOther);
            }
        }
        if tcp.at >= tcp.end {
            // A connection whose SYN was seen since is another one.
            let is_anew = bucket.awaits_first(hash);
            self.scratch.segment = Segment {
                key,
                hash,
                sequence,
                ..Segment::default()
            };
            return if is_anew {
                Err(Reason::TcpOther)
            } else {
                self.take_empty_segment()
            };
        }
        let opened = bucket.first_octet(hash, sequence);
        let may_be_held = bucket.may_hold(hash);
        let is_first = opened.is_none_or(|(first, _)| first == sequence);
        let is_dns_port = self
            .settings
            .is_dns(tcp.ports.source(), tcp.ports.destination());
        // Octets of a message that is under way are left alone, whatever they look like.
        let before = if is_first && (opened.is_some() || !may_be_held) && !is_dns_port {
            tls::octets_before(self.packet, &mut self.scratch.copying, tcp.at, tcp.end)?
        } else {
            0
        };
        let before = opaque(before as usize) as u32;
        let start = tls::start(self.packet, tcp.at + before, tcp.end);
        // Only what comes first says what a stream on a DNS port is.
        let hello = is_first && matches!(start, tls::Start::Hello | tls::Start::SplitHello);
        let dns = is_dns_port && !hello;
        // Of a connection that starts with records and nothing else, the next octets are to be told
        // from those behind them.
        let opens_with_records = opened.is_some() && before != 0 && tcp.at + before == tcp.end;
        let begins = dns || !is_first || start.is_of_hello() || opens_with_records;
        if !begins && !may_be_held {
            return Err(if start == tls::Start::Sslv2 {
                Reason::TlsSslv2
            } else {
                Reason::TcpOther
            });
        }
        let is_whole_hello = is_first && !dns && !may_be_held && start == tls::Start::Hello;
        // A segment to be held keeps the records before its hello: the octets behind may be there,
        // held from the first octet on.
        let skipped = if is_whole_hello { before } else { 0 };
        let (at, sequence) = (tcp.at + skipped, sequence.wrapping_add(skipped));
        let first = if is_first {
            sequence
        } else {
            opened.map_or(sequence, |(first, _)| first)
        };
        // Most hellos are judged at once, and have no place in the table.
        let source = if is_whole_hello {
            0
        } else {
            self.source().ok_or(Reason::HeadersCut)?
        };
        self.scratch.segment = Segment {
            key,
            hash,
            source,
            sequence,
            at,
            end: tcp.end,
            first,
            begins: u32::from(begins),
            dns: u32::from(dns),
            opens: opened.map_or(0, |(_, place)| place + 1),
            is_message: u32::from(dns && crate::dns::may_start(self.packet, at, tcp.end)),
            ..Segment::default()
        };
        Ok(if is_whole_hello {
            SegmentKind::WholeHello
        } else {
            SegmentKind::ToHold
        })
    }

    /// The keyed hash of who sent the packet.
    #[inline(always)]
    pub(crate) fn source(&self) -> Option<u32> {
        source_hash(
            self.packet,
            &self.scratch.transport,
            self.settings,
            self.maps.interface(),
        )
    }

    /// Takes down what the segment acknowledges, which carries nothing.
    #[inline(always)]
    fn take_empty_segment(&mut self) -> Result<SegmentKind, Reason> {
        let acknowledged = headers::acknowledged(self.packet, &self.scratch.transport);
        self.scratch.segment.acknowledged = acknowledged.ok_or(Reason::HeadersCut)?;
        Ok(SegmentKind::Empty)
    }
}

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, Buffered<'_, P>, M> {
    /// [`Inspection::read_name`] from what is held of a flow.
    #[inline(always)]
    pub fn read_buffered_name(&mut self, message_at: u32, span: Span) -> NameEnd {
        Inspection::read_name(self, message_at, span)
    }

    /// Judges a DNS message that is held of a flow.
    #[inline(always)]
    pub fn buffered_dns_message(&mut self, span: Span) -> Reason {
        self.dns_sections(span.at, span.end)
    }

    /// Judges the server names of a handshake message without record headers, of which there is
    /// what is in the span.
    #[inline(always)]
    pub fn buffered_hello(&mut self, span: Span) -> HelloEnd {
        tls::handshake(self, span.at, span.end)
    }
}

/// What is to be done with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// It is a whole ClientHello, and nothing of its flow is held.
    WholeHello,
    /// It is to be seen together with what is held of its flow.
    ToHold,
    /// It carries nothing, and may be of a connection that has ended for its client.
    Empty,
}

impl<P: Subprograms + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Reads the name at the start of this span, which ends with the DNS message from `message_at`;
    /// gives the offset behind the name.
    #[inline(always)]
    pub fn read_name(&mut self, message_at: u32, span: Span) -> NameEnd {
        let find_labels = |name: &mut Name| P::find_labels(name).result();
        NameEnd::of(self.scratch.name.read_wire(
            self.packet,
            message_at,
            (span.at, span.end),
            find_labels,
        ))
    }

    /// Judges the DNS message from `at` to `end` if it is a query with one question at most; others
    /// are to be gone through by [`Inspection::dns_sections`].
    #[inline(always)]
    pub fn dns_message(&mut self, at: u32, end: u32) -> Option<Reason> {
        dns::message(self, at, end).unwrap_or_else(Some)
    }

    /// Judges the questions and answers of the DNS message from `at` to `end`.
    #[inline(always)]
    pub fn dns_sections(&mut self, at: u32, end: u32) -> Reason {
        dns::sections(self, at, end).unwrap_or_else(|reason| reason)
    }

    /// Judges the server names of the ClientHello whose record starts at `at`, in a segment whose
    /// payload ends at `end`.
    #[inline(always)]
    pub fn client_hello(&mut self, at: u32, end: u32) -> HelloEnd {
        tls::client_hello(self, at, end)
    }

    /// Why a message is not judged that takes more work than a packet may. A query is judged when
    /// it is sent again, in smaller segments or behind what was judged by now.
    #[inline(always)]
    pub fn beyond(&self, message: Message) -> Reason {
        match message {
            Message::Query if !self.interface().audits() => Reason::DnsBeyondDropped,
            Message::Query | Message::Response => Reason::DnsBeyond,
            Message::ClientHello => Reason::TlsBeyond,
            Message::QuicHello => Reason::QuicBeyond,
        }
    }

    /// Looks up the name that was read last, unless the packet has cost too much by now. It is
    /// reported if a rule blocks it or would, or if all names are. Where it is exempt, only
    /// important rules block it.
    #[inline(always)]
    pub(crate) fn judge_name(&mut self, record: u32, message: Message, is_exempt: bool) -> Reason {
        if !self.scratch.take_name() {
            return self.beyond(message);
        }
        let of_response = matches!(message, Message::Response);
        let precedence =
            self.maps
                .precedence_of(self.packet, self.settings, self.scratch, of_response);
        self.reason_of(precedence, record, message, is_exempt)
    }

    /// The reason that a name of this precedence meets, which is reported if it blocks it or would, or
    /// if all names are. Every name of every message comes through here.
    #[inline(always)]
    pub(crate) fn reason_of(
        &mut self,
        precedence: Precedence,
        record: u32,
        message: Message,
        is_exempt: bool,
    ) -> Reason {
        let precedence = match precedence {
            Precedence::Block | Precedence::Audit if is_exempt => Precedence::Allow,
            Precedence::Block | Precedence::BlockImportant if self.interface().audits() => {
                Precedence::Audit
            }
            precedence => precedence,
        };
        let reason = message.reason(precedence);
        if reason.is_blocked() || reason.is_audited() || self.settings.reports_passed() {
            self.scratch.record = record;
            // Of no meaning for a ClientHello.
            let question_type = self
                .packet
                .read(self.scratch.type_at)
                .map_or(0, u16::from_be_bytes);
            self.scratch.question_type = question_type.into();
            self.maps.report(self.settings, self.scratch, reason);
        }
        reason
    }
}

/// Server names are judged as they are handed over.
impl<'p, P: Subprograms + ?Sized, M: Maps> tls::Sink<'p> for Inspection<'p, P, M> {
    type Bytes = P;

    #[inline(always)]
    fn packet(&self) -> &'p P {
        self.packet
    }

    #[inline(always)]
    fn walk(&mut self) -> &mut HelloWalk {
        &mut self.scratch.hello
    }

    #[inline(always)]
    fn server_name(&mut self, at: u32, octets: u32) -> Reason {
        let find_labels = |name: &mut Name| P::find_labels(name).result();
        match self
            .scratch
            .name
            .read_text(self.packet, at, octets, find_labels)
        {
            Ok(()) => {
                let message = match self.scratch.transport.protocol() {
                    Protocol::Tcp => Message::ClientHello,
                    Protocol::Udp => Message::QuicHello,
                };
                self.judge_name(0, message, false)
            }
            Err(_) => Reason::TlsNameMalformed,
        }
    }

    #[inline(always)]
    fn encrypted(&mut self) {
        self.maps.count(Counter::EncryptedClientHello);
    }
}
