//! Default routes that come while the filter runs, as with DHCP or PPPoE.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use super::Controller;
use crate::kernel::default_route_links;

/// How often routes are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Interfaces that are taken for those of clients until a default route leads by them.
#[derive(Debug)]
pub(super) struct Followed {
    looked_at: Option<Instant>,
}

impl Controller {
    /// The same with interfaces that have no clients behind them from the moment on that a default
    /// route leads by them.
    #[must_use]
    pub fn following_routes(mut self) -> Self {
        self.routes = Some(Followed { looked_at: None });
        self
    }

    /// Has interfaces answer nobody by which a default route leads now. They stay so: a route may
    /// go for a moment.
    pub(super) fn follow_routes(&mut self) {
        let now = Instant::now();
        let Some(followed) = &mut self.routes else {
            return;
        };
        if followed
            .looked_at
            .is_some_and(|at| now.duration_since(at) < EVERY)
        {
            return;
        }
        followed.looked_at = Some(now);
        if !self
            .interfaces
            .iter()
            .any(|interface| interface.settings.faces_clients())
        {
            return;
        }
        let outward = default_route_links();
        for attachment in self
            .interfaces
            .iter_mut()
            .filter(|it| outward.contains(&it.index))
        {
            let settings = attachment.settings.facing_nobody();
            // What fails now is tried again with the next look.
            if attachment.settings.faces_clients()
                && self
                    .filter
                    .set_interface(attachment.index, settings)
                    .is_ok()
            {
                attachment.settings = settings;
                let name = &attachment.interface;
                // Where nobody reads, the filter goes on.
                let _ = writeln!(
                    std::io::stderr(),
                    "namegate: the default route leads by `{name}` now, so nobody is answered there any more, and what is \
                     blocked is dropped: start with `--clients {name}` if clients are behind it"
                );
            }
        }
    }
}
