//! What other people's software makes of the filter's answers: resolvers that forward through it,
//! and programs that resolve names in their own way.

use std::{
    fs::{self, File},
    net::IpAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lab::{Family, Options, Process, SERVER, SYSTEMD_RESOLVED, wait_until};

use crate::{
    answers::far_end,
    asking::words,
    network::{LISTED, Network, OTHER},
};

/// Within this a client knows that there is nothing.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A negative answer may be kept for so many seconds.
const TTL: u64 = 3;
const START_UP: Duration = Duration::from_secs(20);
/// Where forwarders listen, in the client's namespace.
pub const AT: [&str; 3] = ["@127.0.0.1", "-p", "5300"];
/// Where systemd-resolved listens, wherever it runs.
pub const STUB: [&str; 3] = ["@127.0.0.53", "-p", "53"];
/// For others it would have to be asked (`--cache-rr`).
const KEPT_BY_DNSMASQ: [&str; 2] = ["A", "AAAA"];

#[test]
fn unbound_takes_the_answers_and_keeps_them_with_the_hardening_that_it_has_by_itself() {
    assert_forwards_and_keeps(
        "nxdomain",
        &["A", "AAAA", "HTTPS"],
        AT,
        |network, family| unbound(network, family, ""),
    );
}

#[test]
fn unbound_takes_the_answers_where_the_case_of_letters_tells_forged_ones() {
    assert_forwards_and_keeps(
        "nxdomain",
        &["A", "AAAA", "HTTPS"],
        AT,
        |network, family| {
            unbound(
                network,
                family,
                "    use-caps-for-id: yes\n    qname-minimisation: yes\n    harden-referral-path: yes\n",
            )
        },
    );
}

#[test]
fn dnsmasq_takes_the_answers_and_keeps_them() {
    assert_forwards_and_keeps("nxdomain", &["A", "AAAA", "HTTPS"], AT, dnsmasq);
}

#[test]
fn dnsmasq_takes_and_keeps_that_there_are_no_such_records() {
    assert_forwards_and_keeps("nodata", &KEPT_BY_DNSMASQ, AT, dnsmasq);
}

#[test]
fn systemd_resolved_takes_the_answers_and_keeps_them() {
    assert_forwards_and_keeps("nxdomain", &["A", "AAAA", "HTTPS"], STUB, resolved);
}

#[test]
fn systemd_resolved_takes_and_keeps_that_there_are_no_such_records() {
    assert_forwards_and_keeps("nodata", &["A", "AAAA", "HTTPS"], STUB, resolved);
}

fn assert_forwards_and_keeps(
    action: &str,
    kinds: &[&str],
    at: [&str; 3],
    start: impl Fn(&Network, Family) -> Process,
) {
    let mut network = Network::new(&Options::default());
    network.filter_on(
        "lan",
        "generic",
        &["--action", action, "--answer-ttl", &TTL.to_string()],
    );
    let status = if action == "nxdomain" {
        "status: NXDOMAIN"
    } else {
        "status: NOERROR"
    };
    for family in Family::ALL {
        let _forwarder = start(&network, family);
        let by_way = |args: &[&str]| by_way(&network, at, args);
        let blocked = || {
            network
                .counters()
                .get("dns_blocked")
                .copied()
                .unwrap_or_default()
        };
        for kind in kinds {
            let name = format!("{}.{LISTED}", kind.to_lowercase());
            let before = blocked();
            let asked = Instant::now();
            let text = by_way(&[&*name, *kind]);
            assert!(
                text.contains(status) && text.contains("ANSWER: 0"),
                "{family}: {text}"
            );
            // A stub leaves out what it has for itself.
            assert!(
                at == STUB || text.contains("namegate.invalid."),
                "{family}: {text}"
            );
            assert!(
                asked.elapsed() < AT_ONCE,
                "{family} {kind}: {:?}",
                asked.elapsed()
            );
            let asked_once = blocked();
            assert!(asked_once > before, "{family} {kind}");
            let text = by_way(&[&*name, *kind]);
            assert!(
                text.contains(status) && text.contains("ANSWER: 0"),
                "{family}: {text}"
            );
            assert_eq!(blocked(), asked_once, "{family} {kind}: it was kept");
            wait_until(
                "the answer to be no longer kept",
                Duration::from_secs(TTL + 3),
                || {
                    let text = by_way(&[&*name, *kind]);
                    assert!(
                        text.contains(status) && text.contains("ANSWER: 0"),
                        "{family}: {text}"
                    );
                    Ok(blocked() > asked_once)
                },
            )
            .unwrap();
            assert!(
                asked.elapsed() >= Duration::from_secs(TTL - 1),
                "{family} {kind}: {:?}",
                asked.elapsed()
            );
        }
        assert!(by_way(&[OTHER]).contains(&SERVER.v4.to_string()));
        assert!(by_way(&["new-since.example.com", "AAAA"]).contains(&SERVER.v6.to_string()));
    }
}

/// Unbound as a forwarder in the client's namespace, with these lines in its section `server`.
pub fn unbound(network: &Network, family: Family, further: &str) -> Process {
    let (configuration, server) = (network.path("unbound.conf"), SERVER.of(family));
    let [_, _, port] = AT;
    let text = format!(
        r#"server:
    directory: "{}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1
    port: {port}
{further}remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: {server}
"#,
        network.lab.directory().display()
    );
    fs::write(&configuration, text).unwrap();
    let mut command = network.lab.client().command("unbound");
    command.args(["-d", "-c", &configuration]);
    forwarder(network, AT, &mut command)
}

pub fn dnsmasq(network: &Network, family: Family) -> Process {
    let mut command = network.lab.client().command("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
    ]);
    command.args([
        "--user=nobody",
        "--pid-file",
        "--log-facility=-",
        "--listen-address=127.0.0.1",
        "--port",
        AT[2],
    ]);
    command.arg(format!("--server={}", SERVER.of(family)));
    forwarder(network, AT, &mut command)
}

