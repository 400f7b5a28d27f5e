//! What is judged, as the command line says it.

use std::collections::BTreeSet;

use filter_core::{Directions, Fragments, Interface};
use filter_user::kernel::{KernelError, default_route_interfaces, interface_index};

use super::{answers::AnswerArgs, per_interface::PerInterface, quic::QuicArgs};

/// `--fragments`
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub enum LaterFragments {
    /// They pass, and are counted
    #[default]
    Pass,
    /// They are dropped, and counted
    Drop,
}

impl From<LaterFragments> for Fragments {
    fn from(fragments: LaterFragments) -> Self {
        match fragments {
            LaterFragments::Pass => Self::Pass,
            LaterFragments::Drop => Self::Drop,
        }
    }
}

/// `--tunnels`: whether they are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnels {
    Open,
    Ignore,
}

pub fn tunnels(text: &str) -> Result<PerInterface<Tunnels>, String> {
    PerInterface::parse(text, |word| match word {
        "open" => Ok(Tunnels::Open),
        "ignore" => Ok(Tunnels::Ignore),
        _ => Err(format!("`{word}` is none of `open` and `ignore`")),
    })
}

/// `--judge`: sides of DNS.
pub fn directions(text: &str) -> Result<PerInterface<Directions>, String> {
    PerInterface::parse(text, |word| {
        let all = [Directions::Both, Directions::Queries, Directions::Responses];
        let directions = all
            .into_iter()
            .find(|directions| directions.as_str() == word);
        directions.ok_or_else(|| format!("`{word}` is none of `queries`, `responses` and `both`"))
    })
}

/// What is done on each interface, in their order, and what is to be said of that.
#[derive(Debug, PartialEq, Eq)]
pub struct ByInterface {
    pub interfaces: Vec<Asked>,
    pub warnings: Vec<String>,
}

/// What is asked for on an interface.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    pub name: String,
    /// `None` if there is none of the name yet.
    pub index: Option<u32>,
    /// What is done where no default route leads.
    pub configured: Interface,
    /// What is done now.
    pub settings: Interface,
}

/// What is read on which interface.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// `--judge`
    pub directions: &'a [PerInterface<Directions>],
    /// `--tunnels`
    pub tunnels: &'a [PerInterface<Tunnels>],
    /// `--quic`
    pub quic: &'a QuicArgs,
}

impl ByInterface {
    pub fn new(
        names: &[String],
        judged: Reading<'_>,
        answers: &AnswerArgs,
        may_be_missing: bool,
    ) -> anyhow::Result<Self> {
        PerInterface::check("--judge", judged.directions, names)?;
        PerInterface::check("--tunnels", judged.tunnels, names)?;
        judged.quic.check(names)?;
        answers.check(names)?;
        let indices = names
            .iter()
            .map(|name| match interface_index(name) {
                Ok(index) => Ok((name, Some(index))),
                Err(KernelError::NoInterface { .. }) if may_be_missing => Ok((name, None)),
                Err(error) => Err(error),
            })
            .collect::<Result<_, _>>()?;
        if let Some(name) = twice(names) {
            return Err(KernelError::InterfaceTwice { name: name.into() }.into());
        }
        let outward = if answers.clients.is_empty() {
            default_route_interfaces()?
        } else {
            BTreeSet::new()
        };
        Self::with_routes(indices, judged, answers, &outward)
    }

