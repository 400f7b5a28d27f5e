//! Attaching to interfaces: to all that were named, or to none.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::fd::AsFd as _,
};

use aya::{Ebpf, programs::Xdp};
use aya_obj::generated::{XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
use filter_core::{Interface, ProgramSet};
use netlink_packet_route::link::{
    InfoKind, LinkAttribute, LinkInfo, LinkLayerType, LinkMessage, LinkXdp,
};

use super::{
    KernelError,
    links::Link,
    netlink::{link, link_by_index},
    pins::{LinkLeft, ObjectPins},
    program,
    programs::Programs,
};

/// Where the program should run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// In the driver where it can, otherwise generic; generic as well where a veth's other end
    /// would miss answers.
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

    /// What attaches so (`linux/if_link.h`).
    const fn flags(self) -> u32 {
        match self {
            Self::Native => XDP_FLAGS_DRV_MODE,
            Self::Generic => XDP_FLAGS_SKB_MODE,
        }
    }

    #[cfg(feature = "feed")]
    pub(super) const fn xdp_mode(self) -> aya::programs::XdpMode {
        match self {
            Self::Native => aya::programs::XdpMode::Driver,
            Self::Generic => aya::programs::XdpMode::Skb,
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
    /// Which programs these are.
    pub set: ProgramSet,
    /// What is done there.
    pub settings: Interface,
    /// True for a veth, whose other end takes what the driver sends only if it has an XDP program,
    /// too.
    pub is_veth: bool,
    /// True if there are answers, and they may be lost like that.
    pub far_end_may_miss_answers: bool,
}

impl Attachment {
    /// Takes down whether clients there may be answered from now on; true if that makes answers get
    /// lost.
    pub(crate) fn misses_answers_since(&mut self, may_answer: bool) -> bool {
        let misses = self.is_veth && self.mode == AttachedMode::Native && may_answer;
        !std::mem::replace(&mut self.far_end_may_miss_answers, misses) && misses
    }
}

/// An interface that was named, and has no XDP program but one that a controller left.
struct Free<'n> {
    name: &'n str,
    index: u32,
    is_veth: bool,
    /// In bytes.
    mtu: u32,
    /// The link of a controller before this one.
    left: Option<(Link, AttachedMode)>,
}

/// Attaches to each interface. Dropping a link detaches it, so that a failure leaves nothing
/// attached. Where a controller before this one left a link, its program is replaced: no packet
/// comes by without one. That is done last, when the other interfaces are attached to.
pub(super) fn to_all(
    loader: &mut Loader<'_>,
    interfaces: &[String],
    mode: Mode,
    of_interfaces: &BTreeMap<u32, Interface>,
    mut left: Vec<LinkLeft>,
    may_answer: impl Fn(&Interface) -> bool,
) -> Result<Vec<(Attachment, Link)>, KernelError> {
    let mut free = interfaces
        .iter()
        .map(|name| free_interface(name, &mut left))
        .collect::<Result<Vec<_>, _>>()?;
    let different: BTreeSet<_> = free.iter().map(|free| free.index).collect();
    if different.len() < free.len() {
        let twice = interfaces
            .iter()
            .enumerate()
            .find(|(at, name)| interfaces.iter().take(*at).any(|it| it == *name));
        let name = twice.map_or_else(String::new, |(_, name)| name.clone());
        return Err(KernelError::InterfaceTwice { name });
    }
    if let Some(left) = left.iter().find(|left| !is_here(left)) {
        let interface = left.interface;
        return Err(KernelError::LeftElsewhere { interface });
    }
    free.sort_by_key(|free| free.left.is_some());
    let mut attached = Vec::new();
    for free in free {
        let settings = of_interfaces.get(&free.index).copied().unwrap_or_default();
        let is_deaf = free.is_veth && may_answer(&settings);
        attached.push(attach(loader, free, mode, settings, is_deaf)?);
    }
    let place = |name: &str| interfaces.iter().position(|it| it == name);
    attached.sort_by_key(|(attachment, _)| place(&attachment.interface));
    Ok(attached)
}

/// Attaches to one interface; `is_deaf` says that its other end may miss answers from the driver.
fn attach(
    loader: &mut Loader<'_>,
    mut free: Free<'_>,
    mode: Mode,
    settings: Interface,
    is_deaf: bool,
) -> Result<(Attachment, Link), KernelError> {
    let mode = if is_deaf && mode == Mode::Auto {
        Mode::Generic
    } else {
        mode
    };
    let (link, Way { mode, set }) = to_one(loader, &mut free, mode)?;
    let settings = if mode == AttachedMode::Generic {
        settings.in_network_stack()
    } else {
        settings
    };
    let attachment = Attachment {
        interface: free.name.to_owned(),
        index: free.index,
        mode,
        set,
        settings,
        is_veth: free.is_veth,
        far_end_may_miss_answers: is_deaf && mode == AttachedMode::Native,
    };
    Ok((attachment, link))
}

/// The MTU of Ethernet, in bytes: every driver with XDP takes it in one buffer.
const ONE_BUFFER: u32 = 1500;

/// How a program may be attached.
#[derive(Clone, Copy, Debug)]
struct Way {
    mode: AttachedMode,
    set: ProgramSet,
}

impl Way {
    const NATIVE: Self = Self {
        mode: AttachedMode::Native,
        set: ProgramSet::LINEAR,
    };
    /// Drivers ask for the flag for frames in several buffers where the MTU is large. Never on a veth:
    /// for programs with the flag it copies frames into buffers that Linux 6.18.15 and 7.2 misalign,
    /// and where such a frame is sent back, the kernel panics (docs/kernel-bugs.md).
    const NATIVE_FRAGS: Self = Self {
        mode: AttachedMode::Native,
        set: ProgramSet::FRAGS,
    };
    /// Never with that flag: for programs with it, Linux 6.18.15 and 7.2 build misaligned buffers
    /// in this mode (docs/kernel-bugs.md). Without it, the kernel makes each frame linear before
    /// the program runs.
    const GENERIC: Self = Self {
        mode: AttachedMode::Generic,
        set: ProgramSet::LINEAR,
    };

    /// The ways to try, in their order.
    fn all(mode: Mode, free: &Free<'_>) -> impl Iterator<Item = Self> + use<> {
        let ways = [Self::NATIVE, Self::NATIVE_FRAGS, Self::GENERIC];
        let may_have_frags = free.mtu > ONE_BUFFER && !free.is_veth;
        ways.into_iter().filter(move |way| match way.mode {
            AttachedMode::Native => {
                mode != Mode::Generic && (way.set == ProgramSet::LINEAR || may_have_frags)
            }
            AttachedMode::Generic => mode != Mode::Native,
        })
    }
}

/// Loads programs when they are to be attached.
pub(super) struct Loader<'f> {
    pub object: &'f mut Ebpf,
    pub programs: &'f mut Programs,
    /// Where the programs stay that are attached.
    pub pins: Option<&'f ObjectPins>,
}

