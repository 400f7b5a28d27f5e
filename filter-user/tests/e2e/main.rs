//! From end to end: real clients and real servers in network namespaces, with the filter between them.

mod answers;
mod detaching;
mod names;
mod network;
mod raw;
mod segments;
mod sides;
mod tagged;
