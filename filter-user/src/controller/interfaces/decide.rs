//! What is to be done about a named interface, by what the kernel says of it. Nothing here asks the
//! kernel or changes anything.
//!
//! The command line names interfaces, so the interface that has the name is the one to filter. The
//! program stays on one that was renamed as long as no other takes the name: what was filtered does
//! not become unfiltered by a new name. If the new name is one that the command line names as well,
//! the interface is the one of that name.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::kernel::{Device, Held, Look};

/// After this long, attaching is tried again though the interface has not changed: what stood
/// against it may not be seen there, as memory.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Where a named interface stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its packets are filtered.
    Filtered,
    /// They are, and it has another name now, which no other interface has taken.
    Renamed { to: String },
    /// There is none of the name.
    Missing,
    /// There is none of the name, as it was moved to another network namespace.
    Moved,
    /// It is there, and cannot be attached to.
    Failed { why: String },
}

/// Why an interface is not filtered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It was deleted.
    Deleted,
    /// It was moved to another network namespace.
    Moved,
    /// Something else detached the program.
    Detached,
    /// Something else put the program with this id in place of ours.
    Replaced { by: u32 },
    /// Another interface has the name now.
    NameTaken,
    /// It has a name now that is to be filtered as well, with what is said of that.
    NamedOtherwise,
}

/// What to do about an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is filtered as it should be.
    Keep(Standing),
    /// The program is to be taken off the interface that it was attached to, if it is there still.
    Release(Loss),
    /// The interface is there and not filtered.
    Attach(Device),
    /// There is nothing to attach to.
    Wait,
}

/// What follows from what the kernel says, where interfaces of these names are to be filtered.
pub(super) fn step(look: &Look, wanted: &BTreeSet<String>) -> Step {
    match (&look.held, &look.named) {
        (Some(held), named) => match standing(held, named.as_ref(), wanted) {
            Ok(standing) => Step::Keep(standing),
            Err(loss) => Step::Release(loss),
        },
        (None, Some(device)) => Step::Attach(device.clone()),
        (None, None) => Step::Wait,
    }
}

fn standing(
    held: &Held,
    named: Option<&Device>,
    wanted: &BTreeSet<String>,
) -> Result<Standing, Loss> {
    let Some(here) = &held.here else {
        return Err(if held.is_attached {
            Loss::Moved
        } else {
            Loss::Deleted
        });
    };
    // By the program, as another interface may have the index by now.
    if !here.runs(held.program) {
        return Err(loss_at(held, here, named));
    }
    match named {
        Some(named) if named.index == here.index => Ok(Standing::Filtered),
        Some(_) => Err(Loss::NameTaken),
        None if wanted.contains(&here.name) => Err(Loss::NamedOtherwise),
        None => Ok(Standing::Renamed {
            to: here.name.clone(),
        }),
    }
}

/// Why the program does not run on the interface that has the index.
fn loss_at(held: &Held, here: &Device, named: Option<&Device>) -> Loss {
    match (here.programs.first(), named) {
        (_, Some(named)) if named.index != here.index => Loss::NameTaken,
        (Some((by, _)), _) => Loss::Replaced { by: *by },
        // Attached, and not here: it is in another namespace, and another interface has its index.
        (None, _) if held.is_attached => Loss::Moved,
        (None, _) => Loss::Detached,
    }
}

/// An interface that could not be attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// As it was.
    pub device: Device,
    /// When.
    pub at: Instant,
}

/// True if attaching may go otherwise than it did when it was tried last.
pub(super) fn is_worth_trying(tried: Option<&Tried>, device: &Device, now: Instant) -> bool {
    tried.is_none_or(|tried| {
        tried.device != *device || now.saturating_duration_since(tried.at) >= TRY_AGAIN
    })
}

/// Where an interface stands that is not there.
pub(super) fn without_interface(before: &Standing, loss: Option<Loss>) -> Standing {
    match (loss, before) {
        (Some(Loss::Moved), _) | (None, Standing::Moved) => Standing::Moved,
        _ => Standing::Missing,
    }
}

#[cfg(test)]
mod tests;
