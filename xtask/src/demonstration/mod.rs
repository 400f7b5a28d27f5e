//! The filter at work in a lab: names asked for by real programs, what these saw, and what the
//! kernel counted.

mod controller;
mod question;
mod table;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use lab::{DnsServer, Lab, Options, SAMPLE_LIST, TlsServer};

use controller::Controller;
use question::{Question, Row};

pub fn run(binary: &Path) -> Result<ExitCode> {
    lab::clean_up_on_signals()?;
    eprintln!("lab: three network namespaces, dnsmasq and gnutls-serv behind a gateway");
    let lab = Lab::new(&Options::default())?;
    let _dns = DnsServer::start(lab.server())?;
    let _tls = TlsServer::start(lab.server())?;
    eprintln!("lab: namegate on the gateway's interface to the client, with the sample list");
    let controller = Controller::start(&lab, binary, SAMPLE_LIST)?;
    let events = controller.follow_events(&lab)?;

    let mut rows = Vec::new();
    table::print_head();
    for question in question::all() {
        let row = ask(&lab, &controller, question)?;
        table::print_row(&row);
        rows.push(row);
    }
    let blocked: Vec<&Question> = rows
        .iter()
        .map(|row| &row.question)
        .filter(|question| question.blocked)
        .collect();
    let reasons = events.reasons(&blocked);
    table::print_reasons(&reasons);
    let wrong = rows.iter().filter(|row| !row.is_right()).count();
    let unexplained = blocked
        .iter()
        .filter(|question| !reasons.explain(question))
        .count();
    let right = wrong == 0 && unexplained == 0;
    table::print_summary(rows.len(), wrong, unexplained);
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn ask(lab: &Lab, controller: &Controller, question: Question) -> Result<Row> {
    let before = controller.counters()?;
    let seen = question.ask(lab.client())?;
    let counted = controller.counters()?.since(&before);
    Ok(Row {
        question,
        seen,
        counted,
    })
}
