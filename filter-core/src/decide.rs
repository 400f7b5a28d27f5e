//! The decision over one frame.

use crate::{
    abi::Settings,
    dns,
    headers::{self, Protocol, Transport},
    name::Name,
    packet::Packet,
    reason::Reason,
    rules::Rules,
    tls,
};

/// Decides over a frame that starts with its Ethernet header; the verdict follows from the reason.
///
/// The name that was judged last is left in `name`, with the rule that blocks it; it means something only if the reason
/// is about a name.
#[inline(always)]
pub fn decide<P: Packet + ?Sized, R: Rules>(packet: &P, settings: &Settings, rules: &R, name: &mut Name) -> Reason {
    let mut judge = Judge { packet, settings, rules, name };
    judge.frame().unwrap_or_else(|reason| reason)
}

/// All that judging the names of a packet takes.
pub struct Judge<'p, P: ?Sized, R> {
    /// The frame.
    pub packet: &'p P,
    /// The settings in force.
    pub settings: &'p Settings,
    /// The rules in force.
    pub rules: &'p R,
    /// Room for the name that is judged.
    pub name: &'p mut Name,
}

/// A reason that ends the judging early is the `Err` of these, so that `?` passes it on.
impl<P: Packet + ?Sized, R: Rules> Judge<'_, P, R> {
    #[inline(always)]
    fn frame(&mut self) -> Result<Reason, Reason> {
        let transport = Transport::of(self.packet)?;
        match transport.protocol {
            Protocol::Udp => self.datagram(&transport),
            Protocol::Tcp => self.segment(&transport),
        }
    }

    #[inline(always)]
    fn datagram(&mut self, transport: &Transport) -> Result<Reason, Reason> {
        let (port, at, end) = headers::udp(self.packet, transport)?;
        if !self.settings.is_dns_port(port) {
            return Err(Reason::UdpOther);
        }
        Ok(P::dns_message(self, at, end))
    }

    #[inline(always)]
    fn segment(&mut self, transport: &Transport) -> Result<Reason, Reason> {
        let (at, end) = headers::tcp(self.packet, transport)?;
        if tls::starts_hello(self.packet, at, end)? {
            Ok(P::client_hello(self, at, end))
        } else {
            Err(Reason::TcpOther)
        }
    }

    /// Judges the question of the DNS message from `at` to `end`.
    #[inline(always)]
    pub fn dns_message(&mut self, at: u32, end: u32) -> Reason {
        dns::message(self, at, end).unwrap_or_else(|reason| reason)
    }

    /// Judges the server names of the ClientHello that starts at `at`, in a segment whose payload ends at `end`.
    #[inline(always)]
    pub fn client_hello(&mut self, at: u32, end: u32) -> Reason {
        tls::client_hello(self, at, end).unwrap_or_else(|reason| reason)
    }

    /// True if a rule blocks the name that was read last.
    #[inline(always)]
    pub(crate) fn is_blocked(&mut self) -> bool {
        self.rules.any_matches::<P>(self.name, &self.settings.hash_key)
    }
}
