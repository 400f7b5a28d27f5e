//! From lists to a filter that holds their rules.

use std::{fs, path::PathBuf};

use anyhow::bail;
use filter_core::RuleKey;
use filter_user::{
    controller::StateFile,
    kernel::{Filter, LoadOptions},
    lists::{self, Domain, ListOptions, ListReport},
    policy::{Names, RuleBook},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Args, judged,
    report::{left_out, warn},
};
use crate::output::count;

/// A filter with rules, attached to nothing.
pub struct Loaded {
    pub filter: Filter,
    pub book: RuleBook,
    pub lists: Vec<ListReport>,
    pub state: Option<StateFile>,
}

impl Loaded {
    pub fn new(args: &Args) -> anyhow::Result<Self> {
        let sides = judged::by_interface(&args.iface, &args.judge)?;
        let (names, lists) = read_lists(&args.list)?;
        for list in lists.iter().filter(|list| list.unusable_entries() > 0) {
            warn(&left_out(list));
        }
        let (state, manual) = match &args.state {
            Some(path) => StateFile::open(path).map(|(file, names)| (Some(file), names))?,
            None => (None, Vec::new()),
        };
        let options = LoadOptions {
            max_rules: capacity(args.max_rules, u64::from(names.len()) + manual.len() as u64)?,
            dns_ports: args.dns_port.clone(),
            events_per_second: args.events_per_second,
            report_passed: false,
            fragments: args.fragments.into(),
            flows: args.flows,
            sides,
        };
        let mut filter = Filter::load(&options)?;
        let (mut book, mut keys) = RuleBook::new(names, *filter.hash_key())?;
        add_manual(&mut book, &mut keys, manual)?;
        fill(&mut filter, &keys)?;
        Ok(Self { filter, book, lists, state })
    }
}

/// Shows how far it is, in a terminal.
pub fn read_lists(paths: &[PathBuf]) -> anyhow::Result<(Names, Vec<ListReport>)> {
    let bytes = paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|metadata| metadata.len()).sum();
    let bar = bar("reading lists {wide_bar} {bytes}/{total_bytes}", bytes)?;
    let mut names = Names::default();
    let mut reports = Vec::new();
    for path in paths {
        let mut list = names.list(&path.display().to_string());
        reports.push(lists::load(path, &ListOptions::default(), &mut list, &mut |bytes| bar.inc(bytes))?);
    }
    bar.finish_and_clear();
    Ok((names, reports))
}

/// Rules that the map gets room for: those there are, and some that may be added.
pub fn capacity(asked: Option<u32>, rules: u64) -> anyhow::Result<u32> {
    let Some(asked) = asked else {
        return Ok(u32::try_from(rules + rules / 4 + 16_384)?);
    };
    if rules > u64::from(asked) {
        bail!("the lists have {} names and --max-rules is {}: raise it", count(rules), count(asked.into()));
    }
    Ok(asked)
}

fn add_manual(book: &mut RuleBook, keys: &mut Vec<RuleKey>, names: Vec<Domain>) -> anyhow::Result<()> {
    for name in names {
        let key = book.key(&name);
        let listed = book.find(key).is_some();
        if book.add(name)? && !listed {
            keys.push(key);
        }
    }
    Ok(())
}

pub fn fill(filter: &mut Filter, keys: &[RuleKey]) -> anyhow::Result<()> {
    let bar = bar("filling the map {wide_bar} {human_pos}/{human_len} rules", keys.len() as u64)?;
    filter.insert_many(keys, |done| bar.set_position(done))?;
    bar.finish_and_clear();
    Ok(())
}

/// indicatif draws to standard error, and only to a terminal.
fn bar(template: &str, len: u64) -> anyhow::Result<ProgressBar> {
    Ok(ProgressBar::new(len).with_style(ProgressStyle::with_template(template)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_has_room_for_a_quarter_more_and_some_to_add() {
        assert_eq!(capacity(None, 0).unwrap(), 16_384);
        assert_eq!(capacity(None, 1_000_000).unwrap(), 1_266_384);
    }

    #[test]
    fn as_many_rules_as_asked_for_fit_and_one_more_is_an_error() {
        assert_eq!(capacity(Some(1000), 1000).unwrap(), 1000);
        let error = capacity(Some(1000), 1001).unwrap_err().to_string();
        assert_eq!(error, "the lists have 1,001 names and --max-rules is 1,000: raise it");
    }
}
