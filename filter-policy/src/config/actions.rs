//! What becomes of what is blocked, in the words of configurations and of the command line.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use filter_core::{Actions, DnsAction, QuicAction, TcpAction};
use toml::Spanned;

use super::{
    error::{At, Located, shown},
    file::Text,
};

/// What becomes of a name that would be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockAction {
    /// It is blocked, and this becomes of its DNS messages.
    Block(DnsAction),
    /// It passes, and is reported.
    Audit,
}

/// Addresses to answer with, one of each family at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Addr>,
}

/// What is wrong with what is to become of what is blocked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionsError {
    /// There is no such action.
    #[error(
        "there is no action `{}`: write `drop`, `nxdomain`, `nodata`, `refused`, `null`, `address` or `audit`",
        shown(.0)
    )]
    Action(String),
    /// Connections do not end like that.
    #[error("no connection is ended by `{}`: write `drop`, `reset` or `alert`", shown(.0))]
    Tcp(String),
    /// QUIC connections do not end like that.
    #[error("no QUIC connection is ended by `{}`: write `drop` or `close`", shown(.0))]
    Quic(String),
    /// There is no such code.
    #[error("there is no code `{}`: write `blocked`, `censored` or `filtered`", shown(.0))]
    Code(String),
    /// The text is no address.
    #[error("`{}` is no address: write one as in \"192.0.2.1\" or \"2001:db8::1\"", shown(.0))]
    Address(String),
    /// There are two of a family.
    #[error(
        "{0} is the second address of its family, and an answer has one: take one of the two out"
    )]
    SecondAddress(IpAddr),
    /// The address is none.
    #[error("{0} is what the action `null` answers with: choose that one, or another address")]
    Unspecified(IpAddr),
    /// There is no address to answer with.
    #[error(
        "the action `address` has no address to answer with: add one, as in address = [\"192.0.2.1\"]"
    )]
    NoAddress,
    /// The address is not used.
    #[error(
        "the action `address` alone answers with an address: add action = \"address\", or take `address` out"
    )]
    UnusedAddress,
    /// What allows blocks nothing.
    #[error("what allows blocks nothing, so that `{0}` says nothing here: take it out")]
    Allows(&'static str),
    /// A trial blocks nothing.
    #[error(
        "with action = \"audit\" nothing is blocked, so that `{0}` says nothing here: take it out"
    )]
    Audits(&'static str),
}

impl FromStr for BlockAction {
    type Err = ActionsError;

    fn from_str(word: &str) -> Result<Self, ActionsError> {
        if word == "audit" {
            return Ok(Self::Audit);
        }
        let action = DnsAction::ALL.iter().find(|action| action.as_str() == word);
        action
            .map(|action| Self::Block(*action))
            .ok_or_else(|| ActionsError::Action(word.into()))
    }
}

/// What becomes of a TCP connection, by its word.
pub fn tcp_action(word: &str) -> Result<TcpAction, ActionsError> {
    let action = TcpAction::ALL.iter().find(|action| action.as_str() == word);
    action
        .copied()
        .ok_or_else(|| ActionsError::Tcp(word.into()))
}

/// What becomes of a QUIC connection, by its word.
pub fn quic_action(word: &str) -> Result<QuicAction, ActionsError> {
    let action = QuicAction::ALL
        .iter()
        .find(|action| action.as_str() == word);
    action
        .copied()
        .ok_or_else(|| ActionsError::Quic(word.into()))
}

/// The INFO-CODE of an Extended DNS Error, by its word.
pub fn error_code(word: &str) -> Result<u16, ActionsError> {
    match word {
        "blocked" => Ok(Actions::BLOCKED),
        "censored" => Ok(Actions::CENSORED),
        "filtered" => Ok(Actions::FILTERED),
        _ => Err(ActionsError::Code(word.into())),
    }
}

