//! A program that does one thing with each large frame, to see what the kernel makes of it. Only
//! for kernels that may be damaged: a guest's.

use std::fmt;

use aya::{Ebpf, EbpfLoader, maps::Array};

use super::{
    AttachedMode, KernelError, attach::interface_index, map, map_mut, program, requirements,
};

/// The object that the build script made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/operations"));

/// What is done with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Change {
    /// Nothing.
    None = 0,
    /// Bytes of the first buffer are read, and written back.
    StoreNear = 1,
    /// Bytes of the last buffer are read, and written back.
    StoreFar = 2,
    /// The frame begins earlier.
    LongerHead = 3,
    /// The frame begins later.
    ShorterHead = 4,
    /// The last buffer ends earlier, and stays.
    ShorterTail = 5,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::StoreNear,
        Self::StoreFar,
        Self::LongerHead,
        Self::ShorterHead,
        Self::ShorterTail,
    ];
}

/// What becomes of it then (`enum xdp_action`, linux/bpf.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// It is dropped.
    Drop = 1,
    /// It goes on to the network stack.
    Pass = 2,
    /// It goes back where it came from.
    Tx = 3,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Drop, Self::Pass, Self::Tx];
}

/// What the program saw so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Large frames.
    pub frames: u64,
    /// Of these, how many lay in several buffers.
    pub in_several_buffers: u64,
    /// Changes that the kernel refused.
    pub refused: u64,
}

/// The program, attached to an interface until this is dropped.
pub struct Operation {
    object: Ebpf,
}

impl Operation {
    /// Attaches it to an interface in the thread's network namespace, as [`Filter`](super::Filter)
    /// is in that mode: for frames in several buffers in native mode, and for those that the kernel
    /// makes linear in generic mode.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn attach(
        change: Change,
        action: Action,
        interface: &str,
        mode: AttachedMode,
    ) -> Result<Self, KernelError> {
        let name = match mode {
            AttachedMode::Native => "operate",
            AttachedMode::Generic => "operate_linear",
        };
        let mut object = EbpfLoader::new()
            .load(OBJECT)
            .map_err(|error| requirements::explain_load(error, None))?;
        let mut task = Array::<_, u32>::try_from(map_mut(&mut object, "TASK")?)?;
        task.set(0, change as u32, 0)?;
        task.set(1, action as u32, 0)?;
        let program = program(&mut object, name)?;
        program
            .load()
            .map_err(|error| requirements::explain_program(name, error, None))?;
        program.attach_to_if_index(interface_index(interface)?, mode.xdp_mode())?;
        Ok(Self { object })
    }

    /// What it saw so far.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn seen(&self) -> Result<Seen, KernelError> {
        let seen = Array::<_, u64>::try_from(map(&self.object, "SEEN")?)?;
        let [frames, in_several_buffers, refused] = [0, 1, 2].map(|place| seen.get(&place, 0));
        Ok(Seen {
            frames: frames?,
            in_several_buffers: in_several_buffers?,
            refused: refused?,
        })
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}
