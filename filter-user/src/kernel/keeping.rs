//! Filtering that goes on when the controller ends, and the next controller that goes on with it.
//!
//! A controller that starts loads its own programs, with maps of its own for the policy, and fills
//! them while the programs that were left go on. Then its programs take their place on each
//! interface (`BPF_LINK_UPDATE`): each packet meets the old programs with the old policy, or the
//! new ones with the new. It does not matter of which version the old ones are. What is no policy,
//! as counters and messages in several segments, is taken over from programs of the same build.

use std::{collections::BTreeSet, os::fd::AsFd as _};

use aya::Ebpf;
use filter_core::HashKey;
use zerocopy::IntoBytes as _;

use super::{
    Filter, KernelError, LoadOptions,
    pins::{LinkLeft, Pins},
    program, sharing,
};

impl Pins {
    /// The key under which the names are hashed that were left; `None` if nothing was left, or by
    /// another build.
    ///
    /// # Errors
    /// If the pins cannot be read.
    pub fn hash_key(&self) -> Result<Option<HashKey>, KernelError> {
        match self.object_in_use()? {
            Some(object) => sharing::hash_key(&object),
            None => Ok(None),
        }
    }
}

/// Has an object that was not loaded yet go on with the maps that were left.
pub(super) fn go_on(
    object: &Ebpf,
    options: &LoadOptions,
    hash_key: &HashKey,
) -> Result<(), KernelError> {
    let Some(pins) = &options.pins else {
        return Ok(());
    };
    let Some(left) = pins.object_in_use()? else {
        return Ok(());
    };
    let before = sharing::hash_key(&left)?;
    let has_same_key = before.is_some_and(|key| key.as_bytes() == hash_key.as_bytes());
    sharing::share_pinned(object, &left, has_same_key)
}

impl Filter {
    /// Pins what is loaded, unless it is; gives the links that were left.
    pub(super) fn keep(&mut self) -> Result<Vec<LinkLeft>, KernelError> {
        let Some(pins) = self.options.pins.clone() else {
            return Ok(Vec::new());
        };
        if self.kept.is_none() {
            let kept = pins.new_object()?;
            self.pin_maps(&kept)?;
            self.kept = Some(kept);
        }
        Ok(pins.links()?)
    }

    /// Pins the programs that may be attached as well: for links that they are to take over.
    pub(super) fn keep_with_entries(&mut self) -> Result<(), KernelError> {
        self.keep()?;
        let Some(kept) = &self.kept else {
            return Ok(());
        };
        for entry in self.programs.entries() {
            kept.keep_program(entry, program(&mut self.object, entry)?.fd()?.as_fd())?;
        }
        Ok(())
    }

    /// Lets go of what is pinned of this object, unless an interface runs it by now: after a failure,
    /// which is what is to be told.
    pub(super) fn forget_if_unused(&mut self) {
        if let (Some(pins), Some(kept)) = (&self.options.pins, self.kept.take())
            && let (Ok(links), Ok(programs)) = (pins.links(), kept.programs())
            && !links.iter().any(|left| programs.contains(&left.program))
        {
            // What stays takes memory until the next start removes it.
            let _ = kept.remove();
        }
    }

    /// Pins the links of all interfaces that are attached to, and lets go of what was pinned
    /// before: other interfaces, and other objects.
    pub(super) fn keep_links(&self) -> Result<(), KernelError> {
        let (Some(pins), Some(kept)) = (&self.options.pins, &self.kept) else {
            return Ok(());
        };
        for (attachment, link) in &self.attached {
            pins.keep_link(attachment.index, link)?;
        }
        let attached: BTreeSet<_> = self.attached.iter().map(|(it, _)| it.index).collect();
        pins.detach_others(&attached)?;
        Ok(pins.forget_others(kept)?)
    }
}
