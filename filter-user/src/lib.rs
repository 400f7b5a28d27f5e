//! The controller of Namegate: it loads the kernel program, keeps its maps as the policy says, and
//! serves the API that the command line is a client of.
//!
//! What lists and the configuration say is worked out in `filter-lists` and `filter-policy`; what
//! goes over the API is in `filter-api`. Here is what connects them with the kernel and with each
//! other, and what needs both: replays of captures, and checks of lists.

pub mod answers;
pub mod check;
pub mod controller;
pub mod kernel;
pub mod printable;
pub mod replay;
pub mod server;
