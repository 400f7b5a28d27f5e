//! Default routes that come and go while the filter runs, as with DHCP or PPPoE.
//!
//! Where one leads, the internet is, and nobody is answered. Answers stop as soon as the route is
//! seen. They come back a while after the last one has gone: a line that is renewed loses its route
//! for a moment, and whoever forges a route (a router advertisement, for example) stops answers only
//! as long as the route is there.

use std::time::{Duration, Instant};

use filter_core::Interface;

/// For so long no default route has to lead by an interface before clients are answered there again.
const BACK_AFTER: Duration = Duration::from_secs(10);

/// Whether a default route leads by an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Leading {
    /// None does, or routes are of no matter.
    #[default]
    No,
    /// One does.
    Yes,
    /// The last one went at this time, not long ago.
    Until(Instant),
}

impl Leading {
    /// The same a while later, where it is known whether a route leads by it.
    pub fn followed(self, leads: bool, now: Instant) -> Self {
        match (self, leads) {
            (_, true) => Self::Yes,
            (Self::Yes, false) => Self::Until(now),
            (Self::Until(gone), false) if now.saturating_duration_since(gone) < BACK_AFTER => self,
            (Self::Until(_) | Self::No, false) => Self::No,
        }
    }

    /// What is done on an interface for which this is asked for.
    pub fn settings(self, configured: Interface) -> Interface {
        if self == Self::No {
            configured
        } else {
            configured.facing_nobody()
        }
    }
}

#[cfg(test)]
mod tests {
    use filter_core::{Actions, Directions};

    use super::*;

    fn answers(leading: Leading) -> bool {
        let configured = Interface::new(Directions::Both).facing_clients(Actions::default());
        leading.settings(configured).faces_clients()
    }

    /// Whether clients are answered at each second, where a route leads in some of them.
    fn seconds(leads: &[bool]) -> Vec<bool> {
        let start = Instant::now();
        let mut leading = Leading::default();
        let answered = leads.iter().zip(0..).map(|(leads, second)| {
            leading = leading.followed(*leads, start + Duration::from_secs(second));
            answers(leading)
        });
        answered.collect()
    }

    #[test]
    fn answers_stop_with_a_route_and_come_back_a_while_after_it() {
        let leads = [vec![false, true, true], vec![false; 12]].concat();
        let answered = [vec![true], vec![false; 2 + 10], vec![true; 2]].concat();
        assert_eq!(seconds(&leads), answered);
    }

    #[test]
    fn a_route_that_is_gone_for_a_moment_leads_still() {
        let leads = [
            vec![true],
            vec![false; 10],
            vec![true],
            vec![false; 10],
            vec![false],
        ]
        .concat();
        let answered = [vec![false; 22], vec![true]].concat();
        assert_eq!(seconds(&leads), answered);
    }

    #[test]
    fn where_nobody_is_to_be_answered_routes_are_of_no_matter() {
        let configured = Interface::new(Directions::Responses);
        for leading in [Leading::No, Leading::Yes, Leading::Until(Instant::now())] {
            assert_eq!(leading.settings(configured), configured);
        }
    }
}
