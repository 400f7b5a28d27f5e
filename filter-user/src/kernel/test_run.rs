//! Running the loaded program over frames from memory (`BPF_PROG_TEST_RUN`).

use std::{fmt, time::Duration};

use aya::{
    Ebpf,
    maps::{Array, MapData, PerCpuArray, RingBuf},
    programs::{TestRun as _, TestRunOptions, Xdp},
};
use filter_core::{Bucket, OfCpu, ProgramSet, Reason, Scratch, Sent};

use super::{
    KernelError, NameEvent, cpu::OneCpu, events, pod::Value, program, programs::Programs,
    requirements,
};

/// The program that does nothing, to measure against.
pub(super) const NOOP: &str = "noop";

/// The program on one CPU, with frames from memory. The thread stays on that CPU until this is
/// dropped.
pub struct TestBed<'f> {
    object: &'f mut Ebpf,
    programs: &'f mut Programs,
    events: &'f mut RingBuf<MapData>,
    /// The programs that every frame goes to; those of its length if there are none.
    set: Option<ProgramSet>,
    on: OneCpu,
}

/// What the program did with a frame.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where the kernel is to send the frame; `None` if that is neither on, back nor nowhere.
    pub sent: Option<Sent>,
    /// The frame as it is then.
    pub frame: Vec<u8>,
    /// Why.
    pub reason: Reason,
    /// The name that was judged last on this CPU, if any ever was.
    pub name: String,
}

impl<'f> TestBed<'f> {
    pub(super) fn new(
        object: &'f mut Ebpf,
        programs: &'f mut Programs,
        events: &'f mut RingBuf<MapData>,
    ) -> Result<Self, KernelError> {
        load_noop(object)?;
        Ok(Self {
            object,
            programs,
            events,
            set: None,
            on: OneCpu::this()?,
        })
    }

    /// The bed where every frame goes to these programs.
    #[must_use]
    pub fn with(mut self, set: ProgramSet) -> Self {
        self.set = Some(set);
        self
    }

    /// Bytes of a frame's first buffer at most; a longer one goes on in others, a page each.
    pub fn first_buffer() -> usize {
        /// `XDP_PACKET_HEADROOM` before the frame, and the kernel's `struct skb_shared_info` behind
        /// it.
        const AROUND: usize = 256 + 320;

        rustix::param::page_size() - AROUND
    }

    /// Runs the frame through the program. The kernel takes frames of at least 14 bytes.
    ///
    /// # Errors
    /// If the kernel does not take the frame.
    pub fn judge(&mut self, frame: &[u8]) -> Result<Judged, KernelError> {
        /// More than an answer is longer than its query.
        const ROOM: usize = 512;

        let mut out = vec![0; frame.len() + ROOM];
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ..TestRunOptions::new()
        };
        let set = self.set_for(frame)?;
        let run = program(self.object, set.entry)?.test_run(options)?;
        out.truncate(run.data_size_out as usize);
        let scratch = self.scratch()?;
        Ok(Judged {
            sent: sent(run.return_value),
            frame: out,
            reason: Reason::from_index(scratch.reason)
                .ok_or(KernelError::Object { what: "reason" })?,
            name: scratch.name.to_string(),
        })
    }

    /// Forgets the flows of which a message is held.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn forget_flows(&mut self) -> Result<(), KernelError> {
        self.fill_buckets(Bucket::default())
    }

    /// Forgets the flows, and has every part of their table kept by a CPU that does not let it go.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn keep_flows_busy(&mut self) -> Result<(), KernelError> {
        let mut kept = Bucket::default();
        kept.lock = 1;
        self.fill_buckets(kept)
    }

    /// Has that CPU let go of the table. What was noted of connections meanwhile stays.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn let_go_of_flows(&mut self) -> Result<(), KernelError> {
        for what in ["BUCKETS", "QUIC_BUCKETS"] {
            let missing = KernelError::Object { what };
            let mut buckets =
                Array::<_, Value<Bucket>>::try_from(self.object.map_mut(what).ok_or(missing)?)?;
            for index in 0..buckets.len() {
                let mut bucket = buckets.get(&index, 0)?;
                bucket.0.lock = 0;
                buckets.set(index, bucket, 0)?;
            }
        }
        Ok(())
    }

    /// Of TCP and of QUIC.
    fn fill_buckets(&mut self, bucket: Bucket) -> Result<(), KernelError> {
        for what in ["BUCKETS", "QUIC_BUCKETS"] {
            let missing = KernelError::Object { what };
            let mut buckets =
                Array::<_, Value<Bucket>>::try_from(self.object.map_mut(what).ok_or(missing)?)?;
            for index in 0..buckets.len() {
                buckets.set(index, Value(bucket), 0)?;
            }
        }
        Ok(())
    }

    /// Hands over the names that were reported since the last call.
    pub fn drain_events(&mut self, each: impl FnMut(NameEvent)) {
        events::drain(self.events, each);
    }

    /// The time that one run over the frame takes, averaged by the kernel over `repeat` runs.
    ///
    /// # Errors
    /// If the kernel does not take the frame.
    pub fn time(&mut self, frame: &[u8], repeat: u32) -> Result<Duration, KernelError> {
        let set = self.set_for(frame)?;
        Self::time_program(program(self.object, set.entry)?, frame, repeat)
    }

    /// The programs that take the frame, which are loaded then.
    fn set_for(&mut self, frame: &[u8]) -> Result<ProgramSet, KernelError> {
        let by_length = if frame.len() > Self::first_buffer() {
            ProgramSet::FRAGS
        } else {
            ProgramSet::LINEAR
        };
        let set = self.set.unwrap_or(by_length);
        self.programs.load(self.object, set)?;
        Ok(set)
    }

    /// The same of the program that does nothing.
    ///
    /// # Errors
    /// If the kernel does not take the frame.
    pub fn time_noop(&mut self, frame: &[u8], repeat: u32) -> Result<Duration, KernelError> {
        Self::time_program(program(self.object, NOOP)?, frame, repeat)
    }

    fn time_program(program: &Xdp, frame: &[u8], repeat: u32) -> Result<Duration, KernelError> {
        let options = TestRunOptions {
            data_in: Some(frame),
            repeat,
            ..TestRunOptions::new()
        };
        Ok(program.test_run(options)?.duration)
    }

    fn scratch(&self) -> Result<Scratch, KernelError> {
        let missing = KernelError::Object { what: "CPUS" };
        let Some(map) = self.object.map("CPUS") else {
            return Err(missing);
        };
        let cpus: PerCpuArray<&MapData, Value<OfCpu>> = PerCpuArray::try_from(map)?;
        cpus.get(&0, 0)?
            .get(self.on.cpu)
            .map(|cpu| cpu.0.scratch)
            .ok_or(missing)
    }
}

impl fmt::Debug for TestBed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestBed")
            .field("cpu", &self.on.cpu)
            .finish_non_exhaustive()
    }
}

/// Loads the program that does nothing, unless it is loaded.
pub(super) fn load_noop(object: &mut Ebpf) -> Result<(), KernelError> {
    let noop = program(object, NOOP)?;
    if noop.fd().is_err() {
        requirements::load(NOOP, noop)?;
    }
    Ok(())
}

/// Of `enum xdp_action` (linux/bpf.h).
fn sent(action: u32) -> Option<Sent> {
    match action {
        1 => Some(Sent::Drop),
        2 => Some(Sent::Pass),
        3 => Some(Sent::Tx),
        _ => None,
    }
}
