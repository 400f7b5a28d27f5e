//! A reload that replaces all of a long list while queries arrive.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use lab::Family;

use super::names::{assert_answered, assert_blocked};
use super::{BLOCKED, OTHER};
use crate::dns::{Answer, NXDOMAIN};
use crate::runner::{Passed, passed};
use crate::world::{PATIENCE, World, ask};

/// Names of the list.
const NAMES: usize = 100_000;
/// Of these, each of so many is asked for before and after the reload.
const STEP: usize = 4_999;
/// The names before the reload are below this one, and those after it below the other.
pub const BEFORE: &str = "before.example";
const AFTER: &str = "after.example";
/// Asked before the reload and behind it, as well.
const QUIET: Duration = Duration::from_millis(500);
/// Queries during a reload that say something of it.
const QUERIES: usize = 20;

/// What a name has to meet while the list is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It is on another list, all the time.
    Listed,
    /// It is on no list.
    Unlisted,
    /// It is on the list before the reload.
    Before,
    /// It is on the list after the reload.
    After,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Listed, Self::Unlisted, Self::Before, Self::After];

    fn name(self) -> String {
        match self {
            Self::Listed => BLOCKED.to_owned(),
            Self::Unlisted => OTHER.to_owned(),
            Self::Before => name(77, BEFORE),
            Self::After => name(77, AFTER),
        }
    }

    /// Whether it is blocked while the list is the old one, and while it is the new one.
    fn blocked(self) -> [bool; 2] {
        match self {
            Self::Listed => [true, true],
            Self::Unlisted => [false, false],
            Self::Before => [true, false],
            Self::After => [false, true],
        }
    }
}

/// The list with all its names below this one.
pub fn names(below: &str) -> String {
    (0..NAMES).fold(String::new(), |mut list, number| {
        // A string takes all.
        let _ = writeln!(list, "{}", name(number, below));
        list
    })
}

fn name(number: usize, below: &str) -> String {
    format!("n{number}.{below}")
}

/// Replaces the list while a client asks, over both families, one query after the other.
pub fn check(world: &World, _: &'static str) -> Result<Passed<()>> {
    assert_in_force(world, BEFORE, AFTER)?;
    fs::write(world.path("many"), names(AFTER)).context("cannot write the new list")?;
    let probers = Family::ALL
        .map(|family| Prober::start(world, family))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    thread::sleep(QUIET);
    let reloaded = world.verb(&["reload"]);
    thread::sleep(QUIET);
    let seen = probers.into_iter().map(Prober::finish).collect::<Vec<_>>();
    reloaded?;
    let mut asked = 0;
    for seen in seen {
        let seen = seen?;
        ensure!(
            seen.len() >= QUERIES,
            "only {} queries were asked",
            seen.len()
        );
        asked += seen.len();
        judge(&seen)?;
    }
    assert_in_force(world, AFTER, BEFORE)?;
    Ok(passed(format!(
        "{NAMES} names were replaced during {asked} queries, and each of these met one list or the other"
    )))
}

/// Names of one list are blocked, and those of the other are not.
fn assert_in_force(world: &World, listed: &str, other: &str) -> Result<()> {
    for (number, family) in (0..NAMES)
        .step_by(STEP)
        .zip(Family::ALL.into_iter().cycle())
    {
        assert_blocked(world, family, &name(number, listed))?;
        assert_answered(world, family, &name(number, other))?;
    }
    Ok(())
}

/// What was heard of a name; `None` if there was no answer.
type Seen = Vec<(Kind, Option<Answer>)>;

/// Somebody who asks for names of all kinds in turn.
struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen>>,
}

impl Prober {
    fn start(world: &World, family: Family) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (socket, told) = (world.dns_socket(family)?, stop.clone());
        let thread = thread::spawn(move || {
            let mut seen = Vec::new();
            while !told.load(Ordering::Relaxed) {
                for kind in Kind::ALL {
                    seen.push((kind, ask(&socket, &kind.name(), PATIENCE)?));
                }
            }
            Ok(seen)
        });
        Ok(Self { stop, thread })
    }

    fn finish(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("the thread that asks panicked"))?
    }
}

/// Each name is answered, first as the old list has it and from some moment on as the new one has
/// it; the moment is the same for all names.
fn judge(seen: &Seen) -> Result<()> {
    let mut is_new = false;
    for (number, (kind, answer)) in seen.iter().enumerate() {
        let answer = answer
            .as_ref()
            .with_context(|| format!("query {number}, for {}, was not answered", kind.name()))?;
        let is_blocked = answer.code == NXDOMAIN;
        ensure!(
            is_blocked || answer.is_by_server(),
            "query {number}, for {}: {answer:?}",
            kind.name()
        );
        let [by_old, by_new] = kind.blocked();
        is_new |= by_old != by_new && is_blocked == by_new;
        let expected = if is_new { by_new } else { by_old };
        ensure!(
            is_blocked == expected,
            "query {number}, for {}, was {}, {} the new list was in force",
            kind.name(),
            if is_blocked {
                "blocked"
            } else {
                "answered by the server"
            },
            if is_new { "after" } else { "before" },
        );
    }
    ensure!(is_new, "no query met the new list");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns;

    fn answer(is_blocked: bool) -> Answer {
        let code = if is_blocked { NXDOMAIN } else { dns::NO_ERROR };
        let addresses = if is_blocked {
            Vec::new()
        } else {
            vec![dns::ADDRESSES.0.into()]
        };
        Answer {
            id: 1,
            code,
            extended_error: None,
            addresses,
        }
    }

    /// Answers by the old list, then by the new one from this query on.
    fn seen(new_from: usize) -> Seen {
        let kinds = Kind::ALL.into_iter().cycle().take(12).enumerate();
        kinds
            .map(|(at, kind)| {
                (
                    kind,
                    Some(answer(kind.blocked()[usize::from(at >= new_from)])),
                )
            })
            .collect()
    }

    #[test]
    fn one_list_and_then_the_other_is_right_wherever_they_change() {
        for new_from in 0..10 {
            assert!(judge(&seen(new_from)).is_ok(), "{new_from}");
        }
        assert!(judge(&seen(12)).is_err(), "the new list never came");
    }

    #[test]
    fn a_query_without_an_answer_or_with_a_wrong_one_is_told() {
        for at in 0..12 {
            let mut lost = seen(6);
            lost[at].1 = None;
            assert!(judge(&lost).is_err(), "{at}");
        }
        let mut blocked = seen(6);
        blocked[5].1 = Some(answer(true));
        assert!(
            judge(&blocked)
                .unwrap_err()
                .to_string()
                .contains("other.example.com")
        );
        let mut passed = seen(6);
        passed[8].1 = Some(answer(false));
        assert!(judge(&passed).is_err());
    }

    #[test]
    fn the_old_list_never_comes_back() {
        let mut back = seen(2);
        back[6].1 = Some(answer(true));
        assert!(judge(&back).is_err());
    }

    #[test]
    fn the_list_has_as_many_names_as_it_should() {
        let list = names(BEFORE);
        assert_eq!(list.lines().count(), NAMES);
        assert!(list.lines().any(|line| line == Kind::Before.name()));
    }
}
