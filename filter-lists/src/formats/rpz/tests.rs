use crate::{Format, ListOptions, tests::lines_of};

const HEAD: &str =
    "$TTL 300\n@ SOA localhost. root.localhost. 1 43200 3600 259200 300\n  NS localhost.\n";

#[test]
fn a_name_is_blocked_alone_and_a_wildcard_below_it() {
    assert_eq!(
        rpz("a.example CNAME .\n*.a.example CNAME .\n*.zip CNAME .\nzip CNAME .\n"),
        [
            "block name a.example",
            "block subdomains a.example",
            "block subdomains zip",
            "- single_label"
        ]
    );
}

#[test]
fn each_action_does_what_it_is_called() {
    for (record, rule) in [
        ("CNAME .", "block name a.example"),
        ("CNAME *.", "block name a.example"),
        ("CNAME rpz-drop.", "block name a.example"),
        ("CNAME rpz-passthru.", "allow name a.example"),
        ("CNAME a.example.", "allow name a.example"),
        ("CNAME rpz-tcp-only.", "- setting rpz-tcp-only"),
        ("CNAME garden.example.", "block name a.example"),
        ("CNAME rpz-passthru", "block name a.example"),
        ("A 192.0.2.1", "block name a.example"),
        ("AAAA 2001:db8::1", "block name a.example"),
        ("TXT \"why (not)\"", "block name a.example"),
        ("300 IN CNAME . ; why", "block name a.example"),
        ("IN 300 CNAME .", "block name a.example"),
        ("in cname .", "block name a.example"),
    ] {
        assert_eq!(rpz(&format!("a.example {record}\n")), [rule], "{record}");
        assert_eq!(rpz(&format!("A.Example\t{record}")), [rule], "{record}");
    }
}

#[test]
fn triggers_other_than_query_names_are_counted_by_their_names() {
    assert_eq!(
        rpz("32.1.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-client-ip CNAME rpz-drop.\n"),
        ["- setting rpz-ip", "- setting rpz-client-ip"]
    );
    assert_eq!(
        rpz("ns.a.example.rpz-nsdname CNAME .\n32.1.2.0.192.rpz-nsip A 192.0.2.1\n"),
        ["- setting rpz-nsdname", "- setting rpz-nsip"]
    );
}

#[test]
fn an_entry_may_go_over_several_lines() {
    let soa = "@ IN SOA localhost. root.localhost. (\n 1 ; serial (one)\n 2 3 4\n 5 )\n";
    assert_eq!(
        lines_of(
            Format::Rpz,
            &format!("{soa}a.example CNAME .\n"),
            ListOptions::default()
        ),
        ["block name a.example"]
    );
    assert_eq!(
        rpz("a.example (\n CNAME\n . )\nb.example CNAME ."),
        ["block name a.example", "block name b.example"]
    );
    assert_eq!(
        rpz("a.example TXT ( \"b.example CNAME .\"\nc.example CNAME .\n"),
        ["- record"]
    );
}

#[test]
fn a_record_without_an_owner_has_that_of_the_last_one() {
    assert_eq!(
        rpz("a.example A 192.0.2.1\n  AAAA 2001:db8::1\n"),
        ["block name a.example", "block name a.example"]
    );
    assert_eq!(
        rpz("b.example CNAME .\n\tTXT b\n"),
        ["block name b.example", "block name b.example"]
    );
}

#[test]
fn names_are_those_below_the_zone_however_they_are_written() {
    let zone = |text: &str| {
        let soa = "@ SOA localhost. root.localhost. 1 2 3 4 5\n";
        lines_of(
            Format::Rpz,
            &format!("$ORIGIN rpz.example.\n{soa}{text}"),
            ListOptions::default(),
        )
    };
    assert_eq!(zone("a.example CNAME .\n"), ["block name a.example"]);
    assert_eq!(
        zone("a.example.rpz.example. CNAME .\n"),
        ["block name a.example"]
    );
    assert_eq!(
        zone("a.example.RPZ.Example. A 192.0.2.1\n"),
        ["block name a.example"]
    );
    assert_eq!(zone("a.example. CNAME .\n"), ["- outside_zone"]);
    assert_eq!(
        zone("$ORIGIN example.rpz.example.\na CNAME .\n*.b A 192.0.2.1\n"),
        ["block name a.example", "block subdomains b.example"]
    );
    assert_eq!(
        zone("$ORIGIN example\na CNAME .\n"),
        ["block name a.example"]
    );
    assert_eq!(
        zone("$ORIGIN other.example.\na CNAME .\n"),
        ["- outside_zone"]
    );
    assert_eq!(zone("rpz.example. NS localhost.\n@ TXT x\n"), [""; 0]);
}

