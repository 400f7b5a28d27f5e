//! What the fuzz targets hold the decision to. The tests of filter-core compile this source too,
//! and replay the seeds.

mod answer;
pub mod flow;
pub mod frame;
pub mod quic;
pub mod segment;
pub mod world;
