//! What a client sees while one name comes onto the list.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use lab::{Process, wait_until};
use rustix::process::{Pid, Signal, kill_process};

use super::{
    contestant::Reload,
    cpu, lists, not_measured,
    running::{LIMIT, Running},
};
use crate::{
    prober::Prober,
    rows::{Row, Rows},
    statistics::Summary,
};

/// Asked before the reload and behind it, as well.
const QUIET: Duration = Duration::from_millis(500);
/// Names that the prober asks for.
const PROBED: usize = 100;
/// A contestant is not begun with again after so long.
const ENOUGH: Duration = Duration::from_secs(20);
/// Seconds until a new name is blocked.
const GOAL: f64 = 0.3;

/// What one reload was like.
struct Reloaded {
    /// Seconds of CPU.
    cpu: f64,
    /// Seconds until the new name is blocked.
    in_force: f64,
    /// Milliseconds without a right answer.
    gap: f64,
    /// Milliseconds for which the prober did not ask.
    pause: f64,
    lost: f64,
    wrong: f64,
}

type Figure = fn(&Reloaded) -> f64;

/// Reloads each contestant's list so many times, or fewer where that takes long.
pub fn measure(contestants: &[Running], names: &[&str], times: usize, rows: &mut Rows) {
    for running in contestants {
        let mut reloads = Vec::new();
        let start = Instant::now();
        while reloads.len() < times && start.elapsed() < ENOUGH {
            match once(running, names, reloads.len() + 1) {
                Ok(reloaded) => reloads.push(reloaded),
                Err(error) => {
                    not_measured(&format!("a reload of {}", running.contestant.name), &error);
                    break;
                }
            }
        }
        push(running, &reloads, rows);
    }
}

fn push(running: &Running, reloads: &[Reloaded], rows: &mut Rows) {
    let (name, namegate) = (running.contestant.name, running.contestant.is_namegate());
    let goal = |row: Row, goal: f64| if namegate { row.at_most(goal) } else { row };
    let figure = |figure: Figure| Summary::of(reloads.iter().map(figure));
    let medians: [(&str, &'static str, Figure); 4] = [
        ("reload, CPU", "s", |reloaded| reloaded.cpu),
        ("reload, until the new name is blocked", "s", |reloaded| {
            reloaded.in_force
        }),
        ("reload, longest without a right answer", "ms", |reloaded| {
            reloaded.gap
        }),
        (
            "reload, longest that the prober did not ask",
            "ms",
            |reloaded| reloaded.pause,
        ),
    ];
    for (what, unit, of) in medians {
        let Some(summary) = figure(of) else { continue };
        let row = Row::median(format!("{what}, {name}"), summary, unit);
        rows.push(if what.ends_with("is blocked") {
            goal(row, GOAL)
        } else {
            row
        });
    }
    let sums: [(&str, Figure); 2] = [
        ("lost", |reloaded| reloaded.lost),
        ("answered wrongly", |reloaded| reloaded.wrong),
    ];
    for (what, of) in sums {
        if !reloads.is_empty() {
            let row = Row::exact(
                format!("reloads ({}), queries {what}, {name}", reloads.len()),
                reloads.iter().map(of).sum(),
                "",
            );
            rows.push(goal(row, 0.0));
        }
    }
}

fn once(running: &Running, names: &[&str], number: usize) -> anyhow::Result<Reloaded> {
    let later = lists::later(number);
    let new = later.last().context("no name comes onto the list")?;
    if matches!(running.contestant.reload, Reload::Unseen) {
        bail!("what it blocks has no answer, and so the prober sees nothing");
    }
    lists::write(
        running.contestant.form,
        running.lab().directory(),
        names,
        &later,
    )?;
    let asked_for = names.get(..names.len().min(PROBED)).unwrap_or_default();
    let prober = Prober::start(running.connect()?, asked_for, new)?;
    thread::sleep(QUIET);
    ensure!(
        !prober.in_force(),
        "{new} was blocked before the list was read again"
    );

    let (asked, before) = (prober.elapsed(), cpu::of_process(running.id())?);
    let mut command = trigger(running)?;
    wait_until(&format!("{new} to be blocked"), LIMIT, || {
        let failed = command
            .as_mut()
            .map(Process::ended)
            .transpose()?
            .flatten()
            .filter(|status| !status.success());
        ensure!(
            failed.is_none(),
            "the command that reloads failed: {}",
            running.said()
        );
        Ok(prober.in_force())
    })?;
    thread::sleep(QUIET);
    let cpu = cpu::of_process(running.id())? - before;
    let seen = prober.finish()?;
    let in_force = seen
        .in_force
        .context("the new name was blocked, and no answer says when")?;
    Ok(Reloaded {
        cpu,
        in_force: in_force.saturating_sub(asked).as_secs_f64(),
        gap: seen.gap.as_secs_f64() * 1e3,
        pause: seen.pause.as_secs_f64() * 1e3,
        lost: seen.lost as f64,
        wrong: seen.wrong as f64,
    })
}

/// Has the list read again; gives the command that does, if it is one.
fn trigger(running: &Running) -> anyhow::Result<Option<Process>> {
    match running.contestant.reload {
        Reload::Command(command) => Ok(Some(running.spawn(command)?)),
        Reload::Signal | Reload::Unseen => {
            let id = i32::try_from(running.id())
                .ok()
                .and_then(Pid::from_raw)
                .context("a process without a number")?;
            kill_process(id, Signal::HUP)
                .context("SIGHUP cannot be sent: has the process ended?")?;
            Ok(None)
        }
    }
}
