//! What the controller tells of itself, without waiting for whoever changes the policy.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::body::Bytes;
use filter_api::status::{
    EventCounts, ListStatus, Memory, Program, RuleCounts, RuleHits, Stats, Status,
};
use filter_core::{Actions, Counter};
use filter_policy::compiled::Policy;
use tokio::sync::broadcast;

use super::{Interfaces, NamedInterface, reading};
use crate::{
    answers,
    kernel::{Filter, KernelError, ProgramInfo, Readings},
};

/// What is known of the filter and its policy, to be read at any time: an install, or names that are
/// added by the thousand, hold up nobody who only looks.
pub struct View {
    pub(super) policy: Arc<RwLock<Policy>>,
    pub(super) interfaces: Interfaces,
    pub(super) readings: Readings,
    loaded: RwLock<Loaded>,
    pub(super) events: broadcast::Sender<Bytes>,
    pub(super) reported: AtomicU64,
    pub(super) socket: PathBuf,
    pub(super) state: Option<PathBuf>,
    pub(super) pins: Option<PathBuf>,
    started: Instant,
}

/// What only the owner of the filter can ask the kernel, as it was when that was asked last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loaded {
    program: ProgramInfo,
    capacity: u32,
    max_rules: u32,
}

impl Loaded {
    /// As it is now.
    pub fn of(filter: &mut Filter) -> Result<Self, KernelError> {
        Ok(Self {
            program: filter.program()?,
            capacity: filter.capacity(),
            max_rules: filter.max_rules(),
        })
    }
}

impl View {
    /// Of a filter and all that goes with it.
    pub(super) fn new(
        filter: &mut Filter,
        policy: Arc<RwLock<Policy>>,
        interfaces: Interfaces,
        events: broadcast::Sender<Bytes>,
        (socket, state): (PathBuf, Option<PathBuf>),
    ) -> Result<Self, KernelError> {
        Ok(Self {
            policy,
            interfaces,
            readings: filter.readings().clone(),
            loaded: RwLock::new(Loaded::of(filter)?),
            events,
            reported: AtomicU64::new(0),
            socket,
            state,
            pins: filter.pins().map(Into::into),
            started: Instant::now(),
        })
    }

    /// From now on, this is loaded.
    pub(super) fn set_loaded(&self, loaded: Loaded) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// What `GET /v1/status` tells.
    pub fn status(&self) -> Result<Status, KernelError> {
        let Loaded {
            program,
            capacity,
            max_rules,
        } = *self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let counters = self.readings.counters()?;
        let count = |counter| counters.get(&counter).copied().unwrap_or_default();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            pid: process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            socket: self.socket.clone(),
            state: self.state.clone(),
            pins: self.pins.clone(),
            program: Program {
                id: program.id,
                verified_instructions: program.verified_instructions,
            },
            interfaces: self
                .interfaces
                .snapshot()
                .iter()
                .map(NamedInterface::status)
                .collect(),
            rules: RuleCounts {
                capacity: capacity.into(),
                max_rules: max_rules.into(),
                ..rule_counts(&reading(&self.policy))
            },
            memory: Memory {
                kernel_bytes: program.map_memory,
                controller_bytes: resident_bytes(),
            },
            events: EventCounts {
                reported: self.reported.load(Ordering::Relaxed),
                suppressed: count(Counter::EventsSuppressed),
                lost: count(Counter::EventsLost),
                readers: self.events.receiver_count() as u64,
            },
        })
    }

    /// What `GET /v1/stats` tells: all counters, and the rules with most hits.
    pub fn stats(&self, top: Option<usize>) -> Result<Stats, KernelError> {
        let counters = self.readings.counters()?;
        let mut hits = Vec::from_iter(self.readings.all_hits()?);
        hits.sort_unstable_by_key(|(key, hits)| (u64::MAX - hits, *key));
        let policy = reading(&self.policy);
        let compiled = &policy.compiled;
        let rules = hits.into_iter().filter_map(|(key, hits)| {
            let source = answers::rule_source(compiled.find(key)?);
            Some(RuleHits { source, hits })
        });
        Ok(Stats {
            counters: counters
                .into_iter()
                .map(|(counter, count)| (counter.as_str().into(), count))
                .collect(),
            rules: rules.take(top.unwrap_or(usize::MAX)).collect(),
        })
    }
}

/// What the policy has; what the kernel has room for is not in it.
fn rule_counts(policy: &Policy) -> RuleCounts {
    let compiled = &policy.compiled;
    let audiences = policy.config.audiences();
    let actions = |audience: u16| {
        audiences
            .get(usize::from(audience))
            .map_or_else(Actions::default, |it| it.actions)
    };
    let lists = policy
        .reports
        .iter()
        .zip(compiled.lists())
        .map(|(report, info)| ListStatus {
            list: report.list.clone(),
            label: info.label().into(),
            format: report.format.as_str().into(),
            action: if info.trial {
                "audit"
            } else {
                actions(info.audience).dns().as_str()
            }
            .into(),
            tcp: actions(info.audience).tcp().as_str().into(),
            quic: actions(info.audience).quic().as_str().into(),
            rules: info.rules,
            repeated: report.repeated,
            local: report.local,
            unusable: report
                .unusable
                .iter()
                .map(|(reason, count)| (reason.as_str().into(), *count))
                .collect(),
        });
    RuleCounts {
        total: compiled.len(),
        in_kernel: compiled.entries_in_force(),
        capacity: 0,
        max_rules: 0,
        manual: compiled.count_by_hand(),
        lists: lists.collect(),
    }
}

/// Memory that this process has in RAM (`VmRSS`, proc(5)); 0 where that cannot be read.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    resident
        .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}
