//! Network devices as the kernel shows them: which there are, and whether they can be filtered.

use std::io;

use netlink_packet_route::link::{
    InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage, LinkXdp,
};

use super::{
    KernelError,
    attach::AttachedMode,
    netlink::{link, link_by_index},
};

/// A network device of this process's namespace (`RTM_GETLINK`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// Its name; it may have others (`ip link property add altname`).
    pub name: String,
    /// Its index.
    pub index: u32,
    /// Ids of the XDP programs that are attached to it, and where they run.
    pub programs: Vec<(u32, AttachedMode)>,
    /// True for one end of a veth pair.
    pub is_veth: bool,
    /// In bytes.
    pub mtu: u32,
    /// True if it is switched on.
    pub is_up: bool,
    /// Its ARPHRD type.
    pub layer: LinkLayerType,
}

impl Device {
    /// The device with this name; `None` if there is none.
    pub fn named(name: &str) -> Result<Option<Self>, KernelError> {
        link(name)
            .map(|link| link.map(Self::from))
            .map_err(|error| failed(name, error))
    }

    /// The device with this index, which was attached to under this name; `None` if there is none.
    pub fn at(index: u32, name: &str) -> Result<Option<Self>, KernelError> {
        link_by_index(index)
            .map(|link| link.map(Self::from))
            .map_err(|error| failed(name, error))
    }

    /// True if the XDP program with this id is attached to it.
    pub fn runs(&self, program: u32) -> bool {
        self.programs.iter().any(|(id, _)| *id == program)
    }

    /// The device with this name, if it carries Ethernet frames.
    pub(super) fn of_ethernet(name: &str) -> Result<Self, KernelError> {
        let Some(device) = Self::named(name)? else {
            return Err(KernelError::NoInterface {
                name: name.to_owned(),
            });
        };
        if !matches!(device.layer, LinkLayerType::Ether | LinkLayerType::Loopback) {
            return Err(KernelError::NotEthernet {
                interface: name.to_owned(),
                kind: format!("{:?}", device.layer).to_lowercase(),
            });
        }
        Ok(device)
    }
}

fn failed(interface: &str, error: io::Error) -> KernelError {
    KernelError::Netlink {
        interface: interface.to_owned(),
        error,
    }
}

impl From<LinkMessage> for Device {
    fn from(link: LinkMessage) -> Self {
        let mut device = Self {
            name: String::new(),
            index: link.header.index,
            programs: Vec::new(),
            is_veth: false,
            mtu: 0,
            is_up: link.header.flags.contains(LinkFlags::Up),
            layer: link.header.link_layer_type,
        };
        for attribute in link.attributes {
            match attribute {
                LinkAttribute::IfName(name) => device.name = name,
                LinkAttribute::Mtu(mtu) => device.mtu = mtu,
                LinkAttribute::LinkInfo(info) => {
                    device.is_veth = info.contains(&LinkInfo::Kind(InfoKind::Veth));
                }
                LinkAttribute::Xdp(xdp) => device.programs = programs(&xdp),
                _ => {}
            }
        }
        device
    }
}

/// The programs of all modes. One in the card itself is taken for one in the driver.
fn programs(xdp: &[LinkXdp]) -> Vec<(u32, AttachedMode)> {
    let programs = xdp.iter().filter_map(|attribute| match attribute {
        LinkXdp::SkbProgId(id) => Some((*id, AttachedMode::Generic)),
        LinkXdp::DrvProgId(id) | LinkXdp::HwProgId(id) => Some((*id, AttachedMode::Native)),
        _ => None,
    });
    programs.filter(|(id, _)| *id != 0).collect()
}

/// The name that a loaded program has for the kernel.
pub(crate) fn program_name(id: u32) -> String {
    let program = aya::programs::loaded_programs()
        .flatten()
        .find(|program| program.id() == id);
    program
        .and_then(|program| program.name_as_str().map(str::to_owned))
        .unwrap_or_else(|| "unnamed".to_owned())
}
