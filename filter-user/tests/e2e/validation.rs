//! What becomes of unsigned answers where DNSSEC is validated: in a signed zone they are taken for
//! forged.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lab::{Options, Process, wait_until};

use crate::{
    asking::words,
    network::{LISTED, Network, OTHER},
    software::{STUB, by_way, resolved_by},
};

const ZONE: &str = "example.com";
const ZONE_FILE: &str = "@ 60 SOA ns.example.com. mail.example.com. 1 3600 600 86400 60
@ 60 NS ns.example.com.
ns 60 A 198.51.100.53
ads 60 A 198.51.100.2
web 60 A 198.51.100.2
";
/// The server of the signed zone, beside the one that answers every name.
const SIGNED: &str = "198.51.100.53";
/// On a list, and in no signed zone.
const UNSIGNED: &str = "ads.example.net";
/// Whoever takes an answer for forged asks again.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn who_validates_takes_an_answer_in_a_signed_zone_for_forged_and_fails_at_once() {
    let mut network = Network::new(&Options::default());
    let _signed = serve_signed(&network);
    let further = network.path("further");
    fs::write(&further, UNSIGNED).unwrap();
    network.filter_on("lan", "generic", &["--list", &further]);
    let _validator = validator(&network);

    let begun = Instant::now();
    let blocked = ask(&network, &[LISTED]);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(blocked.contains("status: SERVFAIL"), "{blocked}");
    let other = ask(&network, &[OTHER]);
    assert!(
        other.contains("status: NOERROR") && flags(&other).contains(&"ad"),
        "{other}"
    );
    let missing = ask(&network, &["missing.example.com"]);
    assert!(
        missing.contains("status: NXDOMAIN") && flags(&missing).contains(&"ad"),
        "{missing}"
    );
    let unsigned = ask(&network, &[UNSIGNED]);
    assert!(
        unsigned.contains("status: NXDOMAIN") && !flags(&unsigned).contains(&"ad"),
        "{unsigned}"
    );
    // Who does not ask for validation gets the answer as it is.
    let unchecked = ask(&network, &["+cdflag", LISTED]);
    assert!(unchecked.contains("status: NXDOMAIN"), "{unchecked}");
}

#[test]
fn delv_says_of_an_answer_in_a_signed_zone_that_it_is_not_proved() {
    let mut network = Network::new(&Options::default());
    let _signed = serve_signed(&network);
    network.filter_on("lan", "generic", &[]);
    let delv = |name: &str| {
        let mut command = network.lab.client().command("timeout");
        command.args([
            "10",
            "delv",
            "-4",
            &format!("@{SIGNED}"),
            &format!("+root={ZONE}"),
            "-a",
        ]);
        words(
            &command
                .args([&network.path("anchors"), name, "A"])
                .output()
                .unwrap(),
        )
    };
    let begun = Instant::now();
    let blocked = delv(LISTED);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(
        blocked.contains("resolution failed: broken trust chain"),
        "{blocked}"
    );
    let other = delv(OTHER);
    assert!(other.contains("; fully validated"), "{other}");
}

#[test]
fn systemd_resolved_takes_an_answer_in_a_signed_zone_for_forged_and_fails_at_once() {
    let mut network = Network::new(&Options::default());
    let _signed = serve_signed(&network);
    network.filter_on("lan", "generic", &[]);
    let anchors = fs::read_to_string(network.path("anchor.ds")).unwrap();
    let _resolved = resolved_by(&network, SIGNED.parse().unwrap(), &anchors);

    let other = by_way(&network, STUB, &["+dnssec", OTHER]);
    assert!(
        other.contains("status: NOERROR") && flags(&other).contains(&"ad"),
        "{other}"
    );
    let missing = by_way(&network, STUB, &["+dnssec", "missing.example.com"]);
    assert!(
        missing.contains("status: NXDOMAIN") && flags(&missing).contains(&"ad"),
        "{missing}"
    );
    let begun = Instant::now();
    let blocked = by_way(&network, STUB, &[LISTED]);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(blocked.contains("status: SERVFAIL"), "{blocked}");
}

