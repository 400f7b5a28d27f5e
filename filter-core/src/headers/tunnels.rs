//! The headers of tunnels, and what is known of a packet inside of one.

use super::{
    Family,
    layers::{Layer, Layering, TUNNELS},
    path::{Tunnel, TunnelKind, Within},
};
use crate::{packet::Packet, reason::Reason};

impl<P: Packet + ?Sized> Layering<'_, P> {
    /// Goes on inside of a tunnel, behind this many bytes of its header.
    #[inline(always)]
    pub(super) fn enter(
        &mut self,
        tunnel: Tunnel,
        layer: Layer,
        header: u32,
    ) -> Result<(), Reason> {
        if self.layers.tunnels >= TUNNELS {
            return Err(Reason::OtherProtocol);
        }
        self.within_addresses()?;
        self.layers.path = self.layers.path.with_tunnel(self.key, tunnel);
        self.layers.tunnel = tunnel;
        self.layers.tunnels += 1;
        self.layers.tags = 0;
        self.layers.labels = 0;
        self.layers.extensions = 0;
        self.next(layer, header);
        Ok(())
    }

    /// Notes the addresses of the IP header that was passed last.
    #[inline(always)]
    fn within_addresses(&mut self) -> Result<(), Reason> {
        /// Words of eight bytes that both addresses take.
        const V4_WORDS: u32 = 1;
        const V6_WORDS: u32 = 4;

        let (family, header_at) = self.layers.ip.header();
        let words = if family == Family::V4 {
            V4_WORDS
        } else {
            V6_WORDS
        };
        for place in 0..V6_WORDS {
            if place >= words {
                break;
            }
            let word = self
                .packet
                .read(header_at + family.addresses_at() + 8 * place)
                .map(u64::from_ne_bytes);
            self.within(Within::Addresses, word.ok_or(Reason::HeadersCut)?);
        }
        Ok(())
    }

    /// RFC 7348 §5: a flag that is always set, seven that are ignored, and more; behind eight bytes
    /// is an Ethernet frame.
    #[inline(always)]
    pub(super) fn behind_vxlan(&mut self) -> Result<(), Reason> {
        const IDENTIFIER_IS_VALID: u8 = 0x08;

        let [flags, _, _, _, n0, n1, n2, _] = self
            .packet
            .read::<8>(self.layers.at)
            .ok_or(Reason::HeadersCut)?;
        if flags & IDENTIFIER_IS_VALID == 0 {
            return Err(Reason::UdpOther);
        }
        self.enter(
            Tunnel::new(TunnelKind::Vxlan, u32::from_be_bytes([0, n0, n1, n2])),
            Layer::ETHERNET,
            8,
        )
    }

    /// RFC 8926 §3.4: version 0 and the options' length in units of four bytes, flags, and an
    /// EtherType, in eight bytes before the options.
    #[inline(always)]
    pub(super) fn behind_geneve(&mut self) -> Result<(), Reason> {
        let [version_and_length, _, p0, p1, n0, n1, n2, _] = self
            .packet
            .read::<8>(self.layers.at)
            .ok_or(Reason::HeadersCut)?;
        if version_and_length >> 6 != 0 {
            return Err(Reason::OtherProtocol);
        }
        let options = u32::from(version_and_length & 0x3f) * 4;
        let tunnel = Tunnel::new(TunnelKind::Geneve, u32::from_be_bytes([0, n0, n1, n2]));
        self.enter(
            tunnel,
            Layer::tunnelled(u16::from_be_bytes([p0, p1])),
            8 + options,
        )
    }

    /// RFC 2784 §2, with key and sequence number (RFC 2890 §2): each of three bits adds four bytes.
    #[inline(always)]
    pub(super) fn behind_gre(&mut self) -> Result<(), Reason> {
        const CHECKSUM: u8 = 0x80;
        const KEY: u8 = 0x20;
        const SEQUENCE: u8 = 0x10;
        const OTHERS: u8 = 0x4f;
        /// Bits of the second octet (RFC 2637 §4.1).
        const VERSION: u8 = 7;
        const ENHANCED: u8 = 1;
        const ACKNOWLEDGEMENT: u8 = 0x80;
        /// The only protocol of enhanced GRE.
        const PPP: u16 = 0x880b;

        let [flags, version, p0, p1] = self
            .packet
            .read::<4>(self.layers.at)
            .ok_or(Reason::HeadersCut)?;
        if version & VERSION == ENHANCED
            && u16::from_be_bytes([p0, p1]) == PPP
            && flags & OTHERS == 0
        {
            // RFC 2637 §4.1: the key is a length and a call, and there may be an acknowledgement.
            let word = |is_there: bool| if is_there { 4 } else { 0 };
            let bytes = 8 + word(flags & SEQUENCE != 0) + word(version & ACKNOWLEDGEMENT != 0);
            let call = self
                .packet
                .read(self.layers.at + 6)
                .map(u16::from_be_bytes)
                .ok_or(Reason::HeadersCut)?;
            return self.enter(
                Tunnel::new(TunnelKind::Pptp, call.into()),
                Layer::PPP_FRAME,
                bytes,
            );
        }
        if flags & OTHERS != 0 || version != 0 {
            return Err(Reason::OtherProtocol);
        }
        let word = |flag: u8| if flags & flag != 0 { 4 } else { 0 };
        let key = if flags & KEY != 0 {
            self.packet
                .read(self.layers.at + 4 + word(CHECKSUM))
                .map(u32::from_be_bytes)
                .ok_or(Reason::HeadersCut)?
        } else {
            0
        };
        let header = 4 + word(CHECKSUM) + word(KEY) + word(SEQUENCE);
        self.enter(
            Tunnel::new(TunnelKind::Gre, key),
            Layer::tunnelled(u16::from_be_bytes([p0, p1])),
            header,
        )
    }

    /// RFC 2661 §3.1: a data message of version 2, with as many fields as its flags say.
    #[inline(always)]
    pub(super) fn behind_l2tp(&mut self) -> Result<(), Reason> {
        const CONTROL: u8 = 0x80;
        const LENGTH: u8 = 0x40;
        const SEQUENCE: u8 = 0x08;
        const OFFSET: u8 = 0x02;

        let [flags, version] = self.packet.read(self.layers.at).ok_or(Reason::HeadersCut)?;
        if flags & CONTROL != 0 || version & 0xf != 2 {
            return Err(Reason::UdpOther);
        }
        let field = |flag: u8, bytes: u32| if flags & flag != 0 { bytes } else { 0 };
        // Flags and version, tunnel and session.
        let bytes = 6 + field(LENGTH, 2) + field(SEQUENCE, 4);
        let padding = if flags & OFFSET != 0 {
            let size = self
                .packet
                .read(self.layers.at + bytes)
                .ok_or(Reason::HeadersCut)?;
            2 + u32::from(u16::from_be_bytes(size))
        } else {
            0
        };
        let ids = self
            .packet
            .read(self.layers.at + 2 + field(LENGTH, 2))
            .map(u32::from_be_bytes);
        let tunnel = Tunnel::new(TunnelKind::L2tp, ids.ok_or(Reason::HeadersCut)?);
        self.enter(tunnel, Layer::PPP_FRAME, bytes + padding)
    }
}
