//! The kernel's side of the controller: the program, its maps, and where it is attached.

mod attach;
mod batch;
mod error;
mod events;
mod load;
mod pod;
mod requirements;
mod test_run;
#[cfg(feature = "trace")]
mod trace;

use std::{
    collections::BTreeMap,
    fmt, io,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
};

use aya::{
    Ebpf,
    maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, ProgramArray, RingBuf},
    programs::{ProgramError, Xdp, links::FdLink},
};
use filter_core::{Counter, HASH_KEY_WORDS, HashKey, Program, RuleKey, Sides};

pub use attach::{AttachedMode, Attachment, Mode, interface_index};
pub use error::KernelError;
pub use events::NameEvent;
pub use load::LoadOptions;
use pod::{PodRule, PodSettings};
pub use test_run::{Judged, TestBed};

/// The object that the build script made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/namegate"));

/// The program's name in the object, and in the kernel.
const PROGRAM: &str = "namegate";

/// Keys that go to the kernel in one call.
const BATCH: usize = 4096;

/// Flags of `bpf_map_update_elem`: only if the key is new.
const NO_EXIST: u64 = 1;

/// The loaded program and its maps. Dropping it detaches and unloads the program.
pub struct Filter {
    object: Ebpf,
    /// The kernel empties the map when nobody holds it any longer.
    _programs: ProgramArray<MapData>,
    events: RingBuf<MapData>,
    hash_key: HashKey,
    capacity: u32,
    sides: BTreeMap<u32, Sides>,
    /// Dropping a link detaches it.
    attached: Vec<(Attachment, FdLink)>,
    #[cfg(feature = "trace")]
    trace: trace::Trace,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attached = self.attached.iter().map(|(attachment, _)| attachment).collect::<Vec<_>>();
        f.debug_struct("Filter").field("capacity", &self.capacity).field("attached", &attached).finish_non_exhaustive()
    }
}

