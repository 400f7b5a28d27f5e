//! The interfaces of a filter: attached all at once at the start, and one by one as they come and
//! go; what is done on each.

use filter_core::{Interface, Quic};
use filter_policy::compiled::CompiledPolicy;

use super::{
    Attachment, Device, Filter, KernelError, Mode,
    attach::{self, interface_index, write_settings},
    program,
    programs::InUse,
};

/// Indices that there is room for beyond those that are there: interfaces that come later have
/// higher ones.
pub const SPARE_SLOTS: u32 = 4096;

/// What the kernel says of the interface that has a name, and of the one that is filtered for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The interface that has the name.
    pub named: Option<Device>,
    /// The one that the program was attached to.
    pub held: Option<Held>,
}

/// An interface that the program was attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The id of the program.
    pub program: u32,
    /// The interface of that index in this network namespace.
    pub here: Option<Device>,
    /// True if the program is attached still, here or in another network namespace.
    pub is_attached: bool,
}

impl Filter {
    /// Attaches the program to each interface: to all of them, or to none. What is done on each is
    /// what the filter was loaded with.
    ///
    /// # Errors
    /// Names the interface that could not be had and why.
    pub fn attach(
        &mut self,
        interfaces: &[String],
        mode: Mode,
    ) -> Result<Vec<Attachment>, KernelError> {
        let settings = |name: &String| {
            let index = interface_index(name)?;
            let settings = self.options.interfaces.get(&index);
            Ok((name.clone(), settings.copied().unwrap_or_default()))
        };
        let interfaces = interfaces
            .iter()
            .map(settings)
            .collect::<Result<Vec<_>, KernelError>>()?;
        self.attach_with(&interfaces, mode)
    }

    /// Attaches the program to each interface, to all of them or to none, with these settings. There
    /// has to be room for their indices: [`Filter::make_room_for`].
    ///
    /// # Errors
    /// Names the interface that could not be had and why.
    pub fn attach_with(
        &mut self,
        interfaces: &[(String, Interface)],
        mode: Mode,
    ) -> Result<Vec<Attachment>, KernelError> {
        let given = interfaces.iter().map(|(_, settings)| settings);
        let all: Vec<_> = self.options.all_interfaces().chain(given).collect();
        let in_use = InUse {
            answers: all.iter().any(|it| self.buffered.has_answers(it)),
            quic: self.options.inspects_quic() || all.iter().any(|it| it.quic() == Quic::Inspect),
        };
        self.programs.load_for(&mut self.object, in_use)?;
        let is_start = self.attached.is_empty();
        let pinned = self.keep()?;
        // Later on, all that is pinned is of this filter.
        let left = if is_start { pinned } else { Vec::new() };
        let Self {
            object,
            programs,
            buffered,
            kept,
            ..
        } = self;
        let mut loader = attach::Loader {
            object,
            programs,
            pins: kept.as_ref(),
        };
        let may_answer = |interface: &Interface| buffered.may_answer(interface);
        let attached = attach::to_all(&mut loader, interfaces, mode, left, may_answer);
        let attached = attached.inspect_err(|_| {
            if is_start {
                self.forget_if_unused();
            }
        })?;
        let attachments: Vec<_> = attached.iter().map(|(it, _)| it.clone()).collect();
        for Attachment {
            index, settings, ..
        } in &attachments
        {
            self.options.interfaces.insert(*index, *settings);
        }
        self.attached.extend(attached);
        self.keep_links()?;
        Ok(attachments)
    }

    /// Makes room for what is done on the interface of this name, if there is one. Where its index
    /// is beyond those that there is room for, the programs are loaded once more, as for a policy
    /// that needs larger maps. `compiled` is the policy in force.
    ///
    /// # Errors
    /// If the kernel refuses: then nothing has changed.
    pub fn make_room_for(
        &mut self,
        name: &str,
        compiled: &CompiledPolicy,
    ) -> Result<(), KernelError> {
        let Some(Device { index, .. }) = Device::named(name)? else {
            return Ok(());
        };
        if index < self.interface_slots {
            return Ok(());
        }
        self.options.interface_slots = index.saturating_add(SPARE_SLOTS);
        let made = self.make_room(compiled);
        // Where that failed, the room is what it was.
        self.options.interface_slots = self.interface_slots;
        made
    }

    /// Detaches from the interface that had this index when the program was attached to it, if it is
    /// attached still. What was done there is forgotten.
    pub fn detach_from(&mut self, index: u32) {
        for (_, link) in self.attached.extract_if(.., |(it, _)| it.index == index) {
            // Also where it is pinned. Where that fails, it is tried again with the next attachment.
            let _ = link.detach();
        }
        let _ = self.keep_links();
        self.options.interfaces.remove(&index);
        // Nothing reads the entry now. One that is left is written over when it is used again.
        let _ = write_settings(&mut self.object, index, Interface::default());
    }

    /// What the kernel says now of the interface of this name, and of the one with this index, which
    /// the program was attached to for it.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(crate) fn look(&mut self, name: &str, held: Option<u32>) -> Result<Look, KernelError> {
        let held = held.map(|index| self.look_at(name, index)).transpose()?;
        Ok(Look {
            named: Device::named(name)?,
            held,
        })
    }

    fn look_at(&mut self, name: &str, index: u32) -> Result<Held, KernelError> {
        let found = self.attached.iter().find(|(it, _)| it.index == index);
        let (entry, is_attached) = match found {
            // A link that cannot be read counts as one that is there: the program is looked for.
            Some((attachment, link)) => {
                let is_attached = link.is_attached().unwrap_or(true);
                (attachment.set.entry, is_attached)
            }
            None => (filter_core::ProgramSet::LINEAR.entry, false),
        };
        Ok(Held {
            program: program(&mut self.object, entry)?.info()?.id(),
            here: Device::at(index, name)?,
            is_attached,
        })
    }

    /// True if clients behind an interface with these settings may be answered by the policy in
    /// force.
    pub fn may_answer(&self, interface: &Interface) -> bool {
        self.buffered.may_answer(interface)
    }

    /// Sets what is done on an interface. The ones that the filter was loaded with have room for
    /// it, and those of lower index.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn set_interface(&mut self, index: u32, interface: Interface) -> Result<(), KernelError> {
        self.programs.load_for(
            &mut self.object,
            InUse {
                answers: self.buffered.has_answers(&interface),
                quic: interface.quic() == Quic::Inspect,
            },
        )?;
        write_settings(&mut self.object, index, interface)?;
        self.options.interfaces.insert(index, interface);
        Ok(())
    }
}
