//! From lists to a filter that holds their rules.

use std::{fs, path::PathBuf};

use anyhow::bail;
use filter_core::HashKey;
use filter_user::{
    controller::StateFile,
    kernel::{Filter, Groups, LoadOptions, draw_hash_key},
    lists::{self, ListReport},
    policy::{Builder, RuleBook},
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
        let hash_key = draw_hash_key()?;
        let (builder, lists) = read_lists(&args.list, hash_key)?;
        let mut book = builder.finish()?;
        for list in lists.iter().filter(|list| list.unusable_entries() > 0) {
            warn(&left_out(list));
        }
        let (state, by_hand) = match &args.state {
            Some(path) => StateFile::open(path).map(|(file, rules)| (Some(file), rules))?,
            None => (None, Vec::new()),
        };
        for (name, action) in by_hand {
            book.add(name, action)?;
        }
        let options = LoadOptions {
            hash_key: Some(hash_key),
            max_rules: capacity(args.max_rules, book.entries_in_force())?,
            dns_ports: args.dns_port.clone(),
            events_per_second: args.events_per_second,
            report_passed: false,
            fragments: args.fragments.into(),
            flows: args.flows,
            sides,
        };
        let mut filter = Filter::load(&options)?;
        fill(&mut filter, &book)?;
        Ok(Self { filter, book, lists, state })
    }
}

/// Shows how far it is, in a terminal.
pub fn read_lists(paths: &[PathBuf], hash_key: HashKey) -> anyhow::Result<(Builder, Vec<ListReport>)> {
    let bytes = paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|metadata| metadata.len()).sum();
    let bar = bar("reading lists {wide_bar} {bytes}/{total_bytes}", bytes)?;
    let mut builder = Builder::new(hash_key);
    let mut reports = Vec::new();
    for path in paths {
        reports.push(lists::load(path, &mut builder.list(&path.display().to_string(), 0), &mut |bytes| bar.inc(bytes))?);
    }
    bar.finish_and_clear();
    Ok((builder, reports))
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

/// Puts the rules of a book in force in a filter that has none.
pub fn fill(filter: &mut Filter, book: &RuleBook) -> anyhow::Result<()> {
    let bar = bar("filling the map {wide_bar} {human_pos}/{human_len} rules", book.entries_in_force())?;
    let before = RuleBook::empty(*filter.hash_key());
    filter.install(&before, book, &Groups::default(), |done| bar.set_position(done))?;
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