impl Loader<'_> {
    fn entry(&mut self, set: ProgramSet) -> Result<&mut Xdp, KernelError> {
        self.programs.load(self.object, set)?;
        let entry = program(self.object, set.entry)?;
        if let Some(pins) = self.pins {
            pins.keep_program(set.entry, entry.fd()?.as_fd())?;
        }
        Ok(entry)
    }
}

fn to_one(
    loader: &mut Loader<'_>,
    free: &mut Free<'_>,
    mode: Mode,
) -> Result<(Link, Way), KernelError> {
    let name = free.name;
    if let Some((link, was)) = free.left.take() {
        for way in Way::all(mode, free).filter(|way| way.mode == was) {
            let program = loader.entry(way.set)?;
            if link.replace(program.fd()?.as_fd()).is_ok() {
                return Ok((link, way));
            }
        }
        // A link has its mode for good, and an interface one mode at a time.
        link.detach().map_err(|error| KernelError::Attach {
            interface: name.to_owned(),
            error,
        })?;
    }
    let mut refused = io::Error::from(io::ErrorKind::Unsupported);
    for way in Way::all(mode, free) {
        let program = loader.entry(way.set)?;
        // Not by aya, which falls back to an attachment that outlives the process, without a word.
        match Link::new(program.fd()?.as_fd(), free.index, way.mode.flags()) {
            Ok(link) => return Ok((link, way)),
            Err(error) => refused = error,
        }
    }
    match mode {
        Mode::Native if free.is_veth && free.mtu > ONE_BUFFER => Err(KernelError::VethMtu {
            interface: name.to_owned(),
            mtu: free.mtu,
        }),
        Mode::Native => Err(KernelError::NotNative {
            interface: name.to_owned(),
            error: refused,
        }),
        Mode::Auto | Mode::Generic => Err(KernelError::Attach {
            interface: name.to_owned(),
            error: refused,
        }),
    }
}