    /// The same for interfaces with these indices, of which a default route leads by some.
    fn with_routes(
        indices: Vec<(&String, Option<u32>)>,
        judged: Reading<'_>,
        answers: &AnswerArgs,
        outward: &BTreeSet<u32>,
    ) -> anyhow::Result<Self> {
        let mut by_interface = Self {
            interfaces: Vec::new(),
            warnings: Vec::new(),
        };
        for (name, index) in indices {
            let directions =
                PerInterface::said_of(judged.directions, name).unwrap_or(Directions::Both);
            let (actions, on_trial) = answers.of(name)?;
            let follows_routes = answers.clients.is_empty();
            let has_clients = if follows_routes {
                directions != Directions::Responses
            } else {
                answers.clients.contains(name)
            };
            let leads_out = follows_routes && index.is_some_and(|index| outward.contains(&index));
            if has_clients && leads_out && !on_trial && actions.answers() {
                by_interface.warnings.push(outward_warning(name));
            }
            let interface = Interface::new(directions).with_actions(actions);
            let interface = if has_clients {
                interface.facing_clients(actions)
            } else {
                interface
            };
            let interface = if on_trial {
                interface.on_trial()
            } else {
                interface
            };
            let ignores_tunnels =
                PerInterface::said_of(judged.tunnels, name) == Some(Tunnels::Ignore);
            let interface = if ignores_tunnels {
                interface.ignoring_tunnels()
            } else {
                interface
            };
            let configured = interface.with_quic(judged.quic.on(name, directions));
            by_interface.interfaces.push(Asked {
                name: name.clone(),
                index,
                configured,
                settings: if leads_out {
                    configured.facing_nobody()
                } else {
                    configured
                },
            });
        }
        Ok(by_interface)
    }
}

/// The first name that is there twice.
fn twice(names: &[String]) -> Option<&str> {
    let mut seen = BTreeSet::new();
    names
        .iter()
        .map(String::as_str)
        .find(|name| !seen.insert(*name))
}

