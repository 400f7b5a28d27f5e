//! The formats that are read, and how a list is named with one.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// The formats that are read.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
pub enum Format {
    /// An address and names, as in `/etc/hosts`.
    Hosts,
    /// One name a line.
    #[default]
    Domains,
    /// `*.x`, one a line: x and all names below it.
    Wildcard,
    /// `||x^` and what else AdBlock and AdGuard have for names.
    AdBlock,
    /// dnsmasq's `address=`, `server=` and `local=`.
    Dnsmasq,
    /// Unbound's `local-zone:`.
    Unbound,
    /// A response policy zone.
    Rpz,
    /// BIND's `zone` statements.
    Bind,
    /// dnscrypt-proxy's list of blocked names.
    Dnscrypt,
    /// One regular expression a line, as Pi-hole takes them.
    Regex,
    /// v2fly's `full:`, `domain:`, `keyword:` and `regexp:`.
    V2fly,
    /// Maltrail's trails.
    Maltrail,
    /// Internet Explorer's tracking protection lists.
    Tpl,
    /// Privoxy's action files.
    Privoxy,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Hosts,
        Self::Domains,
        Self::Wildcard,
        Self::AdBlock,
        Self::Dnsmasq,
        Self::Unbound,
        Self::Rpz,
        Self::Bind,
        Self::Dnscrypt,
        Self::Regex,
        Self::V2fly,
        Self::Maltrail,
        Self::Tpl,
        Self::Privoxy,
    ];

    /// The word for it in output and before a path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Domains => "domains",
            Self::Wildcard => "wildcard",
            Self::AdBlock => "adblock",
            Self::Dnsmasq => "dnsmasq",
            Self::Unbound => "unbound",
            Self::Rpz => "rpz",
            Self::Bind => "bind",
            Self::Dnscrypt => "dnscrypt",
            Self::Regex => "regex",
            Self::V2fly => "v2fly",
            Self::Maltrail => "maltrail",
            Self::Tpl => "tpl",
            Self::Privoxy => "privoxy",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let format = Self::ALL.into_iter().find(|format| format.as_str() == text);
        format.ok_or_else(|| UnknownFormat(text.into()))
    }
}

/// There is no format of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no list format `{0}`: it is one of {formats}", formats = names())]
pub struct UnknownFormat(String);

fn names() -> String {
    Format::ALL.map(Format::as_str).join(", ")
}

/// A list as it is named on a command line: `FILE`, or `FORMAT:FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its format; without one its content tells.
    pub format: Option<Format>,
}

impl TryFrom<OsString> for ListFile {
    type Error = UnknownFormat;

    /// A file that is there under the whole text is meant with it, whatever stands before its
    /// colon.
    fn try_from(given: OsString) -> Result<Self, UnknownFormat> {
        let whole = Self {
            path: PathBuf::from(&given),
            format: None,
        };
        let Some((before, path)) = given.to_str().and_then(|text| text.split_once(':')) else {
            return Ok(whole);
        };
        if path.is_empty() || !looks_like_a_format(before) || Path::new(&given).exists() {
            return Ok(whole);
        }
        Ok(Self {
            path: path.into(),
            format: Some(before.parse()?),
        })
    }
}

/// Paths with a colon mostly have a slash or a dot before it.
fn looks_like_a_format(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_format_is_found_under_its_name() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
    }

    #[test]
    fn a_list_may_be_named_with_its_format() {
        assert_eq!(
            given("rpz:zones/a.zone"),
            Ok(("zones/a.zone".into(), Some(Format::Rpz)))
        );
        assert_eq!(given("hosts:-"), Ok(("-".into(), Some(Format::Hosts))));
        assert_eq!(given("regex:a:b"), Ok(("a:b".into(), Some(Format::Regex))));
    }

    #[test]
    fn a_path_is_no_format_whatever_it_has_in_it() {
        for path in [
            "list.txt",
            "./rpz:a",
            "lists/hosts:b",
            "a.b:c",
            "hosts:",
            ":hosts",
            "-",
        ] {
            assert_eq!(given(path), Ok((path.into(), None)), "{path}");
        }
    }

    #[test]
    fn a_file_that_is_there_is_meant_whatever_stands_before_its_colon() {
        let dir = tempfile::TempDir::new().unwrap();
        std::env::set_current_dir(&dir).unwrap();
        fs::write("hosts:mine", "").unwrap();
        assert_eq!(given("hosts:mine"), Ok(("hosts:mine".into(), None)));
        assert_eq!(
            given("hosts:yours"),
            Ok(("yours".into(), Some(Format::Hosts)))
        );
    }

    #[test]
    fn an_unknown_format_is_an_error_that_names_those_there_are() {
        assert_eq!(
            given("host:a.txt").unwrap_err().to_string(),
            "there is no list format `host`: it is one of hosts, domains, wildcard, adblock, dnsmasq, unbound, rpz, \
             bind, dnscrypt, regex, v2fly, maltrail, tpl, privoxy"
        );
    }

    fn given(text: &str) -> Result<(PathBuf, Option<Format>), UnknownFormat> {
        ListFile::try_from(OsString::from(text)).map(|list| (list.path, list.format))
    }
}