/// The index of an interface.
///
/// # Errors
/// If there is none of the name.
pub fn interface_index(name: &str) -> Result<u32, KernelError> {
    match link(name).map_err(|error| KernelError::Netlink {
        interface: name.to_owned(),
        error,
    })? {
        Some(link) => Ok(link.header.index),
        None => Err(KernelError::NoInterface {
            name: name.to_owned(),
        }),
    }
}

/// An interface that has no XDP program, or one that is attached by one of the links that were left.
fn free_interface<'n>(name: &'n str, left: &mut Vec<LinkLeft>) -> Result<Free<'n>, KernelError> {
    let failed = |error| KernelError::Netlink {
        interface: name.to_owned(),
        error,
    };
    let Some(link) = link(name).map_err(failed)? else {
        return Err(KernelError::NoInterface {
            name: name.to_owned(),
        });
    };
    let kind = link.header.link_layer_type;
    if !matches!(kind, LinkLayerType::Ether | LinkLayerType::Loopback) {
        return Err(KernelError::NotEthernet {
            interface: name.to_owned(),
            kind: format!("{kind:?}").to_lowercase(),
        });
    }
    let index = link.header.index;
    let attached = xdp_program(&link);
    let ours = left.iter().position(|left| {
        left.interface == index && attached.is_some_and(|(id, _)| id == left.program)
    });
    let left = match (attached, ours) {
        (Some((_, mode)), Some(ours)) => Some((left.swap_remove(ours).link, mode)),
        (Some((id, _)), None) => {
            return Err(KernelError::Occupied {
                interface: name.to_owned(),
                id,
                name: program_name(id),
            });
        }
        (None, _) => None,
    };
    Ok(Free {
        name,
        index,
        is_veth: is_veth(&link),
        mtu: mtu(&link),
        left,
    })
}

/// True if the interface of a link is one of this network namespace. An index says nothing: each
/// namespace counts for itself.
fn is_here(left: &LinkLeft) -> bool {
    let link = link_by_index(left.interface).ok().flatten();
    link.and_then(|link| xdp_program(&link))
        .is_some_and(|(id, _)| id == left.program)
}

fn mtu(link: &LinkMessage) -> u32 {
    let mtu = link
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Mtu(mtu) => Some(*mtu),
            _ => None,
        });
    mtu.unwrap_or_default()
}

fn is_veth(link: &LinkMessage) -> bool {
    link.attributes.iter().any(|attribute| match attribute {
        LinkAttribute::LinkInfo(info) => info.contains(&LinkInfo::Kind(InfoKind::Veth)),
        _ => false,
    })
}

/// The XDP program of an interface, and where it runs. One in the card itself is taken for one in
/// the driver.
fn xdp_program(link: &LinkMessage) -> Option<(u32, AttachedMode)> {
    let xdp = link
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            LinkAttribute::Xdp(xdp) => Some(xdp),
            _ => None,
        });
    xdp.flatten().find_map(|attribute| match attribute {
        LinkXdp::SkbProgId(id) if *id != 0 => Some((*id, AttachedMode::Generic)),
        LinkXdp::DrvProgId(id) | LinkXdp::HwProgId(id) if *id != 0 => {
            Some((*id, AttachedMode::Native))
        }
        _ => None,
    })
}

fn program_name(id: u32) -> String {
    let program = aya::programs::loaded_programs()
        .flatten()
        .find(|program| program.id() == id);
    program
        .and_then(|program| program.name_as_str().map(str::to_owned))
        .unwrap_or_else(|| "unnamed".to_owned())
}
