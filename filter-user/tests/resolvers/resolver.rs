//! Resolvers with a list, in the lab: real ones, before a server that answers every name.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use filter_lists::{Domain, Format};
use lab::{DnsServer, Lab, Options, Process, SERVER, wait_until};

use crate::asking::{self, Verdict};

/// Port 53 of the loopback address has the server that answers every name.
const ADDRESS: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 5300);
/// Zones that Unbound answers for itself unless it is told not to (unbound.conf(5), `nodefault`).
const OWN_ZONES: [&str; 5] = ["home.arpa", "invalid", "localhost", "onion", "test"];
/// What a policy zone is called.
pub const ZONE: &str = "policy";
/// The largest zone takes three seconds on one of two busy CPUs.
const START_UP: Duration = Duration::from_mins(1);

/// Which resolver, and how it takes its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unbound, with a response policy zone.
    Rpz,
    /// Unbound, with local zones in its configuration.
    LocalZones,
    /// BIND, with a response policy zone.
    BindRpz,
    /// dnsmasq, with lines of its configuration.
    Dnsmasq,
}

impl Kind {
    pub const fn format(self) -> Format {
        match self {
            Self::Rpz | Self::BindRpz => Format::Rpz,
            Self::LocalZones => Format::Unbound,
            Self::Dnsmasq => Format::Dnsmasq,
        }
    }
}

/// A resolver that runs, with what it asks, in a lab of its own. The last field goes last.
pub struct Resolver {
    socket: UdpSocket,
    _process: Process,
    _server: DnsServer,
    _lab: Lab,
}

impl Resolver {
    /// Starts it with the list, and waits until it answers.
    pub fn start(kind: Kind, list: &str) -> Self {
        let lab = Lab::new(&Options::default()).expect("a lab");
        let server = DnsServer::start(lab.server()).expect("a server that answers all names");
        let directory = lab.directory().to_owned();
        fs::write(directory.join("list"), list).expect("a file");
        let mut command = match kind {
            Kind::Rpz | Kind::LocalZones => {
                let configuration = directory.join("unbound.conf");
                fs::write(&configuration, unbound(kind, &directory)).expect("a file");
                let mut unbound = lab.server().command("unbound");
                unbound.arg("-d").arg("-c").arg(configuration);
                unbound
            }
            Kind::BindRpz => named(lab.server().command("named"), &directory),
            Kind::Dnsmasq => dnsmasq(lab.server().command("dnsmasq"), &directory),
        };
        let log = directory.join("resolver.log");
        let file = File::create(&log).expect("a file");
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a descriptor"))
            .stderr(file);
        let mut process =
            Process::spawn(&mut command).expect("it runs: `cargo xtask setup` installs it");
        let made = lab.server().socket(|| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(SocketAddr::from(ADDRESS))?;
            Ok(socket)
        });
        let socket = made.expect("a socket");
        let answers = wait_until("the resolver to answer", START_UP, || {
            let ended = process.ended()?;
            assert!(
                ended.is_none(),
                "{kind:?} ended: {}",
                fs::read_to_string(&log)?
            );
            // BIND answers before the zone is in force.
            let is_ready = kind != Kind::BindRpz
                || fs::read_to_string(&log)?.contains(&format!("rpz: {ZONE}: reload done"));
            Ok(is_ready && asking::answers(&socket))
        });
        answers.unwrap_or_else(|error| {
            panic!("{error}: {}", fs::read_to_string(&log).unwrap_or_default())
        });
        Self {
            socket,
            _process: process,
            _server: server,
            _lab: lab,
        }
    }

    /// What becomes of these names, in their order.
    pub fn judge(&self, names: &[Domain]) -> Vec<Verdict> {
        asking::verdicts(&self.socket, names)
    }
}

/// Nothing else that it does by itself may decide about a name: its own zones, and what it
/// concludes from answers.
fn unbound(kind: Kind, directory: &Path) -> String {
    let directory = directory.display();
    let own = OWN_ZONES
        .map(|zone| format!("    local-zone: \"{zone}.\" nodefault\n"))
        .concat();
    let ((address, port), server) = (ADDRESS, SERVER.v4);
    let (zones, policy) = match kind {
        Kind::Rpz => (
            String::new(),
            format!("rpz:\n    name: \"{ZONE}.\"\n    zonefile: \"{directory}/list\"\n"),
        ),
        _ => (
            format!("    include: \"{directory}/list\"\n"),
            String::new(),
        ),
    };
    format!(
        r#"server:
    directory: "{directory}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    interface: {address}
    port: {port}
    access-control: 127.0.0.0/8 allow
    module-config: "respip iterator"
    qname-minimisation: no
    harden-below-nxdomain: no
{own}{zones}remote-control:
    control-enable: no
{policy}forward-zone:
    name: "."
    forward-addr: {server}
"#
    )
}

fn dnsmasq(mut dnsmasq: Command, directory: &Path) -> Command {
    let (address, port) = ADDRESS;
    dnsmasq.args([
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--user=nobody",
    ]);
    dnsmasq.args([
        "--cache-size=0",
        "--dns-forward-max=4096",
        "--pid-file",
        "--log-facility=-",
    ]);
    dnsmasq.args([
        format!("--listen-address={address}"),
        format!("--port={port}"),
    ]);
    dnsmasq
        .arg(format!("--server={}", SERVER.v4))
        .arg(format!("--conf-file={}", directory.join("list").display()));
    dnsmasq
}

/// It forwards as the others do, and needs no recursion to know that a name is in the zone.
fn named(mut named: Command, directory: &Path) -> Command {
    let ((address, port), server) = (ADDRESS, SERVER.v4);
    let files = directory.display();
    let configuration = format!(
        r#"options {{
    directory "{files}";
    pid-file none;
    session-keyfile none;
    listen-on port {port} {{ {address}; }};
    listen-on-v6 {{ none; }};
    allow-query {{ any; }};
    recursion yes;
    forward only;
    forwarders {{ {server}; }};
    dnssec-validation no;
    empty-zones-enable no;
    max-ncache-ttl 0;
    response-policy {{ zone "{ZONE}"; }} break-dnssec yes qname-wait-recurse no recursive-only no;
}};
controls {{ }};
zone "{ZONE}" {{ type primary; file "{files}/list"; check-names ignore; notify no; }};
"#
    );
    fs::write(directory.join("named.conf"), configuration).expect("a file");
    // In the foreground, and with its log on standard error.
    named
        .arg("-g")
        .arg("-c")
        .arg(directory.join("named.conf"))
        .args(["-n", "1"]);
    named
}
