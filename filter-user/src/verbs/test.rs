//! `namegate test`

use std::{io::Write, process::ExitCode};

use filter_user::api::Judgement;

use super::{action_words, ask};
use crate::{
    cli::ClientArgs,
    output::{BLOCKED, PASSED, json_line, place, stdout},
};

/// Exit code of `--exit-code` where a name would be blocked; 1 and 2 are for failures.
const BLOCKED_CODE: u8 = 3;

/// Say whether names would be blocked, by which rule, and where it comes from
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate test ads.example.com www.example.com
  namegate test --exit-code www.example.com && echo passes

The exit code is 0 for any answer; with --exit-code it is 3 if one of the names would be blocked.
With --json, one object a line: name, verdict (drop or pass), actions (interface, dns, tls), rule, list, line.")]
pub struct Args {
    /// Names to test
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Exit with 3 if one of the names would be blocked
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let blocked = ask(&args.client, async |client| {
        let mut blocked = false;
        for name in &args.names {
            let judgement: Judgement = client.get("/v1/test", &[("name", name)]).await?;
            blocked |= judgement.verdict == "drop";
            if args.client.json {
                json_line(&mut stdout(), &judgement)?;
            } else {
                print(judgement)?;
            }
        }
        Ok(blocked)
    })?;
    Ok(if blocked && args.exit_code { BLOCKED_CODE.into() } else { ExitCode::SUCCESS })
}

fn print(judgement: Judgement) -> std::io::Result<()> {
    let Judgement { name, verdict, actions, rule, list, line } = judgement;
    let (style, words) =
        if verdict == "drop" { (BLOCKED, action_words(&actions).join("; ")) } else { (PASSED, verdict) };
    match (rule, list) {
        (Some(rule), Some(list)) => {
            let from = place(&list, line);
            writeln!(stdout(), "{name}  {style}{words}{style:#}  rule {rule} ({from})")
        }
        _ => writeln!(stdout(), "{name}  {style}{words}{style:#}"),
    }
}
