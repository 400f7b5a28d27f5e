//! A guest of QEMU that checks Namegate on another kernel than the host's. This library has what
//! the host and the guest tell each other: a [`plan::Plan`] goes in, [`report::Line`]s come out on
//! the console. The program is the guest's first process.

pub mod plan;
pub mod report;
