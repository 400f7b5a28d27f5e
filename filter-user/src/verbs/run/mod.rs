//! `namegate run`

mod answers;
mod attaching;
pub(super) mod from_file;
mod judged;
mod keeping;
mod limits;
pub(super) mod loading;
mod per_interface;
mod quic;
pub(super) mod report;

use std::{
    env, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use clap::ValueHint;
use filter_core::Directions;
use filter_policy::{
    compiled::{Policy, PolicySource},
    memory,
};
use filter_user::{
    controller::{Controller, Interfaces, NamedInterface, StateFile},
    kernel::{Filter, MAX_RULES, Mode, Pins, check_capabilities},
    server::ApiSocket,
};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};

use crate::{cli::SocketArgs, verbs::policy::PolicyArgs};
use answers::AnswerArgs;
use judged::{LaterFragments, Tunnels};
use keeping::{KeepingArgs, Place, how_to_detach};
use limits::LimitArgs;
use loading::Loaded;
use per_interface::PerInterface;
use quic::QuicArgs;
use report::{say, warn};

/// Load lists, attach to interfaces and filter until Ctrl-C
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  namegate run --iface eth0 --list hosts.txt
  namegate run --iface eth0 --config /etc/namegate.toml --cache /var/lib/namegate
  namegate run --iface lan0 lan1 --list ads.txt tracking.txt.zst --state /var/lib/namegate/names
  namegate run --iface eth0 --list hosts.txt --mode generic --dns-port 53 5353
  namegate run --iface lan0 wan0 --list hosts.txt --judge lan0=queries wan0=responses
  namegate run --iface lan0 lan1 --list hosts.txt --action nxdomain lan1=refused --tcp alert
  namegate run --iface eth0 --list hosts.txt --action audit
  namegate run --wait --iface usb0 --list hosts.txt

Lists are told by their content, and may be plain, gzip or zstd; `namegate check FILE` says what one would do.
`namegate reload` and SIGHUP read them again: the new policy takes effect as a whole, or not at all.
Ctrl-C detaches. After SIGTERM or a crash the kernel goes on filtering by the last policy, and the next start takes over
without a gap; `namegate detach` ends that, and --without-controller pass has all packets pass instead.")]
pub struct Args {
    /// Interfaces to filter: packets that come in by them are judged [default: those of the
    /// configuration]
    #[arg(long, required_unless_present = "config", num_args = 1.., value_name = "IF", value_hint = ValueHint::Other)]
    pub(super) iface: Vec<String>,

    /// Start also while interfaces are missing; each is filtered as soon as it appears
    #[arg(long)]
    wait: bool,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Where the program runs: in the driver (native) or in the network stack (generic)
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,

    /// Keep names that are added while it runs in this file, and load them at the start
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,

    /// Keep the compiled policy in this folder: the next start need not read lists that have not
    /// changed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    cache: Option<PathBuf>,

    /// Rules that there may be in the kernel at most; its maps grow as policies need it
    #[arg(long, value_name = "N", default_value_t = MAX_RULES, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RULES)))]
    max_rules: u32,

    /// Ports whose UDP datagrams and TCP streams are DNS
    #[arg(long, num_args = 1.., value_name = "PORT", default_values_t = [53], value_parser = clap::value_parser!(u16).range(1..))]
    dns_port: Vec<u16>,

    /// Which DNS messages are judged: `queries`, `responses` or `both`, on all interfaces or on one
    /// (`wan0=responses`)
    #[arg(long, num_args = 1.., value_name = "[IF=]SIDES", default_value = "both", value_parser = judged::directions)]
    judge: Vec<PerInterface<Directions>>,

    /// Whether the names in tunnels (IP in IP, GRE, VXLAN, Geneve) are read, on all interfaces or
    /// on one (`wan0=ignore`)
    #[arg(long, num_args = 1.., value_name = "[IF=]TUNNELS", default_value = "open", value_parser = judged::tunnels)]
    tunnels: Vec<PerInterface<Tunnels>>,

    /// What becomes of IP fragments behind the first, which have no headers to judge
    #[arg(long, value_enum, default_value_t)]
    fragments: LaterFragments,

    /// TCP flows of which a message in several segments is held at once; each takes 5 kB of the
    /// kernel's memory
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1 << 19))]
    flows: u32,

    /// Blocked packets that each CPU reports a second, 0 for none; all are counted
    #[arg(long, value_name = "N", default_value_t = 1000)]
    events_per_second: u32,

    #[command(flatten)]
    quic: QuicArgs,

    #[command(flatten)]
    keeping: KeepingArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    socket: SocketArgs,

    #[command(flatten)]
    pub(super) answers: AnswerArgs,
}

impl Args {
    /// Where the policy is read from.
    pub(super) fn source(&self) -> PolicySource {
        let limits = self.limits.limits(self.max_rules);
        PolicySource {
            cache: self.cache.clone(),
            limits,
            ..self.policy.source()
        }
    }

