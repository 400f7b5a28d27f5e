//! What becomes of a message that is blocked, as far as its list and its interface say.

use filter_core::{DnsAction, Interface, Message, TcpAction, Treatment};

/// What becomes of the messages that a list blocks on an interface. What stands against an answer to a single packet (the
/// rate, its layers, its ends) is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    dns: DnsAction,
    tcp: TcpAction,
    faces_clients: bool,
}

impl Outcome {
    /// What a list asks for, and the interface where the list says nothing.
    pub fn new(list: &Treatment, interface: &Interface) -> Self {
        let both = list.on(interface.treatment());
        Self { dns: both.dns(), tcp: both.tcp(), faces_clients: interface.faces_clients() }
    }

    /// The word for what becomes of a message.
    pub fn word(self, message: Message, over_tcp: bool) -> &'static str {
        // A response goes on to its client, also from where no clients are.
        if !self.faces_clients && message != Message::Response {
            return DnsAction::Drop.as_str();
        }
        match (message, self.tcp) {
            (Message::ClientHello, _) => self.tcp.as_str(),
            // A query is answered over TCP as in a datagram.
            (Message::Query, _) if self.dns != DnsAction::Drop => self.dns.as_str(),
            (Message::Query | Message::Response, TcpAction::Alert) if over_tcp => TcpAction::Reset.as_str(),
            (Message::Query | Message::Response, _) if over_tcp => self.tcp.as_str(),
            (Message::Query | Message::Response, _) => self.dns.as_str(),
        }
    }

    /// True if a client may hear of what is treated like this.
    pub(super) fn answers(treatment: &Treatment) -> bool {
        treatment.answers_dns() || treatment.answers_tcp()
    }
}

#[cfg(test)]
mod tests {
    use filter_core::Sides;

    use super::*;

    const OF_INTERFACE: Treatment = Treatment::new(DnsAction::NxDomain, TcpAction::Alert);

    fn words(list: Treatment, interface: Interface) -> [&'static str; 4] {
        let outcome = Outcome::new(&list, &interface);
        let messages =
            [(Message::Query, false), (Message::Query, true), (Message::ClientHello, true), (Message::Response, false)];
        messages.map(|(message, over_tcp)| outcome.word(message, over_tcp))
    }

    #[test]
    fn a_list_decides_and_where_it_says_nothing_the_interface() {
        let facing = Interface::new(Sides::Both).facing_clients(OF_INTERFACE);
        assert_eq!(words(Treatment::default(), facing), ["nxdomain", "nxdomain", "alert", "nxdomain"]);
        let list = Treatment::new(DnsAction::Drop, TcpAction::AsInterface);
        assert_eq!(words(list, facing), ["drop", "reset", "alert", "drop"]);
        let list = Treatment::new(DnsAction::NoData, TcpAction::Drop);
        assert_eq!(words(list, facing), ["nodata", "nodata", "drop", "nodata"]);
    }

    #[test]
    fn where_no_clients_are_only_responses_are_answered() {
        let interface = Interface::new(Sides::Both).with_treatment(OF_INTERFACE);
        assert_eq!(words(Treatment::default(), interface), ["drop", "drop", "drop", "nxdomain"]);
    }
}
