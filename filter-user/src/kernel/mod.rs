//! The kernel's side of the controller: the program, its maps, and where it is attached.

mod attach;
mod batch;
mod bloom;
mod changes;
mod clients;
mod cpu;
mod device;
mod effect;
mod error;
mod events;
#[cfg(feature = "feed")]
mod feed;
mod growing;
mod hits;
mod interfaces;
mod keeping;
mod links;
#[cfg(feature = "feed")]
mod live;
mod load;
mod netlink;
mod offloads;
#[cfg(feature = "feed")]
mod operations;
mod patterns;
mod pins;
mod pod;
mod policy;
mod programs;
mod readings;
mod requirements;
mod room;
mod rules;
mod shared;
mod sharing;
#[cfg(feature = "feed")]
mod tagging;
mod test_run;
#[cfg(feature = "trace")]
mod trace;
mod unsettled;

use std::{
    collections::BTreeMap,
    fmt,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
    path::Path,
};

use aya::{
    Ebpf,
    maps::{Array, Map, MapData, MapError, RingBuf},
    programs::{ProgramError, Xdp},
};
use filter_core::{
    Counter, Effect, Generation, HASH_KEY_WORDS, HashKey, ProgramSet, RuleKey, Settings,
};
use filter_policy::groups::Groups;

pub use attach::{AttachedMode, Attachment, Mode, interface_index, is_interface};
use bloom::BloomFilter;
pub(crate) use changes::{Changed, Changes};
pub(crate) use device::{Device, program_name};
pub use error::KernelError;
pub use events::NameEvent;
#[cfg(feature = "feed")]
pub use feed::Feed;
pub use interfaces::SPARE_SLOTS;
pub(crate) use interfaces::{Held, Look};
use links::Link;
#[cfg(feature = "feed")]
pub use live::{Does, Noop, Sender};
pub use load::LoadOptions;
pub use netlink::{default_route_interfaces, highest_interface_index, interface_name};
pub use offloads::joining_below;
#[cfg(feature = "feed")]
pub use operations::{Action, Change, Operation, Seen};
use pins::ObjectPins;
pub use pins::{DEFAULT_PINS, PinError, Pins};
use pod::Value;
use policy::Buffered;
pub use policy::Installed;
use programs::{InUse, Programs};
pub use readings::{Events, Readings};
pub use requirements::{
    Feature, Features, Refusal, SavedLog, check_capabilities, required_features,
};
#[cfg(feature = "root-tests")]
pub use requirements::{detach_links_of, try_object};
use room::Room;
pub use room::{MAX_RULES, PolicySize, room_for};
#[cfg(feature = "feed")]
pub use tagging::{Tag, Tagging};

pub use test_run::{Judged, TestBed};

/// The object that the build script made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/namegate"));

/// Rules that go to the kernel in one call, at least.
const BATCH: usize = 4096;

/// The loaded program and its maps. Dropping it detaches and unloads the program, unless it is
/// pinned.
pub struct Filter {
    object: Ebpf,
    programs: Programs,
    events: RingBuf<MapData>,
    /// With the hash key.
    options: LoadOptions,
    hash_key: HashKey,
    room: Room,
    bloom: BloomFilter,
    buffered: Buffered,
    readings: Readings,
    /// Indices of interfaces that there is room for.
    interface_slots: u32,
    attached: Vec<(Attachment, Link)>,
    /// What stays of this object when the controller ends.
    kept: Option<ObjectPins>,
    #[cfg(feature = "trace")]
    trace: trace::Trace,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attached = self
            .attached
            .iter()
            .map(|(attachment, _)| attachment)
            .collect::<Vec<_>>();
        f.debug_struct("Filter")
            .field("room", &self.room)
            .field("attached", &attached)
            .finish_non_exhaustive()
    }
}

/// What the kernel says of the loaded program.
#[derive(Clone, Copy, Debug)]
pub struct ProgramInfo {
    /// Its id, as `bpftool prog` shows it.
    pub id: u32,
    /// Instructions that the verifier went through, of the program that took most; it takes a
    /// million at most.
    pub verified_instructions: u32,
    /// Bytes of the program and of those that it goes on with as loaded, before they were compiled.
    pub bytes: u32,
    /// Memory of all its maps, in bytes.
    pub map_memory: u64,
}

