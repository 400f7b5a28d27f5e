//! Running the loaded program over many frames in one call: a program of its own feeds them to it.

use std::{fmt, time::Duration};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, MapData, ProgramArray, RingBuf},
    programs::{TestRun as _, TestRunOptions},
};
use filter_core::ProgramSet;
use test_programs::{Frames, Turns};

use super::{
    Filter, KernelError, NameEvent,
    cpu::OneCpu,
    events, map, map_mut,
    pod::Value,
    program,
    programs::InUse,
    requirements,
    test_run::{NOOP, load_noop},
};

/// The object that the build script made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/feed"));

/// The program's name in the object.
const FEED: &str = "feed";

/// Of `enum xdp_action` (linux/bpf.h): the frame could not be fed.
const ABORTED: u32 = 0;

/// The program on one CPU, with many frames in turn. The thread stays on that CPU until this is
/// dropped.
pub struct Feed<'f> {
    filter: &'f mut Ebpf,
    events: &'f mut RingBuf<MapData>,
    object: Ebpf,
    /// The program that the frames go to.
    fed: ProgramArray<MapData>,
    rooms: u32,
    _cpu: OneCpu,
}

impl<'f> Feed<'f> {
    /// Lays these frames ready.
    ///
    /// # Errors
    /// If one of them is too long, or the kernel refuses.
    pub fn new(filter: &'f mut Filter, frames: &[impl AsRef<[u8]>]) -> Result<Self, KernelError> {
        let Filter {
            object: filter,
            programs,
            events,
            ..
        } = filter;
        programs.load_for(filter, InUse::ALL)?;
        load_noop(filter)?;
        let (mut object, rooms) = object(frames)?;
        requirements::load(FEED, program(&mut object, FEED)?)?;
        let fed = ProgramArray::try_from(
            object
                .take_map("FED")
                .ok_or(KernelError::Object { what: "FED" })?,
        )?;
        Ok(Self {
            filter,
            events,
            object,
            fed,
            rooms,
            _cpu: OneCpu::this()?,
        })
    }

    /// The time that a frame takes with the feeding, averaged by the kernel over this many frames,
    /// which begin with the first.
    ///
    /// # Errors
    /// If the kernel refuses, or a frame could not be fed.
    pub fn time(&mut self, frames: u32) -> Result<Duration, KernelError> {
        self.time_program(ProgramSet::LINEAR.entry, frames)
    }

    /// The same of the program that does nothing: what the feeding takes.
    ///
    /// # Errors
    /// If the kernel refuses, or a frame could not be fed.
    pub fn time_noop(&mut self, frames: u32) -> Result<Duration, KernelError> {
        self.time_program(NOOP, frames)
    }

    /// Hands over the names that were reported since the last call.
    pub fn drain_events(&mut self, each: impl FnMut(NameEvent)) {
        events::drain(self.events, each);
    }

    fn time_program(&mut self, name: &'static str, frames: u32) -> Result<Duration, KernelError> {
        /// What the kernel takes; each turn puts another frame in its place.
        const PACKET: [u8; 64] = [0; 64];

        self.fed.set(0, program(self.filter, name)?.fd()?, 0)?;
        begin(&mut self.object, self.rooms)?;
        let options = TestRunOptions {
            data_in: Some(&PACKET),
            repeat: frames,
            ..TestRunOptions::new()
        };
        let run = program(&mut self.object, FEED)?.test_run(options)?;
        if run.return_value == ABORTED {
            return Err(KernelError::NotFed {
                program: name,
                fed: 0,
                of: frames,
            });
        }
        end(&self.object, name, frames)?;
        Ok(run.duration)
    }
}

/// The object with these frames in it, and how many rooms they take.
pub(super) fn object(frames: &[impl AsRef<[u8]>]) -> Result<(Ebpf, u32), KernelError> {
    let rooms = in_rooms(frames)?;
    let count = rooms.len() as u32;
    let mut object = EbpfLoader::new()
        .map_max_entries("FRAMES", count)
        .load(OBJECT)
        .map_err(|error| requirements::explain_load(error, None))?;
    let mut map = Array::<_, Value<Frames>>::try_from(map_mut(&mut object, "FRAMES")?)?;
    for (index, room) in (0..).zip(&rooms) {
        map.set(index, room, 0)?;
    }
    Ok((object, count))
}

/// The next turn is the first frame's.
pub(super) fn begin(object: &mut Ebpf, rooms: u32) -> Result<(), KernelError> {
    let mut turns = Array::<_, Value<Turns>>::try_from(map_mut(object, "TURNS")?)?;
    Ok(turns.set(0, Value(Turns::of(rooms)), 0)?)
}

/// Makes sure that so many frames had their turn.
pub(super) fn end(object: &Ebpf, program: &'static str, frames: u32) -> Result<(), KernelError> {
    let fed = Array::<_, Value<Turns>>::try_from(map(object, "TURNS")?)?
        .get(&0, 0)?
        .0
        .fed;
    if fed == u64::from(frames) {
        Ok(())
    } else {
        Err(KernelError::NotFed {
            program,
            fed,
            of: frames,
        })
    }
}

/// The frames in as many rooms as they need, at least one.
fn in_rooms(frames: &[impl AsRef<[u8]>]) -> Result<Vec<Value<Frames>>, KernelError> {
    let mut rooms = vec![Value(Frames::EMPTY)];
    let mut at = 0;
    for frame in frames.iter().map(AsRef::as_ref) {
        if at > Frames::LAST {
            rooms.push(Value(Frames::EMPTY));
            at = 0;
        }
        let behind = rooms.last_mut().and_then(|Value(room)| room.put(at, frame));
        at = behind.ok_or(KernelError::FrameLength {
            len: frame.len(),
            most: Frames::MOST,
        })?;
    }
    Ok(rooms)
}

impl fmt::Debug for Feed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("rooms", &self.rooms)
            .finish_non_exhaustive()
    }
}
