//! What tshark says of each packet that clients get.

use std::{
    fs::{self, File},
    process::Stdio,
    time::Duration,
};

use lab::{ALIAS, Family, Options, Process, program, wait_until};

use crate::{
    answers::far_end,
    asking::{curl, dig, tcp_ways, words},
    network::{LISTED, Network, OTHER},
    segments::ask_for_small_segments,
};

/// Anything that tshark has against a packet.
pub const TROUBLE: &str = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 \
    || udp.checksum.status == 0 || tcp.checksum.status == 0 || icmp || icmpv6.type < 128";
/// Answers have a hop limit of their own; what the server sent has one hop behind it.
pub const FROM_FILTER: &str =
    "(ip.ttl == 64 || ipv6.hlim == 64) && eth.dst != ff:ff:ff:ff:ff:ff && (udp || tcp)";

const ADDRESSES: [&str; 5] = [
    "--action",
    "address",
    "--address",
    "203.0.113.80",
    "2001:db8::80",
];
/// Each with what tshark is to find of it, so often at least.
const WAYS: [(&[&str], &str); 6] = [
    (
        &[],
        "dns.flags.rcode == 3 && dns.soa.mname == \"namegate.invalid\"",
    ),
    (
        &["--action", "nodata"],
        "dns.flags.rcode == 0 && dns.soa.mname == \"namegate.invalid\"",
    ),
    (&["--action", "refused"], "dns.flags.rcode == 5"),
    (&["--action", "null"], "dns.a == 0.0.0.0 || dns.aaaa == ::"),
    (
        &ADDRESSES,
        "dns.a == 203.0.113.80 || dns.aaaa == 2001:db8::80",
    ),
    (&["--tcp", "alert"], "tls.alert_message.desc == 112"),
];

#[test]
fn tshark_has_nothing_against_any_packet_that_a_client_gets() {
    // Checksums that are left to a device would look bad in a capture.
    let mut network = Network::new(&Options {
        off: vec!["tx"],
        ..Options::default()
    });
    // In native mode, what sends is the driver: what is in the frame is the same.
    for (mode, ways) in [("generic", &WAYS[..]), ("native", &WAYS[5..])] {
        for (args, found) in ways {
            network.filter_on("lan", mode, args);
            let _far_end = (mode == "native").then(|| far_end(&network));
            let capture = Capture::start(&network);
            ask(&network, &[LISTED, OTHER]);
            let capture = capture.stop();
            let what = format!("{mode} {args:?}");
            assert_eq!(capture.packets(TROUBLE), "", "{what}");
            assert_ne!(
                capture.packets(&format!("{FROM_FILTER} && ({found})")),
                "",
                "{what}"
            );
            let ends = "(tcp.flags.reset == 1 || tcp.flags.fin == 1)";
            let whole = format!("{FROM_FILTER} && {ends} && tcp.checksum.status == 1");
            assert_ne!(capture.packets(&whole), "", "{what}");
            assert_ne!(
                capture.packets("dns.flags.response == 1 && udp.checksum.status == 1"),
                "",
                "{what}"
            );
        }
    }
}

/// In generic mode they are left to a device like those of the queries.
#[test]
fn from_a_driver_answers_have_whole_checksums_where_those_of_their_queries_were_left_to_a_device() {
    let mut network = Network::new(&Options::default());
    for (args, found) in [WAYS[0], WAYS[5]] {
        network.filter_on("lan", "native", args);
        let _far_end = far_end(&network);
        let capture = Capture::start(&network);
        ask(&network, &[LISTED]);
        let capture = capture.stop();
        assert_eq!(
            capture.packets(&format!("{FROM_FILTER} && ({TROUBLE})")),
            "",
            "{args:?}"
        );
        assert_ne!(
            capture.packets(&format!("{FROM_FILTER} && ({found})")),
            "",
            "{args:?}"
        );
    }
}

#[test]
fn tshark_has_nothing_against_a_response_that_became_negative() {
    let mut network = Network::new(&Options {
        off: vec!["tx"],
        ..Options::default()
    });
    for mode in ["generic", "native"] {
        network.filter_on("wan", mode, &["--judge", "wan=responses"]);
        let capture = Capture::start(&network);
        ask(&network, &[LISTED, ALIAS]);
        let capture = capture.stop();
        assert_eq!(capture.packets(TROUBLE), "", "{mode}");
        assert_ne!(
            capture.packets("dns.flags.rcode == 3 && udp.checksum.status == 1"),
            "",
            "{mode}"
        );
        assert_ne!(
            capture.packets("tcp.flags.reset == 1 && tcp.checksum.status == 1"),
            "",
            "{mode}"
        );
    }
}

