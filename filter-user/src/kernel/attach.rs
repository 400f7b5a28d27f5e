//! Attaching to interfaces: to all that were named, or to none.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use aya::programs::{ProgramError, Xdp, XdpMode, links::FdLink, xdp::XdpError};
use filter_core::Interface;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkLayerType, LinkMessage, LinkXdp};

use super::{KernelError, netlink::link};

/// Where the program should run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// In the driver where it can, otherwise generic; generic as well where a veth's other end would miss answers.
    #[default]
    Auto,
    /// In the driver, before the kernel allocates anything for the packet.
    Native,
    /// In the network stack, which every interface can.
    Generic,
}

/// Where the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachedMode {
    /// In the driver.
    Native,
    /// In the network stack.
    Generic,
}

impl AttachedMode {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }

    pub(super) const fn xdp_mode(self) -> XdpMode {
        match self {
            Self::Native => XdpMode::Driver,
            Self::Generic => XdpMode::Skb,
        }
    }
}

/// An interface that the program is attached to.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its name.
    pub interface: String,
    /// Its index.
    pub index: u32,
    /// Where the program runs.
    pub mode: AttachedMode,
    /// What is done there.
    pub settings: Interface,
    /// True for a veth, whose other end takes what the driver sends only if it has an XDP program, too.
    pub is_veth: bool,
    /// True if there are answers, and they may be lost like that.
    pub far_end_may_miss_answers: bool,
}

impl Attachment {
    /// Takes down whether clients there may be answered from now on; true if that makes answers get lost.
    pub(crate) fn misses_answers_since(&mut self, may_answer: bool) -> bool {
        let misses = self.is_veth && self.mode == AttachedMode::Native && may_answer;
        !std::mem::replace(&mut self.far_end_may_miss_answers, misses) && misses
    }
}

/// An interface that was named, and has no XDP program.
struct Free<'n> {
    name: &'n str,
    index: u32,
    is_veth: bool,
}

/// Attaches to each interface. Dropping a link detaches it, so that a failure leaves nothing attached.
pub(super) fn to_all(
    program: &mut Xdp,
    interfaces: &[String],
    mode: Mode,
    of_interfaces: &BTreeMap<u32, Interface>,
    may_answer: impl Fn(&Interface) -> bool,
) -> Result<Vec<(Attachment, FdLink)>, KernelError> {
    let free = interfaces.iter().map(|name| free_interface(name)).collect::<Result<Vec<_>, _>>()?;
    let different: BTreeSet<_> = free.iter().map(|free| free.index).collect();
    if different.len() < free.len() {
        let twice = interfaces.iter().enumerate().find(|(at, name)| interfaces.iter().take(*at).any(|it| it == *name));
        let name = twice.map_or_else(String::new, |(_, name)| name.clone());
        return Err(KernelError::InterfaceTwice { name });
    }
    free.into_iter()
        .map(|Free { name, index, is_veth }| {
            let settings = of_interfaces.get(&index).copied().unwrap_or_default();
            let is_deaf = is_veth && may_answer(&settings);
            let mode = if is_deaf && mode == Mode::Auto { Mode::Generic } else { mode };
            let (link, mode) = to_one(program, name, index, mode)?;
            let far_end_may_miss_answers = is_deaf && mode == AttachedMode::Native;
            let settings = if mode == AttachedMode::Generic { settings.in_network_stack() } else { settings };
            let interface = name.to_owned();
            Ok((Attachment { interface, index, mode, settings, is_veth, far_end_may_miss_answers }, link))
        })
        .collect()
}

fn to_one(program: &mut Xdp, name: &str, index: u32, mode: Mode) -> Result<(FdLink, AttachedMode), KernelError> {
    let modes: &[_] = match mode {
        Mode::Auto => &[AttachedMode::Native, AttachedMode::Generic],
        Mode::Native => &[AttachedMode::Native],
        Mode::Generic => &[AttachedMode::Generic],
    };
    let mut refused = io::Error::from(io::ErrorKind::Unsupported);
    for attached in modes {
        match program.attach_to_if_index(index, attached.xdp_mode()) {
            // aya falls back to an attachment that outlives the process, without a word.
            Ok(link) => match FdLink::try_from(program.take_link(link)?) {
                Ok(link) => return Ok((link, *attached)),
                Err(_) => refused = io::Error::new(io::ErrorKind::Unsupported, "it offers no BPF link"),
            },
            Err(error) => refused = io_error(error)?,
        }
    }
    match mode {
        Mode::Native => Err(KernelError::NotNative { interface: name.to_owned(), error: refused }),
        Mode::Auto | Mode::Generic => Err(KernelError::Attach { interface: name.to_owned(), error: refused }),
    }
}

fn io_error(error: ProgramError) -> Result<io::Error, KernelError> {
    match error {
        ProgramError::SyscallError(cause) => Ok(cause.io_error),
        ProgramError::XdpError(XdpError::NetlinkError(cause)) => {
            Ok(cause.raw_os_error().map_or_else(|| io::Error::other(cause.to_string()), io::Error::from_raw_os_error))
        }
        other => Err(other.into()),
    }
}

/// The index of an interface.
///
/// # Errors
/// If there is none of the name.
pub fn interface_index(name: &str) -> Result<u32, KernelError> {
    match link(name).map_err(|error| KernelError::Netlink { interface: name.to_owned(), error })? {
        Some(link) => Ok(link.header.index),
        None => Err(KernelError::NoInterface { name: name.to_owned() }),
    }
}

/// An interface that has no XDP program.
fn free_interface(name: &str) -> Result<Free<'_>, KernelError> {
    let failed = |error| KernelError::Netlink { interface: name.to_owned(), error };
    let Some(link) = link(name).map_err(failed)? else {
        return Err(KernelError::NoInterface { name: name.to_owned() });
    };
    let kind = link.header.link_layer_type;
    if !matches!(kind, LinkLayerType::Ether | LinkLayerType::Loopback) {
        return Err(KernelError::NotEthernet { interface: name.to_owned(), kind: format!("{kind:?}").to_lowercase() });
    }
    match xdp_program(&link) {
        Some(id) => Err(KernelError::Occupied { interface: name.to_owned(), id, name: program_name(id) }),
        None => Ok(Free { name, index: link.header.index, is_veth: is_veth(&link) }),
    }
}

fn is_veth(link: &LinkMessage) -> bool {
    link.attributes.iter().any(|attribute| match attribute {
        LinkAttribute::LinkInfo(info) => info.contains(&LinkInfo::Kind(InfoKind::Veth)),
        _ => false,
    })
}

fn xdp_program(link: &LinkMessage) -> Option<u32> {
    let xdp = link.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::Xdp(xdp) => Some(xdp),
        _ => None,
    });
    xdp.flatten().find_map(|attribute| match attribute {
        LinkXdp::ProgId(id) | LinkXdp::DrvProgId(id) | LinkXdp::SkbProgId(id) | LinkXdp::HwProgId(id) if *id != 0 => {
            Some(*id)
        }
        _ => None,
    })
}

fn program_name(id: u32) -> String {
    let program = aya::programs::loaded_programs().flatten().find(|program| program.id() == id);
    program.and_then(|program| program.name_as_str().map(str::to_owned)).unwrap_or_else(|| "unnamed".to_owned())
}
