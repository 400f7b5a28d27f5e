use filter_core::Reason;
use frames::Wrap;

use super::*;

/// IEEE 802.1Q, IEEE 802.1ad, and what switches wrote for two tags before.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const ETHER_TYPE: usize = 12;

#[test]
fn names_are_judged_without_a_vlan_tag_and_behind_one_of_each_kind() {
    for wrap in [Wrap::v4(53), Wrap::v6(53)] {
        assert_queries_are_judged("untagged", |query| wrap.udp(query));
        for tag in TAGS {
            assert_queries_are_judged(&format!("{tag:#x}"), |query| {
                frames::tagged(&wrap.udp(query), &[tag])
            });
        }
    }
}

#[test]
fn names_are_judged_behind_two_tags_of_any_kinds() {
    for outer in TAGS {
        for inner in TAGS {
            let what = format!("{outer:#x} {inner:#x}");
            assert_queries_are_judged(&what, |query| {
                frames::tagged(&Wrap::v4(53).udp(query), &[outer, inner])
            });
            assert_hellos_are_judged(&what, |hello| {
                frames::tagged(&Wrap::v6(443).tcp(hello), &[outer, inner])
            });
        }
    }
}

#[test]
fn the_tags_that_etherparse_writes_are_looked_behind() {
    for tags in 0..=2 {
        assert_queries_are_judged("IPv4", |query| Wrap::v4(53).vlan(tags).udp(query));
        assert_hellos_are_judged("IPv6", |hello| Wrap::v6(443).vlan(tags).tcp(hello));
    }
}

#[test]
fn behind_a_third_tag_nothing_is_looked_at() {
    for tag in TAGS {
        let frame = frames::tagged(&listed_query(&Wrap::v4(53)), &[tag; 3]);
        assert_reason(&frame, Reason::NotIp, &format!("{tag:#x}"));
    }
}

#[test]
fn what_is_not_ip_passes_as_that() {
    let query = listed_query(&Wrap::v4(53));
    // ARP, LLDP, MPLS, PPPoE, and the length field of an LLC frame.
    for ether_type in [0x0806, 0x88cc, 0x8847, 0x8864, 0x0026_u16] {
        let frame = with(&query, ETHER_TYPE, &ether_type.to_be_bytes());
        assert_reason(&frame, Reason::NotIp, &format!("{ether_type:#x}"));
    }
    assert_reason(&query, Reason::DnsBlocked, "as it was");
}

#[test]
fn a_frame_that_ends_in_its_tags_is_cut() {
    let frame = frames::tagged(&listed_query(&Wrap::v4(53)), &[0x88a8, 0x8100]);
    for end in 14..22 {
        assert_reason(&frame[..end], Reason::HeadersCut, &format!("{end} bytes"));
    }
    assert_reason(&frame, Reason::DnsBlocked, "whole");
}
