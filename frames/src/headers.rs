//! Ethernet, VLAN, IP and transport headers.

use etherparse::{
    IpHeaders, Ipv4Extensions, Ipv4Header, Ipv4Options, Ipv6Extensions, Ipv6Header,
    Ipv6RawExtHeader, PacketBuilder, PacketBuilderStep, TcpOptionElement, VlanId, ip_number,
};

/// Version of IP, and what is unusual in its header.
#[derive(Clone, Debug)]
pub enum Network {
    /// IPv4 with these options, whose length is a multiple of four.
    V4(Vec<u8>),
    /// IPv6 with hop-by-hop and destination options if set.
    V6 {
        /// Whether extension headers stand before the transport header.
        extensions: bool,
    },
}

/// What the header of a segment says that acknowledges something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header {
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// Whether the sender says no more.
    pub fin: bool,
    /// Whether it is a reset.
    pub rst: bool,
    /// The sender's timestamp, and the one that it echoes (RFC 7323 §3.2).
    pub timestamps: Option<(u32, u32)>,
}

/// What is put around a payload.
#[derive(Clone, Debug)]
pub struct Wrap {
    /// VLAN tags, 0 to 2.
    pub vlan_tags: u8,
    /// The IP header.
    pub network: Network,
    /// Source port.
    pub from: u16,
    /// Destination port.
    pub to: u16,
}

impl Wrap {
    /// IPv4 without options, no VLAN.
    pub fn v4(to: u16) -> Self {
        Self {
            vlan_tags: 0,
            network: Network::V4(Vec::new()),
            from: 40_000,
            to,
        }
    }

    /// IPv6 without extension headers, no VLAN.
    pub fn v6(to: u16) -> Self {
        Self {
            network: Network::V6 { extensions: false },
            ..Self::v4(to)
        }
    }

    /// The same with VLAN tags.
    #[must_use]
    pub fn vlan(self, tags: u8) -> Self {
        Self {
            vlan_tags: tags,
            ..self
        }
    }

    /// A frame with a UDP datagram.
    ///
    /// # Panics
    /// If the payload is too long.
    pub fn udp(&self, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        self.network_step()
            .udp(self.from, self.to)
            .write(&mut frame, payload)
            .expect("a datagram");
        frame
    }

    /// A frame with a TCP segment of an established connection.
    ///
    /// # Panics
    /// If the payload is too long.
    pub fn tcp(&self, payload: &[u8]) -> Vec<u8> {
        self.tcp_at(1_000, payload)
    }

    /// The same, starting at this sequence number.
    ///
    /// # Panics
    /// If the payload is too long.
    pub fn tcp_at(&self, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        let step = self
            .network_step()
            .tcp(self.from, self.to, sequence, 65_000)
            .ack(77)
            .psh();
        step.write(&mut frame, payload).expect("a segment");
        frame
    }

    /// A frame with a segment whose header says this.
    ///
    /// # Panics
    /// If the payload is too long.
    pub fn segment(&self, header: &Header, payload: &[u8]) -> Vec<u8> {
        let mut step = self
            .network_step()
            .tcp(self.from, self.to, header.sequence, 65_000)
            .ack(header.acknowledgement);
        if header.fin {
            step = step.fin();
        }
        if header.rst {
            step = step.rst();
        }
        if let Some((value, echo)) = header.timestamps {
            let options = [
                TcpOptionElement::Noop,
                TcpOptionElement::Noop,
                TcpOptionElement::Timestamp(value, echo),
            ];
            step = step.options(&options).expect("twelve bytes of options");
        }
        let mut frame = Vec::new();
        step.write(&mut frame, payload).expect("a segment");
        frame
    }

    /// The SYN of a connection, with what the client sends along (RFC 7413). The payload has the
    /// sequence number behind this one.
    ///
    /// # Panics
    /// If the payload is too long.
    pub fn syn(&self, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        let step = self
            .network_step()
            .tcp(self.from, self.to, sequence, 65_000)
            .syn();
        step.write(&mut frame, payload).expect("a segment");
        frame
    }

    pub(crate) fn network_step(&self) -> PacketBuilderStep<IpHeaders> {
        let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let id = |id: u16| VlanId::try_new(id).expect("a VLAN id");
        let ip = self.ip_headers();
        match self.vlan_tags {
            0 => link.ip(ip),
            1 => link.single_vlan(id(7)).ip(ip),
            _ => link.double_vlan(id(100), id(7)).ip(ip),
        }
    }

    fn ip_headers(&self) -> IpHeaders {
        match &self.network {
            Network::V4(options) => {
                let mut header =
                    Ipv4Header::new(0, 64, ip_number::UDP, [192, 0, 2, 1], [198, 51, 100, 2])
                        .expect("a header");
                header.options = Ipv4Options::try_from(&options[..]).expect("IPv4 options");
                IpHeaders::Ipv4(header, Ipv4Extensions::default())
            }
            Network::V6 { extensions } => {
                let header = Ipv6Header {
                    hop_limit: 64,
                    source: "2001:db8::1"
                        .parse::<std::net::Ipv6Addr>()
                        .expect("an address")
                        .octets(),
                    destination: "2001:db8:1::2"
                        .parse::<std::net::Ipv6Addr>()
                        .expect("an address")
                        .octets(),
                    ..Ipv6Header::default()
                };
                let padding = |bytes: &[u8]| {
                    Ipv6RawExtHeader::new_raw(ip_number::UDP, bytes).expect("an extension")
                };
                let options = extensions.then(|| Ipv6Extensions {
                    // PadN (RFC 8200 §4.2) over the whole header.
                    hop_by_hop_options: Some(padding(&[1, 4, 0, 0, 0, 0])),
                    destination_options: Some(padding(&[
                        1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                    ])),
                    ..Ipv6Extensions::default()
                });
                IpHeaders::Ipv6(header, options.unwrap_or_default())
            }
        }
    }
}
