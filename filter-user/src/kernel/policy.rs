//! The policy in the kernel's maps: how a new one takes the place of the one in force, as a whole.
//!
//! Whatever differs is written for the generation that is not in force. One word in the kernel then
//! says that this one is in force; until then every name meets the old policy, and from then on the
//! new one. If something fails before, what was written is taken back.

use std::{iter, time::Duration};

use aya::maps::{Array, MapError};
use filter_core::{
    AUDIENCES_OF_BANK, Actions, ActivePolicy, AllEffects, Effect, Generation, Group, Interface,
    ListName, Precedence, RuleKey, RuleShape,
};
use filter_policy::{audiences::Audiences, compiled::CompiledPolicy, groups::Groups};

use super::{
    Filter, KernelError, PolicySize, batch,
    effect::{EffectsKept, Numbers},
    map_fd, map_mut,
    patterns::{self, Parts},
    pod::Value,
    programs::InUse,
    rules::Written,
    unsettled::Unsettled,
};

/// Rules that are brought together for writing.
const MOST_WRITES: usize = 1 << 16;

/// What the kernel holds, as far as it decides what is to be written.
pub(super) struct Buffered {
    /// The numbers of effects in the kernel's table.
    pub effect: EffectsKept,
    /// Rules in the map.
    pub rules: u32,
    /// Neither this bucket nor those behind it ever had a rule: the map needs not be asked.
    pub untouched: u32,
    /// Rules that were taken out since the Bloom filter was made anew, and that it lets through.
    pub gone: u32,
    pub in_force: ActivePolicy,
    pub groups: Groups,
    /// What the map of groups has.
    pub group_entries: Vec<Group>,
    /// True if not all that was to be written of groups was: the maps may have something else than
    /// what is here.
    pub is_unsure: bool,
    pub unsettled: Unsettled,
    /// True if some rules say themselves what their clients are answered.
    pub has_own_answers: bool,
    /// The automata of the patterns in force.
    pub parts: Option<Parts>,
}

impl Buffered {
    /// Nothing, in maps of this shape.
    pub fn of(shape: RuleShape) -> Self {
        let in_force =
            ActivePolicy::new(Generation::default(), Precedence::Block).with_shape(shape);
        Self {
            effect: EffectsKept::default(),
            rules: 0,
            untouched: 0,
            gone: 0,
            in_force,
            groups: Groups::default(),
            group_entries: Vec::new(),
            is_unsure: false,
            unsettled: Unsettled::default(),
            has_own_answers: false,
            parts: None,
        }
    }

    /// True if something that is blocked on an interface with these settings becomes another
    /// packet.
    pub fn has_answers(&self, interface: &Interface) -> bool {
        self.has_own_answers || interface.actions().answers() || self.groups.answer()
    }

    /// True if clients behind an interface with these settings may be answered.
    pub fn may_answer(&self, interface: &Interface) -> bool {
        interface.faces_clients() && !interface.audits() && self.has_answers(interface)
    }
}

/// How many entries of the rule map a new policy differs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// Entries that are new.
    pub added: u64,
    /// Entries that ask for something else than before.
    pub changed: u64,
    /// Entries that are gone.
    pub removed: u64,
}

impl Installed {
    /// What the one differs in from the other.
    pub(super) fn between(before: &CompiledPolicy, after: &CompiledPolicy) -> Self {
        let mut installed = Self::default();
        after.each_difference(before, |_, old, new| match (old.is_none(), new.is_none()) {
            (true, _) => installed.added += 1,
            (false, true) => installed.removed += 1,
            (false, false) => installed.changed += 1,
        });
        installed
    }
}

/// A rule that changes.
#[derive(Clone, Copy)]
struct Change {
    key: RuleKey,
    numbers: Numbers,
}

#[derive(Default)]
struct Changes {
    added: Vec<Change>,
    changed: Vec<Change>,
    removed: Vec<Change>,
}

impl Filter {
    /// Puts a policy in force in place of another, whose rules the kernel has. Where the maps have
    /// no room for both, the new one gets maps of its own. `progress` is told how many entries of
    /// the rule map are written. What cannot be cleaned up once the new one is in force is
    /// [`Filter::unsettled`], and no error.
    ///
    /// # Errors
    /// If the kernel refuses, or the policy has more rules than there may be: then the one that was
    /// in force is in force still.
    pub fn install(
        &mut self,
        before: &CompiledPolicy,
        after: &CompiledPolicy,
        groups: &Groups,
        mut progress: impl FnMut(u64),
    ) -> Result<Installed, KernelError> {
        let installed = match self.install_in_place(before, after, groups, &mut progress) {
            Err(
                KernelError::RulesFull { .. } | KernelError::EffectsFull | KernelError::GroupsFull,
            ) => self.install_in_new_maps(before, after, groups, &mut progress)?,
            installed => {
                let (installed, settled) = installed?;
                self.buffered.unsettled.why = settled.err().map(|error| error.to_string());
                installed
            }
        };
        // Hits of rules that are gone are told of by nobody, whether they are forgotten or not.
        let _ = self.forget_hits(|rule| after.find(rule).is_none());
        Ok(installed)
    }

