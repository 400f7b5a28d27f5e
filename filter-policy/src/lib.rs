//! The policy: which lists are for whom, when and with which action, compiled into what the kernel
//! is to have, with the name, the list and the line of each rule.
//!
//! [`config`] reads the configuration, [`compiled`] reads the lists into one table of rules and
//! says what a name would meet, [`groups`] has the clients, and [`at`] is all of it at a time, as
//! filter-core decides with it.
//!
//! This crate knows no kernel and nothing that waits: it opens files and computes. The crate
//! `filter-user` writes its results into the kernel's maps, serves them and shows them.

pub mod at;
pub mod audiences;
pub mod compiled;
pub mod config;
pub mod groups;
pub mod memory;
