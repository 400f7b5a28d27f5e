//! Buffers that the kernel frees late.

use std::net::{Ipv4Addr, UdpSocket};
use std::thread;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Has each processor receive something over the loopback interface. What one processor has read,
/// the kernel frees on the one that allocated it, when that receives the next time
/// (`skb_defer_free_flush`). Until then the buffers of a veth that has gone are missing in its page
/// pool, and after a minute the kernel's log has a line about that.
pub(crate) fn on_each_processor() {
    // Affinity is a thread's own.
    let receiving = thread::spawn(|| {
        let Ok(allowed) = sched_getaffinity(None) else {
            return;
        };
        for processor in (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)) {
            let mut one = CpuSet::new();
            one.set(processor);
            if sched_setaffinity(None, &one).is_ok() {
                receive();
            }
        }
    });
    // It is a courtesy to what runs next, and no part of what was to be done.
    let _ = receiving.join();
}

fn receive() {
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else {
        return;
    };
    if let Ok(own) = socket.local_addr() {
        let _ = socket.send_to(&[0], own);
    }
}
