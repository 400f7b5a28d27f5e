//! `namegate events`

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use filter_api::events::{BlockedPacket, EventLine};
use jiff::{Timestamp, tz::TimeZone};

use super::ask;
use crate::{
    cli::ClientArgs,
    output::{BLOCKED, FAINT, PASSED, json_line, plural, printable, stdout},
};

/// Show what is blocked, as it happens
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate events
  namegate events --json | jq -r .name

It goes on until Ctrl-C. With --json, one object a line: time, interface, client, client_port, server, server_port,
protocol (dns, tls or quic), name, rule, list, line, verdict (what the client got: nxdomain, reset, drop, pass in audit mode, ...), action
(what it was to get), unanswered (what stood against that: a counter of `namegate stats`), reason.
A reader that is too slow gets {\"missed\": N}.")]
pub struct Args {
    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ask(&args.client, async |client| {
        let mut events = client.events().await?;
        while let Some(event) = events.next().await? {
            match event {
                event if args.client.json => json_line(&mut stdout(), &event)?,
                EventLine::Blocked(packet) => print(&printable(&*packet)?)?,
                EventLine::Missed { missed } => {
                    writeln!(
                        stdout(),
                        "{FAINT}{} came too fast{FAINT:#}",
                        plural(missed, "event")
                    )?;
                }
            }
        }
        bail!("the controller has ended, and with it the events")
    })
}

fn print(packet: &BlockedPacket) -> std::io::Result<()> {
    let time = packet
        .time
        .parse::<Timestamp>()
        .map(|time| time.to_zoned(TimeZone::system()));
    let time = time.map_or_else(
        |_| packet.time.clone(),
        |time| time.strftime("%H:%M:%S%.3f").to_string(),
    );
    let rule = match (&packet.rule, &packet.list, packet.line) {
        (Some(rule), Some(list), Some(line)) => format!("{rule} ({list}:{line})"),
        (Some(rule), ..) => format!("{rule} (manual)"),
        (None, ..) => "a rule that was removed".into(),
    };
    let kind = packet
        .question_type
        .as_ref()
        .map_or_else(String::new, |kind| format!(" {kind}"));
    let vlans = packet
        .vlans
        .iter()
        .fold(String::new(), |text, vlan| text + &format!(" vlan {vlan}"));
    let tunnel = packet
        .tunnel
        .as_ref()
        .map_or_else(String::new, |tunnel| format!(" in {tunnel}"));
    let style = if packet.verdict == "pass" {
        PASSED
    } else {
        BLOCKED
    };
    let why = match &packet.unanswered {
        Some(counter) => format!(" ({counter})"),
        None if packet.action != packet.verdict => format!(" ({})", packet.action),
        None => String::new(),
    };
    writeln!(
        stdout(),
        "{FAINT}{time}{FAINT:#}  {}{vlans}{tunnel}  {} -> {}  {}{kind}  {style}{}{style:#}  {}{why}  rule {rule}",
        packet.interface,
        packet.client,
        packet.server,
        packet.protocol,
        packet.name,
        packet.verdict,
    )
}
