//! What the decision looks up and leaves behind, apart from the flows.

use crate::{
    abi::{Generation, Interface, Rank, Scratch, Settings},
    packet::Packet,
    reason::{Counter, Reason},
    rules::{RuleKey, Rules, group_of, rank_of},
};

/// The maps: BPF maps in the kernel, collections in user space.
pub trait Maps: Rules {
    /// Counts one more; for what is not the reason of a packet.
    fn count(&self, counter: Counter);

    /// Counts a packet that this rule decided about.
    fn count_hit(&self, key: RuleKey);

    /// Calls [`rank_of`]. The kernel has it as a function of its own, and what it calls, as some of [`Packet`]'s methods.
    #[inline(always)]
    fn rank<P: Packet + ?Sized>(
        &self,
        packet: &P,
        settings: &Settings,
        scratch: &mut Scratch,
        of_response: bool,
    ) -> Rank
    where
        Self: Sized,
    {
        rank_of(packet, settings, self, scratch, of_response)
    }

    /// Calls [`group_of`].
    #[inline(always)]
    fn group_of<P: Packet + ?Sized>(
        &self,
        packet: &P,
        scratch: &Scratch,
        generation: Generation,
        of_response: bool,
    ) -> u32
    where
        Self: Sized,
    {
        group_of(packet, self, scratch, generation, of_response)
    }

    /// What is done with packets that come in by the interface of this one.
    fn interface(&self) -> &Interface;

    /// The index of that interface.
    fn interface_index(&self) -> u32;

    /// The time in nanoseconds, by a clock that never goes back; it may be some milliseconds old.
    fn now(&self) -> u64;

    /// Takes one answer off what the clients of this bucket may have in a second; false if there is none left.
    fn take_answer(&self, bucket: u32, per_second: u64) -> bool;

    /// Reports the name that was judged last, for this reason: at once, or if it is blocked when it is known what its client was
    /// given. Nothing here changes a verdict.
    fn report(&self, settings: &Settings, scratch: &mut Scratch, reason: Reason);
}
