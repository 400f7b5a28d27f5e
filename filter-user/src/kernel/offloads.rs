//! Offloads below an interface that have the kernel join datagrams to one before the program sees
//! them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use ethtool::{EthtoolAttr, EthtoolFeatureAttr, EthtoolMessage};
use netlink_packet_core::{
    Emitable, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, ParseableParametrized,
};
use netlink_packet_generic::{
    GenlFamily, GenlHeader, GenlMessage,
    ctrl::{GenlCtrl, GenlCtrlCmd, nlas::GenlCtrlAttrs},
};
use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
};
use netlink_sys::protocols::NETLINK_GENERIC;

use super::netlink::{ask_all, ask_by};

/// Features by which the kernel joins datagrams that are not for itself, as `ethtool -k` names
/// them.
const JOINING: [&str; 2] = ["rx-gro-list", "rx-udp-gro-forwarding"];

/// The devices below an interface where such a feature is on, each with the features. A device with
/// a program of its own in the network stack joins nothing.
///
/// # Errors
/// If the kernel does not answer.
pub fn joining_below(index: u32) -> io::Result<BTreeMap<String, Vec<String>>> {
    let links = links()?;
    let mut joining = BTreeMap::new();
    let family = ethtool_family()?;
    for lower in below(index, &links) {
        let Some(name) = links
            .iter()
            .find(|link| link.header.index == lower)
            .and_then(name)
        else {
            continue;
        };
        let features: Vec<_> = active_features(family, &name)?
            .into_iter()
            .filter(|feature| JOINING.contains(&&**feature))
            .collect();
        if !features.is_empty() {
            joining.insert(name, features);
        }
    }
    Ok(joining)
}

/// The ports of a bridge, the device of a VLAN, and what is below these.
fn below(index: u32, links: &[LinkMessage]) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([index]);
    loop {
        let lower = links
            .iter()
            .filter(|link| !found.contains(&link.header.index))
            .filter(|link| {
                let is_port = controller(link).is_some_and(|upper| found.contains(&upper));
                let carries = |upper: &LinkMessage| {
                    found.contains(&upper.header.index) && carrier(upper) == Some(link.header.index)
                };
                is_port || links.iter().any(carries)
            });
        let lower: Vec<_> = lower.map(|link| link.header.index).collect();
        if lower.is_empty() {
            found.remove(&index);
            return found;
        }
        found.extend(lower);
    }
}

fn name(link: &LinkMessage) -> Option<String> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.clone()),
            _ => None,
        })
}

fn controller(link: &LinkMessage) -> Option<u32> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Controller(index) => Some(*index),
            _ => None,
        })
}

/// The device that carries a link. That of a veth may be in another namespace, where its index
/// means another one.
fn carrier(link: &LinkMessage) -> Option<u32> {
    let is_elsewhere = link
        .attributes
        .iter()
        .any(|attribute| matches!(attribute, LinkAttribute::LinkNetNsId(_)));
    link.attributes
        .iter()
        .filter(|_| !is_elsewhere)
        .find_map(|attribute| match attribute {
            LinkAttribute::Link(index) => Some(*index),
            _ => None,
        })
}

/// All links (`RTM_GETLINK`).
fn links() -> io::Result<Vec<LinkMessage>> {
    let messages = ask_all(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
    let links = messages.into_iter().filter_map(|message| match message {
        RouteNetlinkMessage::NewLink(link) => Some(link),
        _ => None,
    });
    Ok(links.collect())
}

/// The features of a device that are on (`ETHTOOL_MSG_FEATURES_GET`); none of one that has gone.
fn active_features(family: u16, name: &str) -> io::Result<Vec<String>> {
    let mut request = GenlMessage::from_payload(EthtoolMessage::new_feature_get(Some(name)));
    request.set_resolved_family_id(family);
    let answer = match ask_generic(request) {
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(Vec::new()),
        answer => answer?,
    };
    let features = answer
        .payload
        .nlas
        .into_iter()
        .filter_map(|attribute| match attribute {
            EthtoolAttr::Feature(EthtoolFeatureAttr::Active(features)) => Some(features),
            _ => None,
        });
    Ok(features
        .flatten()
        .filter(|feature| feature.value)
        .map(|feature| feature.name)
        .collect())
}

/// The number of the family `ethtool` in generic netlink (`CTRL_CMD_GETFAMILY`).
fn ethtool_family() -> io::Result<u16> {
    let request = GenlCtrl {
        cmd: GenlCtrlCmd::GetFamily,
        nlas: vec![GenlCtrlAttrs::FamilyName(
            <EthtoolMessage as GenlFamily>::family_name().to_owned(),
        )],
    };
    let answer = ask_generic(GenlMessage::from_payload(request))?;
    let number = answer
        .payload
        .nlas
        .into_iter()
        .find_map(|attribute| match attribute {
            GenlCtrlAttrs::FamilyId(number) => Some(number),
            _ => None,
        });
    number.ok_or_else(|| {
        io::Error::other("the kernel has no number for the netlink family `ethtool`")
    })
}

fn ask_generic<F>(mut request: GenlMessage<F>) -> io::Result<GenlMessage<F>>
where
    F: GenlFamily
        + Emitable
        + ParseableParametrized<[u8], GenlHeader>
        + Clone
        + std::fmt::Debug
        + Eq,
{
    request.finalize();
    let socket = ask_by(NETLINK_GENERIC, request, NLM_F_REQUEST)?;
    let (answer, _) = socket.recv_from_full()?;
    match NetlinkMessage::<GenlMessage<F>>::deserialize(&answer)
        .map_err(io::Error::other)?
        .payload
    {
        NetlinkPayload::InnerMessage(message) => Ok(message),
        NetlinkPayload::Error(error) => Err(error.to_io()),
        other => Err(io::Error::other(format!("unexpected answer {other:?}"))),
    }
}
