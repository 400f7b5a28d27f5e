//! Packet sockets (packet(7)): whole frames, past the namespace's own stack.

use std::{
    ffi::CString,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    time::Duration,
};

use anyhow::Result;
use rustix::io::retry_on_intr;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::Namespace;

/// Time after which [`PacketSocket::receive`] gives up.
const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST_FRAME: usize = 1 << 16;

/// A packet socket, bound to one interface.
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
}

impl PacketSocket {
    /// A socket that only sends. The kernel copies no frame into it, so that a flood costs no more
    /// than its own frames.
    pub fn sender(namespace: &Namespace, interface: &str) -> Result<Self> {
        Self::open(namespace, interface, 0)
    }

    /// A socket that receives what comes in by the interface and what goes out, from now on.
    pub fn listener(namespace: &Namespace, interface: &str) -> Result<Self> {
        Self::open(namespace, interface, libc::ETH_P_ALL as u16)
    }

    fn open(namespace: &Namespace, interface: &str, protocol: u16) -> Result<Self> {
        let interface = interface.to_owned();
        let socket = namespace.socket(move || bound(&interface, protocol.to_be()))?;
        Ok(Self { socket })
    }

    /// Sends a frame out of the interface. `ENOBUFS` says that the device dropped it.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        let sent = retry_on_intr(|| send(&self.socket, frame, SendFlags::empty()))?;
        if sent == frame.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    /// The next frame; the error `WouldBlock` if none comes within ten seconds.
    pub fn receive(&self) -> io::Result<Vec<u8>> {
        let mut frame = vec![0; LARGEST_FRAME];
        let (bytes, _) = retry_on_intr(|| recv(&self.socket, &mut frame[..], RecvFlags::empty()))?;
        frame.truncate(bytes);
        Ok(frame)
    }
}

fn bound(interface: &str, protocol: u16) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers alone.
    let socket = unsafe {
        libc::socket(
            libc::AF_PACKET,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC,
            i32::from(protocol),
        )
    };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let name = CString::new(interface)?;
    // SAFETY: the name ends in a zero octet, and lives as long as the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeros are a value of this structure of numbers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol;
    address.sll_ifindex = index.cast_signed();
    let bytes = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address lives as long as the call, and the length is its own.
    let refused = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), bytes) };
    if refused != 0 {
        return Err(io::Error::last_os_error());
    }
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}
