//! What the kernel's maps hold. Both sides of the boundary use these types, so neither has a layout of its own.

use core::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use crate::{
    hash::HashKey,
    headers::{Endpoints, Family, Protocol, Transport},
    name::{self, Form, Name},
    reason::Reason,
    rules::RuleKey,
};

/// 64-bit words with a bit for each port.
const PORT_WORDS: usize = (1 << 16) / 64;

/// The one entry of the settings map.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Settings {
    pub(crate) hash_key: HashKey,
    dns_ports: [u64; PORT_WORDS],
    /// Events a second that each CPU may send.
    events_per_second: u64,
}

const _: () = assert!(size_of::<Settings>() == size_of::<HashKey>() + 8 * PORT_WORDS + 8);

impl Settings {
    /// Settings with the ports whose datagrams are DNS.
    pub fn new(hash_key: HashKey, dns_ports: &[u16], events_per_second: u32) -> Self {
        let mut settings =
            Self { hash_key, dns_ports: [0; PORT_WORDS], events_per_second: u64::from(events_per_second) };
        for port in dns_ports {
            if let Some(word) = settings.dns_ports.get_mut(usize::from(port / 64)) {
                *word |= 1 << (port % 64);
            }
        }
        settings
    }

    /// The key under which names are hashed.
    pub fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// Events a second that each CPU may send.
    #[inline(always)]
    pub fn events_per_second(&self) -> u64 {
        self.events_per_second
    }

    /// True if datagrams to this port are DNS.
    #[inline(always)]
    pub(crate) fn is_dns_port(&self, port: u16) -> bool {
        self.dns_ports.get(usize::from(port / 64)).is_some_and(|word| word >> (port % 64) & 1 != 0)
    }
}

/// What the rule map holds for each [`RuleKey`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Packets that the rule blocked.
    pub hits: u64,
}

/// A CPU's room to work in; too large for the kernel's stack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Scratch {
    /// The name that was judged last.
    pub name: Name,
    /// The reason of the last decision on this CPU, for tests.
    pub reason: u32,
    reserved: u32,
}

/// What a CPU may still report.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct EventBudget {
    /// When `left` was last filled up, in nanoseconds of the monotonic clock.
    filled_at: u64,
    left: u64,
}

impl EventBudget {
    const SECOND: u64 = 1_000_000_000;

    /// Takes one event off the budget, which is filled up each second; false if there is none left.
    #[inline(always)]
    pub fn take(&mut self, now: u64, per_second: u64) -> bool {
        if now.wrapping_sub(self.filled_at) >= Self::SECOND {
            self.filled_at = now;
            self.left = per_second;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

/// Octets of a name in an event.
const EVENT_NAME_BYTES: usize = 256;

/// A blocked packet, as the ring buffer carries it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Event {
    time: u64,
    rule: u64,
    source: [u8; 16],
    destination: [u8; 16],
    interface: u32,
    reason: u32,
    source_port: u16,
    destination_port: u16,
    family: u8,
    protocol: u8,
    form: u8,
    name_octets: u8,
    name: [u8; EVENT_NAME_BYTES],
}

const _: () = assert!(size_of::<Event>() == 64 + EVENT_NAME_BYTES && align_of::<Event>() == 8);

impl Event {
    /// Fills in every field. `time` is in nanoseconds of the monotonic clock.
    #[inline(always)]
    pub fn fill(
        &mut self,
        time: u64,
        interface: u32,
        reason: Reason,
        transport: &Transport,
        ends: &Endpoints,
        name: &Name,
    ) {
        self.time = time;
        self.rule = name.matched().0;
        self.source = ends.source;
        self.destination = ends.destination;
        self.interface = interface;
        self.reason = reason.index();
        self.source_port = ends.source_port;
        self.destination_port = ends.destination_port;
        self.family = if matches!(transport.family, Family::V4) { 4 } else { 6 };
        self.protocol = if matches!(transport.protocol, Protocol::Udp) { 17 } else { 6 };
        self.form = name.form() as u8;
        self.name_octets = name.len() as u8;
        if let Some(octets) = name.room().first_chunk() {
            self.name = *octets;
        }
    }

    /// When, in nanoseconds of the monotonic clock.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The rule that blocked.
    pub fn rule(&self) -> RuleKey {
        RuleKey(self.rule)
    }

    /// Index of the interface that the packet came in by.
    pub fn interface(&self) -> u32 {
        self.interface
    }

    /// Why it was blocked; `None` if the bytes are no event of this version.
    pub fn reason(&self) -> Option<Reason> {
        Reason::from_index(self.reason)
    }

    /// Who sent the packet: the client.
    pub fn source(&self) -> SocketAddr {
        SocketAddr::new(self.address(self.source), self.source_port)
    }

    /// Whom it was sent to: the server.
    pub fn destination(&self) -> SocketAddr {
        SocketAddr::new(self.address(self.destination), self.destination_port)
    }

    /// The name that was asked for, written as [`Name`] writes it.
    pub fn name(&self) -> impl fmt::Display {
        let form = if self.form == Form::Wire as u8 { Form::Wire } else { Form::Text };
        let octets = self.name.get(..usize::from(self.name_octets)).unwrap_or_default();
        fmt::from_fn(move |f| name::write_name(f, form, octets))
    }

    fn address(&self, octets: [u8; 16]) -> IpAddr {
        match octets {
            [a, b, c, d, ..] if self.family == 4 => [a, b, c, d].into(),
            _ => octets.into(),
        }
    }
}