/// Has its configuration, its user and its folder in mounts that end with it.
const START_RESOLVED: &str = r#"
set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/resolved.conf.d
printf %s "$2" > /run/systemd/resolved.conf.d/lab.conf
mkdir /run/dnssec-trust-anchors.d
printf %s "$3" > /run/dnssec-trust-anchors.d/lab.positive
{ cat /etc/passwd; echo systemd-resolve:x:65533:65533::/:/bin/false; } > /run/passwd
mount --bind /run/passwd /etc/passwd
exec "$1"
"#;

fn resolved(network: &Network, family: Family) -> Process {
    resolved_by(network, SERVER.of(family), "")
}

/// systemd-resolved in the client's namespace, which asks this server, and validates what it says
/// if there are trust anchors.
pub fn resolved_by(network: &Network, server: IpAddr, anchors: &str) -> Process {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(SYSTEMD_RESOLVED);
    let program = folder.join(SYSTEMD_RESOLVED);
    assert!(
        program.exists(),
        "{} is not there: run `cargo xtask setup`, which unpacks it",
        program.display()
    );
    let configuration = format!(
        "[Resolve]\nDNS={server}\nFallbackDNS=\nDomains=~.\nDNSSEC={}\nDNSOverTLS=no\nLLMNR=no\nMulticastDNS=no\n\
         Cache=yes\nDNSStubListener=yes\n",
        if anchors.is_empty() { "no" } else { "yes" }
    );
    let mut command = network.lab.client().command("sh");
    command
        .args(["-c", START_RESOLVED, "sh"])
        .arg(&program)
        .args([&configuration, anchors]);
    command
        .env("LD_LIBRARY_PATH", &folder)
        .env("SYSTEMD_LOG_TARGET", "console");
    forwarder(network, STUB, &mut command)
}

pub fn forwarder(network: &Network, at: [&str; 3], command: &mut Command) -> Process {
    let log = network.path("forwarder.log");
    let file = File::create(&log).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file);
    let mut process = Process::spawn(command).unwrap();
    wait_until("the forwarder to answer", START_UP, || {
        assert!(process.ended()?.is_none(), "{}", fs::read_to_string(&log)?);
        let text = by_way(network, at, &["start.example.com"]);
        Ok(["NOERROR", "NXDOMAIN"]
            .iter()
            .any(|status| text.contains(&format!("status: {status}"))))
    })
    .unwrap();
    process
}

