//! How soon a browser that knows of its server's HTTP/3 falls back to TCP, or gives up, when the
//! filter begins to drop its QUIC.

use std::{process::Command, thread, time::Duration};

use lab::{
    Family, Options,
    quic::{AioquicServer, ServerOptions, SignedCertificate, TRANSPORT_PAGE, Version},
    wait_until,
};

use super::{LIMIT, browsers::Browser, changing, count, installed, network_and_certificate};
use crate::network::{NAMEGATE, Network};

/// The server has closed the connections without a request.
const CLOSED: Duration = Duration::from_secs(1);

/// Within this time, a browser is answered over QUIC as a rule.
const SOON: Duration = Duration::from_secs(20);

/// A browser that is not is started again so often.
const RESTARTS: u32 = 4;

/// A request has its answer by TCP within this time, or fails.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn chromium_falls_back_to_tcp_where_quic_is_refused() {
    falls_back(Browser::chromium);
}

#[test]
fn firefox_falls_back_to_tcp_where_quic_is_refused() {
    falls_back(Browser::firefox);
}

fn falls_back(browser: Start) {
    let changed = Changed::new(browser, |network| {
        network.filter_on("lan", "generic", &["--quic", "refuse"]);
    });
    assert_eq!(changed.answers(), ["tcp"; 6]);
    assert!(count(&changed.network, "quic_refused") > 0);
}

#[test]
fn chromium_gives_up_where_a_name_is_blocked_over_both() {
    let changed = Changed::new(Browser::chromium, |network| {
        let mut command = Command::new(NAMEGATE);
        command.args(["block", "add", "--socket", &network.path("socket")]);
        assert!(
            command
                .args(Family::ALL.map(changing))
                .output()
                .unwrap()
                .status
                .success()
        );
    });
    assert_eq!(changed.answers(), ["error"; 6]);
    for counter in ["quic_blocked", "tls_blocked"] {
        assert!(count(&changed.network, counter) > 0, "{counter}");
    }
}

/// Starts a browser that has the page of a name.
type Start = fn(&Network, &SignedCertificate, Family, &str) -> Browser;

/// Browsers whose filter has changed while they had their pages, one over each address.
struct Changed {
    browsers: [Browser; 2],
    server: AioquicServer,
    network: Network,
}

impl Changed {
    /// Makes the change once both browsers have been answered over QUIC and have stopped, so that it
    /// is in the middle of no handshake, and lets them go on.
    fn new(browser: Start, change: impl FnOnce(&mut Network)) -> Self {
        let (mut network, certificate) = network_and_certificate(&Options::default());
        network.filter_on("lan", "generic", &[]);
        let options = ServerOptions {
            versions: &[Version::V1],
            retry: false,
            alt_svc: true,
        };
        let in_lab = network.lab.server();
        let server =
            AioquicServer::start(&installed(), in_lab, &certificate, TRANSPORT_PAGE, options);
        let start = |family| browser(&network, &certificate, family, changing(family));
        let browsers = Family::ALL.map(start);
        let mut changed = Self {
            browsers,
            server: server.unwrap(),
            network,
        };
        for (index, family) in Family::ALL.into_iter().enumerate() {
            for _ in 0..RESTARTS {
                if changed.has_stopped_soon(family) {
                    break;
                }
                let Self { network, .. } = &changed;
                let again = browser(network, &certificate, family, changing(family));
                changed.browsers[index] = again;
            }
            changed.wait(family, |server| server.has_stopped(changing(family)));
        }
        // Their hellos were read.
        assert!(count(&changed.network, "quic_not_listed") > 0);
        thread::sleep(CLOSED);
        change(&mut changed.network);
        changed.server.go_on().unwrap();
        changed
    }

    /// True if the browser is answered over QUIC before long. On a busy machine, one whose first
    /// attempt has failed uses TCP alone for minutes.
    fn has_stopped_soon(&self, family: Family) -> bool {
        let stops = || self.server.has_stopped(changing(family));
        wait_until("an answer over QUIC", SOON, stops).is_ok()
    }

    /// What the browsers got then, three requests each. All of them have ended in time.
    fn answers(&self) -> Vec<String> {
        let notes = Family::ALL.map(|family| {
            let name = changing(family);
            self.wait(family, |server| Ok(server.notes(name)?.is_some()));
            let notes = self.server.notes(name).unwrap().unwrap();
            let shown: Vec<_> = notes
                .iter()
                .map(|note| (&*note.answer, note.took))
                .collect();
            eprintln!("{family}: {shown:?}");
            assert!(
                notes.iter().all(|note| note.took < BOUND),
                "{family}: {shown:?}"
            );
            notes
        });
        notes
            .into_iter()
            .flatten()
            .map(|note| note.answer)
            .collect()
    }

    /// Waits until the server has something of the browser over these addresses.
    fn wait(&self, family: Family, has: impl Fn(&AioquicServer) -> anyhow::Result<bool>) {
        let waited = wait_until("a browser", LIMIT, || has(&self.server));
        waited.unwrap_or_else(|error| {
            let said = self.browsers.each_ref().map(Browser::said).concat();
            panic!("{family}: {error:#}: {said}{}", self.server.log().unwrap())
        });
    }
}
