//! `namegate test`

use std::{io::Write, process::ExitCode};

use filter_api::questions::Judgement;

use super::{action_words, ask, asking::CaseArgs};
use crate::{
    cli::ClientArgs,
    output::{BLOCKED, PASSED, json_line, place, printable, stdout},
};

/// Exit code of `--exit-code` where a name would be blocked; 1 and 2 are for failures.
const BLOCKED_CODE: u8 = 3;

/// Say whether names would be blocked, by which rule, and where it comes from
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate test ads.example.com www.example.com
  namegate test --exit-code www.example.com && echo passes
  namegate test ads.example.com --client 192.0.2.17 --at 2026-11-25T21:00:00+01:00

A name is judged as `explain` judges it: now, for a client in no group, unless another client or time is given. The exit code is 0 for any answer; with --exit-code it is 3 if one of the names would be blocked.
With --json, one object a line: name, verdict (drop or pass), actions (interface, dns, tls), client, group, exempt, at, rule,
list, line.")]
pub struct Args {
    /// Names to test
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Exit with 3 if one of the names would be blocked
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    case: CaseArgs,

    #[command(flatten)]
    controller: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let blocked = ask(&args.controller, async |client| {
        let mut blocked = false;
        for name in &args.names {
            let judgement: Judgement = client.test(&args.case.about(name)).await?;
            blocked |= judgement.verdict == "drop";
            if args.controller.json {
                json_line(&mut stdout(), &judgement)?;
            } else {
                print(printable(&judgement)?)?;
            }
        }
        Ok(blocked)
    })?;
    Ok(if blocked && args.exit_code {
        BLOCKED_CODE.into()
    } else {
        ExitCode::SUCCESS
    })
}

fn print(judgement: Judgement) -> std::io::Result<()> {
    let Judgement {
        name,
        verdict,
        actions,
        group,
        exempt,
        rule,
        list,
        line,
        ..
    } = judgement;
    let (style, words) = if verdict == "drop" {
        (BLOCKED, action_words(&actions).join("; "))
    } else {
        (PASSED, verdict)
    };
    match (rule, list) {
        (Some(rule), Some(list)) => {
            let from = place(&list, line);
            writeln!(
                stdout(),
                "{name}  {style}{words}{style:#}  rule {rule} ({from})"
            )
        }
        _ if exempt => {
            let group = group.unwrap_or_default();
            writeln!(
                stdout(),
                "{name}  {style}{words}{style:#}  the client's group {group} is exempt"
            )
        }
        _ => writeln!(stdout(), "{name}  {style}{words}{style:#}"),
    }
}
