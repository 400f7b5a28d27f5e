//! The program in the kernel, one frame at a time.

use filter_core::{Reason, Verdict};
use filter_user::kernel::{Filter, Judged, LoadOptions};
use frames::Wrap;

fn filter(rules: &[&str]) -> Filter {
    let options = LoadOptions { max_rules: 100, dns_ports: vec![53], events_per_second: 1000 };
    let mut filter = Filter::load(&options).unwrap();
    for rule in rules {
        let key = filter.hash_key().rule_key(rule).unwrap();
        filter.insert(key).unwrap();
    }
    filter
}

fn judge(filter: &mut Filter, frame: &[u8]) -> Judged {
    filter.test_bed().unwrap().judge(frame).unwrap()
}

#[test]
fn budget() {
    println!("{:?}", filter(&[]).program().unwrap());
}

#[test]
fn a_listed_name_is_dropped_and_its_neighbour_passes() {
    let mut filter = filter(&["ads.example.com"]);
    for (name, verdict, reason) in [
        ("ads.example.com", Verdict::Drop, Reason::DnsBlocked),
        ("x.ADS.example.com", Verdict::Drop, Reason::DnsBlocked),
        ("example.com", Verdict::Pass, Reason::DnsNotListed),
    ] {
        let judged = judge(&mut filter, &Wrap::v4(53).udp(&frames::query(name)));
        assert_eq!((judged.verdict, judged.reason), (Some(verdict), reason), "{name}");
        assert_eq!(judged.name, name.to_ascii_lowercase());
    }
    for (name, verdict, reason) in [
        ("ads.example.com", Verdict::Drop, Reason::TlsBlocked),
        ("example.com", Verdict::Pass, Reason::TlsNotListed),
    ] {
        let judged = judge(&mut filter, &Wrap::v6(443).tcp(&frames::client_hello(name)));
        assert_eq!((judged.verdict, judged.reason), (Some(verdict), reason), "{name}");
        assert_eq!(judged.name, name);
    }
    println!("{:?}", filter.program().unwrap());
    for (what, frame) in [
        ("dns miss", Wrap::v4(53).udp(&frames::query("www.example.com"))),
        ("dns hit", Wrap::v4(53).udp(&frames::query("ads.example.com"))),
        ("tls miss", Wrap::v4(443).tcp(&frames::client_hello("www.example.com"))),
        ("tls hit", Wrap::v4(443).tcp(&frames::client_hello("ads.example.com"))),
        ("udp other", Wrap::v4(5300).udp(&[0; 100])),
        ("tcp other", Wrap::v4(5300).tcp(&[0; 1000])),
    ] {
        let mut bed = filter.test_bed().unwrap();
        println!("{what}: {:?} noop {:?}", bed.time(&frame, 1_000_000).unwrap(), bed.time_noop(&frame, 1_000_000).unwrap());
    }
}
