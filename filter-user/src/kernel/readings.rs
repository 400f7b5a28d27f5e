//! What can be read of a filter by somebody else than who changes it: counters, hits and events.
//! Their maps stay the same ones when others grow.

use std::{collections::BTreeMap, os::fd::AsFd as _, sync::Arc};

use aya::{
    Ebpf,
    maps::{Array, Map, MapData, PerCpuArray, RingBuf},
};
use filter_core::{Counter, OfCpu, RuleKey};

use super::{Filter, KernelError, NameEvent, events, hits::AllHits, map, map_fd, pod::Value};

/// Counters and hits of a filter. Clones are of the same ones.
#[derive(Clone)]
pub struct Readings {
    cpus: Arc<PerCpuArray<MapData, Value<OfCpu>>>,
    state_missing: Arc<Array<MapData, u64>>,
    hits: AllHits,
}

impl Readings {
    pub(super) fn of(object: &Ebpf) -> Result<Self, KernelError> {
        Ok(Self {
            cpus: Arc::new(Map::PerCpuArray(again(object, "CPUS")?).try_into()?),
            state_missing: Arc::new(Map::Array(again(object, ".data.STATE_MISSING")?).try_into()?),
            hits: AllHits::of(map_fd(object, "HITS")?).map_err(KernelError::Shared)?,
        })
    }

    /// All counters, summed over the CPUs.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn counters(&self) -> Result<BTreeMap<Counter, u64>, KernelError> {
        let cpus = self.cpus.get(&0, 0)?;
        let sum = |counter: Counter| {
            cpus.iter()
                .map(|cpu| cpu.0.counters[counter.index() as usize])
                .sum()
        };
        let mut counters: BTreeMap<Counter, u64> = Counter::all()
            .map(|counter| (counter, sum(counter)))
            .collect();
        counters.insert(Counter::CpuStateMissing, self.state_missing.get(&0, 0)?);
        Ok(counters)
    }

    /// The rules that decided about something, and how many packets.
    ///
    /// # Errors
    /// If the kernel does not share its memory.
    pub fn all_hits(&self) -> Result<BTreeMap<RuleKey, u64>, KernelError> {
        self.hits.all().map_err(KernelError::Shared)
    }

    /// Has the kernel's table of hits take more rules, if less than one in `one_in` of its places
    /// is free; gives how many rules it had. Hits that were counted stay.
    ///
    /// # Errors
    /// If the kernel does not share its memory.
    pub fn make_room_for_hits(&self, one_in: usize) -> Result<usize, KernelError> {
        self.hits.make_room(one_in).map_err(KernelError::Shared)
    }

    pub(super) fn hits(&self) -> &AllHits {
        &self.hits
    }
}

/// A filter's events, for one reader.
pub struct Events(RingBuf<MapData>);

impl Events {
    /// Hands over the events that came since the last call, and does not wait for more. The kernel
    /// wakes nobody for an event: call this several times a second.
    pub fn drain(&mut self, each: impl FnMut(NameEvent)) {
        events::drain(&mut self.0, each);
    }
}

impl Filter {
    /// What can be read while somebody else changes the filter.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// The events, which this filter does not hand over any more.
    ///
    /// # Errors
    /// If there are no more descriptors.
    pub fn events(&self) -> Result<Events, KernelError> {
        let map = self.events.as_fd().try_clone_to_owned();
        let map = MapData::from_fd(map.map_err(KernelError::SharedMap)?)?;
        Ok(Events(Map::RingBuf(map).try_into()?))
    }
}

/// The map of this name once more.
fn again(object: &Ebpf, name: &'static str) -> Result<MapData, KernelError> {
    let (Map::Array(data) | Map::PerCpuArray(data)) = map(object, name)? else {
        return Err(KernelError::Object { what: name });
    };
    let map = data.fd().as_fd().try_clone_to_owned();
    Ok(MapData::from_fd(map.map_err(KernelError::SharedMap)?)?)
}
