//! `namegate explain`

use std::{
    io::{self, Write},
    process::ExitCode,
};

use filter_api::questions::{Explained, ExplainedRule};

use super::{action_words, ask, asking::CaseArgs};
use crate::{
    cli::ClientArgs,
    output::{BLOCKED, FAINT, HEADING, PASSED, json_line, place, printable, stdout},
};

/// Say why a name is blocked or not: every rule about it, and which of them prevails
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate explain ads.example.com
  namegate explain ads.example.com --client 192.0.2.17 --at 2026-11-25T21:00:00+01:00

Rules of a higher rank prevail: allow with $important, block with $important, allow, block.
With --json, one object: name, verdict, outcome, actions (interface, dns, tls), client, group, exempt, at, rules (rule, scope,
action, list, line, text, dns, tcp, quic, groups, schedule, applies, prevails, cancelled, redundant).")]
pub struct Args {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    case: CaseArgs,

    #[command(flatten)]
    controller: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let explained: Explained = ask(&args.controller, async |client| {
        Ok(client.explain(&args.case.about(&args.name)).await?)
    })?;
    if args.controller.json {
        json_line(&mut stdout(), &explained)?;
    } else {
        print(&printable(&explained)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(explained: &Explained) -> io::Result<()> {
    let mut out = stdout();
    let Explained {
        name,
        outcome,
        actions,
        group,
        exempt,
        rules,
        ..
    } = explained;
    let style = if outcome == "blocked" {
        BLOCKED
    } else {
        PASSED
    };
    writeln!(out, "{name}  {style}{}{style:#}", outcome.replace('_', " "))?;
    for words in action_words(actions) {
        writeln!(out, "{words}")?;
    }
    match group {
        Some(group) if *exempt => {
            writeln!(
                out,
                "The client is in group {group}, which is exempt: nothing is blocked for it."
            )?;
        }
        Some(group) => writeln!(out, "The client is in group {group}.")?,
        None => {}
    }
    if rules.is_empty() {
        return writeln!(out, "No rule is about it.");
    }
    rules.iter().try_for_each(|rule| print_rule(&mut out, rule))
}

fn print_rule(out: &mut impl Write, rule: &ExplainedRule) -> io::Result<()> {
    let ExplainedRule {
        source,
        text,
        dns,
        tcp,
        quic,
        groups,
        schedule,
        prevails,
        ..
    } = rule;
    let mark = if *prevails { "=>" } else { "  " };
    let action = source.action.replace('_', " ");
    let from = place(&source.list, source.line);
    writeln!(
        out,
        "{mark} {HEADING}{action}{HEADING:#} {} ({})  {from}",
        source.rule, source.scope
    )?;
    if let Some(text) = text {
        writeln!(out, "     {FAINT}{text}{FAINT:#}")?;
    }
    if *prevails && [dns, tcp, quic].iter().any(|action| *action != "default") {
        writeln!(out, "     its list says: {dns}, TCP {tcp}, QUIC {quic}")?;
    }
    if let Some(groups) = groups {
        writeln!(out, "     for {}", groups.join(", "))?;
    }
    if let Some(schedule) = schedule {
        writeln!(out, "     while schedule {schedule} is on")?;
    }
    for note in notes(rule) {
        writeln!(out, "     {note}")?;
    }
    Ok(())
}

fn notes(rule: &ExplainedRule) -> impl Iterator<Item = &'static str> {
    let notes = [
        (rule.cancelled, "taken out by another rule ($badfilter)"),
        (
            !rule.applies && !rule.cancelled,
            "not in force for this client at this time",
        ),
        (
            rule.redundant,
            "takes no entry of its own: a rule for a name above says the same",
        ),
    ];
    notes
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, note)| note)
}
