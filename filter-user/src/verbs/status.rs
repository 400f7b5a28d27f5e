//! `namegate status`

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use filter_api::status::{Interface, InterfaceState, ListStatus, RuleCounts, Status};
use indicatif::{HumanBytes, HumanDuration};

use super::ask;
use crate::{
    cli::ClientArgs,
    output::{BLOCKED, HEADING, count, json_line, plural, printable, stdout, table},
};

/// Exit code of `--exit-code` where an interface is not filtered; 1 and 2 are for failures.
const NOT_FILTERED_CODE: u8 = 3;

/// Show what runs: interfaces, rules by list, memory
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate status
  namegate status --json | jq .rules.total
  namegate status --exit-code >/dev/null || echo \"something is not filtered\"

The exit code is 0 where the controller answers; with --exit-code it is 3 if one of the interfaces that were named is not
filtered, or has another name by now.")]
pub struct Args {
    /// Exit with 3 unless all interfaces that were named are filtered
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let status: Status = ask(&args.client, async |client| Ok(client.status().await?))?;
    if args.client.json {
        json_line(&mut stdout(), &status)?;
    } else {
        print(&printable(&status)?)?;
    }
    let are_filtered = status
        .interfaces
        .iter()
        .all(|interface| interface.state == InterfaceState::Filtered);
    Ok(if args.exit_code && !are_filtered {
        NOT_FILTERED_CODE.into()
    } else {
        ExitCode::SUCCESS
    })
}

fn print(status: &Status) -> io::Result<()> {
    let mut out = stdout();
    let up = HumanDuration(Duration::from_secs(status.uptime_seconds));
    writeln!(
        out,
        "{HEADING}namegate {}{HEADING:#}, process {}, up {up}",
        status.version, status.pid
    )?;
    writeln!(out, "{}", table(facts(status), &[]))?;
    for line in status.interfaces.iter().filter_map(problem) {
        writeln!(out, "{line}")?;
    }
    for line in status.interfaces.iter().flat_map(joining) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "\n{HEADING}rules by list{HEADING:#}")?;
    writeln!(out, "{}", table(rules_by_list(status), &[0]))
}

fn facts(status: &Status) -> [[String; 2]; 8] {
    let interfaces: Vec<_> = status.interfaces.iter().map(interface).collect();
    let RuleCounts {
        total,
        in_kernel,
        capacity,
        max_rules,
        ..
    } = &status.rules;
    let (program, events) = (&status.program, &status.events);
    let instructions = plural(program.verified_instructions.into(), "verified instruction");
    let kernel = HumanBytes(status.memory.kernel_bytes);
    let controller = HumanBytes(status.memory.controller_bytes);
    let row = |name: &str, fact: String| [name.to_owned(), fact];
    [
        row("interfaces", interfaces.join(", ")),
        row("rules", count(*total)),
        row(
            "room",
            format!(
                "{} of {} entries in the kernel; more by itself, up to {}",
                count(*in_kernel),
                count(*capacity),
                count(*max_rules)
            ),
        ),
        row(
            "memory",
            format!("{kernel} in the kernel, {controller} in the controller"),
        ),
        row("program", format!("id {}, {instructions}", program.id)),
        row(
            "events",
            format!(
                "{} reported, {} suppressed, {} lost; {}",
                count(events.reported),
                count(events.suppressed),
                count(events.lost),
                plural(events.readers, "reader"),
            ),
        ),
        row("socket", status.socket.display().to_string()),
        row("when it ends", when_it_ends(status)),
    ]
}

fn when_it_ends(status: &Status) -> String {
    match &status.pins {
        Some(folder) => format!(
            "the kernel goes on filtering; `namegate detach --pins {}` ends that",
            folder.display()
        ),
        None => "all packets pass".into(),
    }
}

fn interface(
    Interface {
        name,
        state,
        mode,
        judged,
        faces_clients,
        action,
        tcp,
        quic,
        ..
    }: &Interface,
) -> String {
    let Some(mode) = mode else {
        return format!("{name} ({}: not filtered)", state.as_str());
    };
    let side = if judged == "both" {
        String::new()
    } else {
        format!(", of DNS {judged} only")
    };
    let what = match &**action {
        "audit" => "audit".into(),
        _ if *faces_clients => format!("clients: {action}, TCP {tcp}, QUIC {quic}"),
        _ if judged == "responses" => format!("responses: {action}, TCP {tcp}"),
        _ => format!("no clients: {action}"),
    };
    format!("{name} ({mode}{side}; {what})")
}

/// What is wrong with an interface.
fn problem(Interface { name, problem, .. }: &Interface) -> Option<String> {
    problem
        .as_ref()
        .map(|problem| format!("{BLOCKED}{name}{BLOCKED:#}: {problem}"))
}

/// What is to be said of devices that have the kernel join datagrams.
fn joining(
    Interface {
        name, joined_below, ..
    }: &Interface,
) -> impl Iterator<Item = String> {
    joined_below.iter().flat_map(|(device, features)| features.iter().map(move |feature| (device, feature))).map(
        move |(device, feature)| {
            format!(
                "{name}: {device} joins datagrams ({feature}), and of DNS messages in one an allowed one beside a blocked one is \
                 lost; `ethtool -K {device} {feature} off` ends that"
            )
        },
    )
}

fn rules_by_list(status: &Status) -> Vec<[String; 3]> {
    let mut rows: Vec<_> = status.rules.lists.iter().map(list).collect();
    let kept = match &status.state {
        Some(file) => format!("kept in {}", file.display()),
        None => "until the controller ends".into(),
    };
    rows.push([count(status.rules.manual), "manual".into(), kept]);
    rows
}

fn list(list: &ListStatus) -> [String; 3] {
    let unusable: u64 = list.unusable.values().sum();
    let left_out = [
        (list.repeated, "repeated"),
        (list.local, "local"),
        (unusable, "unusable"),
    ];
    let left_out = left_out.into_iter().filter(|(number, _)| *number > 0);
    let left_out: Vec<_> = left_out
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    let said = [
        (&list.action, ""),
        (&list.tcp, "TCP "),
        (&list.quic, "QUIC "),
    ]
    .into_iter()
    .filter(|(action, _)| *action != "default");
    let said: Vec<_> = said.map(|(action, of)| format!("{of}{action}")).collect();
    [
        count(list.rules),
        list.list.clone(),
        [vec![list.format.clone()], said, left_out]
            .concat()
            .join(", "),
    ]
}
