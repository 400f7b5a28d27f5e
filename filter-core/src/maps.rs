//! What the decision looks up and leaves behind, apart from the flows.

use crate::{
    abi::{Scratch, Settings, Sides},
    reason::{Counter, Reason},
    rules::Rules,
};

/// The maps: BPF maps in the kernel, collections in user space.
pub trait Maps: Rules {
    /// Counts one more; for what is not the reason of a packet.
    fn count(&self, counter: Counter);

    /// Which DNS messages are judged on the interface that the packet came in by.
    fn sides(&self) -> Sides;

    /// Reports the name that was judged last, for this reason. Nothing here changes a verdict.
    fn report(&self, settings: &Settings, scratch: &Scratch, reason: Reason);
}
