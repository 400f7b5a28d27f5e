//! What the kernel says of links and routes (rtnetlink(7)).

use std::{collections::BTreeSet, io};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
    route::{RouteAttribute, RouteMessage, RouteType},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use super::KernelError;

/// What the kernel says of an interface (`RTM_GETLINK`); `None` if there is none of the name.
pub(super) fn link(name: &str) -> io::Result<Option<LinkMessage>> {
    let mut request = LinkMessage::default();
    request
        .attributes
        .push(LinkAttribute::IfName(name.to_owned()));
    link_of(request)
}

/// The same of the interface with an index.
pub(super) fn link_by_index(index: u32) -> io::Result<Option<LinkMessage>> {
    let mut request = LinkMessage::default();
    request.header.index = index;
    link_of(request)
}

/// The name of the interface with an index; `None` if there is none.
pub fn interface_name(index: u32) -> Option<String> {
    let link = link_by_index(index).ok()??;
    link.attributes
        .into_iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name),
            _ => None,
        })
}

/// The highest index that an interface has.
///
/// # Errors
/// If the kernel does not answer.
pub fn highest_interface_index() -> Result<u32, KernelError> {
    let mut highest = 0;
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    ask_each(request, |message| {
        if let RouteNetlinkMessage::NewLink(link) = message {
            highest = link.header.index.max(highest);
        }
    })
    .map_err(KernelError::Interfaces)?;
    Ok(highest)
}

fn link_of(request: LinkMessage) -> io::Result<Option<LinkMessage>> {
    let socket = ask(RouteNetlinkMessage::GetLink(request), NLM_F_REQUEST)?;
    let (answer, _) = socket.recv_from_full()?;
    let answer =
        NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
    match answer.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => Ok(Some(link)),
        NetlinkPayload::Error(error) => match error.to_io().raw_os_error() {
            // EINVAL and ERANGE: no interface can have a name like that.
            Some(libc::ENODEV | libc::EINVAL | libc::ERANGE) => Ok(None),
            _ => Err(error.to_io()),
        },
        other => Err(io::Error::other(format!("unexpected answer {other:?}"))),
    }
}

/// The indices of the interfaces by which a default route leads, of either family and in any table.
/// The kernel hands over all its routes for this, and only those that matter are kept.
///
/// # Errors
/// If the kernel does not answer.
pub fn default_route_interfaces() -> Result<BTreeSet<u32>, KernelError> {
    let mut indices = BTreeSet::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        let routes = ask_each(RouteNetlinkMessage::GetRoute(request), |message| {
            if let RouteNetlinkMessage::NewRoute(route) = message
                && route.header.destination_prefix_length == 0
                && route.header.kind == RouteType::Unicast
            {
                indices.extend(ways_out(&route));
            }
        });
        routes.map_err(KernelError::Routes)?;
    }
    Ok(indices)
}

fn ways_out(route: &RouteMessage) -> impl Iterator<Item = u32> {
    route
        .attributes
        .iter()
        .flat_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => vec![*index],
            RouteAttribute::MultiPath(hops) => hops.iter().map(|hop| hop.interface_index).collect(),
            _ => Vec::new(),
        })
}

/// All that the kernel has of what is asked for.
pub(super) fn ask_all(request: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut messages = Vec::new();
    ask_each(request, |message| messages.push(message))?;
    Ok(messages)
}

/// Hands over all that the kernel has of what is asked for.
fn ask_each(
    request: RouteNetlinkMessage,
    mut each: impl FnMut(RouteNetlinkMessage),
) -> io::Result<()> {
    /// Messages start at multiples of this (netlink(7), `NLMSG_ALIGNTO`).
    const ALIGNMENT: usize = 4;

    let socket = ask(request, NLM_F_REQUEST | NLM_F_DUMP)?;
    loop {
        let (answer, _) = socket.recv_from_full()?;
        let mut rest = &answer[..];
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(io::Error::other)?;
            // A message that was read has a length of its header at least.
            let len = (message.header.length as usize).next_multiple_of(ALIGNMENT);
            match message.payload {
                NetlinkPayload::InnerMessage(message) => each(message),
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            rest = rest.get(len..).unwrap_or_default();
        }
    }
}

fn ask(request: RouteNetlinkMessage, flags: u16) -> io::Result<Socket> {
    ask_by(NETLINK_ROUTE, request, flags)
}

/// Asks the kernel by this protocol; the answer is what the socket receives.
pub(super) fn ask_by<M>(protocol: isize, request: M, flags: u16) -> io::Result<Socket>
where
    M: Into<NetlinkPayload<M>> + NetlinkSerializable,
{
    let mut request = NetlinkMessage::from(request);
    request.header.flags = flags;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    let socket = Socket::new(protocol)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&bytes, 0)?;
    Ok(socket)
}
