//! Building the namespaces, the wires between them and their addresses.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::address::{Address, CLIENT, GATEWAY_LAN, GATEWAY_WAN, SERVER};
use crate::cleanup::{self, STANDING};
use crate::kernel_log;
use crate::namespace::{Namespace, Role, program, run};
use crate::process::Process;

/// What can differ between labs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of every interface.
    pub mtu: u32,
    /// Features that `ethtool -K` turns off on every interface, such as `rxvlan` and `txvlan`: with
    /// these on, the kernel keeps a VLAN tag beside the frame and a filter does not see it.
    pub off: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mtu: 1500,
            off: Vec::new(),
        }
    }
}

/// Three namespaces, taken away with all that runs in them when this value is dropped.
#[derive(Debug)]
pub struct Lab {
    name: String,
    directory: PathBuf,
    namespaces: [Namespace; 3],
    /// Locked as long as this lab has an owner.
    _owned: Option<File>,
}

impl Lab {
    /// Builds a lab under a name that no other has, after sweeping what killed processes left.
    pub fn new(options: &Options) -> Result<Self> {
        // Each lab's interfaces write to the kernel's log.
        kernel_log::catch_up()?;
        cleanup::sweep()?;
        Self::build(cleanup::unused_name(), options)
    }

    /// Builds the lab that [`Lab::leave`] can leave standing; its namespaces are `namegate-client`
    /// and so on.
    pub fn new_standing(options: &Options) -> Result<Self> {
        if Standing::find().is_some() {
            bail!("the standing lab is up already: take it down with `cargo xtask lab down`");
        }
        Self::build(STANDING.to_owned(), options)
    }

    fn build(name: String, options: &Options) -> Result<Self> {
        let lab = {
            let mut live = cleanup::live();
            let claimed = cleanup::claim(&name)?;
            live.push(name.clone());
            Self {
                namespaces: namespaces(&name, &claimed.directory),
                directory: claimed.directory,
                _owned: claimed.lock,
                name,
            }
        };
        // Buffered until the wires are there, so that a signal finds all of a lab or none of it.
        let _building = cleanup::live();
        lab.wire(options)
            .context("cannot build the lab's network namespaces")?;
        Ok(lab)
    }

    /// The namespace that asks.
    pub fn client(&self) -> &Namespace {
        &self.namespaces[0]
    }

    /// The namespace that forwards, with the interfaces `lan` (to the client) and `wan`.
    pub fn gateway(&self) -> &Namespace {
        &self.namespaces[1]
    }

    /// The namespace that answers.
    pub fn server(&self) -> &Namespace {
        &self.namespaces[2]
    }

    /// A directory for logs, sockets and lists, which goes with the lab. Only root may enter it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Leaves the lab and these processes standing after this process; [`Standing::remove`] takes
    /// them away.
    pub fn leave(self, processes: impl IntoIterator<Item = Process>) {
        processes.into_iter().for_each(Process::leave);
        cleanup::live().retain(|name| *name != self.name);
        std::mem::forget(self);
    }

    fn wire(&self, options: &Options) -> Result<()> {
        for namespace in &self.namespaces {
            if namespace.exists() {
                bail!("there is a network namespace {} already", namespace.name());
            }
        }
        for namespace in &self.namespaces {
            run(program("ip").args(["netns", "add", namespace.name()]))?;
            // Duplicate address detection would keep each IPv6 address unusable for a second.
            let settings = [
                "net/ipv6/conf/all/accept_dad=0",
                "net/ipv6/conf/default/accept_dad=0",
            ];
            set(namespace, &settings)?;
            namespace.ip("link set lo up")?;
        }
        self.connect(self.client(), "lan", options)?;
        self.connect(self.server(), "wan", options)?;
        configure(self.client(), "eth0", CLIENT, options)?;
        configure(self.gateway(), "lan", GATEWAY_LAN, options)?;
        configure(self.gateway(), "wan", GATEWAY_WAN, options)?;
        configure(self.server(), "eth0", SERVER, options)?;
        default_route(self.client(), GATEWAY_LAN)?;
        default_route(self.server(), GATEWAY_WAN)?;
        set(
            self.gateway(),
            &["net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1"],
        )?;
        // A connection whose client has gone is given up. The kernel would otherwise send a blocked
        // ClientHello again for minutes, and the filter would count it beside the next client's.
        set(self.client(), &["net/ipv4/tcp_orphan_retries=1"])?;
        resolve_in_lab(self.client())
    }

