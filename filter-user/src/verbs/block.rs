//! `namegate block`

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context as _;
use filter_api::rules::{Added, AddedName, NameAction, NameList, Removed, RemovedName};

use super::ask;
use crate::{
    cli::ClientArgs,
    output::{json_line, mark, place, printable, stdout},
};

/// Add, remove and list rules
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate block add ads.example.com tracker.example.net
  namegate block remove ads.example.com
  namegate block list --contains example")]
pub struct Args {
    #[command(subcommand)]
    change: Change,
}

#[derive(clap::Subcommand)]
enum Change {
    /// Block names, with all names below them
    #[command(after_help = "\
Examples:
  namegate block add ads.example.com
  namegate block add --json a.example b.example
  namegate block add - < names.txt

Either all names are blocked or none. They are kept for the next start if the controller was started with --state.
With --json, one object: results (name, added, before), kept.")]
    Add(NewNames),
    /// Block names no longer
    #[command(after_help = "\
Examples:
  namegate block remove ads.example.com

What was added with `block add` or `allow` is taken back. Where a name has no such rule, those of lists are removed, until the
next reload or start. The exit code is 1 if a name is no rule.
With --json, one object: results (name, removed, until_restart, still_blocked_by).")]
    Remove(Names),
    /// List the rules
    #[command(after_help = "\
Examples:
  namegate block list --contains example.com
  namegate block list --json | jq -r .rule

With --json, one object a line: rule, list, line.")]
    List(List),
}

#[derive(clap::Args)]
struct Names {
    /// The names; `-` for those on standard input, one a line
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(clap::Args)]
struct NewNames {
    #[command(flatten)]
    names: Names,

    /// Take public suffixes as well (`co.uk`), under which others register names
    #[arg(long)]
    force: bool,
}

#[derive(clap::Args)]
struct List {
    /// Only rules with this text in their name
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,

    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.change {
        Change::Add(names) => add(names, NameAction::Block),
        Change::Remove(names) => remove(names),
        Change::List(args) => list(args),
    }
}

/// Allow names whatever blocks them, unless that is important
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate allow www.example.com
  namegate block remove www.example.com    Allow it no longer

All names below are allowed as well. They are kept for the next start if the controller was started with --state.
With --json, one object: results (name, added, before), kept.")]
pub struct AllowArgs {
    #[command(flatten)]
    names: NewNames,
}

pub fn allow(args: &AllowArgs) -> anyhow::Result<ExitCode> {
    add(&args.names, NameAction::Allow)
}

impl Names {
    /// All names, with those on standard input where that is asked for. Empty lines and those that
    /// begin with `#` are none.
    fn all(&self) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        for name in &self.names {
            if name != "-" {
                all.push(name.clone());
                continue;
            }
            let text =
                io::read_to_string(io::stdin()).context("cannot read names on standard input")?;
            let lines = text.lines().map(str::trim);
            let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            all.extend(names.map(str::to_owned));
        }
        Ok(all)
    }
}

fn add(args: &NewNames, action: NameAction) -> anyhow::Result<ExitCode> {
    let NewNames { names: args, force } = args;
    let names = NameList {
        names: args.all()?,
        action,
        force: *force,
    };
    let added: Added = ask(&args.client, async |client| Ok(client.add(&names).await?))?;
    let mut out = stdout();
    if args.client.json {
        json_line(&mut out, &added)?;
        return Ok(ExitCode::SUCCESS);
    }
    for name in &printable(&added)?.results {
        print_added(&mut out, name, action)?;
    }
    if !added.kept {
        writeln!(
            out,
            "This lasts until the controller ends. Start it with --state FILE to keep what is added."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_added(
    out: &mut impl Write,
    AddedName {
        name,
        added,
        before,
    }: &AddedName,
    action: NameAction,
) -> io::Result<()> {
    let blocks = action == NameAction::Block;
    match before {
        _ if !added => writeln!(out, "{name} was added before."),
        Some(rule) if !blocks && rule.action == "block_important" => {
            let from = place(&rule.list, rule.line);
            writeln!(
                out,
                "{name} stays blocked: rule {} ({from}) is important.",
                rule.rule
            )
        }
        Some(rule) if !blocks => {
            let from = place(&rule.list, rule.line);
            writeln!(
                out,
                "{name} is allowed. Rule {} ({from}) blocked it before.",
                rule.rule
            )
        }
        None if !blocks => writeln!(out, "{name} is allowed, with all names below it."),
        None => writeln!(out, "{name} is blocked, with all names below it."),
        Some(rule) => {
            writeln!(
                out,
                "{name} is blocked. Rule {} ({}) blocked it before.",
                rule.rule,
                place(&rule.list, rule.line)
            )
        }
    }
}

fn remove(args: &Names) -> anyhow::Result<ExitCode> {
    let names = args.all()?;
    let removed: Removed = ask(&args.client, async |client| {
        Ok(client.remove(&names).await?)
    })?;
    let mut out = stdout();
    if args.client.json {
        json_line(&mut out, &removed)?;
    } else {
        for name in &printable(&removed)?.results {
            print_removed(&mut out, name)?;
        }
    }
    let all = removed.results.iter().all(|name| name.removed);
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print_removed(out: &mut impl Write, result: &RemovedName) -> io::Result<()> {
    let RemovedName {
        name,
        removed,
        until_restart,
        still_blocked_by,
    } = result;
    write!(
        out,
        "{name} {}.",
        if *removed {
            "is no rule any more"
        } else {
            "is no rule"
        }
    )?;
    if let Some(rule) = still_blocked_by {
        write!(
            out,
            " Rule {} ({}) still blocks it.",
            rule.rule,
            place(&rule.list, rule.line)
        )?;
    }
    if let Some(rule) = until_restart {
        write!(
            out,
            " It comes back at the next reload or start, from {}:{}.",
            rule.list, rule.line
        )?;
    }
    writeln!(out)
}

fn list(args: &List) -> anyhow::Result<ExitCode> {
    ask(&args.client, async |client| {
        let mut rules = client.rules(args.contains.as_deref()).await?;
        let mut out = io::BufWriter::new(stdout());
        while let Some(rule) = rules.next().await? {
            if args.client.json {
                json_line(&mut out, &rule)?;
            } else {
                let rule = printable(&rule)?;
                let (mark, from) = (mark(&rule.action), place(&rule.list, rule.line));
                writeln!(out, "{}{mark}  {from}", rule.rule)?;
            }
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    })
}
