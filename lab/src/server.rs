//! Real servers in the lab.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::address::{Address, Family, SERVER};
use crate::namespace::Namespace;
use crate::process::Process;
use crate::wait_until;

const START_UP: Duration = Duration::from_secs(10);

/// A name that the DNS server has as an alias.
pub const ALIAS: &str = "alias.example.org";
/// What it is an alias of.
pub const ALIASED: &str = "ads.example.com";

/// dnsmasq, which answers every name with the server's own addresses, over UDP and TCP; [`ALIAS`]
/// by way of a CNAME.
#[derive(Debug)]
pub struct DnsServer {
    process: Process,
}

impl DnsServer {
    /// Starts it and waits until it answers in both families.
    pub fn start(server: &Namespace) -> Result<Self> {
        let Address { v4, v6 } = SERVER;
        let directory = server.directory().display();
        let args = [
            "--keep-in-foreground".to_owned(),
            "--conf-file=/dev/null".to_owned(),
            "--no-resolv".to_owned(),
            "--no-hosts".to_owned(),
            "--interface=eth0".to_owned(),
            "--bind-interfaces".to_owned(),
            "--user=nobody".to_owned(),
            "--local-ttl=60".to_owned(),
            format!("--pid-file={directory}/dnsmasq.pid"),
            format!("--address=/#/{v4}"),
            format!("--address=/#/{v6}"),
            format!("--host-record={ALIASED},{v4},{v6}"),
            format!("--cname={ALIAS},{ALIASED}"),
        ];
        let process = start(server, "dnsmasq", &args, |family| {
            let at = format!("@{}", SERVER.of(family));
            let answer = server
                .command("dig")
                .args(["+short", "+time=1", "+tries=1", &at, "name.test"])
                .output()?;
            Ok(answer.status.success() && !answer.stdout.is_empty())
        })?;
        Ok(Self { process })
    }

    /// The process itself, for [`crate::Lab::leave`].
    pub fn into_process(self) -> Process {
        self.process
    }
}

/// A TLS server on port 443, with a certificate that it signed itself and a small page.
///
/// It is `gnutls-serv` and not `openssl s_server`: the latter serves one connection at a time, and
/// one whose `ClientHello` was dropped never ends for it, because its client's FIN comes after the
/// bytes that are missing.
#[derive(Debug)]
pub struct TlsServer {
    process: Process,
}

impl TlsServer {
    /// Makes a certificate, starts the server and waits until it answers in both families.
    pub fn start(server: &Namespace) -> Result<Self> {
        let directory = server.directory().display();
        let (key, certificate) = (
            format!("{directory}/tls.key"),
            format!("{directory}/tls.pem"),
        );
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lab -keyout";
        let mut request: Vec<&str> = request.split(' ').collect();
        request.extend([&*key, "-out", &*certificate]);
        server.output("openssl", &request)?;

        let args = [
            "--http".to_owned(),
            "--quiet".to_owned(),
            "--port=443".to_owned(),
            format!("--x509keyfile={key}"),
            format!("--x509certfile={certificate}"),
        ];
        let process = start(server, "gnutls-serv", &args, |family| {
            let url = match family {
                Family::V4 => format!("https://{}/", SERVER.v4),
                Family::V6 => format!("https://[{}]/", SERVER.v6),
            };
            let page = server
                .command("curl")
                .args(["-gsk", "--max-time", "1", &url])
                .output()?;
            Ok(page.status.success())
        })?;
        Ok(Self { process })
    }

    /// The process itself, for [`crate::Lab::leave`].
    pub fn into_process(self) -> Process {
        self.process
    }
}

/// Starts a server with its output in a log file, and waits until it answers in both families.
fn start(
    server: &Namespace,
    program: &str,
    args: &[String],
    answers: impl Fn(Family) -> Result<bool>,
) -> Result<Process> {
    let path = server.directory().join(format!("{program}.log"));
    let log = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut command = server.command(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let mut process = Process::spawn(&mut command)?;
    for family in Family::ALL {
        wait_until(
            &format!("{program} to answer over {family}"),
            START_UP,
            || {
                if let Some(status) = process.ended()? {
                    bail!(
                        "{program} ended ({status}): {}",
                        fs::read_to_string(&path)?.trim()
                    );
                }
                answers(family)
            },
        )?;
    }
    Ok(process)
}
