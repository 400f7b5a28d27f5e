//! Frames as they are, sent and seen in the lab's namespaces.

use lab::{Namespace, PacketSocket};

/// Sends frames out of an interface.
pub fn send<'f>(namespace: &Namespace, interface: &str, frames: impl Iterator<Item = &'f [u8]>) {
    let socket = PacketSocket::sender(namespace, interface).unwrap();
    frames.for_each(|frame| socket.send(frame).unwrap());
}

/// What comes in by an interface while `act` runs and until `last` has come.
pub fn listening(
    namespace: &Namespace,
    interface: &str,
    last: &[u8],
    act: impl FnOnce(),
) -> Vec<Vec<u8>> {
    let socket = PacketSocket::listener(namespace, interface).unwrap();
    act();
    let mut seen = Vec::new();
    loop {
        let frame = socket.receive().expect("the last frame");
        if frame == last {
            return seen;
        }
        seen.push(frame);
    }
}
