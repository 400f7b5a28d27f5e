//! `namegate check`

mod configuration;
mod json;
mod text;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::ValueHint;
use filter_lists::{Domain, ListFile, ListOptions, Names, Trust};
use filter_user::check::{Blocked, Check, Checked};
use indicatif::{ProgressBar, ProgressStyle};

use super::policy::list_file;
use crate::output::{json_line, stdout};

/// Say what lists would do, before they are used
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate check ads.txt
  namegate check ads.txt allowed.txt --against top-sites.txt
  namegate check dnscrypt:names.txt --json | jq .lists[0].left_out
  namegate check --config /etc/namegate/namegate.toml

Shows each list's format, its rules by kind, entries that were left out with the reason, entries that say nothing new,
rules that undo those of other lists, patterns that there is no room for, and with --against the names that all lists together would block. The same rules
decide that a controller would have; nothing has to run, and it takes no privileges.
A format is told by the content; it may be named before the path: hosts, domains, wildcard, adblock, dnsmasq, unbound,
rpz, bind, dnscrypt, regex, v2fly, maltrail, tpl, privoxy.
The exit code is 1 if one of the lists holds nothing that can be used.
With --json, one object: lists (list, format, lines, rules, repeated, redundant, cancelling, with_data, local,
left_out),
undoing (count, examples), refused_patterns, and against (list, names, blocked). With --config, an object: config, interfaces,
lists (list, rules), groups, schedules.")]
pub struct Args {
    /// Lists; `-` reads standard input
    #[arg(required_unless_present = "config", value_name = "[FORMAT:]FILE", value_hint = ValueHint::FilePath)]
    #[arg(value_parser = list_file())]
    files: Vec<ListFile>,

    /// Read a configuration as `namegate run --config` does, with all lists that it names, and say
    /// whether something is wrong
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["files", "against", "subtrees", "trust", "allow"])]
    config: Option<PathBuf>,

    /// A list of names that should pass, such as the most visited sites: which of them would be
    /// blocked?
    #[arg(long, value_name = "[FORMAT:]FILE", value_hint = ValueHint::FilePath, value_parser = list_file())]
    against: Option<ListFile>,

    /// Entries of hosts files and of lists of names are about all names below as well
    #[arg(long)]
    subtrees: bool,

    /// What the lists may do to each other's rules: nothing (block), or what their exceptions say
    /// (full)
    #[arg(long, value_name = "block|full", default_value = "full")]
    trust: Trust,

    /// Read the lists as lists of names that are allowed
    #[arg(long)]
    allow: bool,

    /// Print JSON, for other programs
    #[arg(long)]
    json: bool,
}

/// Names that should pass, and those of them that would not.
struct Against {
    list: String,
    names: usize,
    blocked: Vec<Blocked>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(file) = &args.config {
        let configuration = configuration::read(file)?;
        if args.json {
            json_line(&mut stdout(), &configuration)?;
        } else {
            configuration.print(&mut stdout())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let bar = bar(args)?;
    let checked = check(args, &bar)?;
    let against = args
        .against
        .as_ref()
        .map(|list| against(list, &checked, &bar))
        .transpose()?;
    bar.finish_and_clear();
    if args.json {
        json_line(
            &mut stdout(),
            &json::Output::new(&checked, against.as_ref()),
        )?;
    } else {
        text::print(&mut stdout(), &checked, against.as_ref())?;
    }
    let usable = checked
        .lists
        .iter()
        .all(|list| list.report.kinds.total() > 0);
    Ok(if usable {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check(args: &Args, bar: &ProgressBar) -> anyhow::Result<Checked> {
    let mut check = Check::default();
    for ListFile { path, format } in &args.files {
        let options = ListOptions {
            format: *format,
            allow: args.allow,
            widen: args.subtrees,
            trust: args.trust,
        };
        check.read(path, &options, &mut |bytes| bar.inc(bytes))?;
    }
    Ok(check.finish()?)
}

fn against(list: &ListFile, checked: &Checked, bar: &ProgressBar) -> anyhow::Result<Against> {
    let mut names = Names::default();
    let options = ListOptions {
        format: list.format,
        ..ListOptions::default()
    };
    let report = filter_lists::load(&list.path, &options, &mut names, &mut |bytes| {
        bar.inc(bytes);
    });
    let report = report.context("cannot tell what would be blocked")?;
    let names: Vec<Domain> = names
        .iter()
        .filter_map(|(name, _)| name.parse().ok())
        .collect();
    Ok(Against {
        list: report.list,
        names: names.len(),
        blocked: checked.blocked(&names),
    })
}

/// Shows how far it is, in a terminal.
fn bar(args: &Args) -> anyhow::Result<ProgressBar> {
    let paths: Vec<&PathBuf> = args
        .files
        .iter()
        .chain(&args.against)
        .map(|list| &list.path)
        .collect();
    let bytes = paths
        .into_iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum();
    let style = ProgressStyle::with_template("reading lists {wide_bar} {bytes}/{total_bytes}")?;
    Ok(ProgressBar::new(bytes).with_style(style))
}
