//! A server that works with a client's program against the filter: while the connection opens, it
//! sends a packet that claims to be the client's first segment, with the start of a hello that
//! nothing blocks. A filter that takes it for a segment of the connection reads that hello, and
//! passes the client's own over as octets that have come before.

use std::{
    fs::{self, File},
    net::{IpAddr, UdpSocket},
    process::Stdio,
    time::Duration,
};

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use frames::{Extension, Hello};
use lab::{
    CLIENT, Family, GATEWAY_LAN, GATEWAY_WAN, Options, PacketSocket, Process, SERVER, wait_until,
};

use crate::{
    network::{LISTED, Network, OTHER},
    segments::ask_for_segments,
};

/// A hello with a name of 200 octets is in two segments of these, and the name ends in the second.
const SEGMENTS: &str = "advmss 300";
/// Octets of the forged start: more than the client's whole hello has.
const FORGED: usize = 1_000;
/// By both UDP ports of VXLAN: that of RFC 7348 §5, and the one of Linux.
const IN_TUNNELS: [(Forged, &str); 3] = [
    (Forged::InVxlan(4_789), LISTED),
    (Forged::InVxlan(8_472), LISTED),
    (Forged::InVxlan(4_789), OTHER),
];
/// The server has the first half of a blocked hello, and would wait for the rest before it serves
/// anybody else.
const ENDS_BOTH: [&str; 2] = ["--tcp", "alert"];
const PATIENCE: Duration = Duration::from_secs(20);

/// How the forged segment comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forged {
    /// Not at all.
    Never,
    InVxlan(u16),
    /// With nothing around it.
    Plain,
}

/// A connection that is attacked.
struct Case {
    family: Family,
    forged: Forged,
    /// The name in the client's hello.
    name: &'static str,
    client: Process,
    port: u16,
}

#[test]
fn a_forged_start_in_a_tunnel_hides_no_hello_from_a_filter_that_sees_both_on_one_interface() {
    for tunnels in ["open", "ignore"] {
        let network = on_a_bridge(tunnels);
        for (
            Case {
                family,
                forged,
                name,
                ..
            },
            got_through,
        ) in attack(&network, &IN_TUNNELS)
        {
            assert_eq!(
                got_through,
                name == OTHER,
                "{forged:?} over {family} for {name}, tunnels {tunnels}"
            );
        }
        assert_was_seen(&network, tunnels);
    }
}

#[test]
fn a_forged_start_that_comes_by_another_interface_hides_no_hello() {
    for tunnels in ["open", "ignore"] {
        let mut network = in_segments();
        network.filter_on(
            "lan",
            "generic",
            &[&["--iface", "wan", "--tunnels", tunnels], &ENDS_BOTH[..]].concat(),
        );
        let cases = [
            &IN_TUNNELS[..],
            &[(Forged::Plain, LISTED), (Forged::Plain, OTHER)],
        ]
        .concat();
        for (
            Case {
                family,
                forged,
                name,
                ..
            },
            got_through,
        ) in attack(&network, &cases)
        {
            assert_eq!(
                got_through,
                name == OTHER,
                "{forged:?} over {family} for {name}, tunnels {tunnels}"
            );
        }
        assert_was_seen(&network, tunnels);
    }
}

/// The tests above would find a filter that takes the forged segment for the client's: these octets
/// do hide the hello where nothing tells the two apart. Who can send such a segment is within the
/// client's own network.
#[test]
fn the_forged_start_would_hide_the_hello_if_it_were_taken_for_a_segment_of_the_connection() {
    let network = on_a_bridge("open");
    for (Case { family, forged, .. }, got_through) in attack(
        &network,
        &[(Forged::Never, LISTED), (Forged::Plain, LISTED)],
    ) {
        assert_eq!(
            got_through,
            forged == Forged::Plain,
            "{forged:?} over {family}"
        );
    }
}

