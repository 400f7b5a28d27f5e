//! What the kernel's maps hold. Both sides of the boundary use these types, so neither has a layout
//! of its own.

#[cfg(not(target_arch = "bpf"))]
mod all_effects;
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
pub use all_effects::{AllEffects, AllMasks};
pub use allowance::Allowance;
pub use answer::{Actions, DnsAction, Interface, Quic, QuicAction, TcpAction};
pub use clients::{Group, Member};
pub use generation::{ActivePolicy, Generation};
pub use hits::{HitLine, RuleHits};
pub use list_name::ListName;
pub(crate) use policy::list_of;
pub use policy::{
    AUDIENCES_OF_BANK, BANKS, BlockingLists, Effect, Masks, Precedence, highest_precedence,
};
pub use program::{Program, ProgramSet};
pub use rule_map::{EffectEntry, Page, Rule, RuleShape, bloom_bits};
pub use settings::{Directions, Fragments, Options, Settings, WAYS};
