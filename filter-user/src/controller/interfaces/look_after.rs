//! Doing what is to be done about interfaces: attaching, detaching, and who is answered there.

use std::{collections::BTreeSet, time::Instant};

use filter_core::Interface;
use filter_policy::compiled::CompiledPolicy;

use super::{
    super::{Controller, reading},
    Leading, NamedInterface,
    decide::{Loss, Standing, Step, Tried, is_worth_trying, step, without_interface},
    words::{self, tell},
};
use crate::kernel::{Attachment, Filter, KernelError, Look, Mode};

/// What is asked of the kernel.
trait Kernel {
    /// What it says of the interface of this name, and of the one with this index, which the program
    /// was attached to for it.
    fn look(&mut self, name: &str, held: Option<u32>) -> Result<Look, KernelError>;

    /// Attaches the program to the interface of this name.
    fn attach(&mut self, name: &str, settings: Interface) -> Result<Attachment, KernelError>;

    /// Takes the program off the interface that had this index, if it is there still.
    fn detach(&mut self, index: u32);

    /// Sets what is done on an interface; true if clients may be answered there then.
    fn set(&mut self, index: u32, settings: Interface) -> Result<bool, KernelError>;
}

impl Controller {
    /// Looks at all interfaces, and has each filtered that is there. `outward` is where default
    /// routes lead, if that was asked since the last look.
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
        let mut kernel = Attaching {
            filter,
            compiled: &policy.compiled,
            mode: interfaces.mode,
        };
        // Nobody else writes these; whoever reads them meanwhile sees them as they were.
        let mut all = interfaces.snapshot();
        for text in look_after(&mut all, &mut kernel, outward) {
            tell(&text);
        }
        *interfaces.write() = all;
    }
}

/// The filter with the policy in force.
struct Attaching<'f> {
    filter: &'f mut Filter,
    compiled: &'f CompiledPolicy,
    mode: Mode,
}

impl Kernel for Attaching<'_> {
    fn look(&mut self, name: &str, held: Option<u32>) -> Result<Look, KernelError> {
        self.filter.look(name, held)
    }

    fn attach(&mut self, name: &str, settings: Interface) -> Result<Attachment, KernelError> {
        self.filter.make_room_for(name, self.compiled)?;
        let attached = self
            .filter
            .attach_with(&[(name.to_owned(), settings)], self.mode)?;
        // One for each that was asked for.
        attached
            .into_iter()
            .next()
            .ok_or_else(|| KernelError::NoInterface {
                name: name.to_owned(),
            })
    }

    fn detach(&mut self, index: u32) {
        self.filter.detach_from(index);
    }

    fn set(&mut self, index: u32, settings: Interface) -> Result<bool, KernelError> {
        self.filter.set_interface(index, settings)?;
        Ok(self.filter.may_answer(&settings))
    }
}

/// Looks after all interfaces once; what is to be said of them.
///
/// What was lost is let go on all of them first: interfaces may have exchanged their names.
fn look_after(
    all: &mut [NamedInterface],
    kernel: &mut impl Kernel,
    outward: Option<&BTreeSet<u32>>,
) -> Vec<String> {
    let names: BTreeSet<_> = all.iter().map(|it| it.name.clone()).collect();
    let losses: Vec<_> = all
        .iter_mut()
        .map(|it| it.release(kernel, &names))
        .collect();
    let mut said = Vec::new();
    for (interface, loss) in all.iter_mut().zip(losses) {
        let before = interface.standing.clone();
        said.extend(interface.follow_routes(kernel, outward));
        let hold = interface.hold(kernel, &names, loss);
        interface.standing = hold.unwrap_or_else(|error| Standing::Failed {
            why: error.to_string(),
        });
        said.extend(interface.change(&before, loss));
    }
    said
}

impl NamedInterface {
    /// Lets go of the interface that the program was attached to, if it is not the one to filter or
    /// the program does not run there.
    fn release(&mut self, kernel: &mut impl Kernel, names: &BTreeSet<String>) -> Option<Loss> {
        let index = self.attachment.as_ref()?.index;
        let look = kernel.look(&self.name, Some(index)).ok()?;
        let Step::Release(loss) = step(&look, names) else {
            return None;
        };
        kernel.detach(index);
        self.attachment = None;
        self.index_before = Some(index);
        self.tried = None;
        Some(loss)
    }

    /// Attaches to the interface if it is there and not filtered; where it stands then.
    fn hold(
        &mut self,
        kernel: &mut impl Kernel,
        names: &BTreeSet<String>,
        loss: Option<Loss>,
    ) -> Result<Standing, KernelError> {
        let index = self.attachment.as_ref().map(|it| it.index);
        match step(&kernel.look(&self.name, index)?, names) {
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
                self.attachment = Some(kernel.attach(&self.name, self.settings())?);
                self.tried = None;
                Ok(Standing::Filtered)
            }
        }
    }

    /// Has clients answered unless a default route leads by the interface; what is to be said if
    /// that has changed.
    fn follow_routes(
        &mut self,
        kernel: &mut impl Kernel,
        outward: Option<&BTreeSet<u32>>,
    ) -> Option<String> {
        let index = self.attachment.as_ref().map(|it| it.index);
        let leads = outward.map_or(self.leading == Leading::Yes, |outward| {
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
        let may_answer = kernel.set(attachment.index, settings).ok()?;
        attachment.settings = settings;
        let clients = words::clients(&self.name, settings.faces_clients());
        Some(if attachment.misses_answers_since(may_answer) {
            format!("{clients}; {}", words::missed_answers(&self.name))
        } else {
            clients
        })
    }

    /// What is to be said of where it stands.
    fn change(&self, before: &Standing, loss: Option<Loss>) -> Option<String> {
        let attachment = self.attachment.as_ref();
        let change = words::change(&self.name, (before, &self.standing), loss, attachment)?;
        let misses_answers = attachment.is_some_and(|it| it.far_end_may_miss_answers);
        Some(if misses_answers {
            format!("{change}; {}", words::missed_answers(&self.name))
        } else {
            change
        })
    }
}

#[cfg(test)]
mod tests;