#[test]
fn the_soa_record_names_a_zone_that_has_no_origin() {
    let text = "rpz.example. SOA localhost. root.localhost. 1 2 3 4 5\na.example CNAME .\nb.example.rpz.example. CNAME .\n";
    assert_eq!(
        lines_of(Format::Rpz, text, ListOptions::default()),
        ["block name a.example", "block name b.example"]
    );
    assert_eq!(rpz("a.example. CNAME .\n"), ["- outside_zone"]);
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_loads() {
    assert_eq!(
        rpz("a.example A 192.0.2\nb.example FOO 1\n$GENERATE 1-9 x$ CNAME .\nc.example CNAME .\n"),
        [
            "- record",
            "- record",
            "- setting $GENERATE",
            "block name c.example"
        ]
    );
}

fn rpz(text: &str) -> Vec<String> {
    lines_of(
        Format::Rpz,
        &format!("{HEAD}{text}"),
        ListOptions::default(),
    )
}

#[test]
fn actions_are_names_and_names_have_no_case() {
    for (record, rule) in [
        ("CNAME RPZ-PASSTHRU.", "allow name a.example"),
        ("IN CNAME Rpz-Drop.", "block name a.example"),
        ("CNAME RPZ-TCP-ONLY.", "- setting rpz-tcp-only"),
        ("(CNAME\n RPZ-Passthru.)", "allow name a.example"),
    ] {
        assert_eq!(rpz(&format!("a.example {record}\n")), [rule], "{record}");
    }
}

#[test]
fn times_may_have_units_wherever_they_stand() {
    let head = "$TTL 3H\n@ 1D IN SOA LOCALHOST. blocked ( 1 1h 15M 30d2H 2w )\n 1w NS LOCALHOST.\n";
    for record in [
        "1h IN CNAME .",
        "IN 1h30m CNAME .",
        "1H CNAME .",
        "CNAME . ; 1h",
        "( 1h\n CNAME\n . )",
    ] {
        let text = format!("{head}a.example {record}\n");
        assert_eq!(
            lines_of(Format::Rpz, &text, ListOptions::default()),
            ["block name a.example"],
            "{record}"
        );
    }
    assert_eq!(
        rpz("1h.example CNAME .\n1h 1h CNAME .\n"),
        ["block name 1h.example", "- single_label"]
    );
}

#[test]
fn a_dump_from_the_root_on_has_the_names_of_its_zone() {
    let head = "$ORIGIN .\n$TTL 300\t; 5 minutes\nrpz.test\t\tIN SOA\tlocalhost. root.localhost. (\n\t\t1 ; serial\n\t\t\
                3600 600 604800 300 )\n\t\t\tNS\tlocalhost.\n";
    let dump = |text: &str| {
        lines_of(
            Format::Rpz,
            &format!("{head}{text}"),
            ListOptions::default(),
        )
    };
    assert_eq!(
        dump("a.example.rpz.test CNAME .\n"),
        ["block name a.example"]
    );
    assert_eq!(
        dump(
            "$ORIGIN example.rpz.test.\nads\t\tCNAME\t.\n*.ads\t\tCNAME\t.\n$ORIGIN b.example.rpz.test.\n*\tCNAME *.\n"
        ),
        [
            "block name ads.example",
            "block subdomains ads.example",
            "block subdomains b.example"
        ]
    );
    assert_eq!(
        dump("a.example CNAME .\nrpz.test TXT x\n$ORIGIN test.\nrpz MX 1 a.\n"),
        ["- outside_zone"]
    );
}

#[test]
fn another_soa_record_begins_another_zone() {
    let zone = |name: &str| format!("{name}. SOA a. b. 1 2 3 4 5\nads.{name}.{name}. CNAME .\n");
    let text = zone("one.test") + &zone("two.test") + "c.example CNAME .\n";
    assert_eq!(
        lines_of(Format::Rpz, &text, ListOptions::default()),
        [
            "block name ads.one.test",
            "block name ads.two.test",
            "block name c.example"
        ]
    );
}

#[test]
fn escaped_octets_are_the_letters_that_they_are() {
    assert_eq!(
        rpz("\\097.ex\\ample CNAME .\n\\065ds.example A 192.0.2.1\na\\.b.example CNAME .\n"),
        [
            "block name a.example",
            "block name ads.example",
            "- foreign"
        ]
    );
}