/// What dig hears of the forwarder.
pub fn by_way(network: &Network, at: [&str; 3], args: &[&str]) -> String {
    let mut command = network.lab.client().command("dig");
    words(
        &command
            .args(at)
            .args(["+tries=1", "+time=3"])
            .args(args)
            .output()
            .unwrap(),
    )
}

/// musl's resolver asks all servers at once, for both families.
const RESOLVE: &str = r#"
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv) {
    struct addrinfo *found;
    int error = getaddrinfo(argv[1], 0, 0, &found);
    puts(error ? gai_strerror(error) : "found");
    return error != 0;
}
"#;
const GETADDRINFO: &str = "import socket, sys; socket.getaddrinfo(sys.argv[1], 443)";
const DNSPYTHON: &str = "import dns.resolver, sys; dns.resolver.resolve(sys.argv[1], sys.argv[2])";

#[test]
fn programs_that_resolve_in_their_own_way_are_told_at_once_that_there_is_no_such_name() {
    let mut network = Network::new(&Options::default());
    let (source, musl) = (network.path("resolve.c"), network.path("resolve"));
    fs::write(&source, RESOLVE).unwrap();
    network
        .lab
        .client()
        .output("musl-gcc", &["-static", "-o", &musl, &source])
        .unwrap();
    let at = Family::ALL.map(|family| SERVER.of(family).to_string());
    let delv = at.clone().map(|at| format!("@{at}"));
    // Debian's own Python, which has Debian's dnspython: another one may come first in the path.
    let python = "/usr/bin/python3";
    let ways: [(&[&str], &[&str], &str); 11] = [
        (&["host"], &[], "NXDOMAIN"),
        (&["host", "-t", "HTTPS"], &[&at[0]], "NXDOMAIN"),
        (&["host", "-t", "ANY", "-U"], &[&at[1]], "NXDOMAIN"),
        (&["nslookup"], &[], "NXDOMAIN"),
        (&["nslookup", "-type=AAAA"], &[&at[1]], "NXDOMAIN"),
        (&["delv", "-i", &delv[0]], &[], "nxdomain"),
        (&["delv", "-i", &delv[1]], &["AAAA"], "nxdomain"),
        (&[&musl], &[], "Name does not resolve"),
        (
            &[python, "-c", GETADDRINFO],
            &[],
            "Name or service not known",
        ),
        (&[python, "-c", DNSPYTHON], &["A"], "dns.resolver.NXDOMAIN"),
        (
            &[python, "-c", DNSPYTHON],
            &["AAAA"],
            "dns.resolver.NXDOMAIN",
        ),
    ];
    for mode in ["generic", "native"] {
        network.filter_on("lan", mode, &[]);
        let _far_end = (mode == "native").then(|| far_end(&network));
        for (program, further, said) in &ways {
            let ask = |name: &str| {
                let mut command = network.lab.client().command("timeout");
                let begun = Instant::now();
                let output = command
                    .arg("10")
                    .args(*program)
                    .arg(name)
                    .args(*further)
                    .output()
                    .unwrap();
                (begun.elapsed(), output)
            };
            // On a machine that is busy, starting a program may take long now and then.
            let (took, blocked) = (0..3)
                .map(|_| ask(LISTED))
                .min_by_key(|(took, _)| *took)
                .unwrap();
            let text = words(&blocked);
            assert!(text.contains(said), "{program:?}, {mode}: {text}");
            assert!(took < AT_ONCE, "{program:?}, {mode}: {took:?}");
            eprintln!(
                "{mode:7} {took:>12.1?} {program:?}: {}",
                text.lines().next_back().unwrap()
            );
            let (_, other) = ask(OTHER);
            assert!(
                !words(&other).contains(said),
                "{program:?}: {}",
                words(&other)
            );
        }
    }
}
