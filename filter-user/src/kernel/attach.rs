//! Attaching to interfaces: to all that were named, or to none.

use std::{collections::BTreeSet, io, os::fd::AsFd as _};

use aya::{Ebpf, maps::Array, programs::Xdp};
use aya_obj::generated::{XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
use filter_core::{Interface, ProgramSet};

use super::{
    KernelError,
    device::{Device, program_name},
    links::Link,
    map_mut,
    pins::{LinkLeft, ObjectPins},
    pod::Value,
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

    /// What is done on an interface with the program attached so.
    pub(crate) fn settings(self, settings: Interface) -> Interface {
        match self {
            Self::Native => settings,
            Self::Generic => settings.in_network_stack(),
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
    device: Device,
    settings: Interface,
    /// The link of a controller before this one.
    left: Option<(Link, AttachedMode)>,
}

/// Attaches to each interface, with its settings. Dropping a link detaches it, so that a failure
/// leaves nothing attached. Where a controller before this one left a link, its program is replaced:
/// no packet comes by without one. That is done last, when the other interfaces are attached to.
pub(super) fn to_all(
    loader: &mut Loader<'_>,
    interfaces: &[(String, Interface)],
    mode: Mode,
    mut left: Vec<LinkLeft>,
    may_answer: impl Fn(&Interface) -> bool,
) -> Result<Vec<(Attachment, Link)>, KernelError> {
    let mut free = interfaces
        .iter()
        .map(|(name, settings)| free_interface(name, *settings, &mut left))
        .collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = free.iter().find(|free| !seen.insert(free.device.index)) {
        let name = twice.name.to_owned();
        return Err(KernelError::InterfaceTwice { name });
    }
    if let Some(left) = left.iter().find(|left| !is_here(left)) {
        let interface = left.interface;
        return Err(KernelError::LeftElsewhere { interface });
    }
    free.sort_by_key(|free| free.left.is_some());
    let mut attached = Vec::new();
    for free in free {
        let is_deaf = free.device.is_veth && may_answer(&free.settings);
        attached.push(attach(loader, free, mode, is_deaf)?);
    }
    let place = |name: &str| interfaces.iter().position(|(it, _)| it == name);
    attached.sort_by_key(|(attachment, _)| place(&attachment.interface));
    Ok(attached)
}

/// Attaches to one interface; `is_deaf` says that its other end may miss answers from the driver.
fn attach(
    loader: &mut Loader<'_>,
    mut free: Free<'_>,
    mode: Mode,
    is_deaf: bool,
) -> Result<(Attachment, Link), KernelError> {
    let mode = if is_deaf && mode == Mode::Auto {
        Mode::Generic
    } else {
        mode
    };
    let (link, Way { mode, set }) = to_one(loader, &mut free, mode)?;
    let attachment = Attachment {
        interface: free.name.to_owned(),
        index: free.device.index,
        mode,
        set,
        settings: mode.settings(free.settings),
        is_veth: free.device.is_veth,
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
    fn all(mode: Mode, device: &Device) -> impl Iterator<Item = Self> + use<> {
        let ways = [Self::NATIVE, Self::NATIVE_FRAGS, Self::GENERIC];
        let may_have_frags = device.mtu > ONE_BUFFER && !device.is_veth;
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

    /// Writes what is done on an interface, which its program finds with the first packet. An entry
    /// that nobody has written says the default.
    fn write_settings(&mut self, index: u32, settings: Interface) -> Result<(), KernelError> {
        if settings != Interface::default() {
            write_settings(self.object, index, settings)?;
        }
        Ok(())
    }
}

/// Writes what is done with packets that come in by the interface with this index.
pub(super) fn write_settings(
    object: &mut Ebpf,
    index: u32,
    settings: Interface,
) -> Result<(), KernelError> {
    let mut interfaces = Array::<_, Value<Interface>>::try_from(map_mut(object, "INTERFACES")?)?;
    Ok(interfaces.set(index, Value(settings), 0)?)
}

fn to_one(
    loader: &mut Loader<'_>,
    free: &mut Free<'_>,
    mode: Mode,
) -> Result<(Link, Way), KernelError> {
    let (name, index) = (free.name, free.device.index);
    if let Some((link, was)) = free.left.take() {
        loader.write_settings(index, was.settings(free.settings))?;
        for way in Way::all(mode, &free.device).filter(|way| way.mode == was) {
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
    for way in Way::all(mode, &free.device) {
        loader.write_settings(index, way.mode.settings(free.settings))?;
        let program = loader.entry(way.set)?;
        // Not by aya, which falls back to an attachment that outlives the process, without a word.
        match Link::new(program.fd()?.as_fd(), index, way.mode.flags()) {
            Ok(link) => return Ok((link, way)),
            Err(error) => refused = error,
        }
    }
    match mode {
        Mode::Native if free.device.is_veth && free.device.mtu > ONE_BUFFER => {
            Err(KernelError::VethMtu {
                interface: name.to_owned(),
                mtu: free.device.mtu,
            })
        }
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
    match Device::named(name)? {
        Some(device) => Ok(device.index),
        None => Err(KernelError::NoInterface {
            name: name.to_owned(),
        }),
    }
}

/// True if there is an interface of this name.
///
/// # Errors
/// If the kernel does not answer.
pub fn is_interface(name: &str) -> Result<bool, KernelError> {
    Device::named(name).map(|device| device.is_some())
}

/// An interface that has no XDP program, or one that is attached by one of the links that were left.
fn free_interface<'n>(
    name: &'n str,
    settings: Interface,
    left: &mut Vec<LinkLeft>,
) -> Result<Free<'n>, KernelError> {
    let device = Device::of_ethernet(name)?;
    let ours = left
        .iter()
        .position(|left| left.interface == device.index && device.runs(left.program));
    let left = match (device.programs.first(), ours) {
        (Some((_, mode)), Some(ours)) => Some((left.swap_remove(ours).link, *mode)),
        (Some((id, _)), None) => {
            return Err(KernelError::Occupied {
                interface: name.to_owned(),
                id: *id,
                name: program_name(*id),
            });
        }
        (None, _) => None,
    };
    Ok(Free {
        name,
        device,
        settings,
        left,
    })
}

/// True if the interface of a link is one of this network namespace. An index says nothing: each
/// namespace counts for itself.
fn is_here(left: &LinkLeft) -> bool {
    let device = Device::at(left.interface, "").ok().flatten();
    device.is_some_and(|device| device.runs(left.program))
}
