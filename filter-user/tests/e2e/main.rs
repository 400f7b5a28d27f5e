//! From end to end: real clients and real servers in network namespaces, with the filter between
//! them.

mod answers;
mod asking;
mod behind_tags;
mod browser;
mod detaching;
mod directions;
mod dissector;
mod effects;
mod floods;
mod forged;
mod joined;
mod keeping;
mod names;
mod network;
mod prober;
mod quic;
mod quic_clients;
mod raw;
mod segments;
mod software;
mod streams;
mod tagged;
mod validation;

lab::fail_on_kernel_damage!();
