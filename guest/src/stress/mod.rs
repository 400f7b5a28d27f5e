//! Large blocked frames, in small portions, and what they leave in the kernel log.
//!
//! A kernel before the fix "xdp: fix `page_pool` leaks" frees pages wrongly where an XDP program
//! takes whole buffers off a frame. The filter must not have it do that; this check harms the
//! kernel if the filter does.

mod background;
mod client;

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lab::{Family, GATEWAY_LAN, GATEWAY_WAN, Role};

use crate::live::MODES;
use crate::memory;
use crate::runner::{Passed, Runner, passed};
use crate::world::World;
use background::Background;
use client::{Kind, Told};

/// A start takes what loading takes.
const START: Duration = Duration::from_mins(15);
const LIMIT: Duration = Duration::from_mins(10);
/// The MTUs of all interfaces.
const MTUS: [u32; 2] = [1500, 9000];
/// Octets of what is sent, in a geometric row.
const SIZES: [usize; 11] = [
    100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000,
];
/// Octets of datagrams: more than a page, and less than the larger MTU.
const DATAGRAMS: [usize; 5] = [4_000, 5_000, 6_000, 7_000, 8_000];
/// How often each is sent. The kernel prints 60 reports of damage a minute at most.
const TIMES: usize = 3;
/// A client at MTU 1500 is told within this time, or by what it sends again at first: an emulated
/// machine may stand still for longer.
const AT_MOST: Duration = Duration::from_secs(1);
/// Segments of a burst at the start of a connection: enough for one frame of 64 KiB, which offload
/// carries as one.
const WINDOW: u32 = 60;
/// After an interface was left alone, its pages come back to their pool.
const SETTLE: Duration = Duration::from_secs(3);

/// Blocked names, by what becomes of their connections.
const BY_RESET: &str = "reset.example.com";
const BY_ALERT: &str = "alert.example.com";

/// What is sent, to be blocked.
const PORTIONS: [(&str, Kind, &str); 7] = [
    ("hellos, reset", Kind::Hello, BY_RESET),
    ("hellos, alert", Kind::Hello, BY_ALERT),
    ("DNS over TCP, reset", Kind::Stream, BY_RESET),
    ("DNS over TCP, alert", Kind::Stream, BY_ALERT),
    ("datagrams", Kind::Datagram, BY_RESET),
    ("responses over TCP", Kind::ResponseStream, BY_RESET),
    ("responses in datagrams", Kind::ResponseDatagram, BY_RESET),
];

/// Checks both modes with both MTUs, but for what the filter does not do: in the driver of a veth it
/// takes frames of one buffer alone.
pub fn check(runner: &mut Runner) {
    for mode in MODES {
        for mtu in MTUS {
            if mode == "native" && mtu > 1500 {
                runner.check("stress native 9000: refused", START, move || {
                    refused(mode, mtu)
                });
            } else {
                check_one(runner, mode, mtu);
            }
        }
    }
}

/// Namegate does not start there.
fn refused(mode: &'static str, mtu: u32) -> Result<Passed<()>> {
    let mut world = World::new(mtu, client::respond)?;
    fs::write(world.path("list"), format!("{BY_RESET}\n")).context("cannot write a list")?;
    let list = world.path("list");
    let list = list.to_str().context("a path that is no text")?;
    let started = world.filter(&["lan"], mode, &["--list", list]);
    let error = started.err().context("it filters in the driver")?;
    ensure!(
        format!("{error:#}").contains("is a veth with an MTU of 9000"),
        "another error: {error:#}"
    );
    Ok(passed("the MTU is refused".to_owned()))
}

fn check_one(runner: &mut Runner, mode: &'static str, mtu: u32) {
    let name = |part: &str| format!("stress {mode} {mtu}: {part}");
    let Some(world) = runner.check(&name("start"), START, move || start(mode, mtu)) else {
        return;
    };
    for (part, kind, blocked) in PORTIONS {
        if kind.needs_large_mtu() && mtu < 9000 {
            continue;
        }
        let world = world.clone();
        let limit = LIMIT;
        runner.check(&name(part), limit, move || {
            let stressed = world.lock().unwrap_or_else(PoisonError::into_inner);
            portion(&stressed.world, kind, blocked, mtu)
        });
    }
    runner.check(&name("end"), LIMIT, move || {
        let stressed = Arc::into_inner(world).context("a check that hangs has the lab")?;
        end(stressed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner))
    });
}

