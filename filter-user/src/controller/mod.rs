//! The one process that decides what is in the maps.

mod changes;
mod events;
mod interfaces;
mod policy;
mod shrinking;
mod state;

use std::{
    fs, io,
    path::PathBuf,
    process,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak, atomic::AtomicBool},
    time::Instant,
};

use axum::{Router, body::Bytes};
use filter_api::status::{
    EventCounts, ListStatus, Memory, Program, RuleCounts, RuleHits, Stats, Status,
};
use filter_core::{Actions, Counter};
use filter_policy::compiled::{Policy, PolicySource};
use tokio::{
    net::UnixListener,
    signal::unix::Signal,
    sync::{Mutex, broadcast},
    time::{Duration, MissedTickBehavior, interval},
};

use crate::{
    answers,
    kernel::{Filter, KernelError},
    server::{ApiSocket, Limits, control_routes, event_routes, rule_routes, serve, with_checks},
};

pub use changes::ControlError;
pub use interfaces::{Interfaces, NamedInterface};
pub use policy::{cancel_reload, reload, roll_back};
pub use shrinking::{MaxShrink, Shrunk, TooShort};
pub use state::{StateError, StateFile};

/// How often events are taken from the kernel, which wakes nobody for them.
const POLL: Duration = Duration::from_millis(100);

/// Events that a reader may be behind before it misses some.
const BACKLOG: usize = 4096;

/// The filter with its compiled policy, and what is known of both.
pub struct Controller {
    filter: Filter,
    policy: Arc<RwLock<Policy>>,
    source: PolicySource,
    reloading: Arc<Mutex<()>>,
    /// Ends the reading of the reload that is under way, once it is true.
    cancelled: Option<Weak<AtomicBool>>,
    /// What was in force before, without what was done by hand.
    previous: Option<Policy>,
    max_shrink: MaxShrink,
    kept_in: Option<StateFile>,
    interfaces: Interfaces,
    socket: PathBuf,
    started: Instant,
    events: broadcast::Sender<Bytes>,
    reported: u64,
}

impl Controller {
    /// Takes over a filter that has this policy in force and is attached. `source` is where the
    /// policy is read from again.
    pub fn new(
        filter: Filter,
        policy: Policy,
        source: PolicySource,
        kept_in: Option<StateFile>,
        interfaces: Interfaces,
        socket: &ApiSocket,
    ) -> Self {
        Self {
            filter,
            policy: Arc::new(RwLock::new(policy)),
            source,
            reloading: Arc::default(),
            cancelled: None,
            previous: None,
            max_shrink: MaxShrink::default(),
            kept_in,
            interfaces,
            socket: socket.path().into(),
            started: Instant::now(),
            events: broadcast::Sender::new(BACKLOG),
            reported: 0,
        }
    }

    /// The same where a list may lose so much in a reload.
    #[must_use]
    pub fn with_max_shrink(self, max_shrink: MaxShrink) -> Self {
        Self { max_shrink, ..self }
    }

    /// Answers requests on the socket, passes events on, and reads the policy again with each
    /// signal, until the future is dropped.
    pub async fn serve(self, socket: &ApiSocket, reload: Signal) -> io::Result<()> {
        let listener = UnixListener::from_std(socket.listener()?)?;
        let limits = Limits::default();
        let reading = Router::new()
            .merge(rule_routes(self.policy.clone(), self.interfaces.clone()))
            .merge(event_routes(self.events.clone(), limits));
        let controller = Arc::new(Mutex::new(self));
        let routes = with_checks(reading.merge(control_routes(controller.clone())), limits);
        tokio::select! {
            served = serve(&listener, routes, limits) => served,
            () = forward_events(&controller) => Ok(()),
            () = interfaces::follow(&controller) => Ok(()),
            () = policy::reload_with(reload, &controller) => Ok(()),
        }
    }

    /// What `GET /v1/status` tells.
    pub fn status(&mut self) -> Result<Status, KernelError> {
        let program = self.filter.program()?;
        let counters = self.filter.counters()?;
        let count = |counter| counters.get(&counter).copied().unwrap_or_default();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            pid: process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            socket: self.socket.clone(),
            state: self.kept_in.as_ref().map(|file| file.path().into()),
            pins: self.filter.pins().map(Into::into),
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
            rules: self.rule_counts(),
            memory: Memory {
                kernel_bytes: program.map_memory,
                controller_bytes: resident_bytes(),
            },
            events: EventCounts {
                reported: self.reported,
                suppressed: count(Counter::EventsSuppressed),
                lost: count(Counter::EventsLost),
                readers: self.events.receiver_count() as u64,
            },
        })
    }

    /// What `GET /v1/stats` tells: all counters, and the rules with most hits.
    pub fn stats(&self, top: Option<usize>) -> Result<Stats, KernelError> {
        let counters = self.filter.counters()?;
        let mut hits = Vec::from_iter(self.filter.all_hits()?);
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

    fn rule_counts(&self) -> RuleCounts {
        let policy = reading(&self.policy);
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
            capacity: u64::from(self.filter.capacity()),
            max_rules: u64::from(self.filter.max_rules()),
            manual: compiled.by_hand().len() as u64,
            lists: lists.collect(),
        }
    }
}

/// The policy, to look at.
pub(crate) fn reading(policy: &RwLock<Policy>) -> RwLockReadGuard<'_, Policy> {
    policy.read().unwrap_or_else(PoisonError::into_inner)
}

/// The policy, to change.
fn writing(policy: &RwLock<Policy>) -> RwLockWriteGuard<'_, Policy> {
    policy.write().unwrap_or_else(PoisonError::into_inner)
}

/// Passes events on, and has schedules switch.
async fn forward_events(controller: &Mutex<Controller>) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut controller = controller.lock().await;
        controller.forward_events();
        controller.make_up();
        controller.follow_schedules();
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