impl Addresses {
    /// Adds an address.
    pub fn add(&mut self, address: IpAddr) -> Result<(), ActionsError> {
        if address.is_unspecified() {
            return Err(ActionsError::Unspecified(address));
        }
        let second = match address {
            IpAddr::V4(address) => self.v4.replace(address).is_some(),
            IpAddr::V6(address) => self.v6.replace(address).is_some(),
        };
        if second {
            Err(ActionsError::SecondAddress(address))
        } else {
            Ok(())
        }
    }

    /// The actions with these addresses.
    #[must_use]
    pub fn of(self, actions: Actions) -> Actions {
        actions.with_addresses(self.v4, self.v6)
    }
}

/// The keys of a list or of rules that say what becomes of what they block.
pub(super) struct Keys<'a> {
    pub action: Option<&'a Text>,
    pub address: Option<&'a Spanned<Vec<Text>>>,
    pub tcp: Option<&'a Text>,
    pub quic: Option<&'a Text>,
    pub code: Option<&'a Text>,
}

impl Keys<'_> {
    /// What they say, and whether it is a trial. With `allows`, nothing is blocked.
    pub fn read(&self, allows: bool) -> Result<(Actions, bool), Located> {
        if allows {
            return self
                .none_but_action(ActionsError::Allows)
                .map(|()| (Actions::default(), false));
        }
        let dns = match self
            .action
            .map(|word| word.get_ref().parse().at(word))
            .transpose()?
        {
            Some(BlockAction::Audit) => {
                self.none_beside_action(ActionsError::Audits)?;
                return Ok((Actions::default(), true));
            }
            Some(BlockAction::Block(action)) => action,
            None => DnsAction::AsInterface,
        };
        let tcp = self
            .tcp
            .map(|word| tcp_action(word.get_ref()).at(word))
            .transpose()?
            .unwrap_or_default();
        let quic = self
            .quic
            .map(|word| quic_action(word.get_ref()).at(word))
            .transpose()?
            .unwrap_or_default();
        let code = self
            .code
            .map(|word| error_code(word.get_ref()).at(word))
            .transpose()?;
        let actions = self
            .addresses(dns)?
            .of(Actions::new(dns, tcp).with_quic(quic));
        Ok((code.map_or(actions, |code| actions.with_code(code)), false))
    }

    fn none_but_action(&self, error: fn(&'static str) -> ActionsError) -> Result<(), Located> {
        self.action
            .map_or(Ok(()), |place| Err(error("action")).at(place))?;
        self.none_beside_action(error)
    }

    fn none_beside_action(&self, error: fn(&'static str) -> ActionsError) -> Result<(), Located> {
        self.address
            .map_or(Ok(()), |place| Err(error("address")).at(place))?;
        self.tcp
            .map_or(Ok(()), |place| Err(error("tcp")).at(place))?;
        self.quic
            .map_or(Ok(()), |place| Err(error("quic")).at(place))?;
        self.code
            .map_or(Ok(()), |place| Err(error("code")).at(place))
    }

    fn addresses(&self, action: DnsAction) -> Result<Addresses, Located> {
        let mut addresses = Addresses::default();
        match (self.address, self.action, action) {
            (None, Some(place), DnsAction::Address) => {
                return Err(ActionsError::NoAddress).at(place);
            }
            (None, ..) => return Ok(addresses),
            (Some(texts), _, DnsAction::Address) if texts.get_ref().is_empty() => {
                return Err(ActionsError::NoAddress).at(texts);
            }
            (Some(_), _, DnsAction::Address) => {}
            (Some(texts), ..) => return Err(ActionsError::UnusedAddress).at(texts),
        }
        for text in self.address.iter().flat_map(|texts| texts.get_ref()) {
            let address = text
                .get_ref()
                .parse()
                .map_err(|_| ActionsError::Address(text.get_ref().clone()));
            address
                .and_then(|address| addresses.add(address))
                .at(text)?;
        }
        Ok(addresses)
    }
}
