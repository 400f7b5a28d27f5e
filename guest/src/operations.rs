//! Each operation that the filter may use on large frames, by itself.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use filter_user::kernel::{Action, AttachedMode, Change, Operation};
use lab::{Family, Role, wait_until};

use crate::dns;
use crate::memory;
use crate::runner::{Passed, Runner, passed};
use crate::servers;
use crate::world::World;

const LIMIT: Duration = Duration::from_mins(5);
/// Where large frames come from: a large MTU in native mode, and offload in generic mode.
const MODES: [(AttachedMode, u32); 2] =
    [(AttachedMode::Native, 9000), (AttachedMode::Generic, 1500)];
/// Octets that a connection sends at once: a frame in two buffers, and one in more.
const SIZES: [usize; 2] = [7_000, 12_000];
/// How long a frame may be on its way.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than the rest of what was sent is on its way.
const SETTLE: Duration = Duration::from_millis(200);

/// Checks each change with each action, in both modes.
pub fn check(runner: &mut Runner) {
    for (mode, mtu) in MODES {
        let name = |part: &str| format!("operations {}: {part}", mode.as_str());
        let Some(world) = runner.check(&name("start"), LIMIT, move || start(mode, mtu)) else {
            continue;
        };
        for (change, action) in Change::ALL
            .iter()
            .flat_map(|change| Action::ALL.map(|action| (*change, action)))
        {
            let world = world.clone();
            runner.check(
                &name(&format!("{change:?}, {action:?}")),
                LIMIT,
                move || {
                    operate(
                        &world.lock().unwrap_or_else(PoisonError::into_inner),
                        mode,
                        change,
                        action,
                    )
                },
            );
        }
    }
}

fn start(mode: AttachedMode, mtu: u32) -> Result<Passed<Arc<Mutex<World>>>> {
    let mut world = World::new(mtu, dns::answer_to)?;
    if mode == AttachedMode::Native {
        world.hear_driver(Role::Client)?;
    }
    Ok(Passed::new(
        format!("the lab stands, with an MTU of {mtu}"),
        Arc::new(Mutex::new(world)),
    ))
}

fn operate(
    world: &World,
    mode: AttachedMode,
    change: Change,
    action: Action,
) -> Result<Passed<()>> {
    let operation = world
        .lab()
        .gateway()
        .inside(|| Operation::attach(change, action, "lan", mode))??;
    let connections = SIZES
        .into_iter()
        .flat_map(|size| Family::ALL.map(|family| (size, family)));
    for ((size, family), number) in connections.zip(1..) {
        let mut stream = world.connect(family, servers::TLS)?;
        // What is not acknowledged is not sent again once the connection is dropped.
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        stream.write_all(&vec![0x33; size]).context("cannot send")?;
        wait_until("a large frame", PATIENCE, || {
            Ok(operation.seen()?.frames >= number)
        })?;
        thread::sleep(SETTLE);
    }
    let seen = operation.seen()?;
    drop(operation);
    memory::use_it()?;
    ensure!(
        mode == AttachedMode::Generic || seen.in_several_buffers > 0,
        "no frame lay in several buffers: {seen:?}"
    );
    ensure!(seen.refused == 0, "the kernel refused: {seen:?}");
    Ok(passed(format!(
        "{} large frames, {} of them in several buffers",
        seen.frames, seen.in_several_buffers
    )))
}