/// The lab, and traffic beside what is blocked. Fields are dropped in their order.
struct Stressed {
    background: Background,
    world: World,
}

fn start(mode: &'static str, mtu: u32) -> Result<Passed<Arc<Mutex<Stressed>>>> {
    let mut world = World::new(mtu, client::respond)?;
    widen(&world)?;
    if mode == "native" {
        world.hear_driver(Role::Client)?;
        world.hear_driver(Role::Server)?;
    }
    for name in [BY_RESET, BY_ALERT] {
        fs::write(world.path(name), format!("{name}\n")).context("cannot write a list")?;
    }
    let config = format!(
        "[[list]]\nfile = \"{BY_RESET}\"\ntcp = \"reset\"\n\n[[list]]\nfile = \"{BY_ALERT}\"\ntcp = \"alert\"\n"
    );
    fs::write(world.path("config.toml"), config).context("cannot write a configuration")?;
    let config = world.path("config.toml");
    let config = config.to_str().context("a path that is no text")?;
    let args = [
        "--config",
        config,
        "--answers-per-second",
        "0",
        "--clients",
        "lan",
        "--judge",
        "lan=queries",
        "wan=responses",
    ];
    world.filter(&["lan", "wan"], mode, &args)?;
    let background = Background::start(&world)?;
    Ok(Passed::new(
        format!("filters `lan` and `wan` in {mode} mode"),
        Arc::new(Mutex::new(Stressed { background, world })),
    ))
}

/// Lets a connection begin with a burst that fills the largest frame that offload makes.
fn widen(world: &World) -> Result<()> {
    for (namespace, gateway) in [
        (world.lab().client(), GATEWAY_LAN),
        (world.lab().server(), GATEWAY_WAN),
    ] {
        for (family, gateway) in [
            ("-4", gateway.of(Family::V4)),
            ("-6", gateway.of(Family::V6)),
        ] {
            let windows = format!("initcwnd {WINDOW} initrwnd {WINDOW}");
            namespace.ip(&format!(
                "{family} route replace default via {gateway} {windows}"
            ))?;
        }
    }
    Ok(())
}

/// Sends each size some times, over both families in turn, and counts who was told.
fn portion(world: &World, kind: Kind, blocked: &str, mtu: u32) -> Result<Passed<()>> {
    let sizes: &[usize] = if kind.is_datagram() {
        &DATAGRAMS
    } else {
        &SIZES
    };
    let mut told = Vec::new();
    for (number, size) in sizes.iter().flat_map(|size| [*size; TIMES]).enumerate() {
        let family = Family::ALL[number % 2];
        told.push((size, client::ask(world, family, kind, blocked, size)?));
    }
    memory::use_it()?;
    let detail = Told::summary(&told);
    ensure!(
        told.iter().all(|(_, told)| !told.is_unblocked()),
        "a blocked name came through: {detail}"
    );
    if mtu == 1500 {
        let all = told.iter().all(|(_, told)| told.is_soon(AT_MOST));
        ensure!(
            all,
            "not every client was told within {} s or two retransmissions: {detail}",
            AT_MOST.as_secs()
        );
    }
    Ok(passed(detail))
}

fn end(stressed: Stressed) -> Result<Passed<()>> {
    let Stressed {
        background,
        mut world,
    } = stressed;
    let moved = background.finish()?;
    let status = world.end_filter()?;
    ensure!(
        status.success(),
        "namegate ended otherwise than it should ({status})"
    );
    drop(world);
    thread::sleep(SETTLE);
    memory::use_it()?;
    Ok(passed(format!(
        "{moved} MiB of other traffic came back as they were sent"
    )))
}
