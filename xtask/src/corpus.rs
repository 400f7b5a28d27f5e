//! `cargo xtask corpus`: records the repository's own captures, from real clients in the lab.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use ::lab::{DnsServer, Lab, Namespace, Options, Process, SERVER, TlsServer, wait_until};
use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// What splits, joins or completes packets behind the wire's back, so that the captures hold what a
/// wire would.
const OFFLOADS: [&str; 6] = ["tso", "gso", "gro", "tx", "rxvlan", "txvlan"];
const DEADLINE: Duration = Duration::from_secs(20);

/// A capture, and the commands whose traffic it holds. `4` and `6` stand for the server's
/// addresses.
struct Recording {
    file: &'static str,
    commands: &'static [&'static str],
}

const RECORDINGS: [Recording; 5] = [
    Recording {
        file: "dig.pcap",
        commands: &[
            "dig @{4} www.example.com",
            "dig @{6} www.example.com AAAA",
            "dig @{4} +noedns +norecurse Ads.EXAMPLE.net",
            "dig @{6} +dnssec +bufsize=4096 tracker.example.org HTTPS",
            "dig @{4} +cookie=0123456789abcdef +subnet=192.0.2.0/24 example.com TXT",
            "dig @{4} +tcp www.example.com",
            "dig @{6} +tcp ads.example.net MX",
            "dig @{4} . NS",
            "dig @{4} -x 192.0.2.7",
            "dig @{4} a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.example.com",
            "dig @{4} a-label-of-sixty-three-octets-is-the-longest-that-a-name-can-be.example",
            "dig @{4} odd\\046dot.and\\000zero.example",
            "dig @{4} xn--bcher-kva.example",
            "dig @{4} -p 5353 other.port.example",
        ],
    },
    Recording {
        file: "curl.pcap",
        commands: &[
            "curl -gsk --resolve www.example.com:443:{4} https://www.example.com/",
            "curl -gsk --resolve ads.example.net:443:{6} https://ads.example.net/",
            "curl -gsk --tls-max 1.2 --resolve tracker.example.org:443:{4} https://tracker.example.org/",
            "curl -gsk --tls13-ciphers TLS_AES_128_GCM_SHA256 --tlsv1.3 --resolve Mixed.Case.Example:443:{4} https://Mixed.Case.Example/",
            "curl -gsk https://{4}/",
        ],
    },
    Recording {
        file: "openssl.pcap",
        commands: &[
            "openssl s_client -connect {4}:443 -servername www.example.com",
            "openssl s_client -connect [{6}]:443 -servername ads.example.net -tls1_3",
            "openssl s_client -connect {4}:443 -servername tracker.example.org -tls1_2 -alpn h2,http/1.1",
            "openssl s_client -connect {4}:443 -servername trailing.dot.example.",
            "openssl s_client -connect {4}:443 -noservername",
            "openssl s_client -connect {4}:443 -servername long.example.com -groups P-521:P-384:P-256:X25519:X448",
        ],
    },
    Recording {
        file: "gnutls.pcap",
        commands: &[
            "gnutls-cli --insecure --sni-hostname=www.example.com {4}",
            "gnutls-cli --insecure --sni-hostname=ads.example.net --priority=NORMAL:-VERS-TLS1.3 {4}",
            "gnutls-cli --insecure --disable-sni {4}",
        ],
    },
    Recording {
        file: "chromium.pcap",
        commands: &[
            "chromium --host-resolver-rules=MAP\u{a0}*\u{a0}{4} --dump-dom https://www.example.com/",
            "chromium --host-resolver-rules=MAP\u{a0}*\u{a0}{4} --dump-dom https://ads.example.net/",
        ],
    },
];

/// What keeps Chromium to the one page that it is asked for.
const CHROMIUM: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                        --disable-component-update --disable-sync --ignore-certificate-errors --timeout=3000";

/// Records all captures anew into `corpus/`.
pub fn run() -> Result<ExitCode> {
    let missing: Vec<_> = ["chromium", "gnutls-cli", "tcpdump"]
        .into_iter()
        .filter(|name| !is_there(name))
        .collect();
    if !missing.is_empty() {
        bail!(
            "recording needs {}: `apt-get install chromium gnutls-bin tcpdump`",
            missing.join(", ")
        );
    }
    let directory = Workspace::read()?.root().join("corpus");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    ::lab::clean_up_on_signals()?;
    let lab = Lab::new(&Options {
        off: OFFLOADS.to_vec(),
        ..Options::default()
    })?;
    let _dns = DnsServer::start(lab.server())?;
    let _tls = TlsServer::start(lab.server())?;
    for recording in &RECORDINGS {
        record(lab.client(), recording, &directory.join(recording.file))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_there(program: &str) -> bool {
    ::lab::program(program).arg("--version").output().is_ok()
}

fn record(client: &Namespace, recording: &Recording, file: &Path) -> Result<()> {
    // tcpdump gives up root's rights, and with them the way to our directory.
    let temporary = client.directory().join(recording.file);
    let mut tcpdump = client.command("tcpdump");
    tcpdump
        .args(["-i", "eth0", "-U", "--immediate-mode", "-Z", "root", "-w"])
        .arg(&temporary);
    tcpdump
        .args(["(udp or tcp) and net (192.0.2.0/24 or 2001:db8::/32)"])
        .stderr(Stdio::null());
    let tcpdump = Process::spawn(&mut tcpdump)?;
    let size = || fs::metadata(&temporary).map_or(0, |file| file.len());
    wait_until("tcpdump to start", DEADLINE, || Ok(size() > 0))?;
    for command in recording.commands {
        println!("  {}: {}", recording.file, command.replace('\u{a0}', " "));
        ask(client, command)?;
    }
    // What was sent is on file when the file has not grown for as long as it takes to look twice.
    let mut before = 0;
    wait_until("the capture to settle", DEADLINE, || {
        std::thread::sleep(Duration::from_millis(300));
        Ok(std::mem::replace(&mut before, size()) == size())
    })?;
    tcpdump.stop()?;
    fs::copy(&temporary, file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

/// Runs a client to its end. That a server does not answer as it hoped is no failure: its packets
/// are what counts.
fn ask(client: &Namespace, line: &str) -> Result<()> {
    let (v4, v6) = (SERVER.v4.to_string(), SERVER.v6.to_string());
    let mut words = line.split(' ').map(|word| {
        let word = word
            .replace("[{6}]", &format!("[{v6}]"))
            .replace("{4}", &v4);
        word.replace("{6}", &v6).replace('\u{a0}', " ")
    });
    let program = words.next().unwrap_or_default();
    let mut command: Command = client.command("timeout");
    command.arg("10").arg(&program);
    if program == "chromium" {
        command.args(CHROMIUM.split(' '));
        command.arg(format!(
            "--user-data-dir={}",
            client.directory().join("chromium").display()
        ));
    }
    if program == "dig" {
        command.args(["+time=1", "+tries=1"]);
    }
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    Ok(())
}
