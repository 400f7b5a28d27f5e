use crate::{Format, ListOptions, Trust, tests::lines_of};

#[test]
fn two_bars_and_a_separator_are_about_a_name_and_all_below_it() {
    for rule in [
        "||a.example^",
        "||A.Example^|",
        "||a.example^*",
        "||a.example/^",
        "||a.example/",
        "||a.example^$document",
        "||a.example^$doc",
    ] {
        assert_eq!(adblock(rule), ["block subtree a.example"], "{rule}");
    }
    assert_eq!(adblock("||zip^"), ["block subtree zip"]);
    assert_eq!(adblock("||укр^$doc"), ["block subtree xn--j1amh"]);
    assert_eq!(adblock("||*.bid^"), ["block subdomains bid"]);
    assert_eq!(adblock("||*.укр^"), ["block subdomains xn--j1amh"]);
}

#[test]
fn other_ways_to_write_a_name_are_about_it_alone() {
    for rule in [
        "|a.example^",
        "|a.example|",
        "a.example",
        "0.0.0.0 a.example # why",
        "a.example # why",
        "://a.example^",
    ] {
        assert_eq!(adblock(rule), ["block name a.example"], "{rule}");
    }
    assert_eq!(adblock(".a.example^"), ["block subdomains a.example"]);
    assert_eq!(
        adblock("127.0.0.1 a.example b.example"),
        ["block name a.example", "block name b.example"]
    );
}

#[test]
fn what_does_not_end_is_a_pattern() {
    for (rule, pattern) in [
        ("||example.com", r"(?:^|\.)example\.com"),
        ("||ads*.a.example^", r"(?:^|\.)ads.*\.a\.example$"),
        ("|ads.", r"^ads\."),
        ("ads.a*", r"ads\.a"),
        ("-ad-", r"\-ad\-"),
        (".ads.", r"\.ads\."),
        ("_ads.js", r"_ads\.js"),
        ("://ads.", r"^ads\."),
        ("a.example^", r"a\.example$"),
        ("||exam.", r"(?:^|\.)exam\."),
        ("a.example$important", r"a\.example"),
    ] {
        let action = if rule.ends_with("important") {
            "block_important"
        } else {
            "block"
        };
        assert_eq!(
            adblock(rule),
            [format!("{action} pattern {pattern}")],
            "{rule}"
        );
    }
}

#[test]
fn a_regular_expression_is_a_name_where_it_says_no_more() {
    assert_eq!(adblock(r"/^ad[0-9]+\./"), [r"block pattern ^ad[0-9]+\."]);
    assert_eq!(adblock(r"/(^|\.)a\.example$/"), ["block subtree a.example"]);
    assert_eq!(
        adblock(r"@@/^ok\.a\.example$/$important"),
        ["allow_important name ok.a.example"]
    );
    assert_eq!(adblock(r"/^(?!ok)/"), ["- pattern"]);
    assert_eq!(adblock(r"/a\.example\/x/"), ["- no_name"]);
}

#[test]
fn exceptions_and_importance_are_actions() {
    assert_eq!(adblock("@@||a.example^"), ["allow subtree a.example"]);
    assert_eq!(
        adblock("||a.example^$important"),
        ["block_important subtree a.example"]
    );
    assert_eq!(
        adblock("@@||a.example^$important"),
        ["allow_important subtree a.example"]
    );
    assert_eq!(
        adblock("||a.example^$badfilter"),
        ["cancel block subtree a.example"]
    );
    assert_eq!(
        adblock("@@|a.example^$important,badfilter"),
        ["cancel allow_important name a.example"]
    );
}

#[test]
fn a_modifier_that_says_something_else_leaves_the_rule_out_under_its_name() {
    for (rule, name) in [
        ("||a.example^$third-party", "third-party"),
        ("||a.example^$script,domain=b.example", "script"),
        ("||a.example^$all", "all"),
        ("||a.example^$popup", "popup"),
        ("||a.example^$client=192.0.2.1", "client"),
        ("||a.example^$dnstype=AAAA", "dnstype"),
        ("||zip^$denyallow=a.zip|b.zip", "denyallow"),
        ("||a.example^$ctag=device_tv", "ctag"),
        ("||a.example^$dnsrewrite=NOERROR;A;192.0.2.1", "dnsrewrite"),
        ("@@||a.example^$document", "document"),
        ("@@||a.example^$generichide", "generichide"),
        ("||a.example^$~script", "script"),
        ("||a.example^$nonsense", "another modifier"),
        (r"/^ads\./$third-party", "third-party"),
    ] {
        assert_eq!(adblock(rule), [format!("- modifier {name}")], "{rule}");
    }
}

#[test]
fn rules_for_pages_and_urls_are_counted() {
    for rule in [
        "a.example##.ad",
        "##.ad",
        "a.example#@#.ad",
        "a.example#$#body {}",
        "a.example$$script[x]",
        "#?#a:b",
    ] {
        assert_eq!(adblock(rule), ["- cosmetic"], "{rule}");
    }
    for rule in [
        "||a.example/x",
        "/ads.",
        "/ads.*",
        "/banner.js",
        "||a.example^x",
        "/banner/ads^",
        "||a.example:8080^",
        "|https://a.example^",
        "&ad=",
        "||a.example/x*",
    ] {
        assert_eq!(adblock(rule), ["- url"], "{rule}");
    }
    for rule in [
        "||192.0.2.1^",
        "||[2001:db8::1]^",
        "192.0.2.1",
        "|192.0.2.1^",
    ] {
        assert_eq!(adblock(rule), ["- address"], "{rule}");
    }
}

#[test]
fn what_is_about_every_name_or_none_is_refused() {
    for rule in ["*", "||*", "||", "|", "||*^", "ads", "@@*"] {
        assert_eq!(adblock(rule), ["- too_general"], "{rule}");
    }
    for rule in [
        "||exam.^",
        "||.a.example^",
        "|exam.^",
        "a,example",
        "||a.example|",
    ] {
        assert_eq!(adblock(rule), ["- no_name"], "{rule}");
    }
}

#[test]
fn comments_and_headers_hold_nothing() {
    assert_eq!(
        adblock("[Adblock Plus 2.0]\n! title\n# title\n#\n\n[AdGuard; uBlock]\n"),
        [""; 0]
    );
}

fn adblock(text: &str) -> Vec<String> {
    lines_of(Format::AdBlock, text, ListOptions::default())
}

#[test]
fn a_list_that_is_trusted_to_block_only_has_no_exceptions() {
    let trusted = ListOptions {
        trust: Trust::Block,
        ..ListOptions::default()
    };
    // Of each reason, three lines are examples.
    for (exceptions, [first, second, third]) in [
        (
            "@@||b.example^\n@@/^ad[0-9]/\n||c.example^$badfilter",
            ["- untrusted"; 3],
        ),
        (
            "@@/x\\.example/\n@@b.example\n@@|b.example^$important",
            ["- untrusted"; 3],
        ),
    ] {
        let text = format!("||a.example^\n{exceptions}\n||d.example^$important");
        let expected = [
            "block subtree a.example",
            first,
            second,
            third,
            "block_important subtree d.example",
        ];
        assert_eq!(lines_of(Format::AdBlock, &text, trusted), expected);
    }
    let allows = ListOptions {
        allow: true,
        ..trusted
    };
    assert_eq!(
        lines_of(Format::AdBlock, "@@||b.example^", allows),
        ["allow subtree b.example"]
    );
}
