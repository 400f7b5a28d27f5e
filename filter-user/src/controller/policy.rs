//! Reading the policy again, and switching what schedules switch.

use std::{io::Write as _, mem, sync::Arc};

use filter_core::HashKey;
use jiff::Timestamp;
use tokio::{signal::unix::Signal, sync::Mutex};

use super::{ControlError, Controller};
use crate::{
    api::Reloaded,
    kernel::{Groups, Installed},
    memory,
    policy::{Policy, PolicySource, ReadWith},
};

/// Reads the policy anew and puts it in force. Reading takes the time that it takes, and holds nobody up; what is in force
/// stays in force until the new one takes its place, or where that fails.
///
/// # Errors
/// If the new policy cannot be used.
pub async fn reload(controller: Arc<Mutex<Controller>>) -> Result<Reloaded, ControlError> {
    let (one_at_a_time, source, hash_key) = {
        let controller = controller.lock().await;
        (controller.reloading.clone(), controller.source.clone(), *controller.filter.hash_key())
    };
    let _alone = one_at_a_time.lock().await;
    let policy = blocking(move || read(&source, &hash_key)).await?;
    let mut controller = controller.lock_owned().await;
    blocking(move || controller.replace(policy)).await
}

/// [`reload`] with each signal; tells on standard error what became of it.
pub(super) async fn reload_with(mut signals: Signal, controller: &Arc<Mutex<Controller>>) {
    while signals.recv().await.is_some() {
        let text = match reload(controller.clone()).await {
            Ok(Reloaded { rules, added, changed, removed, warnings, .. }) => {
                for warning in &warnings {
                    tell(warning);
                }
                format!("read again: {rules} rules in force ({added} added, {changed} changed, {removed} removed)")
            }
            Err(error) => error.to_string(),
        };
        tell(&text);
    }
    std::future::pending::<()>().await;
}

/// Says it on standard error. Where nobody reads, the filter goes on.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "namegate: {text}");
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T, ControlError> {
    tokio::task::spawn_blocking(work).await.map_err(ControlError::Panicked)?
}

fn read(source: &PolicySource, hash_key: &HashKey) -> Result<Policy, ControlError> {
    let policy = source.read_or_open(ReadWith::InForce(*hash_key), &mut |_| {})?;
    policy.notes.iter().for_each(|note| tell(note));
    Ok(policy)
}

fn missed_answers(interface: &str) -> String {
    format!(
        "blocked clients are answered since this reload, and `{interface}` is a veth that is filtered in its driver: its other \
         end takes answers only if it has an XDP program, too; where it has none, start namegate again, which attaches in \
         generic mode then"
    )
}

impl Controller {
    /// Puts a policy in force that was read with the filter's hash key.
    fn replace(&mut self, mut policy: Policy) -> Result<Reloaded, ControlError> {
        let groups = Groups::of(&policy.config, Timestamp::now());
        let installed = {
            let shared = self.policy.clone();
            let before = super::reading(&shared);
            policy.book.take_over(&before.book)?;
            self.filter.install(&before.book, &policy.book, &groups, |_| {})?
        };
        let rules = policy.book.len();
        let unusable = policy.reports.iter().map(crate::lists::ListReport::unusable_entries).sum();
        let refused = policy.book.refused_patterns();
        let refused_patterns = refused.map(|(pattern, refusal)| format!("{pattern}: {refusal}")).collect();
        policy.book.rest();
        drop(mem::replace(&mut *super::writing(&self.policy), policy));
        memory::give_back();
        let Installed { added, changed, removed } = installed;
        let warnings = self.missed_answers();
        Ok(Reloaded { rules, added, changed, removed, unusable, refused_patterns, warnings })
    }

    /// What is to be said of interfaces where answers may be lost since this policy is in force. The kernel lets nobody change
    /// the mode of a program that is attached: it would have to be taken off first, and all would pass until it is back.
    fn missed_answers(&mut self) -> Vec<String> {
        let Self { interfaces, filter, .. } = self;
        let missing = interfaces.iter_mut().filter_map(|attachment| {
            let may_answer = filter.may_answer(&attachment.settings);
            attachment.misses_answers_since(may_answer).then_some(&attachment.interface)
        });
        missing.map(|name| missed_answers(name)).collect()
    }

    /// Has schedules begin and end.
    pub(super) fn follow_schedules(&mut self) {
        let classes = Groups::classes(&super::reading(&self.policy).config, Timestamp::now());
        if classes != self.filter.groups().classes {
            // What fails now is tried again with the next look.
            let _ = self.filter.set_classes(&classes);
        }
    }
}
