//! The interfaces that were named: where each stands, and what is done when one comes, goes, or
//! becomes another.
//!
//! `follow` waits for the kernel's messages, `decide` says what is to be done, `look_after` does it,
//! and `words` has what people are told.

mod decide;
mod follow;
mod look_after;
mod routes;
mod words;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use filter_api::status::{self, InterfaceState};
use filter_core::{Directions, Interface, Quic};

use crate::kernel::{AttachedMode, Attachment, Mode, joining_below};
use decide::{Standing, Tried};
pub(super) use follow::follow;
use routes::Leading;
pub(super) use words::missed_answers;

/// An interface that was named.
#[derive(Clone, Debug)]
pub struct NamedInterface {
    name: String,
    /// What was asked for, where no default route leads by it.
    configured: Interface,
    attachment: Option<Attachment>,
    /// The index that it had before, by which events are still reported for a moment.
    index_before: Option<u32>,
    standing: Standing,
    tried: Option<Tried>,
    leading: Leading,
}

impl NamedInterface {
    /// One that has not come yet.
    pub fn new(name: String, configured: Interface) -> Self {
        Self {
            name,
            configured,
            attachment: None,
            index_before: None,
            standing: Standing::Missing,
            tried: None,
            leading: Leading::default(),
        }
    }

    /// The same, attached to.
    #[must_use]
    pub fn attached(self, attachment: Attachment) -> Self {
        let faces_nobody = self.configured.faces_clients() && !attachment.settings.faces_clients();
        Self {
            attachment: Some(attachment),
            standing: Standing::Filtered,
            leading: if faces_nobody {
                Leading::Yes
            } else {
                Leading::No
            },
            ..self
        }
    }

    /// Its name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the program runs; `None` if it is not filtered.
    pub fn mode(&self) -> Option<AttachedMode> {
        self.attachment.as_ref().map(|it| it.mode)
    }

    /// What is done there, or what is to be done once it is there.
    pub fn settings(&self) -> Interface {
        let attached = self.attachment.as_ref().map(|it| it.settings);
        attached.unwrap_or_else(|| self.leading.settings(self.configured))
    }

    /// True if packets with this index of an interface came in by it.
    pub(super) fn had_index(&self, index: u32) -> bool {
        let now = self.attachment.as_ref().map(|it| it.index);
        now == Some(index) || self.index_before == Some(index)
    }

    /// What status says of it.
    pub(super) fn status(&self) -> status::Interface {
        let settings = self.settings();
        let attached = self.attachment.as_ref();
        // Where nobody is answered, what is blocked is dropped, whatever the actions are.
        let answers = settings.faces_clients() || settings.directions() == Directions::Responses;
        let word = |action: &'static str| if answers { action } else { "drop" };
        status::Interface {
            name: self.name.clone(),
            state: self.standing.state(),
            problem: words::problem(&self.name, &self.standing),
            index: attached.map(|it| it.index),
            mode: attached.map(|it| it.mode.as_str().into()),
            judged: settings.directions().as_str().into(),
            faces_clients: settings.faces_clients(),
            action: if settings.audits() {
                "audit"
            } else {
                word(settings.actions().dns().as_str())
            }
            .into(),
            tcp: word(settings.actions().tcp().as_str()).into(),
            quic: match settings.quic() {
                Quic::Inspect => word(settings.actions().quic().as_str()),
                other => other.as_str(),
            }
            .into(),
            // A program in the driver sees each datagram by itself. What the kernel does not say is
            // no reason to say nothing.
            joined_below: match attached {
                Some(it) if it.mode == AttachedMode::Generic => {
                    joining_below(it.index).unwrap_or_default()
                }
                _ => BTreeMap::new(),
            },
        }
    }
}

impl Standing {
    fn state(&self) -> InterfaceState {
        match self {
            Self::Filtered => InterfaceState::Filtered,
            Self::Renamed { .. } => InterfaceState::Renamed,
            Self::Missing => InterfaceState::Missing,
            Self::Moved => InterfaceState::Moved,
            Self::Failed { .. } => InterfaceState::Failed,
        }
    }
}

/// All interfaces that were named, in their order, and how they are filtered. Clones are of the
/// same interfaces.
#[derive(Clone, Debug)]
pub struct Interfaces {
    all: Arc<RwLock<Vec<NamedInterface>>>,
    has_ended: Arc<Mutex<bool>>,
    mode: Mode,
    follows_routes: bool,
}

impl Interfaces {
    /// These, attached to in this mode.
    pub fn new(all: Vec<NamedInterface>, mode: Mode) -> Self {
        Self {
            all: Arc::new(RwLock::new(all)),
            has_ended: Arc::default(),
            mode,
            follows_routes: false,
        }
    }

    /// The same, where an interface has no clients behind it while a default route leads by it.
    #[must_use]
    pub fn following_routes(self) -> Self {
        Self {
            follows_routes: true,
            ..self
        }
    }

    /// The names of those that are filtered now, or that none is.
    pub fn filtered(&self) -> String {
        let all = self.read();
        let filtered = all.iter().filter(|it| it.attachment.is_some());
        let names: Vec<_> = filtered.map(NamedInterface::name).collect();
        if names.is_empty() {
            "no interface".to_owned()
        } else {
            names.join(", ")
        }
    }

    /// Ends looking after them: what is detached from now on stays so.
    pub fn end(&self) {
        *self.looking() = true;
    }

    /// Locked while somebody looks after them; true once that is over.
    fn looking(&self) -> MutexGuard<'_, bool> {
        self.has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// As they are now.
    pub fn snapshot(&self) -> Vec<NamedInterface> {
        self.read().clone()
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Vec<NamedInterface>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Vec<NamedInterface>> {
        self.all.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attachments, to change.
    pub(super) fn each_attachment(&self, mut each: impl FnMut(&mut Attachment)) {
        for interface in self.write().iter_mut() {
            interface.attachment.iter_mut().for_each(&mut each);
        }
    }
}
