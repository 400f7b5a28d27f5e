use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{
    prelude::{any, prop_oneof},
    proptest,
    strategy::Strategy,
};

use crate::config::{Member, MemberError};

fn member(text: &str) -> Result<Member, String> {
    text.parse().map_err(|error: MemberError| error.to_string())
}

fn subnet(address: &str, prefix: u8) -> Member {
    Member::Subnet {
        address: address.parse().unwrap(),
        prefix,
    }
}

#[test]
fn addresses_subnets_and_macs_are_members() {
    assert_eq!(member("192.0.2.200"), Ok(subnet("192.0.2.200", 32)));
    assert_eq!(member("192.0.2.200/32"), Ok(subnet("192.0.2.200", 32)));
    assert_eq!(member("192.0.2.16/28"), Ok(subnet("192.0.2.16", 28)));
    assert_eq!(member("0.0.0.0/0"), Ok(subnet("0.0.0.0", 0)));
    assert_eq!(member("2001:DB8::1"), Ok(subnet("2001:db8::1", 128)));
    assert_eq!(member("2001:db8:1::/64"), Ok(subnet("2001:db8:1::", 64)));
    assert_eq!(member("::/0"), Ok(subnet("::", 0)));
    assert_eq!(
        member("02:00:5e:10:00:0F"),
        Ok(Member::Mac([2, 0, 0x5e, 0x10, 0, 0xf]))
    );
    assert_eq!(
        member("02-00-5e-10-00-0f"),
        Ok(Member::Mac([2, 0, 0x5e, 0x10, 0, 0xf]))
    );
}

#[test]
fn what_is_nothing_of_these_is_none() {
    for text in [
        "",
        "x",
        "/",
        "/24",
        "192.0.2",
        "192.0.2.256",
        "192.0.02.1",
        " 192.0.2.1",
        "192.0.2.0-15",
        "2001:db8::g",
        "fe80::1%eth0",
        "02:00:5e:10:00",
        "02:00:5e:10:00:01:02",
        "02:00:5e:10:00:1",
        "02:00-5e:10:00:01",
        "+2:00:5e:10:00:01",
        "02005e100001",
        "02:00:5e:10:00:01/48",
    ] {
        let expected = format!(
            "`{text}` is no address, subnet or MAC: write one as in 192.0.2.7, 192.0.2.0/24, 2001:db8::/64 or \
             02:00:5e:10:00:01"
        );
        assert_eq!(member(text), Err(expected));
    }
}

#[test]
fn a_prefix_is_no_longer_than_the_address() {
    for text in [
        "192.0.2.0/33",
        "192.0.2.0/",
        "192.0.2.0/+8",
        "192.0.2.0/-1",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/24/24",
    ] {
        let expected = format!(
            "`{text}` is no subnet: behind the slash of an IPv4 subnet goes a number from 0 to 32"
        );
        assert_eq!(member(text), Err(expected));
    }
    for text in ["::/129", "::/1000", "::/x"] {
        let expected = format!(
            "`{text}` is no subnet: behind the slash of an IPv6 subnet goes a number from 0 to 128"
        );
        assert_eq!(member(text), Err(expected));
    }
}

#[test]
fn bits_behind_the_prefix_are_an_error_that_names_the_subnet() {
    for (text, network) in [
        ("192.0.2.17/28", "192.0.2.16/28"),
        ("192.0.2.1/0", "0.0.0.0/0"),
        ("192.0.2.1/31", "192.0.2.0/31"),
        ("2001:db8:1::1/64", "2001:db8:1::/64"),
        ("2001:db8::1/0", "::/0"),
        ("2001:db8::1/127", "2001:db8::/127"),
    ] {
        let expected = format!(
            "`{text}` is an address within the subnet {network}: write {network} for the subnet, or the address alone"
        );
        assert_eq!(member(text), Err(expected));
    }
}

#[test]
fn ipv4_in_the_form_of_ipv6_is_an_error_that_names_it_as_ipv4() {
    for (text, plain) in [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.0/124", "192.0.2.0/28"),
        ("::ffff:192.0.2.1/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ] {
        let expected =
            format!("`{text}` is IPv4 in the form of IPv6, which is in no packet: write {plain}");
        assert_eq!(member(text), Err(expected));
    }
    // Other addresses that end in one of IPv4 are addresses.
    assert_eq!(
        member("64:ff9b::192.0.2.1"),
        Ok(subnet("64:ff9b::c000:201", 128))
    );
}

#[test]
fn a_mac_is_that_of_one_station() {
    for text in [
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:01",
        "33:33:00:00:00:01",
        "00:00:00:00:00:00",
    ] {
        let error = format!(
            "`{text}` is the MAC of no single client: write that of one, as in 02:00:5e:10:00:01"
        );
        assert_eq!(member(text), Err(error));
    }
    assert!(member("fe:ff:ff:ff:ff:ff").is_ok());
}

fn any_subnet() -> impl Strategy<Value = (IpAddr, u8)> {
    let v4 = (
        any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        0..=32_u8,
    );
    let v6 = (
        any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
        0..=128_u8,
    );
    prop_oneof![v4, v6]
}

proptest! {
    #[test]
    fn the_subnet_that_an_error_names_is_one_and_has_the_address((address, prefix) in any_subnet()) {
        let found = match format!("{address}/{prefix}").parse() {
            Ok(member) => member,
            Err(MemberError::Within { subnet, .. }) => subnet,
            Err(other) => panic!("{other}"),
        };
        let Member::Subnet { address: network, prefix: same } = found else { panic!("{found}") };
        assert_eq!((found.to_string().parse(), same), (Ok(found), prefix));
        let differing = match (address, network) {
            (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
            (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
            _ => panic!("{found}"),
        };
        assert!(differing >= u32::from(prefix));
    }

    #[test]
    fn a_mac_is_read_as_it_is_written(octets in any::<[u8; 6]>()) {
        let written = Member::Mac(octets).to_string();
        match written.parse::<Member>() {
            Ok(member) => assert_eq!(member, Member::Mac(octets)),
            Err(error) => {
                assert!(octets[0] % 2 == 1 || octets == [0; 6], "{written}");
                assert_eq!(error, MemberError::NoStation(written));
            }
        }
    }

    #[test]
    fn any_text_is_a_member_or_an_error(text in prop_oneof![any::<String>(), "[0-9a-f:./-]{0,24}"]) {
        if let Ok(member) = text.parse::<Member>() {
            assert_eq!(member.to_string().parse(), Ok(member));
        }
    }
}