    /// A folder that the controller may write to, if it was given one.
    fn state_folder(&self) -> Option<PathBuf> {
        let of_state = self
            .state
            .as_deref()
            .and_then(Path::parent)
            .map(Path::to_owned);
        of_state
            .filter(|folder| !folder.as_os_str().is_empty())
            .or_else(|| self.cache.clone())
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    memory::tune_malloc();
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the event loop")?;
    let args = from_file::completed(args, &env::args_os().collect::<Vec<_>>())?;
    let ended = runtime.block_on(filter(args));
    // Ends all requests, and with them the last hold on the filter: from here on nothing is
    // attached.
    runtime.shutdown_timeout(Duration::from_secs(1));
    say(&ended?);
    Ok(ExitCode::SUCCESS)
}

/// Filters until a signal comes; what is to be said then.
async fn filter(args: Args) -> anyhow::Result<String> {
    let mut stop = Stop::new().context("cannot wait for signals")?;
    check_capabilities()?;
    let socket = ApiSocket::claim(&args.socket.socket)?;
    let Place { pins, warning } = args.keeping.pins()?;
    let started = start(&args, pins.as_ref(), &mut stop).await;
    if let (Err(_) | Ok(Err(_)), Some(pins)) = (&started, &pins)
        && let Some(note) = keeping::after_no_start(pins)
    {
        warn(&note);
    }
    let Started {
        filter,
        mut policy,
        state,
        named,
    } = match started? {
        Ok(started) => started,
        Err(signal) => {
            let how = signal.as_str();
            return Ok(format!("{how}: stopped before anything was attached"));
        }
    };
    for note in warning.into_iter().chain(policy.keep()) {
        warn(&note);
    }
    say(&report::started(&named, &policy.compiled, &socket));
    let interfaces = Interfaces::new(named, args.mode);
    let interfaces = if args.answers.clients.is_empty() {
        interfaces.following_routes()
    } else {
        interfaces
    };
    policy.compiled.rest();
    memory::trim_heap();
    let controller = Controller::new(
        filter,
        policy,
        args.source(),
        state,
        interfaces.clone(),
        &socket,
    )?;
    let controller = controller.with_max_shrink(args.limits.max_shrink());
    tokio::select! {
        served = controller.serve(&socket, reload_signals()?) => {
            served.context("the API broke off")?;
            Ok(format!("detached from {}", interfaces.filtered()))
        }
        signal = stop.wait() => {
            interfaces.end();
            ended(signal, pins.as_deref(), &interfaces.filtered())
        }
    }
}

/// A filter that is attached.
struct Started {
    filter: Filter,
    policy: Policy,
    state: Option<StateFile>,
    named: Vec<NamedInterface>,
}

/// Loads and attaches, unless a signal comes before that.
async fn start(
    args: &Args,
    pins: Option<&Arc<Pins>>,
    stop: &mut Stop,
) -> anyhow::Result<Result<Started, Ended>> {
    let loading = spawn_blocking({
        let (args, pins) = (args.clone(), pins.cloned());
        move || Loaded::new(&args, pins)
    });
    let Loaded {
        mut filter,
        policy,
        state,
        asked,
    } = tokio::select! {
        loaded = loading => loaded??,
        signal = stop.wait() => return Ok(Err(signal)),
    };
    let named = attaching::attach(&mut filter, asked, &policy.compiled, args)?;
    Ok(Ok(Started {
        filter,
        policy,
        state,
        named,
    }))
}

/// Ends what is pinned, or leaves it; what is to be said of that.
fn ended(signal: Ended, pins: Option<&Pins>, names: &str) -> anyhow::Result<String> {
    let how = signal.as_str();
    match (signal, pins) {
        (Ended::Terminated, Some(pins)) => {
            return Ok(format!(
                "{how}: the kernel goes on filtering {names} by the policy in force; {}",
                how_to_detach(pins)
            ));
        }
        (Ended::Interrupted, Some(pins)) => {
            pins.remove_all()?;
        }
        (_, None) => {}
    }
    Ok(format!(
        "{how}: detached from {names}, nothing is filtered any more"
    ))
}

/// `SIGHUP`, which has daemons read their files again.
fn reload_signals() -> anyhow::Result<Signal> {
    signal(SignalKind::hangup()).context("cannot wait for signals")
}

/// The signals that end it.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) -> Ended {
        tokio::select! {
            _ = self.interrupt.recv() => Ended::Interrupted,
            _ = self.terminate.recv() => Ended::Terminated,
        }
    }
}

/// What ended the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Somebody at a terminal, whose trial is over.
    Interrupted,
    /// Whoever looks after services, and may start the next one.
    Terminated,
}

impl Ended {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Terminated => "told to end",
        }
    }
}
