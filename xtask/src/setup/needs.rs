//! What each part of the work needs.

use super::cross::{Headers, Std};
use super::fuzzer::CargoFuzz;
use super::guests::QuickKernels;
use super::kernel_build::{BpfLinker, EbpfToolchain};
use super::nss::Certutil;
use super::program::Program;
use super::python::{API, QUIC};
use super::rust::{Component, KernelLinter};
use super::unpacked::{Pages, Resolved};
use super::{Need, Part};
use crate::cross::LINKER;

/// Debian's own: another Python in the path would not have Debian's modules.
const PYTHON: &str = "/usr/bin/python3";
const DNSPYTHON_VERSION: &str = "-cimport dns.version; print(dns.version.version)";

/// The needs of these parts, each once.
pub fn needs(parts: &[Part]) -> Vec<Box<dyn Need>> {
    let mut needs: Vec<Box<dyn Need>> = Vec::new();
    for need in parts.iter().flat_map(|part| needs_of(*part)) {
        if !needs.iter().any(|other| other.name() == need.name()) {
            needs.push(need);
        }
    }
    needs
}

fn needs_of(part: Part) -> Vec<Box<dyn Need>> {
    match part {
        Part::Build => vec![Box::new(EbpfToolchain), Box::new(BpfLinker)],
        Part::Lab => lab(),
        Part::Checks => vec![
            Box::new(Component::new("fmt", "rustfmt")),
            Box::new(Component::new("clippy", "clippy")),
            Box::new(KernelLinter),
            // libFuzzer is C++, and checking the fuzz targets builds it.
            Box::new(Program::new("c++", "--version", "g++")),
        ],
        Part::Guests => vec![
            Box::new(Program::new(
                "qemu-system-x86_64",
                "--version",
                "qemu-system-x86",
            )),
            Box::new(Program::new("busybox", "--help", "busybox-static")),
            Box::new(Program::new("ip", "-V", "iproute2")),
            Box::new(Program::new("ethtool", "--version", "ethtool")),
            Box::new(Program::new("xz", "--version", "xz-utils")),
        ],
        Part::Kernels => vec![Box::new(QuickKernels)],
        Part::Arm64 => {
            vec![
                Box::new(Program::new(LINKER, "--version", "gcc-aarch64-linux-gnu")),
                Box::new(Headers),
                Box::new(Std),
            ]
        }
        Part::Arm64Guests => vec![Box::new(Program::new(
            "qemu-system-aarch64",
            "--version",
            "qemu-system-arm",
        ))],
        Part::Fuzz => vec![
            Box::new(Program::new("c++", "--version", "g++")),
            Box::new(CargoFuzz),
        ],
        Part::Peers => peers(),
    }
}

fn lab() -> Vec<Box<dyn Need>> {
    vec![
        Box::new(Program::new("ip", "-V", "iproute2")),
        Box::new(Program::new("ethtool", "--version", "ethtool")),
        Box::new(Program::new("dig", "-v", "bind9-dnsutils")),
        Box::new(Program::new("curl", "--version", "curl")),
        Box::new(Program::new("openssl", "version", "openssl")),
        // The package `dnsmasq` would start a service.
        Box::new(Program::new("dnsmasq", "--version", "dnsmasq-base")),
        // Its service would take port 53, and has no package of its own.
        Box::new(
            Program::new("unbound", "-V", "unbound")
                .without_services(&["unbound.service", "unbound-resolvconf.service"]),
        ),
        Box::new(named()),
        Box::new(Program::new("gnutls-serv", "--version", "gnutls-bin")),
        Box::new(Program::new("tcpdump", "--version", "tcpdump")),
        Box::new(Program::new("tshark", "--version", "tshark")),
        // What else asks for names: dig's package has delv and nslookup as well.
        Box::new(Program::new("host", "-V", "bind9-host")),
        Box::new(Program::new("kdig", "--version", "knot-dnsutils")),
        // The lab's gateway translates addresses in a test. The service would load rules of the
        // machine's own.
        Box::new(
            Program::new("nft", "--version", "nftables").without_services(&["nftables.service"]),
        ),
        Box::new(Program::new("musl-gcc", "--version", "musl-tools")),
        Box::new(
            Program::new(PYTHON, DNSPYTHON_VERSION, "python3-dnspython").shown_as("dnspython"),
        ),
        Box::new(Program::new(
            "chromium-headless-shell",
            "--version",
            "chromium-headless-shell",
        )),
        Box::new(Program::new("firefox-esr", "--version", "firefox-esr")),
        Box::new(Certutil),
        Box::new(Resolved),
        Box::new(Pages),
        Box::new(QUIC),
        Box::new(API),
        Box::new(Program::new("ldns-signzone", "-v", "ldnsutils")),
        // AdGuard's DNS engine is JavaScript.
        Box::new(Program::new("node", "--version", "nodejs")),
        Box::new(Program::new("npm", "--version", "npm")),
        // Pi-hole's expressions are TRE's.
        Box::new(Program::new("tre-agrep", "--version", "tre-agrep")),
    ]
}

/// BIND. Its package has its services.
fn named() -> Program {
    Program::new("named", "-v", "bind9").without_services(&[
        "named.service",
        "bind9.service",
        "named-resolvconf.service",
    ])
}

fn peers() -> Vec<Box<dyn Need>> {
    vec![
        Box::new(Program::new("dnsperf", "-h", "dnsperf")),
        // Each has its service in its own package.
        Box::new(
            Program::new("dnsdist", "--version", "dnsdist").without_services(&["dnsdist.service"]),
        ),
        Box::new(named()),
        Box::new(
            Program::new("pdns_recursor", "--version", "pdns-recursor")
                .without_services(&["pdns-recursor.service"]),
        ),
    ]
}
