//! What there is to know about who is measured: how it is set up, and how it reads a list again.

use std::{net::Ipv4Addr, path::Path};

use lab::{GATEWAY_LAN, SERVER};

use super::lists::Form;

/// A filter that is measured.
pub struct Contestant {
    pub name: &'static str,
    /// Its configuration, by the names of the files.
    pub files: &'static [(&'static str, &'static str)],
    /// The form in which it reads the list.
    pub form: Form,
    pub command: &'static [&'static str],
    pub reload: Reload,
    pub blocked: Blocked,
    pub asked: Asked,
    /// False if it knows the listed names alone, and nothing of the names below.
    pub subdomains: bool,
    /// True if clients need a program on their interface: veth gives them what a native program
    /// sends back only then.
    pub far_end: bool,
}

/// What becomes of a query for a listed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// It is answered: there is no such name.
    NxDomain,
    /// It is dropped.
    Silence,
}

/// Whom clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A peer: a server on the gateway.
    Gateway,
    /// The resolver behind the gateway: Namegate is on the way.
    Resolver,
}

/// How a list is read again.
pub enum Reload {
    /// By SIGHUP.
    Signal,
    /// By a command, in the gateway's namespace.
    Command(&'static [&'static str]),
    /// It cannot be seen from outside, because what is blocked has no answer.
    Unseen,
}

impl Contestant {
    /// The address that clients ask.
    pub fn address(&self) -> Ipv4Addr {
        match self.asked {
            Asked::Gateway => GATEWAY_LAN.v4,
            Asked::Resolver => SERVER.v4,
        }
    }

    /// True for what the goals are for.
    pub fn is_namegate(&self) -> bool {
        self.asked == Asked::Resolver
    }
}

/// What stands in a configuration or a command for what is different each time.
pub struct Places<'a> {
    /// The directory with the configuration and the list.
    pub directory: &'a Path,
    /// Names on the list.
    pub count: usize,
    /// The release binary of Namegate.
    pub namegate: &'a Path,
}

impl Places<'_> {
    /// The text with all places filled.
    pub fn fill(&self, text: &str) -> String {
        text.replace("@DIRECTORY@", &self.directory.display().to_string())
            .replace("@NAMEGATE@", &self.namegate.display().to_string())
            .replace("@COUNT@", &self.count.to_string())
            .replace("@ADDRESS@", &GATEWAY_LAN.v4.to_string())
            .replace("@UPSTREAM@", &SERVER.v4.to_string())
    }
}