    /// The same in the maps that there are; says beside it whether both generations are the same
    /// again.
    pub(super) fn install_in_place(
        &mut self,
        before: &CompiledPolicy,
        after: &CompiledPolicy,
        groups: &Groups,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Installed, Result<(), KernelError>), KernelError> {
        if !self.room.holds(self.size_of_both(after, groups)) {
            return Err(KernelError::GroupsFull);
        }
        if groups.answer() || after.has_own_answers(&groups.actions) {
            self.programs.load_for(
                &mut self.object,
                InUse {
                    answers: true,
                    quic: false,
                },
            )?;
        }
        self.settle_again(before)?;
        let changes = self.changes(before, after)?;
        if u64::from(self.buffered.rules) + changes.added.len() as u64 > u64::from(self.room.rules)
        {
            return Err(self.rules_full());
        }
        let next = self.buffered.in_force.generation().other();
        // A first policy that fails leaves a filter that has none.
        let unseen = self.attached.is_empty() && self.buffered.rules == 0;
        let switched = self.switch_to(&changes, after, groups, next, unseen, progress);
        let parts = switched.inspect_err(|_| self.take_back(&changes, groups, next))?;
        wait_for_lookups();
        if std::mem::replace(&mut self.buffered.parts, parts).is_some() {
            // The next policy with patterns takes the place of those that cannot be taken out.
            let _ = patterns::clear(&self.object, next.other().index());
        }
        self.buffered.has_own_answers = after.has_own_answers(&groups.actions);
        let settled = self.settle(&changes, after, groups, next, unseen);
        let count = |changes: &Vec<Change>| changes.len() as u64;
        let installed = Installed {
            added: count(&changes.added),
            changed: count(&changes.changed),
            removed: count(&changes.removed),
        };
        Ok((installed, settled))
    }

    /// The size of a policy while that in force is there as well.
    fn size_of_both(&self, after: &CompiledPolicy, groups: &Groups) -> PolicySize {
        let clients = groups.members.count_with(&self.buffered.groups.members);
        PolicySize {
            clients,
            ..PolicySize::new(after, groups)
        }
    }

    /// Adds a rule that blocks a name and all below it for everybody; one that is there stays as it
    /// is.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] if the map has no room for it.
    pub fn insert(&mut self, key: RuleKey) -> Result<(), KernelError> {
        self.insert_many(&[key], |_| {})
    }

    /// The same for many; `progress` is told how many are in.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] if the map has no room for them; those that had room are in.
    pub fn insert_many(
        &mut self,
        keys: &[RuleKey],
        progress: impl FnMut(u64),
    ) -> Result<(), KernelError> {
        let number = self.number_of(&Effect::BLOCK_SUBTREE.into())?;
        let mut writes: Vec<_> = keys.iter().map(|key| (*key, number)).collect();
        writes.sort_unstable();
        self.write_rules(&writes, progress).map(|_| ())
    }

    /// Sets what the rules for one name ask for, at once; nothing takes the entry out.
    ///
    /// # Errors
    /// [`KernelError::RulesFull`] or [`KernelError::EffectsFull`] if the maps have no room for it.
    pub fn set(&mut self, key: RuleKey, effect: Option<&AllEffects>) -> Result<(), KernelError> {
        let Some(effect) = effect else {
            return self.remove(key).map(|_| ());
        };
        if effect.top() > self.buffered.in_force.top() {
            self.set_in_force(self.buffered.in_force.with_top(effect.top()))?;
        }
        let number = self.number_of(effect)?;
        self.write_rules(&[(key, number)], |_| {}).map(|_| ())
    }

