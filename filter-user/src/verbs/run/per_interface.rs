//! Options that are said of all interfaces or of one: `VALUE` or `IF=VALUE`.

use anyhow::bail;

/// A value for one interface, or for all that no other is said of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerInterface<T> {
    pub interface: Option<String>,
    pub value: T,
}

impl<T: Copy> PerInterface<T> {
    /// Reads it, by what reads the value.
    pub fn parse<E>(text: &str, value: impl FnOnce(&str) -> Result<T, E>) -> Result<Self, E> {
        let (interface, word) = text
            .rsplit_once('=')
            .map_or((None, text), |(name, word)| (Some(name.into()), word));
        Ok(Self {
            interface,
            value: value(word)?,
        })
    }

    /// What is said of an interface: by its name, or of all; the last one counts.
    pub fn said_of(said: &[Self], interface: &str) -> Option<T> {
        let last = |name: Option<&str>| {
            said.iter()
                .rev()
                .find(|said| said.interface.as_deref() == name)
        };
        last(Some(interface))
            .or_else(|| last(None))
            .map(|said| said.value)
    }

    /// Makes sure that all interfaces are among these.
    pub fn check(option: &str, said: &[Self], interfaces: &[String]) -> anyhow::Result<()> {
        match said
            .iter()
            .filter_map(|said| said.interface.as_ref())
            .find(|name| !interfaces.contains(name))
        {
            Some(name) => {
                bail!(
                    "{option} names `{name}`, which --iface does not: name it there as well, or mend the name"
                )
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Vec<PerInterface<u32>> {
        texts
            .iter()
            .map(|text| PerInterface::parse(text, str::parse).unwrap())
            .collect()
    }

    #[test]
    fn a_value_is_of_all_interfaces_or_of_one() {
        let of = |name: Option<&str>, value| PerInterface {
            interface: name.map(Into::into),
            value,
        };
        assert_eq!(all(&["1", "a=b=2"]), [of(None, 1), of(Some("a=b"), 2)]);
        assert!(PerInterface::<u32>::parse("lan0=x", str::parse).is_err());
    }

    #[test]
    fn what_is_said_of_an_interface_counts_more_than_what_is_said_of_all_and_the_last_most() {
        let said = all(&["lan0=1", "2", "lan0=3", "4"]);
        assert_eq!(PerInterface::said_of(&said, "lan0"), Some(3));
        assert_eq!(PerInterface::said_of(&said, "lan1"), Some(4));
        assert_eq!(PerInterface::<u32>::said_of(&[], "lan0"), None);
    }

    #[test]
    fn an_interface_that_is_not_filtered_is_refused() {
        let error = PerInterface::check("--judge", &all(&["1", "eth9=2"]), &["lan0".into()])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("--judge names `eth9`, which --iface does not"),
            "{error}"
        );
        assert!(PerInterface::check("--judge", &all(&["1", "lan0=2"]), &["lan0".into()]).is_ok());
    }
}
