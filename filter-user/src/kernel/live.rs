//! Frames that really go out of an interface, for measurements.

use std::fmt;

use aya::{
    Ebpf,
    programs::{TestRun as _, TestRunAttrs, TestRunOptions},
};

use super::{
    AttachedMode, Filter, KernelError, attach::interface_index, cpu::OneCpu, feed, program,
    requirements,
};

/// The program's name in the object.
const SEND: &str = "send";

/// Sends frames out of an interface, as fast as one CPU does.
pub struct Sender {
    object: Ebpf,
    rooms: u32,
}

/// A program that does the same with all that comes, attached to an interface until this is
/// dropped.
pub struct Noop {
    _object: Ebpf,
}

/// What such a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Lets packets pass.
    Pass,
    /// Drops them.
    Drop,
}

impl Sender {
    /// Lays these frames ready.
    ///
    /// # Errors
    /// If one of them is too long, or the kernel refuses.
    pub fn new(frames: &[impl AsRef<[u8]>]) -> Result<Self, KernelError> {
        let (mut object, rooms) = feed::object(frames)?;
        requirements::load(SEND, program(&mut object, SEND)?)?;
        Ok(Self { object, rooms })
    }

    /// Sends so many frames, beginning with the first, out of the interface with this index in the
    /// thread's network namespace. Where the far end of a veth has an XDP program, it runs on the
    /// same CPU, each time that a batch is out.
    ///
    /// # Errors
    /// If the kernel refuses, or does not send them all.
    pub fn send(&mut self, interface: u32, frames: u32) -> Result<(), KernelError> {
        /// What the kernel makes frames of; each turn puts another one in its place.
        const PACKET: [u8; 64] = [0; 64];
        /// As many as a driver is polled for at once; 256 were slower, 5.0 instead of 7.3 million
        /// packets a second.
        const BATCH: u32 = 64;

        let _cpu = OneCpu::this()?;
        feed::begin(&mut self.object, self.rooms)?;
        // `struct xdp_md` (linux/bpf.h): data, data_end, data_meta, ingress_ifindex,
        // rx_queue_index, egress_ifindex.
        let context = [0, PACKET.len() as u32, 0, interface, 0, 0].map(u32::to_ne_bytes);
        let options = TestRunOptions {
            data_in: Some(&PACKET),
            ctx_in: Some(context.as_flattened()),
            repeat: frames,
            attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
            ..TestRunOptions::new()
        };
        program(&mut self.object, SEND)?.test_run(options)?;
        feed::end(&self.object, SEND, frames)
    }
}

impl Noop {
    /// Attaches one to an interface in the thread's network namespace.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn attach(does: Does, interface: &str, mode: AttachedMode) -> Result<Self, KernelError> {
        let name = match does {
            Does::Pass => "pass",
            Does::Drop => "discard",
        };
        let (mut object, _) = feed::object(&[] as &[&[u8]])?;
        let program = program(&mut object, name)?;
        requirements::load(name, program)?;
        program.attach_to_if_index(interface_index(interface)?, mode.xdp_mode())?;
        Ok(Self { _object: object })
    }
}

impl Filter {
    /// Takes the program off all interfaces.
    pub fn detach(&mut self) {
        self.attached.clear();
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("rooms", &self.rooms)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Noop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noop").finish_non_exhaustive()
    }
}
