//! What the kernel's maps hold. Both sides of the boundary use these types, so neither has a layout of its own.

mod event;
mod policy;
mod program;
mod scratch;
mod settings;

pub use event::{Event, EventBudget};
pub use policy::{Generation, Group, InForce, Masks, Member, Rank, Rule, Terms, highest_rank};
pub use program::Program;
pub use scratch::{Scratch, Segment};
pub use settings::{Fragments, Options, Settings, Sides};
