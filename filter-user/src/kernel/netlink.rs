//! What the kernel says of links and routes (rtnetlink(7)).

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, Ipv6Addr},
};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteType},
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
///
/// # Errors
/// If the kernel does not answer.
pub fn default_route_interfaces() -> Result<BTreeSet<u32>, KernelError> {
    let mut indices = BTreeSet::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        for route in routes(family).map_err(KernelError::Routes)? {
            if route.header.destination_prefix_length == 0
                && route.header.kind == RouteType::Unicast
            {
                indices.extend(ways_out(&route));
            }
        }
    }
    Ok(indices)
}

/// The indices of the interfaces by which packets leave now that no narrower route is for, of
/// either family. It asks for one route each, however many there are, and so may be asked often.
pub(crate) fn default_route_links() -> BTreeSet<u32> {
    /// Relays that are no more (RFC 7526), and the first address of what is given out
    /// (RFC 4291 §2.4): nobody has routes for these alone. Nothing is sent.
    const ELSEWHERE: [(AddressFamily, u8, RouteAddress); 2] = [
        (
            AddressFamily::Inet,
            32,
            RouteAddress::Inet(Ipv4Addr::new(192, 88, 99, 1)),
        ),
        (
            AddressFamily::Inet6,
            128,
            RouteAddress::Inet6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1)),
        ),
    ];

    let ways = ELSEWHERE
        .into_iter()
        .filter_map(|(family, bits, address)| route_to(family, bits, address).ok().flatten());
    ways.flat_map(|route| ways_out(&route).collect::<Vec<_>>())
        .collect()
}

/// The route to an address (`RTM_GETROUTE`); `None` if there is none.
fn route_to(
    family: AddressFamily,
    bits: u8,
    address: RouteAddress,
) -> io::Result<Option<RouteMessage>> {
    let mut request = RouteMessage::default();
    request.header.address_family = family;
    request.header.destination_prefix_length = bits;
    request
        .attributes
        .push(RouteAttribute::Destination(address));
    let (answer, _) =
        ask(RouteNetlinkMessage::GetRoute(request), NLM_F_REQUEST)?.recv_from_full()?;
    let answer =
        NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
    Ok(match answer.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => Some(route),
        _ => None,
    })
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

/// All routes of a family (`RTM_GETROUTE`).
fn routes(family: AddressFamily) -> io::Result<Vec<RouteMessage>> {
    let mut request = RouteMessage::default();
    request.header.address_family = family;
    let messages = ask_all(RouteNetlinkMessage::GetRoute(request))?;
    let routes = messages.into_iter().filter_map(|message| match message {
        RouteNetlinkMessage::NewRoute(route) => Some(route),
        _ => None,
    });
    Ok(routes.collect())
}

/// All that the kernel has of what is asked for.
pub(super) fn ask_all(request: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    /// Messages start at multiples of this (netlink(7), `NLMSG_ALIGNTO`).
    const ALIGNMENT: usize = 4;

    let socket = ask(request, NLM_F_REQUEST | NLM_F_DUMP)?;
    let mut messages = Vec::new();
    loop {
        let (answer, _) = socket.recv_from_full()?;
        let mut rest = &answer[..];
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::InnerMessage(message) => messages.push(message),
                NetlinkPayload::Done(_) => return Ok(messages),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            // A message that was read has a length of its header at least.
            let len = (message.header.length as usize).next_multiple_of(ALIGNMENT);
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
