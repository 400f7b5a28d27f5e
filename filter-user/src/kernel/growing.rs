//! A policy in new maps, where those that there are have no room for it.
//!
//! The maps of a loaded program cannot be exchanged, and none can grow. So the programs are loaded
//! once more, with maps that are large enough, beside those that run. They get the new policy while
//! no packet comes by, and then take the place of the others at each interface (`BPF_LINK_UPDATE`):
//! each packet is judged by the old programs with the old policy, or by the new ones with the new.
//! Until then nothing of what is in force is touched.

use std::{mem, os::fd::AsFd as _};

use filter_policy::{compiled::CompiledPolicy, groups::Groups};

use super::{
    Attachment, Filter, Installed, KernelError, PolicySize,
    links::{Side, update_all},
    load,
    policy::wait_for_lookups,
    programs::descriptor,
    requirements,
    room::Room,
};

impl Filter {
    /// Makes room for more rules than the policy in force has, and which is this one.
    ///
    /// # Errors
    /// If there may be no more, or the kernel refuses: then nothing has changed.
    pub fn make_room(&mut self, compiled: &CompiledPolicy) -> Result<(), KernelError> {
        let groups = self.buffered.groups.clone();
        self.install_in_new_maps(compiled, compiled, &groups, &mut |_| {})
            .map(|_| ())
    }

    /// Puts a policy in force in maps of its own.
    pub(super) fn install_in_new_maps(
        &mut self,
        before: &CompiledPolicy,
        after: &CompiledPolicy,
        groups: &Groups,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Installed, KernelError> {
        let room = Room::for_policy(after, self.options.max_rules)?
            .with_size(PolicySize::new(after, groups));
        let mut larger = self.beside(room)?;
        let (_, settled) = larger.install_in_place(
            &CompiledPolicy::empty(self.hash_key),
            after,
            groups,
            progress,
        )?;
        // No packet has come by yet: there is nothing to be made up for later.
        settled?;
        let taken_over = larger
            .keep_with_entries()
            .and_then(|()| larger.take_over(self));
        if taken_over.is_err() {
            larger.forget_if_unused();
        }
        taken_over?;
        // Both are pinned until here: whichever programs an interface has, they stay. The new ones
        // run by now: what fails here is no failure of the policy.
        larger.buffered.unsettled.why = larger.keep_links().err().map(|error| error.to_string());
        let old = mem::replace(self, larger);
        // A map of programs is empty once nobody holds it any more, and a packet may still want to
        // continue with one.
        wait_for_lookups();
        drop(old);
        Ok(Installed::between(before, after))
    }

    /// The same programs once more, attached nowhere, with maps of their own for a policy of this
    /// size.
    fn beside(&self, room: Room) -> Result<Self, KernelError> {
        requirements::check_capabilities()?;
        let mut object = load::object_for_rules(&self.options, room)?;
        self.share_maps(&mut object)?;
        let programs = self.programs.load_again(&mut object)?;
        let mut beside =
            Self::of_object(object, programs, self.options.clone(), self.hash_key, room)?;
        // With the hits that were taken out.
        beside.readings = self.readings.clone();
        Ok(beside)
    }

    /// Takes over the interfaces of another filter: all of them, or none.
    fn take_over(&mut self, other: &mut Self) -> Result<(), KernelError> {
        let mut all = Vec::new();
        for (attachment, link) in &other.attached {
            let [new, old] = [&mut self.object, &mut other.object]
                .map(|object| descriptor(object, attachment.set.entry));
            all.push((attachment, link, new?, old?));
        }
        let updated = update_all(&all, |(_, link, new, old), side| {
            link.update(if side == Side::New { new } else { old }.as_fd())
        });
        updated.map_err(
            |((Attachment { interface, .. }, ..), error)| KernelError::Attach {
                interface: interface.clone(),
                error,
            },
        )?;
        self.attached = mem::take(&mut other.attached);
        Ok(())
    }
}
