//! Who is measured. The configurations are the files in `bench/peers`.

use super::{
    contestant::{Asked, Blocked, Contestant, Reload},
    lists::Form,
};

const RELOAD: Reload = Reload::Command(&["@NAMEGATE@", "reload", "--socket", "@DIRECTORY@/socket"]);

macro_rules! files {
    ($($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../peers/", $file)))),+]
    };
}

macro_rules! namegate {
    ($mode:literal, $action:literal) => {
        &[
            "@NAMEGATE@",
            "run",
            "--iface",
            "lan",
            "--mode",
            $mode,
            "--action",
            $action,
            "--answers-per-second",
            "0",
            "--subtrees",
            "--without-controller",
            "pass",
            "--list",
            "domains:@DIRECTORY@/names",
            "--socket",
            "@DIRECTORY@/socket",
        ]
    };
}

/// A server that answers that there is no such name.
const PEER: Contestant = Contestant {
    name: "",
    files: &[],
    form: Form::Names,
    command: &[],
    reload: Reload::Signal,
    blocked: Blocked::NxDomain,
    asked: Asked::Gateway,
    subdomains: true,
    far_end: false,
};

/// All of them, Namegate last: its goals are what the others reach.
pub const ALL: [Contestant; 10] = [
    Contestant {
        name: "dnsmasq",
        files: files!["dnsmasq.conf"],
        form: Form::Servers,
        command: &["dnsmasq", "--conf-file=@DIRECTORY@/dnsmasq.conf"],
        ..PEER
    },
    Contestant {
        name: "Unbound, local zones",
        files: files!["unbound-local-zone.conf"],
        form: Form::LocalZones,
        command: &["unbound", "-d", "-c", "@DIRECTORY@/unbound-local-zone.conf"],
        reload: Reload::Command(&[
            "unbound-control",
            "-c",
            "@DIRECTORY@/unbound-local-zone.conf",
            "reload",
        ]),
        ..PEER
    },
    Contestant {
        name: "Unbound, RPZ",
        files: files!["unbound-rpz.conf"],
        form: Form::PolicyZone,
        command: &["unbound", "-d", "-c", "@DIRECTORY@/unbound-rpz.conf"],
        reload: Reload::Command(&[
            "unbound-control",
            "-c",
            "@DIRECTORY@/unbound-rpz.conf",
            "auth_zone_reload",
            "block.rpz",
        ]),
        ..PEER
    },
    Contestant {
        name: "BIND, RPZ",
        files: files!["named.conf"],
        form: Form::PolicyZone,
        command: &["named", "-f", "-c", "@DIRECTORY@/named.conf"],
        ..PEER
    },
    Contestant {
        name: "PowerDNS Recursor, RPZ",
        files: files!["recursor.conf", "recursor.lua"],
        form: Form::PolicyZone,
        command: &["pdns_recursor", "--config-dir=@DIRECTORY@"],
        reload: Reload::Command(&[
            "rec_control",
            "--socket-dir=@DIRECTORY@",
            "--timeout=180",
            "reload-lua-config",
        ]),
        ..PEER
    },
    Contestant {
        name: "dnsdist, suffixes",
        files: files!["dnsdist-suffix.conf"],
        command: &[
            "dnsdist",
            "--supervised",
            "--disable-syslog",
            "-C",
            "@DIRECTORY@/dnsdist-suffix.conf",
        ],
        reload: Reload::Command(&[
            "dnsdist",
            "-C",
            "/dev/null",
            "-k",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "-c",
            "127.0.0.1:5199",
            "-e",
            "read_list()",
        ]),
        ..PEER
    },
    Contestant {
        name: "dnsdist, eBPF, drop",
        files: files!["dnsdist-ebpf.conf"],
        command: &[
            "dnsdist",
            "--supervised",
            "--disable-syslog",
            "-C",
            "@DIRECTORY@/dnsdist-ebpf.conf",
        ],
        reload: Reload::Unseen,
        blocked: Blocked::Silence,
        subdomains: false,
        ..PEER
    },
    Contestant {
        name: "Namegate, NXDOMAIN, generic mode",
        command: namegate!("generic", "nxdomain"),
        reload: RELOAD,
        asked: Asked::Resolver,
        ..PEER
    },
    Contestant {
        name: "Namegate, NXDOMAIN, native mode",
        command: namegate!("native", "nxdomain"),
        far_end: true,
        reload: RELOAD,
        asked: Asked::Resolver,
        ..PEER
    },
    Contestant {
        name: "Namegate, drop, native mode",
        command: namegate!("native", "drop"),
        far_end: true,
        reload: Reload::Unseen,
        blocked: Blocked::Silence,
        asked: Asked::Resolver,
        ..PEER
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::peers::contestant::Places;

    #[test]
    fn no_place_is_left_in_a_configuration_or_a_command() {
        let places = Places {
            directory: Path::new("/lab"),
            count: 1,
            namegate: Path::new("/bin/namegate"),
        };
        for contestant in &ALL {
            let texts = contestant
                .files
                .iter()
                .map(|(_, text)| *text)
                .chain(contestant.command.iter().copied());
            for text in texts.map(|text| places.fill(text)) {
                assert!(!text.contains('@'), "{}: {text}", contestant.name);
            }
        }
    }
}
