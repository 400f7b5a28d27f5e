//! From lists to a filter that holds their rules.

use std::sync::Arc;

use filter_policy::{
    compiled::{CompiledPolicy, HashKeyPolicy, Policy, PolicySource},
    groups::Groups,
};
use filter_user::{
    controller::StateFile,
    kernel::{
        Filter, LoadOptions, Pins, PolicySize, SPARE_SLOTS, draw_hash_key, highest_interface_index,
        room_for,
    },
};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::{
    Args,
    judged::{Asked, ByInterface, Reading},
    quic::Beyond,
    report::{left_out, warn, with_data},
};

/// A filter with a policy in force, attached to nothing.
pub struct Loaded {
    pub filter: Filter,
    pub policy: Policy,
    pub state: Option<StateFile>,
    /// What is asked for on each interface.
    pub asked: Vec<Asked>,
}

impl Loaded {
    /// Reads and loads; what another controller left in `pins` is gone on with.
    pub fn new(args: &Args, pins: Option<Arc<Pins>>) -> anyhow::Result<Self> {
        let judged = Reading {
            directions: &args.judge,
            tunnels: &args.tunnels,
            quic: &args.quic,
        };
        let ByInterface {
            interfaces,
            warnings,
        } = ByInterface::new(&args.iface, judged, &args.answers, args.wait)?;
        let left = match &pins {
            Some(pins) => pins.hash_key()?,
            None => None,
        };
        let hash_key = left.map_or_else(draw_hash_key, Ok)?;
        let mut policy = read(&args.source(), &HashKeyPolicy::Drawn(hash_key))?;
        let (state, by_hand) = match &args.state {
            Some(path) => StateFile::open(path).map(|(file, rules)| (Some(file), rules))?,
            None => (None, Vec::new()),
        };
        for (name, action) in by_hand {
            policy.compiled.add(name, action)?;
        }
        let groups = Groups::of(&policy.config, Timestamp::now());
        let options = LoadOptions {
            hash_key: Some(*policy.compiled.hash_key()),
            max_rules: args.max_rules,
            room: Some(room_for(
                policy.compiled.entries_in_force(),
                args.max_rules,
            )?),
            size: PolicySize::new(&policy.compiled, &groups),
            dns_ports: args.dns_port.clone(),
            events_per_second: args.events_per_second,
            report_passed: false,
            fragments: args.fragments.into(),
            flows: args.flows,
            quic_flows: args.quic.quic_flows,
            quic_per_second: args.quic.quic_per_second,
            quic_per_source: args.quic.quic_per_source,
            drops_quic_beyond: args.quic.quic_beyond == Beyond::Drop,
            answers_per_second: args.answers.answers_per_second,
            answer_ttl: args.answers.answer_ttl,
            names_lists: !args.answers.no_list_names,
            interfaces: interfaces
                .iter()
                .filter_map(|it| Some((it.index?, it.settings)))
                .collect(),
            interfaces_to_come: interfaces.iter().map(|it| it.configured).collect(),
            interface_slots: highest_interface_index()?.saturating_add(SPARE_SLOTS),
            pins,
            verifier_logs: args.state_folder(),
            ..LoadOptions::default()
        };
        let mut filter = Filter::load(&options)?;
        fill(&mut filter, &policy, &groups)?;
        for warning in &warnings {
            warn(warning);
        }
        Ok(Self {
            filter,
            policy,
            state,
            asked: interfaces,
        })
    }
}

/// Reads the policy, and says what of it could not be used. Shows how far it is, in a terminal.
pub fn read(source: &PolicySource, with: &HashKeyPolicy) -> anyhow::Result<Policy> {
    let bar = bar(
        "reading lists {wide_bar} {bytes}/{total_bytes}",
        source.bytes(),
    )?;
    let policy = source.read_or_open(*with, &mut |bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    for note in &policy.notes {
        warn(note);
    }
    for list in policy
        .reports
        .iter()
        .filter(|list| list.unusable_entries() > 0)
    {
        warn(&left_out(list));
    }
    for list in policy.reports.iter().filter(|list| list.with_data > 0) {
        warn(&with_data(list));
    }
    for (pattern, refusal) in policy.compiled.refused_patterns() {
        warn(&format!(
            "the pattern `{}` is not in force: {refusal}",
            pattern.escape_debug()
        ));
    }
    Ok(policy)
}

/// Puts a policy in force in a filter that has none.
pub fn fill(filter: &mut Filter, policy: &Policy, groups: &Groups) -> anyhow::Result<()> {
    let bar = bar(
        "filling the map {wide_bar} {human_pos}/{human_len} rules",
        policy.compiled.entries_in_force(),
    )?;
    let before = CompiledPolicy::empty(*filter.hash_key());
    filter.install(&before, &policy.compiled, groups, |done| {
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// indicatif draws to standard error, and only to a terminal.
fn bar(template: &str, len: u64) -> anyhow::Result<ProgressBar> {
    Ok(ProgressBar::new(len).with_style(ProgressStyle::with_template(template)?))
}
