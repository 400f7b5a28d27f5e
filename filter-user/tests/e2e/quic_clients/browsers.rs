//! Browsers that run on, until nobody needs them.

use std::{
    fs::{self, File},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use lab::{Family, Process, SERVER, quic::SignedCertificate};

use crate::{
    asking::{bracketed, words},
    network::Network,
};

/// A running browser.
pub struct Browser {
    log: String,
    _process: Process,
}

impl Browser {
    /// Chromium, which has the page of a name and is ready to use HTTP/3 for it.
    pub fn chromium(
        network: &Network,
        certificate: &SignedCertificate,
        family: Family,
        name: &str,
    ) -> Self {
        let folder = profile(network, "chromium", family, name);
        let mut command = network.lab.client().command("chromium-headless-shell");
        command.args(["--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]);
        command.arg(format!("--user-data-dir={folder}"));
        command.arg(format!("--host-resolver-rules=MAP * {}", bracketed(family)));
        let hash = certificate.key_hash();
        command.arg(format!("--ignore-certificate-errors-spki-list={hash}"));
        // HTTP/3 is for authorities that came with the browser. The names that are forced to it are
        // excepted, whatever the port: to none of these a request goes.
        command.arg(format!("--origin-to-force-quic-on={name}:1"));
        command.arg(format!("https://{name}/"));
        Self::start(command, &folder)
    }

    /// Firefox, which has the page of a name and is ready to use HTTP/3 for it.
    pub fn firefox(
        network: &Network,
        certificate: &SignedCertificate,
        family: Family,
        name: &str,
    ) -> Self {
        Self::firefox_with(network, certificate, family, name, "")
    }

    /// Firefox, which uses HTTP/3 for the page of a name from the first request on.
    pub fn firefox_with_quic(
        network: &Network,
        certificate: &SignedCertificate,
        family: Family,
        name: &str,
    ) -> Self {
        let known = format!("{name};h3=:443");
        Self::firefox_with(network, certificate, family, name, &known)
    }

    fn firefox_with(
        network: &Network,
        certificate: &SignedCertificate,
        family: Family,
        name: &str,
        known_http3: &str,
    ) -> Self {
        let folder = profile(network, "firefox", family, name);
        fs::write(
            format!("{folder}/user.js"),
            preferences(family, known_http3),
        )
        .unwrap();
        trust(&folder, certificate);
        let mut command = network.lab.client().command("firefox-esr");
        command.args(["--headless", "--no-remote", "--profile", &folder]);
        command.arg(format!("https://{name}/"));
        Self::start(command, &folder)
    }

    fn start(mut command: Command, folder: &str) -> Self {
        let log = format!("{folder}.log");
        let output = File::create(&log).unwrap();
        command.env("HOME", folder).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        Self {
            log,
            _process: Process::spawn(&mut command).unwrap(),
        }
    }

    /// What the browser said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// A new folder for what a browser keeps.
fn profile(network: &Network, browser: &str, family: Family, name: &str) -> String {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let folder = network.path(&format!("{browser}-{name}-{family}-{number}"));
    fs::create_dir(&folder).unwrap();
    folder
}

/// The preferences of a Firefox that asks nobody but the server in the lab, and knows these names
/// for HTTP/3.
fn preferences(family: Family, known_http3: &str) -> String {
    let texts = [
        ("network.dns.forceResolve", &*SERVER.of(family).to_string()),
        (
            "network.http.http3.alt-svc-mapping-for-testing",
            known_http3,
        ),
    ];
    let off = [
        // HTTP/3 is for authorities that came with the browser.
        "network.http.http3.disable_when_third_party_roots_found",
        "network.captive-portal-service.enabled",
        "network.connectivity-service.enabled",
        "datareporting.policy.dataSubmissionEnabled",
        "toolkit.telemetry.enabled",
        "browser.shell.checkDefaultBrowser",
        "browser.aboutwelcome.enabled",
    ];
    let texts = texts.map(|(name, text)| format!("user_pref({name:?}, {text:?});\n"));
    let off = off.map(|name| format!("user_pref({name:?}, false);\n"));
    texts.concat() + &off.concat()
}

/// Has the Firefox of this profile trust the lab's authority.
fn trust(profile: &str, certificate: &SignedCertificate) {
    let authority = certificate.authority().to_str().unwrap();
    let database = format!("sql:{profile}");
    let add = ["-A", "-n", "lab", "-t", "C,,", "-i", authority];
    for args in [&["-N", "--empty-password"][..], &add] {
        let output = Command::new("certutil")
            .args(args)
            .args(["-d", &database])
            .output();
        let output = output.expect("certutil runs: `cargo xtask setup` installs it");
        assert!(
            output.status.success(),
            "certutil {args:?}: {}",
            words(&output)
        );
    }
}