    fn connect(&self, end: &Namespace, gateway_side: &str, options: &Options) -> Result<()> {
        let (mtu, gateway) = (options.mtu, self.gateway().name());
        end.ip(&format!(
            "link add eth0 mtu {mtu} type veth peer name {gateway_side} mtu {mtu} netns {gateway}"
        ))?;
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let mut live = cleanup::live();
        if let Err(error) = cleanup::remove(&self.name) {
            eprintln!("the lab {} may be left standing: {error:#}", self.name);
        }
        live.retain(|name| *name != self.name);
    }
}

/// The lab that [`Lab::leave`] left.
#[derive(Debug)]
pub struct Standing {
    namespaces: [Namespace; 3],
}

impl Standing {
    /// It, if it is there.
    pub fn find() -> Option<Self> {
        let directory = cleanup::directory(STANDING);
        directory.exists().then(|| Self {
            namespaces: namespaces(STANDING, &directory),
        })
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.namespaces.iter().all(Namespace::exists)
    }

    /// One of its namespaces.
    pub fn namespace(&self, role: Role) -> &Namespace {
        &self.namespaces[role as usize]
    }

    /// Ends what runs in it and takes it away.
    pub fn remove(self) -> Result<()> {
        cleanup::remove(STANDING)
    }
}

fn namespaces(lab: &str, directory: &Path) -> [Namespace; 3] {
    Role::ALL.map(|role| Namespace::new(lab, role, directory.to_owned()))
}

fn configure(
    namespace: &Namespace,
    interface: &str,
    own: Address,
    options: &Options,
) -> Result<()> {
    let Address { v4, v6 } = own;
    if !options.off.is_empty() {
        let mut args = vec!["-K", interface];
        args.extend(options.off.iter().flat_map(|feature| [*feature, "off"]));
        namespace.output("ethtool", &args)?;
    }
    namespace.ip(&format!("address add {v4}/24 dev {interface}"))?;
    namespace.ip(&format!("address add {v6}/64 dev {interface} nodad"))?;
    namespace.ip(&format!("link set {interface} up"))?;
    Ok(())
}

fn default_route(namespace: &Namespace, gateway: Address) -> Result<()> {
    let Address { v4, v6 } = gateway;
    namespace.ip(&format!("-4 route add default via {v4}"))?;
    namespace.ip(&format!("-6 route add default via {v6}"))?;
    Ok(())
}

/// Writes kernel settings of one namespace, each `path=value` below `/proc/sys`.
fn set(namespace: &Namespace, settings: &[&str]) -> Result<()> {
    for setting in settings {
        let (path, value) = setting
            .split_once('=')
            .with_context(|| format!("`{setting}` sets nothing"))?;
        let path = Path::new("/proc/sys").join(path);
        // The kernel shows each thread the settings of the namespace that the thread is in.
        let written = namespace.inside(|| fs::write(&path, value))?;
        written.with_context(|| {
            format!(
                "cannot write {} in the namespace {}",
                path.display(),
                namespace.name()
            )
        })?;
    }
    Ok(())
}

/// Gives the client a resolver configuration that knows the lab and not the host: `ip netns exec`
/// lays these files over those in `/etc`, for its own process alone.
fn resolve_in_lab(client: &Namespace) -> Result<()> {
    let directory = cleanup::etc_directory(client);
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let Address { v4, v6 } = SERVER;
    for (file, content) in [
        ("resolv.conf", format!("nameserver {v4}\nnameserver {v6}\n")),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned()),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\n".to_owned(),
        ),
    ] {
        if !Path::new("/etc").join(file).exists() {
            continue;
        }
        let path = directory.join(file);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
