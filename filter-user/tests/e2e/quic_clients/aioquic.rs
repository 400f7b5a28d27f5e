//! aioquic: hellos of one and of three datagrams, QUIC version 2, and a Retry.

use std::{fs, path::Path, time::Duration};

use lab::{
    Family, Options,
    quic::{
        AioquicServer, QUIC_PAGE, QuicServer, Reply, Request, ServerOptions,
        Version::{self, V1, V2},
    },
};

use super::{count, installed, network_and_certificate};
use crate::network::{LISTED, Network, OTHER, SILENT};

/// For a page that comes, on a machine that is busy.
const LONG: Duration = Duration::from_secs(30);

/// For one that does not.
const PATIENCE: Duration = Duration::from_secs(2);

/// As many further application protocols as make a hello of one and of three datagrams.
const PROTOCOLS: [u8; 2] = [0, 22];

#[test]
fn aioquic_gets_a_page_unless_its_name_is_listed() {
    let (mut network, _) = network_and_certificate(&Options::default());
    let server = QuicServer::start(network.lab.server(), &[LISTED, OTHER]).unwrap();
    let trusted = network.lab.directory().join("quinn.der");
    fs::write(&trusted, server.certificate()).unwrap();
    for action in ["close", "drop"] {
        network.filter_on(
            "lan",
            "generic",
            &[&SILENT[..], &["--quic-action", action]].concat(),
        );
        let client = Client {
            network: &network,
            trusted: &trusted,
        };
        for family in Family::ALL {
            for protocols in PROTOCOLS {
                client.gets_page(&to_other(family, V1, protocols), QUIC_PAGE, false);
                client.gets_no_page(&to_listed(family, V1, protocols), action);
            }
        }
        for never in ["quic_malformed", "quic_not_opened", "quic_hello_too_long"] {
            assert_eq!(count(&network, never), 0, "{never}");
        }
    }
}

#[test]
fn aioquic_does_so_in_version_2_and_with_a_retry() {
    const PAGE: &str = "a page of aioquic";
    let (mut network, certificate) = network_and_certificate(&Options::default());
    network.filter_on("lan", "generic", &SILENT);
    let client = Client {
        network: &network,
        trusted: certificate.authority_der(),
    };
    for (version, retry) in [(V2, false), (V1, true)] {
        let options = ServerOptions {
            versions: &[version],
            retry,
            alt_svc: false,
        };
        let server = network.lab.server();
        let _server =
            AioquicServer::start(&installed(), server, &certificate, PAGE, options).unwrap();
        for family in Family::ALL {
            client.gets_page(&to_other(family, version, 22), PAGE, retry);
            client.gets_no_page(&to_listed(family, version, 22), "close");
        }
    }
}

fn to_other(family: Family, version: Version, protocols: u8) -> Request<'static> {
    Request {
        name: OTHER,
        family,
        version,
        protocols,
        patience: LONG,
    }
}

fn to_listed(family: Family, version: Version, protocols: u8) -> Request<'static> {
    Request {
        name: LISTED,
        family,
        version,
        protocols,
        patience: PATIENCE,
    }
}

/// aioquic in the lab, with whom it trusts.
struct Client<'n> {
    network: &'n Network,
    trusted: &'n Path,
}

impl Client<'_> {
    fn gets_page(&self, request: &Request<'_>, page: &str, retried: bool) {
        let before = count(self.network, "quic_not_listed");
        let expected = Reply::Page {
            version: request.version,
            retried,
            text: page.to_owned(),
        };
        assert_eq!(self.get(request), expected, "{request:?}");
        assert!(
            count(self.network, "quic_not_listed") > before,
            "{request:?}"
        );
    }

    fn gets_no_page(&self, request: &Request<'_>, action: &str) {
        let before = count(self.network, "quic_blocked");
        let reply = self.get(request);
        if action == "close" {
            let closed = Reply::Closed("0x170".into(), "blocked by a network policy".into());
            assert_eq!(reply, closed, "{request:?}");
        } else {
            let waited = matches!(reply, Reply::TimedOut(after) if after >= request.patience);
            assert!(waited, "{reply:?}: {request:?}");
        }
        assert!(count(self.network, "quic_blocked") > before, "{request:?}");
    }

    fn get(&self, request: &Request<'_>) -> Reply {
        let got = installed().get(self.network.lab.client(), self.trusted, request);
        got.unwrap_or_else(|error| panic!("{error:#}: {request:?}"))
    }
}