    /// Makes the groups of clients the ones in force, and changes nothing else: what a schedule
    /// switches.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn set_audiences(&mut self, audiences: &[Audiences]) -> Result<(), KernelError> {
        let generation = self.buffered.in_force.generation();
        self.write_audiences(audiences, generation, self.buffered.in_force)?;
        self.buffered.groups.audiences = audiences.to_vec();
        Ok(())
    }

    /// What a new policy differs in, each list in the order of its keys.
    fn changes(
        &mut self,
        before: &CompiledPolicy,
        after: &CompiledPolicy,
    ) -> Result<Changes, KernelError> {
        let mut changes = Changes::default();
        let mut failed = None;
        // Most rules turn from what the one before them was to what that became.
        let mut last: Option<(AllEffects, AllEffects, Numbers)> = None;
        let mut change = |filter: &mut Self, key, old: &AllEffects, new: &AllEffects| {
            if let Some((from, to, numbers)) = &last
                && (from, to) == (old, new)
            {
                return Ok(Change {
                    key,
                    numbers: *numbers,
                });
            }
            let numbers = filter.numbers(old, new)?;
            last = Some((old.clone(), new.clone(), numbers));
            Ok::<_, KernelError>(Change { key, numbers })
        };
        after.each_difference(before, |key, old, new| {
            if failed.is_some() {
                return;
            }
            match change(self, key, old, new) {
                Ok(added) if old.is_none() => changes.added.push(added),
                Ok(removed) if new.is_none() => changes.removed.push(removed),
                Ok(turned) => changes.changed.push(turned),
                Err(error) => failed = Some(error),
            }
        });
        for list in [
            &mut changes.added,
            &mut changes.changed,
            &mut changes.removed,
        ] {
            list.sort_unstable_by_key(|change| change.key);
        }
        failed.map_or(Ok(changes), Err)
    }

    /// Writes the next generation and puts it in force; gives the automata that it has.
    fn switch_to(
        &mut self,
        changes: &Changes,
        after: &CompiledPolicy,
        groups: &Groups,
        next: Generation,
        unseen: bool,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<Parts>, KernelError> {
        let Changes {
            added,
            changed,
            removed,
        } = changes;
        self.write_clients(groups, after.banks(), next)?;
        self.write_actions(&groups.actions, next)?;
        self.write_list_names(after, next)?;
        let between = |numbers: Numbers| numbers.between;
        // Where no packet comes by, both generations may have the new ones at once.
        self.write_all(
            added,
            if unseen {
                |numbers: Numbers| numbers.after
            } else {
                between
            },
            progress,
        )?;
        self.write_all(changed, between, |_| {})?;
        self.write_all(removed, between, |_| {})?;
        let parts = after.automata().parts.iter().map(|part| &*part.table);
        let parts = if parts.len() == 0 {
            None
        } else {
            Some(patterns::put(&mut self.object, next.index(), parts)?)
        };
        let in_force = ActivePolicy::new(next, after.top())
            .with_shape(self.buffered.in_force.shape())
            .with_banks(after.banks());
        let in_force = if groups.members.is_empty() {
            in_force
        } else {
            in_force.with_clients()
        };
        let in_force = if parts.is_some() {
            in_force.with_patterns()
        } else {
            in_force
        };
        let in_force = if after.has_top_level() {
            in_force
        } else {
            in_force.without_top_level()
        };
        self.set_in_force(in_force)?;
        Ok(parts)
    }

    /// Makes both generations the same again. The new policy is in force: what fails here changes
    /// no packet's lot, and is made up for before the next one is written.
    fn settle(
        &mut self,
        changes: &Changes,
        after: &CompiledPolicy,
        groups: &Groups,
        next: Generation,
        unseen: bool,
    ) -> Result<(), KernelError> {
        let Changes {
            added,
            changed,
            removed,
        } = changes;
        let added = if unseen { &[] } else { &**added };
        let lists = [added, changed, removed];
        let rules = lists.map(|list| self.write_or_note(list, |numbers| numbers.after));
        let clients = self.settle_clients(groups, next);
        self.buffered.is_unsure = clients.is_err() || !self.buffered.unsettled.members.is_empty();
        if self.buffered.unsettled.rules.is_empty() {
            self.forget_effects(after);
        }
        // Too many keys that get through the Bloom filter take time, and decide nothing.
        let _ = self.forget_gone(after);
        rules.into_iter().chain([clients]).collect()
    }

    /// What was written is not in force: whatever of it stays does no harm, and is made up for
    /// before the next policy is written.
    fn take_back(&mut self, changes: &Changes, groups: &Groups, next: Generation) {
        let Changes {
            added,
            changed,
            removed,
        } = changes;
        // The error that brought us here is the one to tell.
        let _ = patterns::clear(&self.object, next.index());
        // Pages may be written in part.
        let keys = [added, changed, removed].into_iter().flatten();
        self.buffered
            .unsettled
            .rules
            .extend(keys.map(|change| change.key));
        let rules = [added, changed, removed]
            .map(|list| self.write_or_note(list, |numbers| numbers.before));
        let clients = self.take_back_clients(groups);
        let rules: Result<(), _> = rules.into_iter().collect();
        if rules.is_ok() {
            self.buffered.unsettled.rules.clear();
        }
        self.buffered.unsettled.why = rules.and(clients).err().map(|error| error.to_string());
    }

    /// Writes one of the numbers of each of these rules. If the kernel refuses, they are unsettled.
    fn write_or_note(
        &mut self,
        changes: &[Change],
        number: impl Fn(Numbers) -> u16,
    ) -> Result<(), KernelError> {
        let written = self.write_all(changes, number, |_| {}).inspect_err(|_| {
            let keys = changes.iter().map(|change| change.key);
            self.buffered.unsettled.rules.extend(keys);
        })?;
        self.buffered.gone += written.removed;
        Ok(())
    }

    /// Writes one of the numbers of each of these rules.
    fn write_all(
        &mut self,
        changes: &[Change],
        number: impl Fn(Numbers) -> u16,
        mut progress: impl FnMut(u64),
    ) -> Result<Written, KernelError> {
        let shown = changes
            .iter()
            .filter(|change| number(change.numbers) != Effect::NONE)
            .map(|change| change.key);
        self.bloom.open(shown).map_err(KernelError::Shared)?;
        let (mut all, mut done) = (Written::default(), 0);
        for changes in changes.chunks(MOST_WRITES) {
            let writes: Vec<_> = changes
                .iter()
                .map(|change| (change.key, number(change.numbers)))
                .collect();
            let Written { added, removed } =
                self.write_pages(&writes, |written| progress(done + written))?;
            (all.added, all.removed) = (all.added + added, all.removed + removed);
            done += changes.len() as u64;
        }
        Ok(all)
    }

    /// Makes the Bloom filter anew if it lets many keys through whose rules are gone.
    fn forget_gone(&mut self, after: &CompiledPolicy) -> Result<(), KernelError> {
        /// With a sixteenth more, hardly more keys get through.
        const PART: u32 = 16;

        if self.buffered.gone > self.buffered.rules / PART {
            let all = |key: &mut dyn FnMut(RuleKey)| after.each_in_force(|rule, _| key(rule));
            self.bloom.renew(all).map_err(KernelError::Shared)?;
            self.buffered.gone = 0;
        }
        Ok(())
    }

    /// Writes what becomes of what each audience of lists blocks, for a generation that is not in
    /// force.
    fn write_actions(&mut self, actions: &[Actions], next: Generation) -> Result<(), KernelError> {
        let actions = actions
            .iter()
            .copied()
            .chain(iter::repeat(Actions::default()));
        let audiences = 0..self.room.size.banks * AUDIENCES_OF_BANK;
        let (places, values): (Vec<_>, Vec<_>) = audiences
            .zip(actions)
            .map(|(audience, it)| (Actions::place(audience, next), Value(it)))
            .unzip();
        let map = map_fd(&self.object, "ACTIONS")?;
        batch::update(map, &places, &values).map_err(|error| MapError::SyscallError(error).into())
    }

    /// Writes the names of the lists, for a generation that is not in force.
    fn write_list_names(
        &mut self,
        after: &CompiledPolicy,
        next: Generation,
    ) -> Result<(), KernelError> {
        let names = iter::once((0, ListName::NONE)).chain(after.list_names());
        let (places, values): (Vec<_>, Vec<_>) = names
            .map(|(number, name)| (ListName::place(number.into(), next), Value(name)))
            .unzip();
        let map = map_fd(&self.object, "LISTS")?;
        batch::update(map, &places, &values).map_err(|error| MapError::SyscallError(error).into())
    }

    pub(super) fn set_in_force(&mut self, in_force: ActivePolicy) -> Result<(), KernelError> {
        let mut map = Array::<_, Value<ActivePolicy>>::try_from(map_mut(
            &mut self.object,
            ".data.IN_FORCE",
        )?)?;
        map.set(0, Value(in_force), 0)?;
        self.buffered.in_force = in_force;
        Ok(())
    }
}

/// Waits until no packet is judged by what was in force before: the kernel waits for all of its
/// readers.
pub(super) fn wait_for_lookups() {
    /// linux/membarrier.h
    const GLOBAL: libc::c_int = 1;
    /// Where the kernel does not offer it (built without, or CPUs without ticks), a packet is
    /// judged in a small part of this.
    const INSTEAD: Duration = Duration::from_millis(50);

    // SAFETY: the call has integers only as arguments.
    let failed = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
    if failed < 0 {
        std::thread::sleep(INSTEAD);
    }
}
