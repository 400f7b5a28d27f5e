//! What the kernel's maps hold. Both sides of the boundary use these types, so neither has a layout of its own.

#[cfg(not(target_arch = "bpf"))]
mod all_terms;
mod allowance;
mod answer;
mod clients;
mod generation;
mod hits;
mod list_name;
mod policy;
mod program;
mod rule_map;
mod settings;

#[cfg(not(target_arch = "bpf"))]
pub use all_terms::{AllMasks, AllTerms};
pub use allowance::Allowance;
pub use answer::{DnsAction, Interface, Quic, TcpAction, Treatment};
pub use clients::{Group, Member};
pub use generation::{Generation, InForce};
pub use hits::{HitLine, RuleHits};
pub use list_name::ListName;
pub(crate) use policy::list_of;
pub use policy::{BANKS, BlockingLists, CLASSES_OF_BANK, Masks, Rank, Terms, highest_rank};
pub use program::{Program, ProgramSet};
pub use rule_map::{Page, Rule, RuleShape, TermsEntry, sieve_bits};
pub use settings::{Fragments, Options, Settings, Sides, WAYS};
