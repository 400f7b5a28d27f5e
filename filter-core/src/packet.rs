//! The seam between the kernel and user space.

use core::ops::ControlFlow;

use crate::{
    decide::Judge,
    hash::HashKey,
    name::{LabelsEnd, NAME_BYTES, Name},
    reason::Reason,
    rules::Rules,
};

/// The bytes of one frame, and the loops that may run over them.
///
/// The kernel's implementation reads an `xdp_md` and loops with `bpf_loop`; user space reads a slice and loops with
/// `for`. Reads outside of the frame give `None`, whatever the offset.
pub trait Packet {
    /// The `N` bytes at `at`.
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]>;

    /// Copies `len` bytes at `at` to the start of `into`. `len` is 1 to 256.
    fn copy(&self, at: u32, len: u32, into: &mut [u8; NAME_BYTES]) -> Option<()>;

    /// Length of the frame in bytes.
    fn len(&self) -> u32;

    /// True for a frame without a byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `state.step()` until it breaks, `limit` times at most.
    fn repeat<S: Step>(limit: u32, state: &mut S);

    /// Calls [`Name::hash_labels`]. The kernel has it as a function of its own, which the verifier goes through once
    /// and not for each way that leads to it; so with the other methods that have a body.
    #[inline(always)]
    fn hash_labels(name: &mut Name, key: &HashKey) -> LabelsEnd {
        name.hash_labels::<Self>(key)
    }

    /// Calls [`Judge::dns_message`].
    #[inline(always)]
    fn dns_message<R: Rules>(judge: &mut Judge<'_, Self, R>, at: u32, end: u32) -> Reason {
        judge.dns_message(at, end)
    }

    /// Calls [`Judge::client_hello`].
    #[inline(always)]
    fn client_hello<R: Rules>(judge: &mut Judge<'_, Self, R>, at: u32, end: u32) -> Reason {
        judge.client_hello(at, end)
    }
}

/// The body of a bounded loop.
pub trait Step {
    /// One turn; `Break` ends the loop.
    fn step(&mut self) -> ControlFlow<()>;
}

impl Packet for [u8] {
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.get(at as usize..)?.first_chunk().copied()
    }

    fn copy(&self, at: u32, len: u32, into: &mut [u8; NAME_BYTES]) -> Option<()> {
        let from = self.get(at as usize..)?.get(..len as usize)?;
        into.get_mut(..from.len())?.copy_from_slice(from);
        Some(())
    }

    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    fn repeat<S: Step>(limit: u32, state: &mut S) {
        for _ in 0..limit {
            if state.step().is_break() {
                break;
            }
        }
    }
}