impl Filter {
    /// Loads the program, with no rules and not attached anywhere.
    ///
    /// # Errors
    /// Where the kernel, a limit or a missing permission forbids it; the error says which.
    pub fn load(options: &LoadOptions) -> Result<Self, KernelError> {
        check_capabilities()?;
        let hash_key = match options.hash_key {
            Some(key) => key,
            None => draw_hash_key()?,
        };
        let options = LoadOptions {
            hash_key: Some(hash_key),
            interface_slots: options.slots_at_least(),
            ..options.clone()
        };
        let room = Room::new(options.room.unwrap_or(u32::MAX).min(options.max_rules))
            .with_size(options.size);
        let mut object = load::object(&options, room)?;
        keeping::go_on(&object, &options, &hash_key)?;
        let mut array =
            Array::<_, Value<Settings>>::try_from(map_mut(&mut object, ".data.SETTINGS")?)?;
        array.set(0, Value(load::settings(&options, &hash_key)), 0)?;
        for (index, interface) in &options.interfaces {
            attach::write_settings(&mut object, *index, *interface)?;
        }
        let programs = Programs::new(options.verifier_logs.clone());
        Self::of_object(object, programs, options, hash_key, room)
    }

    /// A filter with this object, whose programs are loaded then, and which has no rules in maps of
    /// this room.
    fn of_object(
        mut object: Ebpf,
        mut programs: Programs,
        options: LoadOptions,
        hash_key: HashKey,
        room: Room,
    ) -> Result<Self, KernelError> {
        programs.load(&mut object, ProgramSet::LINEAR)?;
        let bloom = BloomFilter::of(map_fd(&object, "BLOOM")?, room.shape())
            .map_err(KernelError::Shared)?;
        let mut filter = Self {
            programs,
            interface_slots: options.interface_slots,
            events: RingBuf::try_from(
                object
                    .take_map("EVENTS")
                    .ok_or(KernelError::Object { what: "EVENTS" })?,
            )?,
            options,
            hash_key,
            room,
            bloom,
            buffered: Buffered::of(room.shape()),
            readings: Readings::of(&object)?,
            attached: Vec::new(),
            kept: None,
            #[cfg(feature = "trace")]
            trace: trace::Trace::of(&mut object)?,
            object,
        };
        for generation in [Generation::default(), Generation::default().other()] {
            filter.write_audiences(
                &Groups::default().audiences,
                generation,
                filter.buffered.in_force,
            )?;
        }
        filter.set_in_force(filter.buffered.in_force)?;
        Ok(filter)
    }

    /// The key under which this program hashes names; another one each time.
    pub fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// The groups of clients that are in force.
    pub fn groups(&self) -> &Groups {
        &self.buffered.groups
    }

    /// Rules that the map has room for.
    pub fn capacity(&self) -> u32 {
        self.room.rules
    }

    /// Rules that the map may have room for, once a policy has so many.
    pub fn max_rules(&self) -> u32 {
        self.options.max_rules
    }

    /// Where the filter is pinned, so that it stays when the controller ends; `None` if it does not.
    pub fn pins(&self) -> Option<&Path> {
        self.options.pins.as_ref().map(|pins| pins.folder())
    }

