//! Doing what is to be done about interfaces: attaching, detaching, and who is answered there.

use std::{collections::BTreeSet, time::Instant};

use super::{
    super::{Controller, reading},
    NamedInterface,
    decide::{Loss, Standing, Step, Tried, is_worth_trying, step, without_interface},
    words::{self, tell},
};
use crate::kernel::{Filter, KernelError, Mode};
use filter_policy::compiled::CompiledPolicy;

impl Controller {
    /// Looks at all interfaces, and has each filtered that is there. `outward` is where default
    /// routes lead, if that was asked since the last look.
    ///
    /// What was lost is let go on all of them first: interfaces may have exchanged their names.
    pub(super) fn look_after_interfaces(&mut self, outward: Option<&BTreeSet<u32>>) {
        let Self {
            filter,
            policy,
            interfaces,
            ..
        } = self;
        let has_ended = interfaces.looking();
        if *has_ended {
            return;
        }
        let policy = reading(policy);
        let mode = interfaces.mode;
        // Nobody else writes these; whoever reads them meanwhile sees them as they were.
        let mut all = interfaces.snapshot();
        let losses: Vec<_> = all.iter_mut().map(|it| it.release(filter)).collect();
        for (interface, loss) in all.iter_mut().zip(losses) {
            let before = interface.standing.clone();
            let warning = interface.follow_routes(filter, outward);
            let hold = interface.hold(filter, &policy.compiled, mode, loss);
            interface.standing = hold.unwrap_or_else(|error| Standing::Failed {
                why: error.to_string(),
            });
            let standings = (&before, &interface.standing);
            let change = words::change(
                &interface.name,
                standings,
                loss,
                interface.attachment.as_ref(),
            );
            change
                .into_iter()
                .chain(warning)
                .for_each(|text| tell(&text));
        }
        *interfaces.write() = all;
    }
}

impl NamedInterface {
    /// Lets go of the interface that the program was attached to, if it is not the one to filter or
    /// the program does not run there.
    fn release(&mut self, filter: &mut Filter) -> Option<Loss> {
        let index = self.attachment.as_ref()?.index;
        let look = filter.look(&self.name, Some(index)).ok()?;
        let Step::Release(loss) = step(&look) else {
            return None;
        };
        filter.detach_from(index);
        self.attachment = None;
        self.index_before = Some(index);
        self.tried = None;
        Some(loss)
    }

    /// Attaches to the interface if it is there and not filtered; where it stands then.
    fn hold(
        &mut self,
        filter: &mut Filter,
        compiled: &CompiledPolicy,
        mode: Mode,
        loss: Option<Loss>,
    ) -> Result<Standing, KernelError> {
        let index = self.attachment.as_ref().map(|it| it.index);
        match step(&filter.look(&self.name, index)?) {
            Step::Keep(standing) => Ok(standing),
            // It went between the two looks, and the next one lets go of it.
            Step::Release(_) => Ok(self.standing.clone()),
            Step::Wait => {
                self.tried = None;
                Ok(without_interface(&self.standing, loss))
            }
            Step::Attach(device) => {
                let now = Instant::now();
                if !is_worth_trying(self.tried.as_ref(), &device, now) {
                    return Ok(self.standing.clone());
                }
                self.tried = Some(Tried { device, at: now });
                self.attach(filter, compiled, mode)?;
                self.tried = None;
                Ok(Standing::Filtered)
            }
        }
    }

    fn attach(
        &mut self,
        filter: &mut Filter,
        compiled: &CompiledPolicy,
        mode: Mode,
    ) -> Result<(), KernelError> {
        filter.make_room_for(&self.name, compiled)?;
        let wanted = [(self.name.clone(), self.settings())];
        let attached = filter.attach_with(&wanted, mode)?;
        self.attachment = attached.into_iter().next();
        if let Some(attachment) = &self.attachment
            && attachment.far_end_may_miss_answers
        {
            tell(&words::missed_answers(&self.name));
        }
        Ok(())
    }

    /// Has clients answered unless a default route leads by the interface; what is to be said if
    /// that has changed.
    fn follow_routes(
        &mut self,
        filter: &mut Filter,
        outward: Option<&BTreeSet<u32>>,
    ) -> Option<String> {
        let index = self.attachment.as_ref().map(|it| it.index);
        let leads = outward.map_or(self.leading == super::Leading::Yes, |outward| {
            index.is_some_and(|index| outward.contains(&index))
        });
        self.leading = self.leading.followed(leads, Instant::now());
        let configured = self.leading.settings(self.configured);
        let attachment = self.attachment.as_mut()?;
        if attachment.settings.faces_clients() == configured.faces_clients() {
            return None;
        }
        let settings = attachment.mode.settings(configured);
        // What fails now is tried again with the next look.
        filter.set_interface(attachment.index, settings).ok()?;
        attachment.settings = settings;
        let misses = attachment.misses_answers_since(filter.may_answer(&settings));
        let clients = words::clients(&self.name, settings.faces_clients());
        Some(if misses {
            format!("{clients}; {}", words::missed_answers(&self.name))
        } else {
            clients
        })
    }
}
