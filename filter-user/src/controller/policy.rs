//! Reading the policy again, and switching what schedules switch.

use std::{
    io::Write as _,
    mem,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use filter_api::reload::{Reloaded, Undoing};
use filter_core::HashKey;
use filter_lists::{Bounds, Files};
use filter_policy::{
    compiled::{Budget, HashKeyPolicy, Policy, PolicySource},
    groups::Groups,
    memory,
};
use jiff::Timestamp;
use tokio::{signal::unix::Signal, sync::Mutex};

use super::{ControlError, Controller, MaxShrink, interfaces};
use crate::{answers, check::Undone, kernel::Installed, printable::printable_lines};

/// Reads the policy anew and puts it in force. Reading takes the time that it takes, and holds
/// nobody up; what is in force stays in force until the new one takes its place, or where that
/// fails. Reading ends where its bounds are reached, by [`cancel_reload`], or once nobody waits for
/// this future any more. The lists in `accepted` may be much shorter than they were.
///
/// # Errors
/// If the new policy cannot be used.
pub async fn reload(
    controller: Arc<Mutex<Controller>>,
    accepted: Vec<String>,
) -> Result<Reloaded, ControlError> {
    let one_at_a_time = controller.lock().await.reloading.clone();
    let _alone = one_at_a_time.lock().await;
    let cancelled = Arc::new(AtomicBool::new(false));
    let (source, hash_key, budget) = {
        let mut controller = controller.lock().await;
        controller.cancelled = Some(Arc::downgrade(&cancelled));
        let rules = super::reading(&controller.policy)
            .reports
            .iter()
            .map(|list| list.kinds.total())
            .sum();
        (
            controller.source.clone(),
            *controller.filter.hash_key(),
            Budget::in_place_of(rules),
        )
    };
    let _cancels = CancelOnDrop(cancelled.clone());
    let read = blocking(move || {
        let policy = read(&source, &hash_key, budget, cancelled)?;
        let undoing = answers::undoing(Undone::of(&policy.compiled));
        Ok((policy, undoing))
    });
    let (policy, undoing) = read.await?;
    let mut controller = controller.lock_owned().await;
    blocking(move || {
        let max_shrink = MaxShrink {
            accepted,
            ..controller.max_shrink.clone()
        };
        max_shrink.check(&super::reading(&controller.policy).reports, &policy.reports)?;
        let mut policy = policy;
        let installed = controller.put_in_force(&mut policy)?;
        Ok(controller.take_in(policy, undoing, installed))
    })
    .await
}

/// Puts the policy in force that was in force before the last reload.
///
/// # Errors
/// If there is none, or it cannot be put in force.
pub async fn roll_back(controller: Arc<Mutex<Controller>>) -> Result<Reloaded, ControlError> {
    let one_at_a_time = controller.lock().await.reloading.clone();
    let _alone = one_at_a_time.lock().await;
    let mut controller = controller.lock_owned().await;
    blocking(move || {
        let mut previous = controller.previous.take().ok_or(ControlError::NoPrevious)?;
        match controller.put_in_force(&mut previous) {
            Ok(installed) => {
                let undoing = answers::undoing(Undone::of(&previous.compiled));
                Ok(controller.take_in(previous, undoing, installed))
            }
            Err(error) => {
                previous.compiled.forget_by_hand();
                controller.previous = Some(previous);
                Err(error)
            }
        }
    })
    .await
}

/// Ends the reading of a reload that is under way.
///
/// # Errors
/// If none is.
pub async fn cancel_reload(controller: Arc<Mutex<Controller>>) -> Result<(), ControlError> {
    let cancelled = controller
        .lock()
        .await
        .cancelled
        .as_ref()
        .and_then(Weak::upgrade)
        .ok_or(ControlError::NoReload)?;
    cancelled.store(true, Ordering::Relaxed);
    Ok(())
}

/// Whoever no longer waits for a reload wants none.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// [`reload`] with each signal; tells on standard error what became of it.
pub(super) async fn reload_with(mut signals: Signal, controller: &Arc<Mutex<Controller>>) {
    while signals.recv().await.is_some() {
        let text = match reload(controller.clone(), Vec::new()).await {
            Ok(Reloaded {
                rules,
                added,
                changed,
                removed,
                undoing,
                warnings,
                ..
            }) => {
                undoing.examples.iter().for_each(|rule| tell(&rule.message));
                for warning in &warnings {
                    tell(warning);
                }
                format!(
                    "read again: {rules} rules in force ({added} added, {changed} changed, {removed} removed)"
                )
            }
            Err(error) => error.to_string(),
        };
        tell(&text);
    }
    std::future::pending::<()>().await;
}

/// Says it on standard error. Where nobody reads, the filter goes on.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "namegate: {}", printable_lines(text));
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T, ControlError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ControlError::Panicked)?
}

