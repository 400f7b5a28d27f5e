//! A client, a gateway and a server in network namespaces of their own, joined by veth pairs, with
//! real programs inside:
//!
//! ```text
//! client eth0 ---- lan gateway wan ---- eth0 server
//! ```
//!
//! The gateway forwards IPv4 and IPv6; a filter belongs on its `lan`. Nothing outside these
//! namespaces is changed, and a [`Lab`] takes all of it away again when it is dropped: also in a
//! panic, and after [`clean_up_on_signals`] on Ctrl-C or SIGTERM. What a killed process left behind
//! goes when the next lab is built, or by [`sweep`].

mod address;
mod bpf_file_system;
mod cleanup;
pub mod floods;
pub mod kernel_log;
mod namespace;
mod packets;
mod process;
#[cfg(feature = "quic")]
pub mod quic;
mod receiving;
mod server;
mod topology;
mod wait;

pub use address::{Address, CLIENT, Family, GATEWAY_LAN, GATEWAY_WAN, SERVER};
pub use bpf_file_system::BpfFileSystem;
pub use cleanup::{clean_up_on_signals, sweep};
pub use namespace::{Namespace, Role, program};
pub use packets::PacketSocket;
pub use process::Process;
pub use server::{ALIAS, ALIASED, DnsServer, TlsServer};
pub use topology::{Lab, Options, Standing};
pub use wait::wait_until;

/// A program, the name of its Debian package, and of the folder below that of cargo for tests to
/// which `cargo xtask setup` unpacks it, with its library beside it. Installed, it would be the
/// machine's resolver.
pub const SYSTEMD_RESOLVED: &str = "systemd-resolved";

/// The folder below that of cargo for tests to which `cargo xtask setup` puts the HTML pages of
/// Debian packages.
pub const PAGES: &str = "pages";

/// The folder below cargo's folder for tests with the Python environment that `cargo xtask setup`
/// makes for aioquic.
pub const AIOQUIC: &str = "aioquic";

/// The packages of that environment with their versions, for pip.
pub const AIOQUIC_PACKAGES: &str = include_str!("quic/aioquic.txt");

/// A hosts file of well-known advertising and tracking names, and of names that nobody owns to test
/// with.
pub const SAMPLE_LIST: &str = include_str!("sample.hosts");

/// The folder of the tool that tries the API against its document, below the folder that cargo
/// gives tests.
pub const SCHEMATHESIS: &str = "schemathesis";

/// What `cargo xtask setup` installs there, as pip reads it.
pub const SCHEMATHESIS_PACKAGES: &str = include_str!("schemathesis.txt");
