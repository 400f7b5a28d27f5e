//! Loading the programs, and what they are loaded with.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use aya::{Ebpf, EbpfLoader};
use filter_core::{
    AUDIENCES_OF_BANK, Actions, Fragments, Generation, HashKey, Interface, ListName, Options, Quic,
    Rule, Settings, WAYS,
};

use super::{KernelError, OBJECT, Pins, PolicySize, Room, requirements};

/// What a filter is loaded with.
#[derive(Clone)]
pub struct LoadOptions {
    /// The key under which names are hashed; a new one is drawn if it is left out.
    pub hash_key: Option<HashKey>,
    /// Entries that rules may take in the kernel at most.
    pub max_rules: u32,
    /// Entries that the first maps are made for; a policy that needs more gets larger ones.
    /// `max_rules` if it is left out.
    pub room: Option<u32>,
    /// What else the first maps are made for, likewise; what a small network needs at least.
    pub size: PolicySize,
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
    /// QUIC connections that are remembered at once.
    pub quic_flows: u32,
    /// QUIC packets that each CPU opens in a second at most; 0 for no bound.
    pub quic_per_second: u32,
    /// The same of the packets of one source.
    pub quic_per_source: u32,
    /// Whether packets beyond that are dropped.
    pub drops_quic_beyond: bool,
    /// Answers a second that the clients of a prefix get at most; 0 for any number.
    pub answers_per_second: u32,
    /// Seconds for which others may keep an answer.
    pub answer_ttl: u32,
    /// Whether an answer has the name of the list.
    pub names_lists: bool,
    /// After this long, a segment that comes again has another reset.
    pub reset_again_after: Duration,
    /// What is done on each interface, by its index.
    pub interfaces: BTreeMap<u32, Interface>,
    /// Where links, programs and maps stay when the controller ends; without it, the filter ends with
    /// it.
    pub pins: Option<Arc<Pins>>,
    /// What may be done on interfaces that come later.
    pub interfaces_to_come: Vec<Interface>,
    /// Indices of interfaces that there is room for, counted from 0; those of `interfaces` have
    /// room in any case.
    pub interface_slots: u32,
    /// The folder for the verifier's log where it refuses a program; that of temporary files if it
    /// is left out.
    pub verifier_logs: Option<PathBuf>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        let options = Options::default();
        Self {
            hash_key: None,
            max_rules: 1,
            room: None,
            size: PolicySize {
                banks: 1,
                ..PolicySize::default()
            },
            dns_ports: options.dns_ports.to_vec(),
            events_per_second: options.events_per_second,
            report_passed: options.report_passed,
            fragments: options.fragments,
            flows: options.flows,
            quic_flows: options.quic_flows,
            quic_per_second: options.quic_per_second,
            quic_per_source: options.quic_per_source,
            drops_quic_beyond: options.drops_quic_beyond,
            answers_per_second: options.answers_per_second,
            answer_ttl: options.answer_ttl,
            names_lists: options.names_lists,
            reset_again_after: options.reset_again_after,
            interfaces: BTreeMap::new(),
            pins: None,
            interfaces_to_come: Vec::new(),
            interface_slots: 1,
            verifier_logs: None,
        }
    }
}

impl LoadOptions {
    /// True if QUIC is inspected on one of the interfaces; without any, all are as the kernel
    /// program has them.
    pub(super) fn inspects_quic(&self) -> bool {
        let mut all = self.all_interfaces().peekable();
        all.peek().is_none() || all.any(|interface| interface.quic() == Quic::Inspect)
    }

    /// What is done on interfaces that are there, or come later.
    pub(super) fn all_interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.values().chain(&self.interfaces_to_come)
    }

    /// `interface_slots`, with room for all of `interfaces`.
    pub(super) fn slots_at_least(&self) -> u32 {
        let highest = self.interfaces.keys().last();
        let slots = highest.map_or(1, |index| index.saturating_add(1));
        self.interface_slots.max(slots)
    }
}

/// The settings that the options ask for.
pub(super) fn settings(options: &LoadOptions, hash_key: &HashKey) -> Settings {
    let options = Options {
        dns_ports: &options.dns_ports,
        events_per_second: options.events_per_second,
        report_passed: options.report_passed,
        fragments: options.fragments,
        flows: options.flows,
        quic_flows: options.quic_flows,
        quic_per_second: options.quic_per_second,
        quic_per_source: options.quic_per_source,
        drops_quic_beyond: options.drops_quic_beyond,
        answers_per_second: options.answers_per_second,
        answer_ttl: options.answer_ttl,
        names_lists: options.names_lists,
        reset_again_after: options.reset_again_after,
    };
    Settings::new(*hash_key, &options)
}

/// The object with maps of the sizes that these options need, and a policy this room.
pub(super) fn object(options: &LoadOptions, room: Room) -> Result<Ebpf, KernelError> {
    let quic_flows = if options.inspects_quic() {
        Settings::buckets(options.quic_flows) * WAYS
    } else {
        WAYS
    };
    sized(
        options,
        room,
        [Settings::buckets(options.flows) * WAYS, quic_flows],
    )
}

/// The object with maps for a policy that needs this room. Those of flows take no memory: others
/// are to take their place.
pub(super) fn object_for_rules(options: &LoadOptions, room: Room) -> Result<Ebpf, KernelError> {
    sized(options, room, [1, 1])
}

fn sized(
    options: &LoadOptions,
    room: Room,
    [flows, quic_flows]: [u32; 2],
) -> Result<Ebpf, KernelError> {
    let PolicySize {
        groups,
        clients,
        banks,
        lists,
        further_effects,
    } = room.size;
    EbpfLoader::new()
        .map_max_entries("RULES", room.pages)
        .map_max_entries("BLOOM", room.shape().bloom_words())
        .map_max_entries("EFFECTS", Rule::NUMBERS.saturating_add(further_effects))
        .map_max_entries(
            "ACTIONS",
            Actions::place(banks * AUDIENCES_OF_BANK, Generation::default()),
        )
        .map_max_entries("LISTS", ListName::place(lists, Generation::default()))
        .map_max_entries("GROUPS", groups.saturating_mul(banks))
        .map_max_entries("MACS", clients.macs)
        .map_max_entries("SUBNETS4", clients.subnets4)
        .map_max_entries("SUBNETS6", clients.subnets6)
        .map_max_entries("BUCKETS", Settings::buckets(options.flows))
        .map_max_entries("FLOWS", flows)
        .map_max_entries("QUIC_BUCKETS", Settings::buckets(options.quic_flows))
        .map_max_entries("QUIC_FLOWS", quic_flows)
        .map_max_entries("INTERFACES", options.slots_at_least())
        .load(OBJECT)
        .map_err(|error| requirements::explain_load(error, options.verifier_logs.as_deref()))
}