fn read(
    source: &PolicySource,
    hash_key: &HashKey,
    budget: Budget,
    cancelled: Arc<AtomicBool>,
) -> Result<Policy, ControlError> {
    let bounds = Bounds::new(source.limits, Files::Regular, cancelled);
    let read = source.read_or_open_within(
        &bounds,
        budget,
        HashKeyPolicy::ActivePolicy(*hash_key),
        &mut |_| {},
    );
    if read.is_err() {
        // What was read until then is of no use.
        memory::trim_heap();
    }
    let policy = read?;
    policy.notes.iter().for_each(|note| tell(note));
    Ok(policy)
}

fn missed_answers(interface: &str) -> String {
    format!(
        "blocked clients are answered since this reload, and {}",
        interfaces::missed_answers(interface)
    )
}

/// What is to be said where `[run]` and `[[interface]]` have changed.
const AT_THE_NEXT_START: &str = "[run] or [[interface]] of the configuration says something else than at the start: \
     that takes effect at the next start of `namegate run`, which makes no gap where the filter is pinned";

fn left_over(why: &str) -> String {
    format!(
        "the new policy is in force, and the kernel did not let go of all of the old one ({why}): nothing of it is \
         judged by, and it is taken out before the next reload"
    )
}

impl Controller {
    /// Puts a policy in force that was read with the filter's hash key, with what was done by hand.
    fn put_in_force(&mut self, policy: &mut Policy) -> Result<Installed, ControlError> {
        let groups = Groups::of(&policy.config, Timestamp::now());
        let shared = self.policy.clone();
        let before = super::reading(&shared);
        policy.compiled.take_over(&before.compiled)?;
        let installed = self
            .filter
            .install(&before.compiled, &policy.compiled, &groups, |_| {});
        installed.map_err(ControlError::NotInForce)
    }

    /// Takes in the policy that was put in force.
    fn take_in(&mut self, mut policy: Policy, undoing: Undoing, installed: Installed) -> Reloaded {
        let rules = policy.compiled.len();
        let unusable = policy
            .reports
            .iter()
            .map(filter_lists::ListReport::unusable_entries)
            .sum();
        let refused = policy.compiled.refused_patterns();
        let refused_patterns = refused
            .map(|(pattern, refusal)| format!("{pattern}: {refusal}"))
            .collect();
        if let Some(note) = policy.keep() {
            tell(&note);
        }
        policy.compiled.rest();
        let before = mem::replace(&mut *super::writing(&self.policy), policy);
        self.keep_previous(before);
        memory::trim_heap();
        self.show_loaded();
        let Installed {
            added,
            changed,
            removed,
        } = installed;
        let mut warnings = self.missed_answers();
        warnings.extend(self.filter.unsettled().map(left_over));
        let service = &super::reading(&self.policy).config.service;
        if !service.says_the_same_as(&self.started_with) {
            warnings.push(AT_THE_NEXT_START.into());
        }
        Reloaded {
            rules,
            added,
            changed,
            removed,
            unusable,
            refused_patterns,
            undoing,
            warnings,
        }
    }

    /// Keeps what was in force for [`roll_back`], in a file. Where none can be written, it takes
    /// memory.
    fn keep_previous(&mut self, mut policy: Policy) {
        policy.compiled.forget_by_hand();
        let _ = policy.compiled.move_to_file();
        policy.compiled.rest();
        self.previous = Some(policy);
    }

    /// What is to be said of interfaces where answers may be lost since this policy is in force.
    /// The kernel lets nobody change the mode of a program that is attached: it would have to be
    /// taken off first, and all would pass until it is back.
    fn missed_answers(&mut self) -> Vec<String> {
        let Self {
            interfaces, filter, ..
        } = self;
        let mut missing = Vec::new();
        interfaces.each_attachment(|attachment| {
            let may_answer = filter.may_answer(&attachment.settings);
            if attachment.misses_answers_since(may_answer) {
                missing.push(missed_answers(&attachment.interface));
            }
        });
        missing
    }

    /// Writes rules once more that the kernel refused when a change by hand was to be taken back.
    pub(super) fn make_up(&mut self) {
        if self.filter.unsettled().is_some() {
            // What fails now is tried again with the next tick.
            let _ = self
                .filter
                .settle_again(&super::reading(&self.policy).compiled);
        }
    }

    /// Has schedules begin and end.
    pub(super) fn follow_schedules(&mut self) {
        let audiences = Groups::audiences(&super::reading(&self.policy).config, Timestamp::now());
        if audiences != self.filter.groups().audiences {
            // What fails now is tried again with the next look.
            let _ = self.filter.set_audiences(&audiences);
        }
    }
}
