//! What `namegate check` prints for people.

use std::io::{self, Write};

use filter_lists::{Action, ListReport, Unusable};
use filter_policy::compiled::CompiledPolicy;
use filter_user::{
    check::{Blocked, Checked, CheckedList, Finding, Place, RuleText, Undone},
    printable::printable,
};

use super::Against;
use crate::output::{BLOCKED, FAILURE, FAINT, HEADING, count, plural, table};

/// What becomes of the local data of a policy zone.
const WITH_DATA: &str =
    "block, without the data of their own: the action of the list or the interface is the answer";

/// Names that are shown; `--json` has all.
const MOST_NAMES: usize = 50;

pub fn print(out: &mut impl Write, checked: &Checked, against: Option<&Against>) -> io::Result<()> {
    for (number, list) in checked.lists.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        print_list(out, list)?;
    }
    print_undone(out, &Undone::of(&checked.compiled))?;
    print_refused(out, &checked.compiled)?;
    against.map_or(Ok(()), |against| print_against(out, against))
}

fn print_list(out: &mut impl Write, list: &CheckedList) -> io::Result<()> {
    let report = &list.report;
    let (format, lines) = (report.format, plural(report.lines.into(), "line"));
    write!(
        out,
        "{HEADING}{}{HEADING:#}  {format}, {lines}, ",
        printable(&report.list)
    )?;
    if report.kinds.total() == 0 {
        writeln!(out, "{FAILURE}nothing that can be used{FAILURE:#}")?;
    } else {
        writeln!(out, "{}", plural(report.kinds.total(), "rule"))?;
        let kinds = report.kinds.iter();
        let rows = kinds
            .map(|(action, kind, rules)| [indented(rules), words(action), kind.as_str().into()]);
        writeln!(out, "{}", table(rows, &[0]))?;
    }
    let notes = notes(list);
    if !notes.is_empty() {
        writeln!(out, "{}", table(notes, &[0]))?;
    }
    if report.unusable_entries() > 0 {
        let entries = plural(report.unusable_entries(), "entry").replace("entrys", "entries");
        writeln!(
            out,
            "{FAINT}{entries} left out{FAINT:#}\n{}",
            table(left_out(report), &[0])
        )?;
    }
    Ok(())
}

fn notes(list: &CheckedList) -> Vec<[String; 3]> {
    let report = &list.report;
    let mut notes = Vec::new();
    let mut note = |number: u64, what: &str, examples: String| {
        if number > 0 {
            notes.push([indented(number), what.into(), examples]);
        }
    };
    note(report.cancelling, "take other rules out", String::new());
    note(report.with_data, WITH_DATA, String::new());
    note(report.repeated, "said before:", said(&list.repeated));
    note(
        list.redundant,
        "said by wider rules:",
        said(&list.redundant_examples),
    );
    note(report.local, "local names left out", String::new());
    notes
}

fn said(findings: &[Finding]) -> String {
    let show = |it: &Finding| {
        let by = if it.by == it.rule {
            String::new()
        } else {
            format!(" by {}", rule(&it.by))
        };
        format!(
            "line {} \"{}\"{by} ({})",
            it.line,
            rule(&it.rule),
            place(&it.at)
        )
    };
    findings.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn left_out(report: &ListReport) -> impl Iterator<Item = [String; 3]> {
    let reasons = report.unusable.iter();
    reasons.map(|(reason, number)| {
        [
            indented(*number),
            format!("{reason}:"),
            examples(report, *reason),
        ]
    })
}

fn examples(report: &ListReport, reason: Unusable) -> String {
    let examples = report
        .examples
        .iter()
        .filter(|example| example.reason == reason);
    let show = examples.map(|it| {
        let detail = it
            .detail
            .as_ref()
            .map(|detail| format!(" ({})", printable(detail)))
            .unwrap_or_default();
        format!("line {} \"{}\"{detail}", it.line, printable(&it.text))
    });
    show.collect::<Vec<_>>().join(", ")
}

/// Rules that undo those of other lists.
fn print_undone(out: &mut impl Write, undone: &Undone) -> io::Result<()> {
    if undone.count == 0 {
        return Ok(());
    }
    let rules = plural(undone.count, "rule");
    writeln!(
        out,
        "\n{HEADING}{rules} that undo rules of other lists{HEADING:#}  --trust block leaves such rules out"
    )?;
    undone
        .first
        .iter()
        .try_for_each(|it| writeln!(out, "  {}", printable(&it.to_string())))?;
    match undone.count - undone.first.len() as u64 {
        0 => Ok(()),
        more => writeln!(out, "  and {} more", count(more)),
    }
}

/// Patterns that no controller would have in force.
fn print_refused(out: &mut impl Write, compiled: &CompiledPolicy) -> io::Result<()> {
    for (number, (pattern, refusal)) in compiled.refused_patterns().enumerate() {
        if number == 0 {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{FAILURE}not in force{FAILURE:#} /{}/: {refusal}",
            printable(pattern)
        )?;
    }
    Ok(())
}

fn print_against(out: &mut impl Write, against: &Against) -> io::Result<()> {
    let Against {
        list,
        names,
        blocked,
    } = against;
    let (list, names) = (printable(list), plural(*names as u64, "name"));
    writeln!(
        out,
        "\n{HEADING}{list}{HEADING:#}  {} of {names} would be blocked",
        count(blocked.len() as u64)
    )?;
    if blocked.is_empty() {
        return Ok(());
    }
    let row = |it: &Blocked| {
        let name = format!("  {BLOCKED}{}{BLOCKED:#}", it.name);
        [name, rule(&it.rule), place(&it.at)]
    };
    writeln!(
        out,
        "{}",
        table(blocked.iter().take(MOST_NAMES).map(row), &[])
    )?;
    match blocked.len().saturating_sub(MOST_NAMES) {
        0 => Ok(()),
        more => writeln!(out, "  and {} more, which --json has", count(more as u64)),
    }
}

fn place(Place { list, line }: &Place) -> String {
    format!("{}:{line}", printable(list))
}

fn rule(rule: &RuleText) -> String {
    printable(&rule.to_string()).into_owned()
}

fn words(action: Action) -> String {
    action.as_str().replace('_', " ")
}

fn indented(number: u64) -> String {
    format!("  {}", count(number))
}
