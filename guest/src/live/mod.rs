//! Clients and servers with the filter between them, in native and in generic mode.

mod groups;
mod names;
mod reload;

use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lab::Role;

use crate::dns;
use crate::runner::{Passed, Runner, passed};
use crate::world::World;

/// The two modes.
pub const MODES: [&str; 2] = ["native", "generic"];

/// A start takes what loading takes.
const START: Duration = Duration::from_mins(15);
const LIMIT: Duration = Duration::from_mins(5);
/// Reads 100,000 names twice.
const RELOAD: Duration = Duration::from_mins(10);

/// The list's name in answers.
const LIST: &str = "Blocked";
/// A name on the list, and its neighbour.
pub const BLOCKED: &str = "blocked.example.com";
/// A name that is on no list.
pub const OTHER: &str = "other.example.com";

/// The lab, which the checks of a mode hand on to each other.
type Shared = Arc<Mutex<World>>;

/// A check of a mode, which has the lab to itself.
type Part = fn(&World, &'static str) -> Result<Passed<()>>;

/// What is checked in each mode, once the filter runs.
const PARTS: [(&str, Duration, Part); 9] = [
    ("DNS over UDP", LIMIT, names::dns_over_udp),
    ("DNS over TCP", LIMIT, names::dns_over_tcp),
    ("joined datagrams", LIMIT, names::joined),
    ("TLS", LIMIT, names::tls),
    ("hello in two segments", LIMIT, names::hello_in_two_segments),
    ("patterns", LIMIT, names::patterns),
    ("group by address", LIMIT, groups::by_address),
    ("group by MAC", LIMIT, groups::by_mac),
    ("reload of 100,000 names", RELOAD, reload::check),
];

/// Checks both modes.
pub fn check(runner: &mut Runner) {
    for mode in MODES {
        check_mode(runner, mode);
    }
}

fn check_mode(runner: &mut Runner, mode: &'static str) {
    let name = |part: &str| format!("live {mode}: {part}");
    let Some(world) = runner.check(&name("start"), START, move || start(mode)) else {
        return;
    };
    for (part, limit, work) in PARTS {
        let world = world.clone();
        runner.check(&name(part), limit, move || work(&lock(&world), mode));
    }
    runner.check(&name("end"), LIMIT, move || end(&mut lock(&world)));
}

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the filter on the gateway's interface to the client, with all lists that the checks need.
fn start(mode: &'static str) -> Result<Passed<Shared>> {
    let mut world = World::new(1500, dns::answer_to)?;
    if mode == "native" {
        world.hear_driver(Role::Client)?;
    }
    let write = |file: &str, text: String| {
        fs::write(world.path(file), text).with_context(|| format!("cannot write the list {file}"))
    };
    write("blocked", format!("{BLOCKED}\n"))?;
    write("patterns", names::PATTERNS.to_owned())?;
    write("by-address", format!("{}\n", groups::NAME_BY_ADDRESS))?;
    write("by-mac", format!("{}\n", groups::NAME_BY_MAC))?;
    write("many", reload::names(reload::BEFORE))?;
    write("config.toml", config())?;
    let config = world.path("config.toml");
    let config = config.to_str().context("a path that is no text")?;
    // The names before and after the reload are in the map together for a moment.
    let args = [
        "--config",
        config,
        "--answers-per-second",
        "0",
        "--max-rules",
        "250000",
    ];
    world.filter(&["lan"], mode, &args)?;
    let status = world.verb(&["status"])?;
    let attached = &status["interfaces"][0];
    ensure!(
        attached["name"] == "lan" && attached["mode"] == mode,
        "status says {attached}"
    );
    ensure!(
        world.is_attached("lan")?,
        "namegate says that it filters, and `lan` has no XDP program"
    );
    let rules = &status["rules"]["total"];
    Ok(Passed::new(
        format!("status says that `lan` is filtered in {mode} mode, with {rules} rules"),
        Arc::new(Mutex::new(world)),
    ))
}

fn config() -> String {
    let (address_v4, address_v6, mac) = (groups::ADDRESSES.0, groups::ADDRESSES.1, groups::MAC);
    format!(
        r#"
[[list]]
file = "blocked"
name = "{LIST}"

[[list]]
file = "patterns"
format = "adblock"

[[list]]
file = "by-address"
groups = ["by-address"]

[[list]]
file = "by-mac"
groups = ["by-mac"]

[[list]]
file = "many"

[[group]]
name = "by-address"
clients = ["{address_v4}", "{address_v6}"]

[[group]]
name = "by-mac"
clients = ["{mac}"]
"#
    )
}

fn end(world: &mut World) -> Result<Passed<()>> {
    let status = world.end_filter()?;
    ensure!(
        status.success(),
        "namegate ended otherwise than it should ({status})"
    );
    ensure!(
        !world.is_attached("lan")?,
        "`lan` has an XDP program after the end"
    );
    for family in lab::Family::ALL {
        let answer = world.ask(family, BLOCKED, crate::world::PATIENCE)?;
        ensure!(
            answer.is_some_and(|answer| answer.is_by_server()),
            "the name is blocked over {family} after the end"
        );
    }
    Ok(passed(
        "SIGTERM ended it, nothing is attached, and the blocked name is answered",
    ))
}
