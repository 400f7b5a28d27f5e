//! What becomes of what is blocked, as the command line says it.

use std::net::IpAddr;

use anyhow::bail;
use clap::ValueHint;
use filter_core::{Actions, DnsAction, QuicAction, TcpAction};
use filter_policy::config::{
    ActionsError, Addresses, BlockAction, error_code, quic_action, tcp_action,
};

use super::per_interface::PerInterface;

/// What clients hear of what is blocked.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What becomes of what is blocked")]
pub struct AnswerArgs {
    /// What becomes of DNS messages that are blocked, unless a list says otherwise, on all
    /// interfaces or on one (`lan0=refused`): `drop`, `nxdomain`, `nodata`, `refused`, `null`,
    /// `address`; `audit` blocks nothing and reports
    #[arg(long, num_args = 1.., value_name = "[IF=]ACTION", default_value = "nxdomain")]
    #[arg(value_parser = PerInterface::<BlockAction>::of)]
    pub action: Vec<PerInterface<BlockAction>>,

    /// What becomes of TCP connections with something blocked: `drop`, `reset`, or `alert` for a
    /// TLS client
    #[arg(long, num_args = 1.., value_name = "[IF=]ACTION", default_value = "reset")]
    #[arg(value_parser = |text: &str| PerInterface::parse(text, tcp_action))]
    pub tcp: Vec<PerInterface<TcpAction>>,

    /// What becomes of QUIC connections with a hello that is blocked: `close`, so that their client
    /// hears of it at once, or `drop`
    #[arg(long, num_args = 1.., value_name = "[IF=]ACTION", default_value = "close")]
    #[arg(value_parser = |text: &str| PerInterface::parse(text, quic_action))]
    pub quic_action: Vec<PerInterface<QuicAction>>,

    /// What `--action address` answers with: an address of one family or of each
    #[arg(long, num_args = 1..=2, value_name = "ADDR")]
    pub address: Vec<IpAddr>,

    /// How answers say why, as an Extended DNS Error: `blocked`, `censored` or `filtered`
    #[arg(long, value_name = "CODE", default_value = "blocked", value_parser = error_code)]
    pub code: u16,

    /// Seconds for which others may keep an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=0x7fff_ffff))]
    pub answer_ttl: u32,

    /// Answers a second that the clients of a /24 or a /56 get at most; 0 for any number
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub answers_per_second: u32,

    /// Leave the name of the list out of answers
    #[arg(long)]
    pub no_list_names: bool,

    /// Interfaces with clients behind them, which alone are answered [default: those where queries
    /// are judged, without those by which a default route leads]
    #[arg(long, num_args = 1.., value_name = "IF", value_hint = ValueHint::Other)]
    pub clients: Vec<String>,
}

impl AnswerArgs {
    /// What becomes of what is blocked on an interface, and whether it is in audit mode.
    pub fn of(&self, interface: &str) -> anyhow::Result<(Actions, bool)> {
        let action = PerInterface::said_of(&self.action, interface)
            .unwrap_or(BlockAction::Block(DnsAction::NxDomain));
        let tcp = PerInterface::said_of(&self.tcp, interface).unwrap_or(TcpAction::Reset);
        let quic = PerInterface::said_of(&self.quic_action, interface).unwrap_or(QuicAction::Close);
        let (dns, on_trial) = match action {
            BlockAction::Block(dns) => (dns, false),
            BlockAction::Audit => (DnsAction::NxDomain, true),
        };
        let actions = Actions::new(dns, tcp).with_quic(quic).with_code(self.code);
        if dns != DnsAction::Address {
            return Ok((actions, on_trial));
        }
        let mut addresses = Addresses::default();
        self.address
            .iter()
            .try_for_each(|address| addresses.add(*address))?;
        Ok((addresses.of(actions), on_trial))
    }

    /// Makes sure that what is said goes together, and is about interfaces that are filtered.
    pub fn check(&self, interfaces: &[String]) -> anyhow::Result<()> {
        PerInterface::check("--action", &self.action, interfaces)?;
        PerInterface::check("--tcp", &self.tcp, interfaces)?;
        PerInterface::check("--quic-action", &self.quic_action, interfaces)?;
        if let Some(name) = self.clients.iter().find(|name| !interfaces.contains(name)) {
            bail!(
                "--clients names `{name}`, which --iface does not: name it there as well, or mend the name"
            );
        }
        let answers_with_address = self
            .action
            .iter()
            .any(|action| action.value == BlockAction::Block(DnsAction::Address));
        match (answers_with_address, self.address.is_empty()) {
            (true, true) => {
                bail!(
                    "--action address has no address to answer with: add one, as in --address 192.0.2.1"
                )
            }
            (false, false) => {
                bail!("--address is for --action address alone: add that, or take the address out")
            }
            _ => Ok(()),
        }
    }
}

impl PerInterface<BlockAction> {
    fn of(text: &str) -> Result<Self, ActionsError> {
        Self::parse(text, str::parse)
    }
}