/// Unbound with the zone, signed just now, and with its key in the files that validators want.
fn serve_signed(network: &Network) -> Process {
    let directory = network.lab.directory();
    fs::write(directory.join("zone"), ZONE_FILE).unwrap();
    let key = output(
        directory,
        "ldns-keygen",
        &["-a", "ECDSAP256SHA256", "-k", ZONE],
    );
    let key = key.trim();
    output(
        directory,
        "ldns-signzone",
        &["-n", "-o", ZONE, "-f", "zone.signed", "zone", key],
    );
    let record = fs::read_to_string(directory.join(format!("{key}.key"))).unwrap();
    let data: Vec<&str> = record
        .split_whitespace()
        .skip_while(|word| *word != "DNSKEY")
        .skip(1)
        .take(4)
        .collect();
    let [flags, protocol, algorithm, public] = data[..] else {
        panic!("{record}")
    };
    let anchors = format!(
        "trust-anchors {{ {ZONE}. static-key {flags} {protocol} {algorithm} \"{public}\"; }};\n"
    );
    fs::write(directory.join("anchors"), anchors).unwrap();
    fs::write(directory.join("anchor"), &record).unwrap();
    let record = fs::read_to_string(directory.join(format!("{key}.ds"))).unwrap();
    fs::write(
        directory.join("anchor.ds"),
        record.split_whitespace().collect::<Vec<_>>().join(" "),
    )
    .unwrap();

    network
        .lab
        .server()
        .ip(&format!("address add {SIGNED}/24 dev eth0"))
        .unwrap();
    let own = format!("    interface: {SIGNED}\n    access-control: 0.0.0.0/0 allow\n");
    let zone = format!("auth-zone:\n    name: \"{ZONE}\"\n    zonefile: \"zone.signed\"\n");
    start(
        network,
        network.lab.server().command("unbound"),
        "signed",
        &own,
        &zone,
        &format!("@{SIGNED}"),
    )
}

fn validator(network: &Network) -> Process {
    let own =
        "    interface: 127.0.0.1\n    trust-anchor-file: \"anchor\"\n    use-caps-for-id: yes\n";
    let zones = format!(
        "forward-zone:\n    name: \"{ZONE}\"\n    forward-addr: {SIGNED}\n\
         forward-zone:\n    name: \".\"\n    forward-addr: {}\n",
        lab::SERVER.v4
    );
    start(
        network,
        network.lab.client().command("unbound"),
        "validator",
        own,
        &zones,
        "@127.0.0.1",
    )
}

fn start(
    network: &Network,
    mut command: Command,
    name: &str,
    own: &str,
    zones: &str,
    at: &str,
) -> Process {
    let [configuration, log] = ["conf", "log"].map(|kind| network.path(&format!("{name}.{kind}")));
    let directory = network.lab.directory().display();
    let text = format!(
        "server:\n    directory: \"{directory}\"\n    chroot: \"\"\n    username: \"\"\n    pidfile: \"\"\n    \
         use-syslog: no\n{own}remote-control:\n    control-enable: no\n{zones}"
    );
    fs::write(&configuration, text).unwrap();
    command
        .args(["-d", "-c", &configuration])
        .stdin(Stdio::null())
        .stderr(File::create(&log).unwrap());
    let mut process = Process::spawn(&mut command).unwrap();
    wait_until("Unbound to answer", Duration::from_secs(20), || {
        assert!(process.ended()?.is_none(), "{}", fs::read_to_string(&log)?);
        let mut dig = network.lab.client().command("dig");
        Ok(words(
            &dig.args([at, "+tries=1", "+time=1", "ns.example.com"])
                .output()?,
        )
        .contains("status: NOERROR"))
    })
    .unwrap();
    process
}

fn ask(network: &Network, args: &[&str]) -> String {
    let mut command = network.lab.client().command("dig");
    words(
        &command
            .args(["@127.0.0.1", "+adflag", "+tries=1", "+time=5"])
            .args(args)
            .output()
            .unwrap(),
    )
}

/// The flags of the header, as dig prints them.
fn flags(text: &str) -> Vec<&str> {
    let flags = text
        .split(";; flags: ")
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    flags.unwrap_or_default().split(' ').collect()
}

fn output(directory: &Path, program: &str, args: &[&str]) -> String {
    let output = lab::program(program)
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}
