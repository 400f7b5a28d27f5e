//! Loading the programs, and what they are loaded with.

use std::collections::BTreeMap;

use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::{MapData, ProgramArray},
};
use filter_core::{Fragments, HashKey, Options, Program, Settings, Sides, WAYS};

use super::{KernelError, OBJECT, PROGRAM, program, requirements};

/// What a filter is loaded with.
#[derive(Clone)]
pub struct LoadOptions {
    /// The key under which names are hashed; a new one is drawn if it is left out.
    pub hash_key: Option<HashKey>,
    /// Entries that the map of rules has room for.
    pub max_rules: u32,
    /// Ports whose datagrams and streams are DNS.
    pub dns_ports: Vec<u16>,
    /// Events a second that each CPU may report.
    pub events_per_second: u32,
    /// Whether names that pass are reported as well.
    pub report_passed: bool,
    /// What becomes of IP fragments behind the first.
    pub fragments: Fragments,
    /// TCP flows of which a message in several segments is held at once.
    pub flows: u32,
    /// By index of the interface, which DNS messages are judged there; both on others.
    pub sides: BTreeMap<u32, Sides>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        let Options { dns_ports, events_per_second, report_passed, fragments, flows } = Options::default();
        let dns_ports = dns_ports.to_vec();
        Self {
            hash_key: None,
            max_rules: 1,
            dns_ports,
            events_per_second,
            report_passed,
            fragments,
            flows,
            sides: BTreeMap::new(),
        }
    }
}

/// The settings that the options ask for.
pub(super) fn settings(options: &LoadOptions, hash_key: &HashKey) -> Settings {
    let &LoadOptions { ref dns_ports, events_per_second, report_passed, fragments, flows, .. } = options;
    Settings::new(*hash_key, &Options { dns_ports, events_per_second, report_passed, fragments, flows })
}

/// The object with maps of the sizes that these options need.
pub(super) fn object(options: &LoadOptions) -> Result<Ebpf, KernelError> {
    let buckets = Settings::buckets(options.flows);
    let interfaces = options.sides.keys().last().map_or(1, |index| index.saturating_add(1));
    EbpfLoader::new()
        .map_max_entries("RULES", options.max_rules.max(1))
        .map_max_entries("BUCKETS", buckets)
        .map_max_entries("FLOWS", buckets * WAYS)
        .map_max_entries("INTERFACES", interfaces)
        .load(OBJECT)
        .map_err(requirements::explain_load)
}

/// Loads the program and those that it goes on with, and gives the map of these.
pub(super) fn programs(object: &mut Ebpf) -> Result<ProgramArray<MapData>, KernelError> {
    let load = |object: &mut Ebpf, name| {
        program(object, name)?.load().map_err(|error| requirements::explain_load(EbpfError::from(error)))
    };
    let missing = KernelError::Object { what: "PROGRAMS" };
    let mut programs = ProgramArray::try_from(object.take_map("PROGRAMS").ok_or(missing)?)?;
    for (place, name) in (0..).zip(Program::NAMES) {
        load(object, name)?;
        programs.set(place, program(object, name)?.fd()?, 0)?;
    }
    load(object, PROGRAM)?;
    Ok(programs)
}
