//! The user-space half of Namegate: it reads lists, keeps the compiled policy, loads the kernel
//! program and fills its maps, and serves an API that the command line is a client of.

pub mod answers;
pub mod check;
pub mod controller;
pub mod kernel;
pub mod replay;
pub mod server;
