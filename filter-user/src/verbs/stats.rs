//! `namegate stats`

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    thread::sleep,
    time::{Duration, Instant},
};

use filter_api::{client::Client, status::Stats};
use filter_core::Counter;

use super::ask;
use crate::{
    cli::ClientArgs,
    output::{HEADING, count, json_line, mark, place, printable, stdout, table},
};

/// Rules that are shown unless told otherwise.
const TOP: usize = 10;

/// What `--watch` waits between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Cursor to the top left, everything below erased (ECMA-48, CUP and ED).
const CLEAR: &str = "\x1b[H\x1b[J";

/// Show what was counted: packets by reason, and the rules that blocked most
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate stats --watch
  namegate stats --all
  namegate stats --json | jq .counters.dns_blocked

With --json, one object: counters (name: count, all of them), rules (rule, list, line, hits; all that blocked something
unless --top says how many). With --watch, one object a line.")]
pub struct Args {
    /// Show the counts again each second, with what came a second
    #[arg(long)]
    watch: bool,

    /// Show counters that are zero, too
    #[arg(long)]
    all: bool,

    /// How many rules to show [default: 10; all with --json]
    #[arg(long, value_name = "N")]
    top: Option<usize>,

    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ask(&args.client, async |client| {
        let mut before: Option<(Instant, Stats)> = None;
        loop {
            let stats = fetch(args, &client).await?;
            let now = Instant::now();
            show(
                args,
                &stats,
                before.as_ref().map(|(then, stats)| (now - *then, stats)),
            )?;
            if !args.watch {
                return Ok(ExitCode::SUCCESS);
            }
            before = Some((now, stats));
            sleep(PAUSE);
        }
    })
}

async fn fetch(args: &Args, client: &Client) -> anyhow::Result<Stats> {
    let top = args.top.or((!args.client.json).then_some(TOP));
    Ok(client.stats(top).await?)
}

fn show(args: &Args, stats: &Stats, before: Option<(Duration, &Stats)>) -> anyhow::Result<()> {
    let mut out = stdout();
    if args.client.json {
        return Ok(json_line(&mut out, stats)?);
    }
    let stats = &printable(stats)?;
    if args.watch && std::io::stdout().is_terminal() {
        write!(out, "{CLEAR}")?;
    }
    writeln!(out, "{HEADING}packets{HEADING:#}")?;
    let counters = counters(args, stats, before);
    if counters.is_empty() {
        writeln!(out, "none so far")?;
    } else {
        writeln!(
            out,
            "{}",
            table(counters, if args.watch { &[0, 1] } else { &[0] })
        )?;
    }
    if !stats.rules.is_empty() {
        let rules = stats.rules.iter();
        let rules = rules.map(|rule| {
            [
                count(rule.hits),
                rule.source.rule.clone() + &mark(&rule.source.action),
                place(&rule.source.list, rule.source.line),
            ]
        });
        writeln!(out, "\n{HEADING}rules that blocked most{HEADING:#}")?;
        writeln!(out, "{}", table(rules, &[0]))?;
    }
    Ok(out.flush()?)
}

/// A row for each counter: the count, with `--watch` what came a second, the name, and what it
/// means.
fn counters(args: &Args, stats: &Stats, before: Option<(Duration, &Stats)>) -> Vec<Vec<String>> {
    let of = |stats: &Stats, name: &str| stats.counters.get(name).copied().unwrap_or_default();
    let rows = Counter::all().map(|counter| (counter, of(stats, counter.as_str())));
    rows.filter(|(_, number)| args.all || *number > 0)
        .map(|(counter, number)| {
            let rate = before.map(|(elapsed, before)| {
                rate(number.saturating_sub(of(before, counter.as_str())), elapsed)
            });
            let mut row = vec![count(number)];
            row.extend(args.watch.then(|| rate.unwrap_or_default()));
            row.extend([counter.as_str().into(), counter.describe().into()]);
            row
        })
        .collect()
}

fn rate(number: u64, elapsed: Duration) -> String {
    let milliseconds = elapsed.as_millis().max(1) as u64;
    format!("{}/s", count(number.saturating_mul(1000) / milliseconds))
}