fn outward_warning(name: &str) -> String {
    format!(
        "the default route leads by `{name}`, so what is asked for there is not taken for a client's, and blocked without \
         an answer: write `--clients {name}` if clients are behind it, or `--judge {name}=responses` if only servers are"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use filter_core::{Actions, DnsAction, Quic, QuicAction, TcpAction};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        answers: AnswerArgs,
        #[command(flatten)]
        quic: QuicArgs,
    }

    fn answers(args: &[&str]) -> AnswerArgs {
        Line::parse_from(["run"].iter().chain(args)).answers
    }

    /// What is done on `lan`, with the index 1, and on `wan`, with 2, by which the default route
    /// leads.
    fn both(judged: &[&str], args: &[&str]) -> (Interface, Interface, Vec<String>) {
        let (lan, wan) = ("lan".to_owned(), "wan".to_owned());
        let directions: Vec<_> = judged
            .iter()
            .map(|text| directions(text).unwrap())
            .collect();
        let quic = Line::parse_from(["run"]).quic;
        let judged = Reading {
            directions: &directions,
            tunnels: &[tunnels("wan=ignore").unwrap()],
            quic: &quic,
        };
        let (indices, outward) = (vec![(&lan, Some(1)), (&wan, Some(2))], [2].into());
        let ByInterface {
            interfaces,
            warnings,
        } = ByInterface::with_routes(indices, judged, &answers(args), &outward).unwrap();
        (interfaces[0].settings, interfaces[1].settings, warnings)
    }

    const DEFAULT: Actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset)
        .with_quic(QuicAction::Close)
        .with_code(Actions::BLOCKED);

    #[test]
    fn sides_are_words() {
        assert_eq!(directions("queries").unwrap().value, Directions::Queries);
        assert!(
            directions("lan0=all")
                .unwrap_err()
                .contains("`all` is none of")
        );
    }

    #[test]
    fn tunnels_are_opened_unless_they_are_to_be_ignored() {
        let (lan, wan, _) = both(&[], &[]);
        assert_eq!((lan.opens_tunnels(), wan.opens_tunnels()), (true, false));
        assert!(
            tunnels("lan=closed")
                .unwrap_err()
                .contains("`closed` is none of `open` and `ignore`")
        );
    }

    #[test]
    fn clients_are_behind_all_interfaces_but_those_that_lead_out_which_are_named() {
        let (lan, wan, warnings) = both(&[], &[]);
        assert_eq!(
            lan,
            Interface::new(Directions::Both).facing_clients(DEFAULT)
        );
        assert_eq!(
            wan,
            Interface::new(Directions::Both)
                .with_actions(DEFAULT)
                .ignoring_tunnels()
        );
        assert_eq!(warnings.len(), 1);
        let advice = ["`wan`", "`--clients wan`", "`--judge wan=responses`"];
        assert!(
            advice.iter().all(|words| warnings[0].contains(words)),
            "{warnings:?}"
        );
    }

    #[test]
    fn where_only_responses_are_judged_are_no_clients() {
        let (lan, wan, warnings) = both(&["lan=queries", "responses"], &[]);
        assert_eq!(
            lan,
            Interface::new(Directions::Queries).facing_clients(DEFAULT)
        );
        assert_eq!(
            wan,
            Interface::new(Directions::Responses)
                .with_actions(DEFAULT)
                .ignoring_tunnels()
                .with_quic(Quic::Pass)
        );
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn clients_are_where_they_are_said_to_be_and_nowhere_else() {
        let (lan, wan, warnings) = both(&[], &["--clients", "wan"]);
        assert_eq!(
            (lan.faces_clients(), wan.faces_clients(), warnings.len()),
            (false, true, 0)
        );
        let error = answers(&["--clients", "eth9"])
            .check(&["lan".into()])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("--clients names `eth9`, which --iface does not"),
            "{error}"
        );
    }

    #[test]
    fn nobody_is_told_of_missing_answers_where_there_would_be_none() {
        let silent = ["--action", "drop", "--tcp", "drop", "--quic-action", "drop"];
        assert_eq!(both(&[], &silent).2, [""; 0]);
        assert_eq!(both(&[], &["--action", "wan=audit"]).2, [""; 0]);
        assert_eq!(both(&[], &["--action", "drop"]).2.len(), 1);
    }

    #[test]
    fn actions_are_of_all_interfaces_or_of_one() {
        let args = [
            "--action",
            "refused",
            "wan=drop",
            "--tcp",
            "lan=alert",
            "--code",
            "filtered",
        ];
        let (lan, wan, _) = both(&[], &args);
        let of_lan = Actions::new(DnsAction::Refused, TcpAction::Alert)
            .with_quic(QuicAction::Close)
            .with_code(Actions::FILTERED);
        assert_eq!(lan.actions(), &of_lan);
        assert_eq!(
            (wan.actions().dns(), wan.actions().tcp()),
            (DnsAction::Drop, TcpAction::Reset)
        );
    }

    #[test]
    fn audit_mode_is_of_all_interfaces_or_of_one() {
        let (lan, wan, _) = both(&[], &["--action", "lan=audit"]);
        assert!(lan.audits() && lan.faces_clients() && !wan.audits());
        let (lan, wan, _) = both(&[], &["--action", "audit"]);
        assert!(lan.audits() && wan.audits());
    }

    #[test]
    fn addresses_are_there_with_their_action_and_with_no_other() {
        let (lan, ..) = both(
            &[],
            &[
                "--action",
                "lan=address",
                "--address",
                "192.0.2.1",
                "2001:db8::1",
            ],
        );
        let actions = Actions::new(DnsAction::Address, TcpAction::Reset)
            .with_quic(QuicAction::Close)
            .with_code(Actions::BLOCKED);
        let v6 = "2001:db8::1".parse().ok();
        assert_eq!(
            lan.actions(),
            &actions.with_addresses(Some([192, 0, 2, 1].into()), v6)
        );
        let fault = |args: &[&str]| {
            answers(args)
                .check(&["lan".into()])
                .unwrap_err()
                .to_string()
        };
        assert!(fault(&["--action", "address"]).contains("has no address to answer with"));
        assert!(fault(&["--address", "192.0.2.1"]).contains("is for --action address alone"));
        let twice = answers(&["--action", "address", "--address", "192.0.2.1", "192.0.2.2"])
            .of("lan")
            .unwrap_err();
        assert!(
            twice
                .to_string()
                .starts_with("192.0.2.2 is the second address of its family"),
            "{twice}"
        );
    }
}
