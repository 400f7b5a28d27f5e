//! What `namegate check --json` prints.

use filter_api::reload::Undoing;
use filter_lists::{Example, ListReport};
use filter_user::{
    answers,
    check::{Checked, CheckedList, Finding, RuleText, Undone},
};
use serde::Serialize;

use super::Against;

#[derive(Serialize)]
pub struct Output<'a> {
    lists: Vec<OfList<'a>>,
    undoing: Undoing,
    refused_patterns: Vec<RefusedPattern<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<AgainstList<'a>>,
}

#[derive(Serialize)]
struct RefusedPattern<'a> {
    pattern: &'a str,
    message: String,
}

#[derive(Serialize)]
struct OfList<'a> {
    list: &'a str,
    format: &'static str,
    lines: u32,
    rules: Vec<Rules>,
    repeated: Findings<'a>,
    redundant: Findings<'a>,
    cancelling: u64,
    with_data: u64,
    local: u64,
    left_out: Vec<LeftOut<'a>>,
}

#[derive(Serialize)]
struct Rules {
    action: &'static str,
    kind: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Findings<'a> {
    count: u64,
    examples: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    line: u32,
    rule: Rule<'a>,
    by: Rule<'a>,
    list: &'a str,
    by_line: u32,
}

#[derive(Serialize)]
struct Rule<'a> {
    action: &'static str,
    kind: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct LeftOut<'a> {
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    message: String,
    count: u64,
    examples: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    line: u32,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct AgainstList<'a> {
    list: &'a str,
    names: usize,
    blocked: Vec<Blocked<'a>>,
}

#[derive(Serialize)]
struct Blocked<'a> {
    name: &'a str,
    rule: Rule<'a>,
    list: &'a str,
    line: u32,
}

impl<'a> Output<'a> {
    pub fn new(checked: &'a Checked, against: Option<&'a Against>) -> Self {
        let against = against.map(
            |Against {
                 list,
                 names,
                 blocked,
             }| AgainstList {
                list,
                names: *names,
                blocked: blocked
                    .iter()
                    .map(|it| Blocked {
                        name: &it.name,
                        rule: rule(&it.rule),
                        list: &it.at.list,
                        line: it.at.line,
                    })
                    .collect(),
            },
        );
        let refused = checked.compiled.refused_patterns();
        let refused = refused.map(|(pattern, refusal)| RefusedPattern {
            pattern,
            message: refusal.to_string(),
        });
        let undoing = answers::undoing(Undone::of(&checked.compiled));
        Self {
            lists: checked.lists.iter().map(list).collect(),
            undoing,
            refused_patterns: refused.collect(),
            against,
        }
    }
}

fn list(list: &CheckedList) -> OfList<'_> {
    let report = &list.report;
    let kinds = report.kinds.iter();
    OfList {
        list: &report.list,
        format: report.format.as_str(),
        lines: report.lines,
        rules: kinds
            .map(|(action, kind, count)| Rules {
                action: action.as_str(),
                kind: kind.as_str(),
                count,
            })
            .collect(),
        repeated: findings(report.repeated, &list.repeated),
        redundant: findings(list.redundant, &list.redundant_examples),
        cancelling: report.cancelling,
        with_data: report.with_data,
        local: report.local,
        left_out: left_out(report),
    }
}

fn findings(count: u64, examples: &[Finding]) -> Findings<'_> {
    let said = examples.iter().map(|it| Said {
        line: it.line,
        rule: rule(&it.rule),
        by: rule(&it.by),
        list: &it.at.list,
        by_line: it.at.line,
    });
    Findings {
        count,
        examples: said.collect(),
    }
}

fn left_out(report: &ListReport) -> Vec<LeftOut<'_>> {
    let reasons = report.unusable.iter();
    reasons
        .map(|(reason, count)| LeftOut {
            reason: reason.as_str(),
            name: reason.detail(),
            message: reason.to_string(),
            count: *count,
            examples: report
                .examples
                .iter()
                .filter(|it| it.reason == *reason)
                .map(entry)
                .collect(),
        })
        .collect()
}

fn entry(example: &Example) -> Entry<'_> {
    Entry {
        line: example.line,
        text: &example.text,
        detail: example.detail.as_deref(),
    }
}

fn rule(rule: &RuleText) -> Rule<'_> {
    let kind = rule.scope.map_or("pattern", filter_lists::Scope::as_str);
    Rule {
        action: rule.action.as_str(),
        kind,
        text: &rule.text,
    }
}
