//! What real clients behind VLAN tags hear of what is blocked, with the filter on the device that
//! the tags pass.

use filter_user::kernel::{Tag, Tagging};
use lab::{Family, GATEWAY_LAN, Namespace, Options, Process};

use crate::{
    answers::far_end,
    asking::{curl, dig, tcp_ways, words},
    dissector::{Capture, FROM_FILTER, TROUBLE},
    network::{LISTED, Network, OTHER},
};

const INNER: Tag = (0x8100, 7);
const OUTER: Tag = (0x88a8, 5);
/// What tshark says of a frame with these.
const IN_ONE: &str = "eth.type == 0x8100 && vlan.id == 7";
const IN_BOTH: &str = "eth.type == 0x88a8 && ieee8021ad.id == 5 && vlan.id == 7";
/// Tags are in the frame, not beside it.
const IN_FRAME: [&str; 2] = ["rxvlan", "txvlan"];

#[test]
fn in_generic_mode_a_client_behind_a_tag_is_answered_within_its_vlan() {
    assert_answers_have_their_tag("generic");
}

#[test]
fn in_native_mode_a_client_behind_a_tag_is_answered_within_its_vlan() {
    assert_answers_have_their_tag("native");
}

#[test]
fn a_client_behind_a_tag_is_answered_where_checksums_are_left_to_a_device() {
    for mode in ["generic", "native"] {
        let tagged = Tagged::new(mode, IN_FRAME.to_vec());
        assert_is_told(&tagged.network, mode);
    }
}

#[test]
fn in_generic_mode_a_tag_beside_the_frame_is_that_of_the_answer_as_well() {
    let tagged = Tagged::new("generic", Vec::new());
    assert_is_told(&tagged.network, "beside the frame");
}

/// A kernel takes the second tag of no frame that an XDP program has seen (`bpf_skb_vlan_pop`), so
/// that the gateway hears nothing of the client, and the filter alone answers.
#[test]
fn in_generic_mode_a_query_behind_two_tags_is_answered_behind_both() {
    let mut network = Network::new(&Options {
        off: [&IN_FRAME[..], &["tx"]].concat(),
        ..Options::default()
    });
    network.filter_on("lan", "generic", &[]);
    let client = network.lab.client();
    let gateway = network
        .lab
        .gateway()
        .output("cat", &["/sys/class/net/lan/address"])
        .unwrap();
    for family in Family::ALL {
        let neighbour = format!(
            "neigh replace {} lladdr {} dev eth0",
            GATEWAY_LAN.of(family),
            gateway.trim()
        );
        client.ip(&neighbour).unwrap();
    }
    let capture = Capture::start(&network);
    let tagging = attach(client, "eth0", &[OUTER, INNER]);
    for family in Family::ALL {
        let text = dig(&network, family, &[LISTED]);
        assert!(
            text.contains("status: NXDOMAIN") && text.contains("; EDE: 15 (Blocked): (list)"),
            "{text}"
        );
    }
    drop(tagging);
    let capture = capture.stop();
    assert_eq!(capture.packets(TROUBLE), "");
    for family in ["ip", "ipv6"] {
        let found = capture.packets(&format!(
            "{FROM_FILTER} && {IN_BOTH} && {family} && udp.checksum.status == 1"
        ));
        assert_ne!(found, "", "{family}");
    }
}

/// A client and a gateway with a tag on all that goes between them, and the filter. Fields are
/// dropped in their order.
struct Tagged {
    _far_end: Option<Process>,
    _tagging: [Tagging; 2],
    network: Network,
}

impl Tagged {
    fn new(mode: &str, off: Vec<&'static str>) -> Self {
        let mut network = Network::new(&Options {
            off,
            ..Options::default()
        });
        let ends = [
            (network.lab.client(), "eth0"),
            (network.lab.gateway(), "lan"),
        ];
        let tagging = ends.map(|(namespace, interface)| attach(namespace, interface, &[INNER]));
        network.filter_on("lan", mode, &[]);
        let far_end = (mode == "native").then(|| far_end(&network));
        Self {
            _far_end: far_end,
            _tagging: tagging,
            network,
        }
    }
}

fn attach(namespace: &Namespace, interface: &str, tags: &[Tag]) -> Tagging {
    namespace
        .inside(|| Tagging::attach(interface, tags))
        .unwrap()
        .unwrap()
}

/// Also that there is nothing else to be said against the answers: their checksums are made here.
fn assert_answers_have_their_tag(mode: &str) {
    let Tagged { network, .. } = &Tagged::new(mode, [&IN_FRAME[..], &["tx"]].concat());
    let capture = Capture::start(network);
    assert_is_told(network, mode);
    let capture = capture.stop();
    assert_eq!(capture.packets(TROUBLE), "");
    assert_eq!(
        capture.packets(&format!("{FROM_FILTER} && !({IN_ONE})")),
        ""
    );
    for family in ["ip", "ipv6"] {
        let answers = ["dns.flags.rcode == 3 && udp", "tcp.flags.reset == 1 && tcp"];
        for answer in answers.map(|answer| format!("{answer}.checksum.status == 1")) {
            let found = capture.packets(&format!(
                "{FROM_FILTER} && {IN_ONE} && {family} && {answer}"
            ));
            assert_ne!(found, "", "{family} {answer}");
        }
    }
}

fn assert_is_told(network: &Network, what: &str) {
    for family in Family::ALL {
        let text = dig(network, family, &[LISTED]);
        assert!(
            text.contains("status: NXDOMAIN") && text.contains("; EDE: 15 (Blocked): (list)"),
            "{what}: {text}"
        );
        for output in tcp_ways(network, family) {
            let text = words(&output).to_lowercase();
            assert!(
                ["nxdomain", "reset", "errno=104"]
                    .iter()
                    .any(|word| text.contains(word)),
                "{what} over {family}: {text}"
            );
        }
        assert!(
            dig(network, family, &[OTHER]).contains("status: NOERROR"),
            "{what} over {family}"
        );
        assert!(
            curl(network, family, OTHER).status.success(),
            "{what} over {family}"
        );
    }
}
