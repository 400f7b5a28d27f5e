//! Bodies and states of bounded loops.

use core::ops::ControlFlow;

/// The body of a loop that the kernel runs by `bpf_loop`.
///
/// A turn changes its [`LoopState`] and nothing else: the body itself is the same in each turn,
/// which `&self` makes sure of. Verifiers before Linux 6.8 check a body once, with what they know
/// of the stack at the first turn, and remove the code that would then never run. With a counter or
/// an outcome on the stack, Linux 6.1 loaded the program and found a sixth of the server names.
pub trait LoopBody<S: LoopState> {
    /// One turn; `Break` ends the loop.
    fn turn(&self, state: &mut S) -> ControlFlow<()>;
}

/// The body of a plain loop, of which the verifier follows every turn. It may have its state on the
/// stack.
pub(crate) trait Step {
    /// One turn; `Break` ends the loop.
    fn step(&mut self) -> ControlFlow<()>;
}

/// What the turns of a loop change: memory of a map, or references to such memory, and no value
/// beside them. The verifier assumes nothing of values in maps, neither at the first turn nor
/// behind the loop.
pub trait LoopState {}

/// Several turns as one.
pub(crate) struct Unrolled<'b, const TURNS: u32, B>(pub &'b B);

impl<const TURNS: u32, S: LoopState, B: LoopBody<S>> LoopBody<S> for Unrolled<'_, TURNS, B> {
    #[inline(always)]
    fn turn(&self, state: &mut S) -> ControlFlow<()> {
        for _ in 0..TURNS {
            self.0.turn(state)?;
        }
        ControlFlow::Continue(())
    }
}