/// A network in which hellos come in two segments, each in a frame of its own.
fn in_segments() -> Network {
    let network = Network::new(&Options {
        off: vec!["tso", "gso"],
        ..Options::default()
    });
    ask_for_segments(&network, SEGMENTS);
    // A router that sends a packet back by the interface of its arrival tells its source that the
    // way is shorter.
    for namespace in [network.lab.client(), network.lab.server()] {
        for setting in [
            "ipv4/conf/all",
            "ipv4/conf/eth0",
            "ipv6/conf/all",
            "ipv6/conf/eth0",
        ] {
            let write = format!("echo 0 > /proc/sys/net/{setting}/accept_redirects");
            namespace.output("sh", &["-c", &write]).unwrap();
        }
    }
    network
}

/// Both sides reach the gateway by one bridge, and the filter is on that.
fn on_a_bridge(tunnels: &str) -> Network {
    let mut network = in_segments();
    let gateway = network.lab.gateway();
    gateway.ip("link add br0 type bridge").unwrap();
    for (port, own) in [("lan", GATEWAY_LAN), ("wan", GATEWAY_WAN)] {
        gateway.ip(&format!("address flush dev {port}")).unwrap();
        gateway.ip(&format!("link set {port} master br0")).unwrap();
        gateway
            .ip(&format!("address add {}/24 dev br0", own.v4))
            .unwrap();
        gateway
            .ip(&format!("address add {}/64 dev br0 nodad", own.v6))
            .unwrap();
    }
    gateway.ip("link set br0 up").unwrap();
    network.filter_on(
        "br0",
        "generic",
        &[&["--tunnels", tunnels], &ENDS_BOTH[..]].concat(),
    );
    network
}

/// Has a client connect in each family for each of these; the forged segment of each passes the
/// filter before its connection opens. Says of each whether the client got through; it was told of
/// the filter otherwise.
fn attack(network: &Network, cases: &[(Forged, &'static str)]) -> Vec<(Case, bool)> {
    let server = network.lab.server();
    let hold = "add table inet hold; add chain inet hold in { type filter hook input priority 0 ; }; \
                add rule inet hold in tcp dport 443 drop";
    server.output("nft", &[hold]).unwrap();
    let wire = PacketSocket::listener(server, "eth0").unwrap();
    let each = Family::ALL
        .into_iter()
        .flat_map(|family| cases.iter().map(move |case| (family, *case)));
    let cases: Vec<_> = (41_000..)
        .zip(each)
        .map(|(port, (family, (forged, name)))| Case {
            client: connect(network, family, name, port),
            family,
            forged,
            name,
            port,
        })
        .collect();
    let mut waiting: Vec<_> = cases.iter().collect();
    while !waiting.is_empty() {
        let frame = wire.receive().expect("the SYN of each client");
        let Some(syn) = Syn::read(&frame) else {
            continue;
        };
        if let Some(place) = waiting.iter().position(|case| case.port == syn.port) {
            forge(network, waiting.swap_remove(place), &syn);
        }
    }
    // The clients send their SYN again after a second.
    server.output("nft", &["delete table inet hold"]).unwrap();
    cases.into_iter().map(|case| ended(network, case)).collect()
}

fn connect(network: &Network, family: Family, name: &str, port: u16) -> Process {
    let at = |address: IpAddr, port: u16| std::net::SocketAddr::new(address, port).to_string();
    let (from, to) = (at(CLIENT.of(family), port), at(SERVER.of(family), 443));
    let name = format!("{}{name}", format!("{}.", "a".repeat(60)).repeat(3));
    let mut command = network.lab.client().command("openssl");
    command.args([
        "s_client",
        "-brief",
        "-servername",
        &name,
        "-bind",
        &from,
        "-connect",
        &to,
    ]);
    let said = File::create(said(network, port)).unwrap();
    Process::spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said),
    )
    .unwrap()
}

/// The file with what the client of this port says.
fn said(network: &Network, port: u16) -> String {
    network.path(&format!("client-{port}"))
}

fn ended(network: &Network, mut case: Case) -> (Case, bool) {
    let mut status = None;
    wait_until("the client to end", PATIENCE, || {
        status = case.client.ended()?;
        Ok(status.is_some())
    })
    .unwrap();
    let (got_through, said) = (
        status.unwrap().success(),
        fs::read_to_string(said(network, case.port)).unwrap(),
    );
    assert!(
        got_through || said.contains("unrecognized name"),
        "{:?} for {}: {said}",
        case.forged,
        case.name
    );
    (case, got_through)
}

