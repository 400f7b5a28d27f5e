//! Everything that decides about a packet.
//!
//! The kernel program, the tests, the fuzzers and the offline tools run this one source. What differs between the
//! kernel and user space stands behind two traits: [`Packet`] (bytes of a frame, and bounded loops) and [`Rules`]
//! (is this key in the rules). Nothing here allocates, panics or loops without a named bound.
//!
//! ```text
//! frame -> headers -> dns | tls -> name -> rules -> Reason
//! ```
#![cfg_attr(not(test), no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![expect(clippy::inline_always, reason = "what is not inlined is a function that the verifier goes through by itself")]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
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
mod cursor;
mod decide;
mod dns;
mod hash;
mod headers;
mod name;
mod packet;
mod reason;
mod rules;
mod tls;

pub use abi::{Event, EventBudget, Rule, Scratch, Settings};
pub use decide::{Judge, decide};
pub use hash::{HASH_KEY_WORDS, HashKey};
pub use headers::{Endpoints, Family, Protocol, Transport};
pub use name::{Form, LabelsEnd, NAME_BYTES, Name};
pub use packet::{Packet, Step};
pub use reason::{Counter, Reason, Verdict};
pub use rules::{RuleKey, Rules, any_matches, matching_rule};
