//! Packet sockets (packet(7)) in the lab's namespaces.

use std::{
    ffi::CString,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use lab::Namespace;

/// Seconds until a listener gives up.
const PATIENCE: libc::time_t = 10;
const LARGEST_FRAME: usize = 1 << 16;

/// Sends frames out of an interface.
pub fn send<'f>(namespace: &Namespace, interface: &str, frames: impl Iterator<Item = &'f [u8]>) {
    let socket = packet_socket(namespace, interface);
    for frame in frames {
        // SAFETY: the pointer and the length are those of the frame.
        let sent = unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len().cast_signed(), "{}", io::Error::last_os_error());
    }
}

/// What comes in by an interface while `act` runs and until `last` has come.
pub fn listening(namespace: &Namespace, interface: &str, last: &[u8], act: impl FnOnce()) -> Vec<Vec<u8>> {
    let socket = packet_socket(namespace, interface);
    act();
    let mut seen = Vec::new();
    loop {
        let mut frame = vec![0; LARGEST_FRAME];
        // SAFETY: the pointer and the length are those of the vector.
        let got = unsafe { libc::recv(socket.as_raw_fd(), frame.as_mut_ptr().cast(), frame.len(), 0) };
        assert!(got >= 0, "the last frame did not come: {}", io::Error::last_os_error());
        frame.truncate(got.cast_unsigned());
        if frame == last {
            return seen;
        }
        seen.push(frame);
    }
}

fn packet_socket(namespace: &Namespace, interface: &str) -> OwnedFd {
    let interface = interface.to_owned();
    namespace.socket(move || bound_socket(&interface)).expect("a packet socket")
}

fn bound_socket(interface: &str) -> io::Result<OwnedFd> {
    let protocol = (libc::ETH_P_ALL as u16).to_be();
    // SAFETY: the call takes numbers alone.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, i32::from(protocol)) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let name = CString::new(interface)?;
    // SAFETY: the name ends in a zero octet, and lives as long as the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    // SAFETY: zeros are a value of this structure of numbers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol;
    address.sll_ifindex = index.cast_signed();
    let bytes = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address lives as long as the call, and the length is its own.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), bytes) })?;
    let patience = libc::timeval { tv_sec: PATIENCE, tv_usec: 0 };
    let bytes = size_of_val(&patience) as libc::socklen_t;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_RCVTIMEO);
    // SAFETY: the time-out lives as long as the call, and the length is its own.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const patience).cast(), bytes) })?;
    Ok(socket)
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
