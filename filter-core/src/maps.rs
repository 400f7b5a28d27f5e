//! What the decision looks up and leaves behind, apart from the flows.

use crate::{
    abi::{Rank, Scratch, Settings, Sides},
    packet::Packet,
    reason::{Counter, Reason},
    rules::{RuleKey, Rules, rank_of},
};

/// The maps: BPF maps in the kernel, collections in user space.
pub trait Maps: Rules {
    /// Counts one more; for what is not the reason of a packet.
    fn count(&self, counter: Counter);

    /// Counts a packet that this rule decided about.
    fn count_hit(&self, key: RuleKey);

    /// Calls [`rank_of`]. The kernel has it as a function of its own, as some of [`Packet`]'s methods.
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

    /// Which DNS messages are judged on the interface that the packet came in by.
    fn sides(&self) -> Sides;

    /// Reports the name that was judged last, for this reason. Nothing here changes a verdict.
    fn report(&self, settings: &Settings, scratch: &Scratch, reason: Reason);
}
