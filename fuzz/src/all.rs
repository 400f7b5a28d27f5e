//! What the fuzz targets hold the program to: the decision, whose part the tests of filter-core
//! compile as well, and the controller's readers, whose part the tests of filter-user do.

pub mod controller;
#[path = "lib.rs"]
mod decision;

pub use decision::{flow, frame, quic, segment, world};
