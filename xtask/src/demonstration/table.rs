//! What the demonstration prints.

use std::collections::BTreeMap;

use crate::progress::{BOLD, GREEN, RED};

use super::controller::{Reason, Reasons};
use super::question::Row;

pub fn print_head() {
    anstream::println!(
        "\n{BOLD}{:<28} {:<22} {:<24} {:<20}{BOLD:#}",
        "name",
        "asked by",
        "the client saw",
        "the kernel counted"
    );
}

pub fn print_row(row: &Row) {
    let question = &row.question;
    let asked = format!("{}, {}", question.program, question.family);
    let (style, word) = if row.is_right() {
        (GREEN, "right")
    } else {
        (RED, "WRONG")
    };
    anstream::println!(
        "{:<28} {asked:<22} {:<24} {:<20} {style}{word}{style:#}{}",
        question.name,
        row.seen.text,
        counted(row),
        if row.is_right() {
            String::new()
        } else {
            expectation(row)
        }
    );
}

/// Why the blocked names were blocked, a line for each name and protocol.
pub fn print_reasons(reasons: &Reasons) {
    let mut lines: BTreeMap<[&str; 5], Vec<&str>> = BTreeMap::new();
    for Reason {
        name,
        protocol,
        verdict,
        client,
        rule,
        place,
    } in &reasons.0
    {
        lines
            .entry([name, protocol, verdict, rule, place])
            .or_default()
            .push(client);
    }
    anstream::println!(
        "\n{BOLD}{:<28} {:<4} {:<9} {:<24} {:<18} {}{BOLD:#}",
        "blocked name",
        "in",
        "became",
        "by the rule",
        "in list and line",
        "for"
    );
    for ([name, protocol, verdict, rule, place], clients) in lines {
        println!(
            "{name:<28} {protocol:<4} {verdict:<9} {rule:<24} {place:<18} {}",
            clients.join(", ")
        );
    }
}

pub fn print_summary(questions: usize, wrong: usize, unexplained: usize) {
    let style = if wrong + unexplained == 0 { GREEN } else { RED };
    let right = questions - wrong;
    anstream::println!("\n{style}{right} of {questions} questions ended as they should{style:#}");
    if unexplained > 0 {
        anstream::println!(
            "{RED}{unexplained} blocked questions have no event that says why{RED:#}"
        );
    }
}

fn counted(row: &Row) -> String {
    let counters = row
        .moved()
        .into_iter()
        .map(|(name, count)| format!("{name} +{count}"));
    let counters: Vec<String> = counters.collect();
    if counters.is_empty() {
        "nothing".to_owned()
    } else {
        counters.join(", ")
    }
}

fn expectation(row: &Row) -> String {
    let answer = if row.question.blocked {
        "a refusal"
    } else {
        "an answer"
    };
    format!(
        ": {answer} and {} +1 were to be",
        row.question.expected_counter()
    )
}
