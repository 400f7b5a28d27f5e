//! The one process that decides what is in the maps.

mod changes;
mod events;
mod interfaces;
mod policy;
mod shrinking;
mod state;
mod view;

use std::{
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak, atomic::AtomicBool},
};

use axum::Router;
use filter_policy::{
    compiled::{Policy, PolicySource},
    config::Service,
};
use tokio::{
    net::UnixListener,
    signal::unix::Signal,
    sync::{Mutex, broadcast},
    task::spawn_blocking,
    time::{Duration, MissedTickBehavior, interval},
};

use crate::{
    kernel::{Filter, KernelError},
    server::{ApiSocket, Limits, control_routes, event_routes, rule_routes, serve, with_checks},
};

pub use changes::ControlError;
pub use interfaces::{Interfaces, NamedInterface};
pub use policy::{cancel_reload, reload, roll_back};
pub use shrinking::{MaxShrink, Shrunk, TooShort};
pub use state::{StateError, StateFile};
use view::Loaded;
pub use view::View;

/// How often schedules are looked at.
const TICK: Duration = Duration::from_millis(100);

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
    /// What the configuration said of the service at the start: it holds until the end.
    started_with: Service,
    interfaces: Interfaces,
    /// What others read of all this meanwhile.
    view: Arc<View>,
}

impl Controller {
    /// Takes over a filter that has this policy in force and is attached. `source` is where the
    /// policy is read from again.
    ///
    /// # Errors
    /// If the kernel does not say what is loaded.
    pub fn new(
        mut filter: Filter,
        policy: Policy,
        source: PolicySource,
        kept_in: Option<StateFile>,
        interfaces: Interfaces,
        socket: &ApiSocket,
    ) -> Result<Self, KernelError> {
        let started_with = policy.config.service.clone();
        let policy = Arc::new(RwLock::new(policy));
        let files = (
            socket.path().into(),
            kept_in.as_ref().map(|file| file.path().into()),
        );
        let events = broadcast::Sender::new(BACKLOG);
        let view = View::new(
            &mut filter,
            policy.clone(),
            interfaces.clone(),
            events,
            files,
        )?;
        Ok(Self {
            filter,
            policy,
            source,
            reloading: Arc::default(),
            cancelled: None,
            previous: None,
            max_shrink: MaxShrink::default(),
            kept_in,
            started_with,
            interfaces,
            view: Arc::new(view),
        })
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
            .merge(event_routes(self.view.events.clone(), limits));
        let events = self.filter.events().map_err(io::Error::other)?;
        let view = self.view.clone();
        let controller = Arc::new(Mutex::new(self));
        let changing = control_routes(controller.clone(), view.clone());
        let routes = with_checks(reading.merge(changing), limits);
        tokio::select! {
            served = serve(&listener, routes, limits) => served,
            () = events::forward(view, events) => Ok(()),
            () = follow_time(&controller) => Ok(()),
            () = interfaces::follow(&controller) => Ok(()),
            () = policy::reload_with(reload, &controller) => Ok(()),
        }
    }

    /// Has status tell what is loaded now.
    fn show_loaded(&mut self) {
        // What fails now is tried again with the next look.
        if let Ok(loaded) = Loaded::of(&mut self.filter) {
            self.view.set_loaded(loaded);
        }
    }

    /// Does what the time asks for, and what was left to be done.
    fn tick(&mut self, ticks: u64) {
        /// How often the kernel is asked what is loaded, besides after each change.
        const LOOKS: u64 = 10;

        self.make_up();
        self.follow_schedules();
        if ticks.is_multiple_of(LOOKS) {
            self.show_loaded();
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

/// Has schedules switch. While a policy is being installed, that waits.
async fn follow_time(controller: &Arc<Mutex<Controller>>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0.. {
        ticks.tick().await;
        let mut controller = controller.clone().lock_owned().await;
        // A panic is told by whoever caused it.
        let _ = spawn_blocking(move || controller.tick(tick)).await;
    }
}
