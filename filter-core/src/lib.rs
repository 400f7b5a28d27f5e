//! Everything that decides about a packet.
//!
//! The kernel program, the tests, the fuzzers and the offline tools run this one source. What
//! differs between the kernel and user space stands behind traits: [`Frame`] (bytes, and bounded
//! loops), [`Maps`] (the rules, and what is counted and reported) and [`Flows`] (segments of
//! messages that come in several). What decides allocates nothing, never panics, and loops within
//! named bounds.
//!
//! ```text
//! frame -> headers -> dns | tls -> name -> rules -> Reason -> answer
//!                  -> flows -^
//! ```
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![expect(
    clippy::inline_always,
    reason = "what is not inlined is a function that the verifier goes through by itself"
)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests may panic"
    )
)]

mod abi;
mod answer;
pub mod bounds;
mod buffer;
mod clients;
mod cursor;
mod decide;
mod dns;
mod effect;
mod event;
mod flow_key;
mod flows;
mod hash;
mod headers;
pub mod intrinsics;
mod loops;
mod maps;
mod name;
#[cfg(not(target_arch = "bpf"))]
mod offline;
mod packet;
mod patterns;
mod quic;
mod reason;
pub mod return_codes;
mod rules;
mod scratch;
mod subprograms;
mod tls;

pub use abi::{
    AUDIENCES_OF_BANK, Actions, ActivePolicy, Allowance, BANKS, BlockingLists, Directions,
    DnsAction, Effect, EffectEntry, Fragments, Generation, Group, HitLine, Interface, ListName,
    Masks, Member, Options, Page, Precedence, Program, ProgramSet, Quic, QuicAction, Rule,
    RuleHits, RuleShape, Settings, TcpAction, bloom_bits, highest_precedence,
};
#[cfg(not(target_arch = "bpf"))]
pub use abi::{AllEffects, AllMasks};
pub use answer::{Sent, answer};
pub use buffer::{MessageBuffer, PIECE};
pub use clients::Client;
pub use decide::{Frame, Inspection, SegmentKind, Subprograms, decide, decide_by_layers};
#[cfg(not(target_arch = "bpf"))]
pub use effect::effect;
pub use effect::{ResponseAction, response};
pub use event::{Event, EventBudget};
pub use flows::{Bucket, Buffered, Flow, Flows, WAYS, Way};
pub use hash::{HASH_KEY_WORDS, HashKey};
pub use headers::{Endpoints, Family, Layer, Protocol, Transport, TunnelKind};
pub use maps::{Maps, group_of, precedence_of};
pub use name::{Form, NAME_BYTES, Name, NameEnd};
#[cfg(not(target_arch = "bpf"))]
pub use offline::Offline;
pub use packet::{Length, LoopBody, LoopState, Packet, Replace, Replaced, copy_start, last_place};
pub use patterns::{
    BankWalk, Link, PART_BYTES, PART_CELLS, PART_MATCHES, PARTS, PATTERN_SLOTS, Part, PatternMatch,
    Patterns, run_part, run_parts,
};
pub use quic::{QuicFlow, QuicRoom};
pub use reason::{Counter, Message, Reason, Verdict};
pub use rules::{Found, RuleKey, Rules, prevailing_rule, take_effect, take_effect_of_bank};
pub use scratch::{OfCpu, Scratch, Segment};
pub use tls::{HandshakeBytes, HelloEnd};
