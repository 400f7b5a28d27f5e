//! The programs for a lab whose kernel has no VLAN interfaces: one puts tags around all that leaves
//! an interface, the other takes them off what comes in, as the interfaces of these VLANs do.
#![no_std]
#![no_main]
#![expect(
    clippy::inline_always,
    reason = "a function of its own could not give two values"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "the kernel hands the context to a program by value"
)]
#![expect(
    missing_docs,
    reason = "the macro that exports a program drops its documentation"
)]

#[path = "../../filter-ebpf/src/object.rs"]
mod object;

use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT},
    helpers::generated::{bpf_skb_vlan_pop, bpf_skb_vlan_push},
    macros::{classifier, map},
    maps::Array,
    programs::TcContext,
};

/// Tags of a frame at most.
const MOST: u32 = 2;

/// The tags, the outermost first: the protocol in the upper half, the number of the VLAN in the
/// lower. 0 is none.
#[map]
static TAGS: Array<u32> = Array::with_max_entries(MOST, 0);

/// Puts the tags in.
#[classifier]
pub fn tag(ctx: TcContext) -> i32 {
    for place in (0..MOST).rev() {
        let (protocol, id) = tag_at(place);
        // SAFETY: the context is the program's own.
        if id != 0 && unsafe { bpf_skb_vlan_push(ctx.skb.skb, protocol, id) } != 0 {
            return TC_ACT_SHOT;
        }
    }
    TC_ACT_OK
}

/// Takes the tags out. What has not all of them is of another VLAN, and dropped.
#[classifier]
pub fn untag(ctx: TcContext) -> i32 {
    /// The number of the VLAN in the control information (IEEE 802.1Q §9.6).
    const ID: u32 = 0x0fff;

    for place in 0..MOST {
        let (protocol, id) = tag_at(place);
        if id == 0 {
            continue;
        }
        // SAFETY: the kernel hands the program a valid context. It has taken the outermost tag out
        // of the frame by now.
        let (is_tagged, control, found) = unsafe {
            let skb = &*ctx.skb.skb;
            (skb.vlan_present != 0, skb.vlan_tci, skb.vlan_proto)
        };
        let is_ours = is_tagged && control & ID == u32::from(id) && found == u32::from(protocol);
        // SAFETY: the context is the program's own.
        if !is_ours || unsafe { bpf_skb_vlan_pop(ctx.skb.skb) } != 0 {
            return TC_ACT_SHOT;
        }
    }
    TC_ACT_OK
}

/// The protocol as it is on the wire, and the number.
#[inline(always)]
fn tag_at(place: u32) -> (u16, u16) {
    let tag = TAGS.get(place).copied().unwrap_or_default();
    (((tag >> 16) as u16).to_be(), tag as u16)
}
