//! Waiting for what the kernel says of links and routes.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::{super::Controller, words::tell};
use crate::kernel::{Changed, Changes, default_route_interfaces};

/// How often interfaces are looked at though nothing was said of them. The kernel sends no message
/// when a program is detached (`bpftool link detach`).
const EVERY: Duration = Duration::from_secs(1);

/// Looks after the interfaces as long as this future is there.
pub(in crate::controller) async fn follow(controller: &Arc<Mutex<Controller>>) {
    let follows_routes = controller.lock().await.interfaces.follows_routes;
    let mut messages = subscribe(follows_routes);
    let mut routes = Routes::new(follows_routes);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = next(&mut messages) => routes.may_have_changed(changed),
        }
        let outward = routes.ask().await;
        let mut controller = controller.clone().lock_owned().await;
        let looked = spawn_blocking(move || controller.look_after_interfaces(outward.as_ref()));
        if let Err(error) = looked.await {
            tell(&format!("cannot look after the interfaces: {error}"));
        }
    }
}

/// The kernel's messages. Without them, the interfaces are looked at each second all the same.
fn subscribe(follows_routes: bool) -> Option<Changes> {
    Changes::subscribe(follows_routes)
        .inspect_err(|error| {
            tell(&format!(
                "the kernel does not say when interfaces change ({error}): they are looked at each second"
            ));
        })
        .ok()
}

async fn next(messages: &mut Option<Changes>) -> Changed {
    let Some(socket) = messages else {
        return pending().await;
    };
    match socket.next().await {
        Ok(changed) => changed,
        Err(error) => {
            tell(&format!(
                "the kernel does not say any more when interfaces change ({error}): they are looked at each second"
            ));
            *messages = None;
            Changed::ANYTHING
        }
    }
}

/// When the kernel was asked for its routes, of which there may be a million.
struct Routes {
    follows: bool,
    may_have_changed: bool,
    asked: Option<Instant>,
}

impl Routes {
    fn new(follows: bool) -> Self {
        Self {
            follows,
            may_have_changed: true,
            asked: None,
        }
    }

    /// IPv4 routes go with the link that they lead by, and nothing is said of that.
    fn may_have_changed(&mut self, changed: Changed) {
        self.may_have_changed |= changed.default_routes || changed.links;
    }

    /// Where default routes lead, if that may have changed: once a second at most.
    async fn ask(&mut self) -> Option<BTreeSet<u32>> {
        let is_soon = self.asked.is_some_and(|at| at.elapsed() < EVERY);
        if !self.follows || !self.may_have_changed || is_soon {
            return None;
        }
        self.asked = Some(Instant::now());
        // What fails is asked again a second later.
        let outward = spawn_blocking(default_route_interfaces).await.ok()?.ok()?;
        self.may_have_changed = false;
        Some(outward)
    }
}