/// What the kernel says of the loaded program.
#[derive(Clone, Copy, Debug)]
pub struct ProgramInfo {
    /// Its id, as `bpftool prog` shows it.
    pub id: u32,
    /// Instructions that the verifier went through, of the program that took most; it takes a million at most.
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
        requirements::check_capabilities()?;
        let hash_key = random_hash_key()?;
        let mut object = load::object(options)?;
        let mut array = Array::<_, PodSettings>::try_from(map_mut(&mut object, "SETTINGS")?)?;
        array.set(0, PodSettings(load::settings(options, &hash_key)), 0)?;
        let mut interfaces = Array::<_, u32>::try_from(map_mut(&mut object, "INTERFACES")?)?;
        for (index, sides) in &options.sides {
            interfaces.set(*index, sides.index(), 0)?;
        }
        let programs = load::programs(&mut object)?;
        Ok(Self {
            _programs: programs,
            events: RingBuf::try_from(object.take_map("EVENTS").ok_or(KernelError::Object { what: "EVENTS" })?)?,
            hash_key,
            capacity: options.max_rules.max(1),
            sides: options.sides.clone(),
            attached: Vec::new(),
            #[cfg(feature = "trace")]
            trace: trace::Trace::of(&mut object)?,
            object,
        })
    }

    /// The key under which this program hashes names; another one each time.
    pub fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// Rules that the map has room for.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Attaches the program to each interface: to all of them, or to none.
    ///
    /// # Errors
    /// Names the interface that could not be had and why.
    pub fn attach(&mut self, interfaces: &[String], mode: Mode) -> Result<Vec<Attachment>, KernelError> {
        let program = program(&mut self.object, PROGRAM)?;
        self.attached.extend(attach::to_all(program, interfaces, mode, &self.sides)?);
        Ok(self.attached.iter().map(|(attachment, _)| attachment.clone()).collect())
    }

    /// What the kernel says of the program.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn program(&mut self) -> Result<ProgramInfo, KernelError> {
        let map_memory = self.map_memory()?;
        let id = program(&mut self.object, PROGRAM)?.info()?.id();
        let (mut verified_instructions, mut bytes) = (0, 0);
        for name in Program::NAMES.into_iter().chain([PROGRAM]) {
            let info = program(&mut self.object, name)?.info()?;
            verified_instructions = info.verified_instruction_count().unwrap_or_default().max(verified_instructions);
            bytes += info.size_translated().unwrap_or_default();
        }
        Ok(ProgramInfo { id, verified_instructions, bytes, map_memory })
    }

    /// Adds a rule; one that is there stays as it is, with its hits.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] if the map has no room for it.
    pub fn insert(&mut self, key: RuleKey) -> Result<(), KernelError> {
        let rule = self.rules_mut()?.insert(key.0, PodRule::default(), NO_EXIST);
        match rule {
            Err(MapError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other.map_err(|error| self.explain_full(error)),
        }
    }

    /// Adds rules that are not there yet, many in a call; `progress` is told how many are in.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] if the map has no room for them; those that had room are in.
    pub fn insert_many(&mut self, keys: &[RuleKey], mut progress: impl FnMut(u64)) -> Result<(), KernelError> {
        let mut done = 0;
        let values = vec![PodRule::default(); BATCH.min(keys.len())];
        for chunk in keys.chunks(BATCH) {
            let values = values.get(..chunk.len()).unwrap_or_default();
            batch::update(self.rules_fd()?, chunk, values)
                .map_err(|error| self.explain_full(MapError::SyscallError(error)))?;
            done += chunk.len() as u64;
            progress(done);
        }
        Ok(())
    }

    /// Takes a rule out; false if it was not there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn remove(&mut self, key: RuleKey) -> Result<bool, KernelError> {
        match self.rules_mut()?.remove(&key.0) {
            Ok(()) => Ok(true),
            Err(MapError::KeyNotFound) => Ok(false),
            Err(MapError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Packets that a rule blocked; 0 for one that is not there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn hits(&self, key: RuleKey) -> Result<u64, KernelError> {
        match HashMap::<_, u64, PodRule>::try_from(map(&self.object, "RULES")?)?.get(&key.0, 0) {
            Ok(rule) => Ok(rule.0.hits),
            Err(MapError::KeyNotFound) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// The rules that blocked something, and how many packets. Reads the whole map.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn all_hits(&self) -> Result<Vec<(RuleKey, u64)>, KernelError> {
        let mut hits = Vec::new();
        batch::each(self.rules_fd()?, |key, rule| {
            if rule.0.hits > 0 {
                hits.push((key, rule.0.hits));
            }
        })
        .map_err(MapError::SyscallError)?;
        Ok(hits)
    }

    /// All counters, summed over the CPUs.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn counters(&self) -> Result<BTreeMap<Counter, u64>, KernelError> {
        let counters = PerCpuArray::<_, u64>::try_from(map(&self.object, "COUNTERS")?)?;
        Counter::all().map(|counter| Ok((counter, counters.get(&counter.index(), 0)?.iter().sum()))).collect()
    }

    /// Hands over the events that came since the last call, and does not wait for more. The kernel wakes nobody for an
    /// event: call this several times a second.
    pub fn drain_events(&mut self, each: impl FnMut(NameEvent)) {
        events::drain(&mut self.events, each);
        #[cfg(feature = "trace")]
        self.trace.print();
    }

    /// The program on a bench: one CPU, frames from memory.
    ///
    /// # Errors
    /// If this thread cannot be kept on a CPU.
    pub fn test_bed(&mut self) -> Result<TestBed<'_>, KernelError> {
        TestBed::new(&mut self.object, &mut self.events)
    }

    fn rules_mut(&mut self) -> Result<HashMap<&mut MapData, u64, PodRule>, KernelError> {
        Ok(HashMap::try_from(map_mut(&mut self.object, "RULES")?)?)
    }

    fn rules_fd(&self) -> Result<BorrowedFd<'_>, KernelError> {
        match map(&self.object, "RULES")? {
            Map::HashMap(data) => Ok(data.fd().as_fd()),
            _ => Err(KernelError::Object { what: "RULES" }),
        }
    }

    fn map_memory(&self) -> Result<u64, KernelError> {
        let mut memory = fd_memory(self.events.as_fd())?;
        for (_, map) in self.object.maps() {
            if let Map::Array(data) | Map::PerCpuArray(data) | Map::HashMap(data) = map {
                memory += fd_memory(data.fd().as_fd())?;
            }
        }
        Ok(memory)
    }

    fn explain_full(&self, error: MapError) -> KernelError {
        match &error {
            // E2BIG: no free entry.
            MapError::SyscallError(cause) if cause.io_error.raw_os_error() == Some(libc::E2BIG) => {
                KernelError::RulesFull { capacity: self.capacity }
            }
            _ => error.into(),
        }
    }
}

fn program<'o>(object: &'o mut Ebpf, name: &'static str) -> Result<&'o mut Xdp, KernelError> {
    let program = object.program_mut(name).ok_or(KernelError::Object { what: name })?;
    program.try_into().map_err(|error: ProgramError| error.into())
}

fn map<'o>(object: &'o Ebpf, name: &'static str) -> Result<&'o Map, KernelError> {
    object.map(name).ok_or(KernelError::Object { what: name })
}

fn map_mut<'o>(object: &'o mut Ebpf, name: &'static str) -> Result<&'o mut Map, KernelError> {
    object.map_mut(name).ok_or(KernelError::Object { what: name })
}

/// Memory that the kernel accounts to the map behind a descriptor (`memlock` of its fdinfo).
fn fd_memory(map: BorrowedFd<'_>) -> Result<u64, KernelError> {
    let path = format!("/proc/self/fdinfo/{}", map.as_raw_fd());
    let text = std::fs::read_to_string(&path).map_err(|error| KernelError::Read { path, error })?;
    let memory = text.lines().find_map(|line| line.strip_prefix("memlock:"));
    Ok(memory.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or_default())
}

fn random_hash_key() -> Result<HashKey, KernelError> {
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
