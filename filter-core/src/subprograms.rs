//! What becomes a BPF function of its own in the kernel.
//!
//! The verifier checks a global function by itself, for any arguments, and then takes each call of
//! it as one instruction (Documentation/bpf/verifier.rst, "BPF-to-BPF calls";
//! `btf_check_subprog_arg_match`). Inlined, the same loops would be checked again for each way
//! through the headers: more than a million instructions. User space calls the methods themselves.

/// The table of such functions: a line has the name of a method or function of the decision, its
/// arguments and its result. Most are methods of [`Inspection`](crate::Inspection). Both sides of
/// the seam are made from it: the methods of [`Packet`](crate::Packet), [`Frame`](crate::Frame) and
/// [`Maps`](crate::Maps), and in filter-ebpf the exported functions and the calls of them.
///
/// `subprograms! { make MORE }` becomes `make! { [MORE] SECTION { LINE... } ... }`. A function
/// takes five arguments at most: pointers to memory of maps, integers, and what fits into one
/// ([`Span`]). It gives a [`ReturnCode`](crate::return_codes::ReturnCode).
///
/// [`Span`]: crate::bounds::Span
#[macro_export]
macro_rules! subprograms {
    ($make:ident $($more:tt)*) => {
        $make! {
            [$($more)*]
            // Over the bytes of a frame.
            packet {
                read_name(message_at: u32, span: Span) -> NameEnd;
                dns_sections(at: u32, end: u32) -> Reason;
                second_message(end: u32, first: Reason) -> Result<(), Reason>;
                next_message() -> ();
                client_hello(at: u32, end: u32) -> HelloEnd;
                quic_header(at: u32, end: u32) -> Result<(), Reason>;
            }
            // Likewise, where the frame lies in one buffer. Elsewhere, there is one call less that
            // leads into others.
            linear {
                dns_message(at: u32, end: u32) -> Option<Reason>;
            }
            frame {
                layered(layer: Layer, at: u32) -> Result<(), Reason>;
                whole_messages() -> Reason;
                take_quic_datagram() -> Result<(), Reason>;
            }
            // Over a frame and the table of flows.
            frame_and_flows {
                classify_segment() -> Result<SegmentKind, Reason>;
                begin_quic_packet() -> Result<(), Reason>;
                look_at_quic_hello() -> bool;
                open_by_flow(way: u32) -> bool;
                open_by_header() -> bool;
                seal_quic_close() -> ();
            }
            // Over the table of flows, without the frame. (LLVM hands over anything for an argument
            // that is not used, and the verifier refuses that.)
            flows {
                empty_segment() -> Reason;
                find_flow() -> Way;
                begin_flow() -> Way;
                find_quic_flow() -> Way;
                of_known_quic_flow(way: u32) -> Option<Reason>;
                may_open_quic() -> bool;
                end_quic_packet() -> Reason;
                begin_quic_flow() -> Way;
            }
            // Over a frame and a flow.
            flow {
                buffer_segment(flow: &mut Flow, offset: u32) -> bool;
                all_buffered_messages(flow: &mut Flow, so_far: Reason) -> Reason;
                buffered_messages(flow: &mut Flow, so_far: Reason) -> Reason;
            }
            // Over a flow, without the frame.
            flow_only {
                join_records(flow: &mut Flow, spare: &mut MessageBuffer) -> HandshakeBytes;
                forget_judged(flow: &mut Flow, spare: &mut MessageBuffer) -> ();
                walk_frames(flow: &mut QuicFlow, room: &mut QuicRoom) -> ();
                open_packet(room: &mut QuicRoom) -> bool;
                change_header_protection(room: &mut QuicRoom) -> bool;
                prepare_cipher(room: &mut QuicRoom) -> ();
                check_or_write_tag(room: &mut QuicRoom) -> bool;
                decrypt(room: &mut QuicRoom) -> ();
                derive_keys(room: &mut QuicRoom, version: u32, side: u32) -> bool;
                key_by_hash(room: &mut QuicRoom) -> ();
                hash_quic_block(room: &mut QuicRoom) -> ();
                hash_quic_label(room: &mut QuicRoom, label: u32) -> ();
            }
            // Programs of their own, with these places among those of a set; they do not come back.
            programs {
                further_messages() -> Reason, Messages;
            }
            programs_over_flows {
                segment_of_interest() -> Reason, Segment;
                quic_datagram() -> Reason, Quic;
            }
            // Over bytes that are held of a flow.
            buffered {
                buffered_dns_message(span: Span) -> Reason;
                buffered_hello(span: Span) -> HelloEnd;
            }
            // Over such bytes, without the frame.
            buffered_only {
                read_buffered_name(message_at: u32, span: Span) -> NameEnd;
            }
            // Over a name alone, and over other values of maps: methods of the first of them.
            name {
                find_labels(name: &mut Name) -> NameEnd;
            }
            hash {
                hash_label(name: &Name, key: &HashKey, parent: u64, place: u32) -> u64;
            }
            pattern {
                step_to_best(part: &Part, name: &mut Name) -> bool;
            }
            // Over the maps: functions.
            parts {
                run_part(name: &mut Name, in_force: ActivePolicy, index: u32) -> bool;
            }
            // Over any frame and the maps.
            client {
                precedence_of(settings: &Settings, scratch: &mut Scratch, of_response: bool) -> Precedence;
                group_of(scratch: &Scratch, generation: Generation, of_response: bool) -> u32;
            }
        }
    };
}
