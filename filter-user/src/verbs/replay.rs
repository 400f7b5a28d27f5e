//! `namegate replay`

mod output;

use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

use clap::{ValueEnum, ValueHint};
use filter_core::{Counter, HashKey};
use filter_policy::{
    at::PolicyAt,
    compiled::{CompiledPolicy, HashKeyPolicy, Policy, hash_key},
    groups::Groups,
};
use filter_user::{
    kernel::{Filter, KernelError, LoadOptions, MAX_RULES, PolicySize, room_for},
    replay::{Engine, KernelEngine, Line, UserEngine, replay},
};
use jiff::Timestamp;

use super::{
    policy::PolicyArgs,
    run::{
        loading::{fill, read},
        report::warn,
    },
};
use crate::output::plural;
use output::{Output, Totals};

/// Say which names are in captures, and what they would meet
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate replay monday.pcap tuesday.pcapng.zst
  namegate replay --list hosts.txt --json monday.pcap | jq -r 'select(.verdict == \"drop\").name'
  namegate replay --engine user --dns-port 53 5353 -- monday.pcap

Reads pcap and pcapng; plain, gzip or zstd; Ethernet, raw IP, Linux cooked, BSD loopback and PPP. Each file begins
without any flow. The exit code is 1 if a file could not be read to its end; what was read before stands.
With --json, one object a line: file, frame, protocol (dns, tls or quic), kind (query, response or client_hello), name,
verdict (drop or pass), action (what the list says of what it blocks), reason, rule, record (the type, for a further name of
a response), list, line.")]
pub struct Args {
    /// Captures; `-` reads standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// What judges [default: kernel with the privileges that it takes, user without]
    #[arg(long, value_enum)]
    engine: Option<EngineKind>,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Ports whose messages are DNS
    #[arg(long, num_args = 1.., value_name = "PORT", default_values_t = [53], value_parser = clap::value_parser!(u16).range(1..))]
    dns_port: Vec<u16>,

    /// Print JSON, for other programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EngineKind {
    /// The program, loaded into the kernel and attached to nothing
    Kernel,
    /// The same source in this process
    User,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let hash_key = hash_key();
    let policy = read(&args.policy.source(), &HashKeyPolicy::Apart(hash_key))?;
    let (compiled, now) = (&policy.compiled, Timestamp::now());
    let groups = Groups::of(&policy.config, now);
    if let Some(mut filter) = load(args, compiled, &groups, &hash_key)? {
        fill(&mut filter, &policy, &groups)?;
        let code = all(
            args,
            &policy,
            &mut KernelEngine::new(&mut filter)?,
            EngineKind::Kernel,
        )?;
        let lost = filter
            .counters()?
            .get(&Counter::EventsLost)
            .copied()
            .unwrap_or_default();
        if lost > 0 {
            warn(&format!(
                "{} did not fit in the ring buffer: --engine user gives all",
                plural(lost, "name")
            ));
        }
        return Ok(code);
    }
    let mut engine = UserEngine::new(hash_key, &args.dns_port, PolicyAt::of(compiled, groups));
    all(args, &policy, &mut engine, EngineKind::User)
}

/// The program in the kernel; `None` if user space shall judge.
fn load(
    args: &Args,
    compiled: &CompiledPolicy,
    groups: &Groups,
    hash_key: &HashKey,
) -> anyhow::Result<Option<Filter>> {
    if args.engine == Some(EngineKind::User) {
        return Ok(None);
    }
    let options = LoadOptions {
        hash_key: Some(*hash_key),
        max_rules: MAX_RULES,
        room: Some(room_for(compiled.entries_in_force(), MAX_RULES)?),
        size: PolicySize::new(compiled, groups),
        dns_ports: args.dns_port.clone(),
        events_per_second: u32::MAX,
        report_passed: true,
        interfaces: [KernelEngine::INTERFACE].into(),
        ..LoadOptions::default()
    };
    match Filter::load(&options) {
        Ok(filter) => {
            if args.engine.is_none() {
                warn("the kernel judges (--engine user would have this process do it)");
            }
            Ok(Some(filter))
        }
        Err(
            error @ (KernelError::Permission { .. }
            | KernelError::Forbidden { .. }
            | KernelError::Missing { .. }
            | KernelError::Refused(_)),
        ) if args.engine.is_none() => {
            warn(&format!(
                "user space judges, since the kernel cannot: {error}"
            ));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// File after file, each to its end or to where it is broken.
fn all(
    args: &Args,
    policy: &Policy,
    engine: &mut dyn Engine,
    kind: EngineKind,
) -> anyhow::Result<ExitCode> {
    let bytes = args
        .files
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum();
    let several = args.files.len() > 1;
    let mut output = Output::new(args.json, several, bytes)?;
    let mut totals = Totals::default();
    let start = Instant::now();
    for path in &args.files {
        let file = path.display().to_string();
        let bar = output.bar();
        let replayed = replay(
            path,
            engine,
            &mut |bytes| bar.inc(bytes),
            &mut |frame, seen| {
                let Some(line) = Line::new(&file, frame, &seen, &policy.compiled) else {
                    return Ok(());
                };
                totals.count(&line);
                output.line(&line)
            },
        )?;
        output.flush()?;
        totals.add(&replayed);
        for skipped in &replayed.skipped {
            let frames = plural(skipped.frames, "frame");
            let (interface, link) = (skipped.interface, skipped.link);
            output.say(&format!(
                "{file}: {frames} of interface {interface} skipped: link type {link} is not read"
            ));
        }
        if let Some(broken) = &replayed.broken {
            output.failure(broken);
        }
    }
    output.end();
    let judge = if kind == EngineKind::Kernel {
        "the kernel"
    } else {
        "user space"
    };
    warn(&format!(
        "{}, judged by {judge} in {:.1?}",
        totals.text(),
        start.elapsed()
    ));
    Ok(if totals.broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