#[test]
fn tshark_would_see_an_octet_that_is_not_right() {
    let mut network = Network::new(&Options {
        off: vec!["tx"],
        ..Options::default()
    });
    network.filter_on("lan", "generic", &[]);
    let capture = Capture::start(&network);
    ask(&network, &[LISTED]);
    let capture = capture.stop();
    let mut octets = fs::read(&capture.path).unwrap();
    let at = octets
        .windows(8)
        .position(|window| window == b"namegate")
        .unwrap();
    octets[at] ^= 1;
    fs::write(&capture.path, octets).unwrap();
    assert_eq!(
        capture.packets(TROUBLE).lines().count(),
        1,
        "{}",
        capture.packets(TROUBLE)
    );
}

/// Each segment behind the server name is blocked as well.
#[test]
fn of_a_hello_in_several_segments_a_client_gets_one_reset() {
    // Segmentation offload would carry them in one frame.
    let mut network = Network::new(&Options {
        off: vec!["tso", "gso"],
        ..Options::default()
    });
    ask_for_small_segments(&network);
    for mode in ["generic", "native"] {
        network.filter_on("lan", mode, &[]);
        let _far_end = (mode == "native").then(|| far_end(&network));
        let capture = Capture::start(&network);
        for family in Family::ALL {
            assert!(
                words(&curl(&network, family, LISTED))
                    .to_lowercase()
                    .contains("reset"),
                "{mode}"
            );
        }
        let capture = capture.stop();
        let resets = capture.packets(&format!("{FROM_FILTER} && tcp.flags.reset == 1"));
        assert_eq!(
            resets.lines().count(),
            Family::ALL.len(),
            "{mode}: {resets}"
        );
        let counters = network.verb("stats").unwrap()["counters"].clone();
        assert_eq!(counters["closed"], Family::ALL.len(), "{mode}: {counters}");
        assert!(
            counters["closed_already"].as_u64() >= Some(2),
            "{mode}: {counters}"
        );
    }
}

fn ask(network: &Network, names: &[&str]) {
    for family in Family::ALL {
        for name in names {
            for way in ["+noedns", "+dnssec"] {
                for kind in ["A", "AAAA", "HTTPS"] {
                    dig(network, family, &[way, name, kind]);
                }
            }
            dig(network, family, &["+tcp", name]);
            curl(network, family, name);
        }
        tcp_ways(network, family);
    }
}

/// tcpdump on the client's interface.
pub struct Capture<'network> {
    network: &'network Network,
    path: String,
    process: Process,
}

impl<'network> Capture<'network> {
    pub fn start(network: &'network Network) -> Self {
        let [path, log] = ["capture.pcap", "capture.log"].map(|name| network.path(name));
        let mut command = network.lab.client().command("tcpdump");
        command.args([
            "-i", "eth0", "-Q", "in", "-s", "0", "-U", "-Z", "root", "-w", &path,
        ]);
        command
            .stdin(Stdio::null())
            .stderr(File::create(&log).unwrap());
        let process = Process::spawn(&mut command).unwrap();
        let listens = || Ok(fs::read_to_string(&log)?.contains("listening on"));
        wait_until("tcpdump to listen", Duration::from_secs(10), listens).unwrap();
        Self {
            network,
            path,
            process,
        }
    }

    /// Waits for the last packet, which tells itself by its name.
    pub fn stop(self) -> Captured {
        dig(self.network, Family::V4, &["the-end.example.com"]);
        let ended = || {
            Ok(fs::read(&self.path)?
                .windows(7)
                .filter(|window| window == b"the-end")
                .count()
                >= 1)
        };
        wait_until(
            "the last packet in the capture",
            Duration::from_secs(10),
            ended,
        )
        .unwrap();
        assert!(self.process.stop().unwrap().success());
        Captured { path: self.path }
    }
}

pub struct Captured {
    path: String,
}

impl Captured {
    /// The packets that this display filter takes, one a line.
    pub fn packets(&self, filter: &str) -> String {
        let mut command = program("tshark");
        let checks = ["ip", "udp", "tcp"].map(|protocol| format!("{protocol}.check_checksum:TRUE"));
        command.args(["-n", "-r", &self.path, "-Y", filter]);
        command.args(checks.iter().flat_map(|check| ["-o", check]));
        command.args([
            "-T",
            "fields",
            "-e",
            "frame.number",
            "-e",
            "_ws.col.Info",
            "-e",
            "_ws.expert.message",
        ]);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}
