//! `namegate reload`

use std::{io::Write, process::ExitCode};

use filter_user::api::Reloaded;
use hyper::Method;
use serde_json::Map;

use super::ask;
use crate::{
    cli::ClientArgs,
    output::{count, json_line, plural, stdout},
};

/// Read lists and configuration again, and put them in force as a whole
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate reload

Packets meet the old policy until the new one is ready, and then the new one. If the new one cannot be used, the old one
stays in force, and this says why; the exit code is 1 then.
With --json, one object: rules, added, changed, removed, unusable, refused_patterns, warnings.")]
pub struct Args {
    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let reloaded: Reloaded =
        ask(&args.client, async |client| Ok(client.send(Method::POST, "/v1/reload", &Map::new()).await?))?;
    let mut out = stdout();
    if args.client.json {
        json_line(&mut out, &reloaded)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Reloaded { rules, added, changed, removed, unusable, refused_patterns, warnings } = reloaded;
    let [added, changed, removed] = [added, changed, removed].map(count);
    writeln!(out, "{} in force: {added} added, {changed} changed, {removed} removed", plural(rules, "rule"))?;
    if unusable > 0 {
        writeln!(out, "{} of lists left out: `namegate check FILE` says which", count(unusable))?;
    }
    for pattern in refused_patterns {
        writeln!(out, "not in force: {}", pattern.escape_debug())?;
    }
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(ExitCode::SUCCESS)
}
