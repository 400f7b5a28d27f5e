//! Firefox, which uses HTTP/3 from the first request on.

use std::{thread, time::Duration};

use lab::{
    Family, Options,
    quic::{AioquicServer, ServerOptions, TRANSPORT_PAGE, Version},
    wait_until,
};

use super::{LIMIT, browsers::Browser, count, installed, network_and_certificate};
use crate::network::{LISTED, SILENT};

/// Firefox has sent its hello again several times.
const SEVERAL: Duration = Duration::from_secs(2);

#[test]
fn firefox_gets_no_page_of_a_listed_name() {
    // Behind the packets of a hello, Firefox fills its datagrams with zeros. Where the kernel has
    // joined two such datagrams, the second is not read (docs/quic.md).
    let options = Options {
        off: vec!["tx-udp-segmentation"],
        ..Options::default()
    };
    let (mut network, certificate) = network_and_certificate(&options);
    network.filter_on("lan", "generic", &SILENT);
    let options = ServerOptions {
        versions: &[Version::V1],
        retry: false,
        alt_svc: true,
    };
    let in_lab = network.lab.server();
    let server = AioquicServer::start(&installed(), in_lab, &certificate, TRANSPORT_PAGE, options);
    let server = server.unwrap();
    let start = |family| Browser::firefox_with_quic(&network, &certificate, family, LISTED);
    let browsers = Family::ALL.map(start);
    // One hello each.
    let are_blocked = || Ok(count(&network, "quic_blocked") >= 2);
    wait_until("hellos that are blocked", LIMIT, are_blocked).unwrap_or_else(|error| {
        let said = browsers.each_ref().map(Browser::said).concat();
        panic!("{error:#}: {said}{}", server.log().unwrap())
    });
    thread::sleep(SEVERAL);
    for transport in ["quic", "tcp"] {
        let answers = server.answers(LISTED, transport).unwrap();
        assert_eq!(answers, 0, "{transport}: {}", server.log().unwrap());
    }
    assert!(count(&network, "quic_flow_blocked") > 0);
}
