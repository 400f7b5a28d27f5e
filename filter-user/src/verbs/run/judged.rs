//! What is judged, as the command line says it.

use std::{collections::BTreeMap, str::FromStr};

use anyhow::bail;
use filter_core::{Fragments, Interface, Sides};
use filter_user::kernel::interface_index;

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

/// `--judge`: sides of DNS, for one interface or for all that no other says something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    interface: Option<String>,
    sides: Sides,
}

impl FromStr for Judged {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (interface, word) = text.rsplit_once('=').map_or((None, text), |(name, word)| (Some(name.into()), word));
        let all = [Sides::Both, Sides::Queries, Sides::Responses];
        match all.into_iter().find(|sides| sides.as_str() == word) {
            Some(sides) => Ok(Self { interface, sides }),
            None => Err(format!("`{word}` is none of `queries`, `responses` and `both`")),
        }
    }
}

/// The sides of each interface, by its index.
pub fn by_interface(interfaces: &[String], judged: &[Judged]) -> anyhow::Result<BTreeMap<u32, Interface>> {
    for Judged { interface, .. } in judged {
        if let Some(name) = interface
            && !interfaces.contains(name)
        {
            bail!("--judge names `{name}`, which --iface does not: name it there as well, or mend the name");
        }
    }
    let said_of = |name: Option<&String>| judged.iter().rev().find(|judged| judged.interface.as_ref() == name);
    let sides = |name| said_of(Some(name)).or_else(|| said_of(None)).map_or(Sides::Both, |judged| judged.sides);
    interfaces.iter().map(|name| Ok((interface_index(name)?, Interface::new(sides(name))))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_of_all_interfaces_or_of_one() {
        assert_eq!("queries".parse(), Ok(Judged { interface: None, sides: Sides::Queries }));
        let of_one = Judged { interface: Some("a=b".into()), sides: Sides::Responses };
        assert_eq!("a=b=responses".parse(), Ok(of_one));
        assert!("lan0=all".parse::<Judged>().unwrap_err().contains("`all` is none of"));
    }

    #[test]
    fn what_is_said_of_an_interface_counts_more_than_what_is_said_of_all() {
        let judged = ["lo=responses", "queries"].map(|text| text.parse().unwrap());
        let index = interface_index("lo").unwrap();
        assert_eq!(by_interface(&["lo".into()], &judged).unwrap(), [(index, Interface::new(Sides::Responses))].into());
        assert_eq!(
            by_interface(&["lo".into()], &judged[1..]).unwrap(),
            [(index, Interface::new(Sides::Queries))].into()
        );
        assert_eq!(by_interface(&["lo".into()], &[]).unwrap(), [(index, Interface::new(Sides::Both))].into());
        let elsewhere = by_interface(&["lo".into()], &["eth9=both".parse().unwrap()]).unwrap_err();
        assert!(elsewhere.to_string().contains("`eth9`"), "{elsewhere}");
    }
}
