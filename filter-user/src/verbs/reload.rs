//! `namegate reload`

use std::{io::Write, process::ExitCode};

use filter_api::reload::{Cancelled, ReloadOptions, Reloaded};

use super::ask;
use crate::{
    cli::ClientArgs,
    output::{count, json_line, plural, printable, stdout},
};

/// Read lists and configuration again, and put them in force as a whole
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate reload
  namegate reload --accept-shrink /etc/namegate/ads.txt
  namegate reload --cancel

Packets meet the old policy until the new one is ready, and then the new one. If the new one cannot be used, the old one
stays in force, and this says why; the exit code is 1 then. Ctrl-C ends a reload that still reads, and so does
--timeout: one that takes longer than ten minutes needs more.
Lists have to be regular files, and are read within the limits of `namegate run` (--max-unpacked, --max-rules,
--max-memory, --max-seconds). A list that lost more than half of its rules (--max-shrink) is taken only with
--accept-shrink. `namegate rollback` puts the policy back in force that was there before.
With --json, one object: rules, added, changed, removed, unusable, refused_patterns, undoing (count, examples), warnings; with
--cancel: cancelled.")]
pub struct Args {
    /// Lists that may have lost more of their rules than --max-shrink allows, as they are named
    #[arg(long, num_args = 1.., value_name = "LIST", conflicts_with = "cancel")]
    accept_shrink: Vec<String>,

    /// End the reload that still reads; the policy in force stays
    #[arg(long)]
    cancel: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.cancel {
        return cancel(&args.client);
    }
    let options = ReloadOptions {
        accept_shrink: args.accept_shrink.clone(),
    };
    let reloaded: Reloaded = ask(&args.client, async |client| {
        Ok(client.reload(&options).await?)
    })?;
    print(&args.client, &reloaded)
}

fn cancel(client: &ClientArgs) -> anyhow::Result<ExitCode> {
    let cancelled: Cancelled = ask(client, async |client| Ok(client.cancel_reload().await?))?;
    let mut out = stdout();
    if client.json {
        json_line(&mut out, &cancelled)?;
    } else {
        writeln!(out, "the reload ends; the policy that is in force stays")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells what is in force now.
pub(super) fn print(client: &ClientArgs, reloaded: &Reloaded) -> anyhow::Result<ExitCode> {
    let mut out = stdout();
    if client.json {
        json_line(&mut out, reloaded)?;
        return Ok(ExitCode::SUCCESS);
    }
    let reloaded = printable(reloaded)?;
    let Reloaded {
        rules,
        added,
        changed,
        removed,
        unusable,
        refused_patterns,
        undoing,
        warnings,
    } = reloaded;
    let [added, changed, removed] = [added, changed, removed].map(count);
    writeln!(
        out,
        "{} in force: {added} added, {changed} changed, {removed} removed",
        plural(rules, "rule")
    )?;
    if unusable > 0 {
        writeln!(
            out,
            "{} of lists left out: `namegate check FILE` says which",
            count(unusable)
        )?;
    }
    for rule in &undoing.examples {
        writeln!(out, "undone: {}", rule.message)?;
    }
    match undoing.count.saturating_sub(undoing.examples.len() as u64) {
        0 => {}
        more => writeln!(
            out,
            "and {} more rules that undo those of other lists (--trust)",
            count(more)
        )?,
    }
    for pattern in refused_patterns {
        writeln!(out, "not in force: {pattern}")?;
    }
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(ExitCode::SUCCESS)
}