    /// What the kernel says of the program.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn program(&mut self) -> Result<ProgramInfo, KernelError> {
        let map_memory = self.map_memory()?;
        let id = program(&mut self.object, ProgramSet::LINEAR.entry)?
            .info()?
            .id();
        let (mut verified_instructions, mut bytes) = (0, 0);
        for name in self.programs.names() {
            let info = program(&mut self.object, name)?.info()?;
            verified_instructions = info
                .verified_instruction_count()
                .unwrap_or_default()
                .max(verified_instructions);
            bytes += info.size_translated().unwrap_or_default();
        }
        Ok(ProgramInfo {
            id,
            verified_instructions,
            bytes,
            map_memory,
        })
    }

    /// Loads all programs, also those that nothing needs yet.
    ///
    /// # Errors
    /// If the kernel refuses one.
    pub fn load_all(&mut self) -> Result<(), KernelError> {
        self.programs.load(&mut self.object, ProgramSet::FRAGS)?;
        self.programs.load_for(&mut self.object, InUse::ALL)
    }

    /// Instructions that the verifier went through, by program, of those that are loaded.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn verified_instructions(&mut self) -> Result<Vec<(&'static str, u32)>, KernelError> {
        let object = &mut self.object;
        let count = |name| {
            Ok((
                name,
                program(object, name)?
                    .info()?
                    .verified_instruction_count()
                    .unwrap_or_default(),
            ))
        };
        self.programs.names().map(count).collect()
    }

    /// Takes a rule out, with its hits; false if it was not there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn remove(&mut self, key: RuleKey) -> Result<bool, KernelError> {
        self.forget_hits(|rule| rule == key)?;
        let written = self.write_rules(&[(key, Effect::NONE)], |_| {})?;
        self.buffered.gone += written.removed;
        Ok(written.removed > 0)
    }

    pub(super) fn forget_hits(&self, is_gone: impl Fn(RuleKey) -> bool) -> Result<(), KernelError> {
        self.readings
            .hits()
            .forget(is_gone)
            .map_err(KernelError::Shared)
    }

    /// Packets that a rule decided about; 0 for one that did not, or is not there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn hits(&self, key: RuleKey) -> Result<u64, KernelError> {
        self.readings
            .hits()
            .of_rule(key)
            .map_err(KernelError::Shared)
    }

    /// The rules that decided about something, and how many packets.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn all_hits(&self) -> Result<BTreeMap<RuleKey, u64>, KernelError> {
        self.readings.all_hits()
    }

    /// All counters, summed over the CPUs.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn counters(&self) -> Result<BTreeMap<Counter, u64>, KernelError> {
        self.readings.counters()
    }

    /// Hands over the events that came since the last call, and does not wait for more. The kernel
    /// wakes nobody for an event: call this several times a second.
    pub fn drain_events(&mut self, each: impl FnMut(NameEvent)) {
        events::drain(&mut self.events, each);
        #[cfg(feature = "trace")]
        self.trace.print();
    }

    /// Lets every key through the Bloom filter: all are looked for among the rules, as if it were
    /// not there.
    ///
    /// # Errors
    /// If the kernel does not share its memory.
    #[cfg(feature = "root-tests")]
    pub fn open_bloom(&mut self) -> Result<(), KernelError> {
        self.bloom.open_wide().map_err(KernelError::Shared)
    }

    /// The program on a bench: one CPU, frames from memory.
    ///
    /// # Errors
    /// If this thread cannot be kept on a CPU.
    pub fn test_bed(&mut self) -> Result<TestBed<'_>, KernelError> {
        self.programs.load_for(&mut self.object, InUse::ALL)?;
        TestBed::new(&mut self.object, &mut self.programs, &mut self.events)
    }

    fn map_memory(&self) -> Result<u64, KernelError> {
        let mut memory = fd_memory(self.events.as_fd())?
            + self.buffered.parts.as_ref().map_or(0, patterns::memory);
        for (_, map) in self.object.maps() {
            if let Map::Array(data)
            | Map::PerCpuArray(data)
            | Map::HashMap(data)
            | Map::LpmTrie(data) = map
            {
                memory += fd_memory(data.fd().as_fd())?;
            }
        }
        Ok(memory)
    }

    fn explain_full(&self, error: MapError) -> KernelError {
        match &error {
            // E2BIG: no free entry.
            MapError::SyscallError(cause) if cause.io_error.raw_os_error() == Some(libc::E2BIG) => {
                self.rules_full()
            }
            _ => error.into(),
        }
    }

    fn rules_full(&self) -> KernelError {
        KernelError::RulesFull {
            capacity: self.room.rules,
        }
    }
}

fn program<'o>(object: &'o mut Ebpf, name: &'static str) -> Result<&'o mut Xdp, KernelError> {
    let program = object
        .program_mut(name)
        .ok_or(KernelError::Object { what: name })?;
    program
        .try_into()
        .map_err(|error: ProgramError| error.into())
}

fn map_fd<'o>(object: &'o Ebpf, name: &'static str) -> Result<BorrowedFd<'o>, KernelError> {
    match map(object, name)? {
        Map::HashMap(data) | Map::Array(data) => Ok(data.fd().as_fd()),
        _ => Err(KernelError::Object { what: name }),
    }
}

fn map<'o>(object: &'o Ebpf, name: &'static str) -> Result<&'o Map, KernelError> {
    object.map(name).ok_or(KernelError::Object { what: name })
}

fn map_mut<'o>(object: &'o mut Ebpf, name: &'static str) -> Result<&'o mut Map, KernelError> {
    object
        .map_mut(name)
        .ok_or(KernelError::Object { what: name })
}

/// Memory that the kernel accounts to the map behind a descriptor (`memlock` of its fdinfo).
fn fd_memory(map: BorrowedFd<'_>) -> Result<u64, KernelError> {
    let path = format!("/proc/self/fdinfo/{}", map.as_raw_fd());
    let text = std::fs::read_to_string(&path).map_err(|error| KernelError::Read { path, error })?;
    let memory = text.lines().find_map(|line| line.strip_prefix("memlock:"));
    Ok(memory
        .and_then(|bytes| bytes.trim().parse().ok())
        .unwrap_or_default())
}

/// A key that nobody can guess.
///
/// # Errors
/// If the system has no random numbers.
pub fn draw_hash_key() -> Result<HashKey, KernelError> {
    let mut words = [0; HASH_KEY_WORDS];
    for word in &mut words {
        let mut bytes = [0; 8];
        let got = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| KernelError::Random(error.into()))?;
        // Requests of up to 256 bytes are never cut short (getrandom(2)).
        debug_assert_eq!(got, bytes.len());
        *word = u64::from_ne_bytes(bytes);
    }
    Ok(HashKey::from_words(words))
}
