//! What the target of the kernel program does otherwise than any other: each function has a form
//! for it and one for user space, with the same result.
//!
//! LLVM takes a load or a store that may be unaligned apart into single bytes on this target. The
//! kernel allows such loads and stores of map memory wherever the processor does, so those here are
//! single instructions.

#[cfg(target_arch = "bpf")]
mod kernel;
#[cfg(target_arch = "bpf")]
pub mod unaligned;
#[cfg(not(target_arch = "bpf"))]
mod user;

#[cfg(target_arch = "bpf")]
pub(crate) use kernel::{anew, load, load_u64, store, sum, take_lock, unlock};
#[cfg(not(target_arch = "bpf"))]
pub(crate) use user::{anew, load, load_u64, store, sum, take_lock, unlock};
