//! What the kernel sends by itself about links and routes (rtnetlink(7)).

use std::io;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use tokio::io::unix::AsyncFd;

/// Multicast groups of links and of the routes of both families (`linux/rtnetlink.h`).
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_ROUTE: u32 = 7;
const RTNLGRP_IPV6_ROUTE: u32 = 11;

/// Types of messages (`linux/rtnetlink.h`).
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;

/// Bytes of the header of a message (`struct nlmsghdr`).
const HEADER: usize = 16;

/// Bytes that a message is read of at most. All that is looked at is at its start.
const START: usize = 4096;

/// Messages that are read until the changes are told.
const MOST_AT_ONCE: usize = 1000;

/// What has changed. Which link or route it was is to be asked: some messages may be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// A link has come, gone, or become another.
    pub links: bool,
    /// A default route has come or gone.
    pub default_routes: bool,
}

impl Changed {
    /// Anything may have changed.
    pub const ANYTHING: Self = Self {
        links: true,
        default_routes: true,
    };

    fn or(self, other: Self) -> Self {
        Self {
            links: self.links || other.links,
            default_routes: self.default_routes || other.default_routes,
        }
    }
}

/// The kernel's messages.
#[derive(Debug)]
pub(crate) struct Changes(AsyncFd<Socket>);

impl Changes {
    /// Messages about links, and about routes if they matter.
    ///
    /// # Errors
    /// If there is no socket for them.
    pub fn subscribe(with_routes: bool) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind(&SocketAddr::new(0, 0))?;
        socket.set_non_blocking(true)?;
        socket.add_membership(RTNLGRP_LINK)?;
        if with_routes {
            socket.add_membership(RTNLGRP_IPV4_ROUTE)?;
            socket.add_membership(RTNLGRP_IPV6_ROUTE)?;
        }
        // SAFETY: the socket owns its descriptor, which is the same as long as it lives, and open.
        let registered = unsafe { AsyncFd::register(socket) };
        Ok(Self(registered?))
    }

    /// Waits until something has changed that matters. What has come until then is taken together.
    ///
    /// # Errors
    /// If the socket fails.
    pub async fn next(&mut self) -> io::Result<Changed> {
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|socket| drain(socket.get_ref())) {
                Ok(changed) => {
                    let changed = changed?;
                    if changed != Changed::default() {
                        return Ok(changed);
                    }
                }
                Err(_would_block) => {}
            }
        }
    }
}

/// Reads the messages that are there.
fn drain(socket: &Socket) -> io::Result<Changed> {
    let mut changed = Changed::default();
    let mut bytes = Vec::with_capacity(START);
    for _ in 0..MOST_AT_ONCE {
        bytes.clear();
        match socket.recv(&mut bytes, 0) {
            Ok(_) => changed = changed.or(read(&bytes)),
            Err(error) => match error.raw_os_error() {
                // Messages were lost, as more came than the socket's buffer has room for.
                Some(libc::ENOBUFS) => changed = Changed::ANYTHING,
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN) if changed != Changed::default() => break,
                _ => return Err(error),
            },
        }
    }
    Ok(changed)
}

/// What the messages in a datagram tell.
fn read(mut bytes: &[u8]) -> Changed {
    let mut changed = Changed::default();
    while let Some((header, body)) = bytes.split_at_checked(HEADER) {
        let [l0, l1, l2, l3, t0, t1, ..] = *header else {
            break;
        };
        let kind = u16::from_ne_bytes([t0, t1]);
        changed = changed.or(told_by(kind, body));
        // Messages start at multiples of 4 (netlink(7), `NLMSG_ALIGNTO`); a length of less than a
        // header is none.
        let len = (u32::from_ne_bytes([l0, l1, l2, l3]) as usize).next_multiple_of(4);
        bytes = bytes.get(len.max(HEADER)..).unwrap_or_default();
    }
    changed
}

fn told_by(kind: u16, body: &[u8]) -> Changed {
    let mut changed = Changed::default();
    match kind {
        RTM_NEWLINK | RTM_DELLINK => changed.links = true,
        // `struct rtmsg` starts with the address family and the bits of the destination's prefix.
        RTM_NEWROUTE | RTM_DELROUTE => {
            changed.default_routes = matches!(body, [_family, 0, ..]);
        }
        _ => {}
    }
    changed
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::NetlinkMessage;
    use netlink_packet_route::{
        RouteNetlinkMessage, link::LinkMessage, neighbour::NeighbourMessage, route::RouteMessage,
    };

    use super::*;

    fn bytes(message: RouteNetlinkMessage) -> Vec<u8> {
        let mut message = NetlinkMessage::from(message);
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    fn route(bits: u8) -> RouteMessage {
        let mut route = RouteMessage::default();
        route.header.destination_prefix_length = bits;
        route
    }

    const LINKS: Changed = Changed {
        links: true,
        default_routes: false,
    };
    const ROUTES: Changed = Changed {
        links: false,
        default_routes: true,
    };

    #[test]
    fn links_and_default_routes_are_told_and_nothing_else_is() {
        use RouteNetlinkMessage::{DelLink, DelRoute, NewLink, NewNeighbour, NewRoute};
        for (message, changed) in [
            (NewLink(LinkMessage::default()), LINKS),
            (DelLink(LinkMessage::default()), LINKS),
            (NewRoute(route(0)), ROUTES),
            (DelRoute(route(0)), ROUTES),
            (NewRoute(route(24)), Changed::default()),
            (DelRoute(route(128)), Changed::default()),
            (
                NewNeighbour(NeighbourMessage::default()),
                Changed::default(),
            ),
        ] {
            assert_eq!(read(&bytes(message.clone())), changed, "{message:?}");
        }
    }

    #[test]
    fn all_messages_of_a_datagram_are_read() {
        let all = [
            bytes(RouteNetlinkMessage::NewRoute(route(8))),
            bytes(RouteNetlinkMessage::NewLink(LinkMessage::default())),
            bytes(RouteNetlinkMessage::DelRoute(route(0))),
        ]
        .concat();
        assert_eq!(read(&all), Changed::ANYTHING);
    }

    #[test]
    fn no_length_of_a_message_is_believed() {
        let message = bytes(RouteNetlinkMessage::NewLink(LinkMessage::default()));
        for len in [0_u32, 1, 15, 17, u32::MAX - 3] {
            let mut message = message.clone();
            message[..4].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(read(&message), LINKS, "{len}");
        }
        for end in 0..message.len() {
            read(&message[..end]);
        }
    }
}
