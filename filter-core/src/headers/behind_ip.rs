//! What may stand between an IP header and UDP or TCP.

use crate::{packet::Packet, reason::Reason};

/// Protocol numbers (IANA, Assigned Internet Protocol Numbers).
pub(super) mod number {
    pub const HOP_BY_HOP: u8 = 0;
    pub const IPV4: u8 = 4;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const GRE: u8 = 47;
    pub const AUTHENTICATION: u8 = 51;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const MOBILITY: u8 = 135;
    pub const HOST_IDENTITY: u8 = 139;
    pub const SHIM6: u8 = 140;
}

/// True for what may stand between IP and UDP or TCP: an extension header, or a tunnel.
#[inline(always)]
pub(super) fn leads_on(number: u8) -> bool {
    use number::{
        AUTHENTICATION, DESTINATION_OPTIONS, FRAGMENT, GRE, HOP_BY_HOP, HOST_IDENTITY, IPV4, IPV6,
        MOBILITY, ROUTING, SHIM6,
    };
    matches!(
        number,
        HOP_BY_HOP
            | IPV4
            | IPV6
            | ROUTING
            | FRAGMENT
            | GRE
            | AUTHENTICATION
            | DESTINATION_OPTIONS
            | MOBILITY
            | HOST_IDENTITY
            | SHIM6
    )
}

/// What follows an extension header, and its length.
#[inline(always)]
pub(super) fn extension<P: Packet + ?Sized>(
    packet: &P,
    at: u32,
    number: u8,
) -> Result<(u8, u32), Reason> {
    /// Fragment offset in units of eight octets, without the two reserved bits and the
    /// more-fragments flag.
    const FRAGMENT_OFFSET: u8 = 0xf8;

    let read = || packet.read::<4>(at).ok_or(Reason::HeadersCut);
    match number {
        number::HOP_BY_HOP
        | number::ROUTING
        | number::DESTINATION_OPTIONS
        | number::MOBILITY
        | number::HOST_IDENTITY
        | number::SHIM6 => {
            let [next, eights, ..] = read()?;
            Ok((next, (u32::from(eights) + 1) * 8))
        }
        // RFC 4302 §2.2: counted in units of four octets, and less two.
        number::AUTHENTICATION => {
            let [next, fours, ..] = read()?;
            Ok((next, (u32::from(fours) + 2) * 4))
        }
        // RFC 8200 §4.5: only the first fragment has what follows.
        number::FRAGMENT => match read()? {
            [next, _, 0, low] if low & FRAGMENT_OFFSET == 0 => Ok((next, 8)),
            _ => Err(Reason::Fragment),
        },
        _ => Err(Reason::OtherProtocol),
    }
}