/// What the server learns of a SYN.
struct Syn {
    sequence: u32,
    port: u16,
    /// Where the frame came from.
    gateway: [u8; 6],
}

impl Syn {
    fn read(frame: &[u8]) -> Option<Self> {
        let packet = SlicedPacket::from_ethernet(frame).ok()?;
        let (Some(NetSlice::Ipv4(_) | NetSlice::Ipv6(_)), Some(TransportSlice::Tcp(tcp))) =
            (packet.net, packet.transport)
        else {
            return None;
        };
        let is_syn = tcp.syn() && !tcp.ack() && tcp.destination_port() == 443;
        let gateway = frame.get(6..12)?.try_into().ok()?;
        is_syn.then(|| Self {
            sequence: tcp.sequence_number(),
            port: tcp.source_port(),
            gateway,
        })
    }
}

/// Sends the forged segment, and waits until it is through the filter.
fn forge(network: &Network, case: &Case, syn: &Syn) {
    let segment = forged_segment(case.family, syn);
    match case.forged {
        Forged::Never => {}
        Forged::Plain => {
            let before = seen(network);
            PacketSocket::sender(network.lab.server(), "eth0")
                .unwrap()
                .send(&segment)
                .unwrap();
            wait_until("the forged segment to be seen", PATIENCE, || {
                Ok(seen(network) > before)
            })
            .unwrap();
        }
        Forged::InVxlan(port) => {
            /// The flag that says that there is a network identifier, and 5 as that (RFC 7348 §5).
            const VXLAN: [u8; 8] = [0x08, 0, 0, 0, 0, 0, 5, 0];

            let datagram = [&VXLAN[..], &segment].concat();
            let arriving = PacketSocket::listener(network.lab.client(), "eth0").unwrap();
            let any: IpAddr = match case.family {
                Family::V4 => [0; 4].into(),
                Family::V6 => [0; 16].into(),
            };
            let socket = network
                .lab
                .server()
                .socket(move || UdpSocket::bind((any, 0)))
                .unwrap();
            socket
                .send_to(&datagram, (CLIENT.of(case.family), port))
                .unwrap();
            while !arriving
                .receive()
                .expect("the datagram")
                .ends_with(&datagram)
            {}
        }
    }
}

/// Messages of which the filter has read a part.
fn seen(network: &Network) -> u64 {
    network
        .counters()
        .iter()
        .filter(|(name, _)| name.starts_with("tls_"))
        .map(|(_, count)| count)
        .sum()
}

/// The start of a hello that nothing blocks, as the client's first segment would have it.
fn forged_segment(family: Family, syn: &Syn) -> Vec<u8> {
    let mut hello = Hello::of(OTHER);
    hello.extensions_mut().push(Extension::padding(2 * FORGED));
    let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 2], syn.gateway);
    let (from, to) = (CLIENT, SERVER);
    let ip = match family {
        Family::V4 => link.ipv4(from.v4.octets(), to.v4.octets(), 64),
        Family::V6 => link.ipv6(from.v6.octets(), to.v6.octets(), 64),
    };
    let tcp = ip
        .tcp(syn.port, 443, syn.sequence.wrapping_add(1), 65_000)
        .ack(1)
        .psh();
    let mut frame = Vec::new();
    tcp.write(&mut frame, &hello.record()[..FORGED]).unwrap();
    frame
}

/// The hellos came in two segments, and what was in tunnels was read if it was to be.
fn assert_was_seen(network: &Network, tunnels: &str) {
    let counters = network.counters();
    assert!(
        counters["tls_hello_split"] >= 4 && counters["tls_blocked"] >= 4,
        "{counters:?}"
    );
    let not_opened = network.verb("stats").unwrap()["counters"]["udp_other"].clone();
    let expected = if tunnels == "ignore" {
        Family::ALL.len() * IN_TUNNELS.len()
    } else {
        0
    };
    assert_eq!(
        not_opened, expected,
        "datagrams that were not opened, tunnels {tunnels}"
    );
}
