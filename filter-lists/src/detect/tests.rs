use super::*;

#[test]
fn each_format_is_told_by_its_lines() {
    for (text, expected) in [
        ("0.0.0.0 a.example\n0.0.0.0 b.example", Format::Hosts),
        ("a.example\nb.example # why", Format::Domains),
        ("*.a.example\n*.b.example\n", Format::Wildcard),
        ("! title\n||a.example^", Format::AdBlock),
        ("[Adblock Plus]\na.example\nb.example", Format::AdBlock),
        (
            "||a.example^$third-party\na.example##.ad\n||b.example^",
            Format::AdBlock,
        ),
        ("# title\naddress=/a.example/#\n", Format::Dnsmasq),
        ("server=/a.example/192.0.2.1\n", Format::Dnsmasq),
        (
            "server:\n  local-zone: \"a.example.\" refuse\n",
            Format::Unbound,
        ),
        (
            "; title\n$TTL 300\n@ IN SOA localhost. root.localhost. 1 2 3 4 5\na.example CNAME .",
            Format::Rpz,
        ),
        ("a.example CNAME .\n*.a.example CNAME .", Format::Rpz),
        (
            "@ IN SOA a. b. (\n 1 ; serial\n 2 3 4 5 )\n IN NS a.\n$INCLUDE list",
            Format::Rpz,
        ),
        ("zone \"a.example\" { type master; };", Format::Bind),
        (
            "zone \"a.example\" {\n  type master;\n  file \"x\";\n};\n",
            Format::Bind,
        ),
        ("a.example\n=b.example\nads.*", Format::Dnscrypt),
        ("*.a.example\n*.ads*.b.example\nc.example", Format::Dnscrypt),
        ("(^|\\.)a\\.example$\n^ad[0-9]+", Format::Regex),
        (
            "a.example\nb.example\n^ad[0-9]+\n^track[0-9]\n(^|\\.)c\\.example$\n^x[0-9]\n^y[0-9]\n^z[0-9]\n",
            Format::Regex,
        ),
        ("/(\\.|^)a\\.example$/", Format::AdBlock),
        ("a.example\nb.example\nfull:c.example", Format::V2fly),
        ("a.example @cn\nb.example", Format::V2fly),
        ("zip\nmov\ninclude:tld-cn", Format::V2fly),
        (
            "# Copyright (c) Maltrail developers\na.example\n192.0.2.1:80",
            Format::Maltrail,
        ),
        ("\u{feff}msFilterList\n-d a.example", Format::Tpl),
        ("{+block{ads}}\n.a.example", Format::Privoxy),
    ] {
        assert_eq!(format(text.as_bytes()), Ok(expected), "{text}");
    }
}

#[test]
fn comments_in_the_style_of_banners_tell_nothing() {
    for (text, expected) in [
        ("address=/a.example/\n", Format::Dnsmasq),
        ("local-zone: \"a.example\" static\n", Format::Unbound),
        ("^ad[0-9]\\.\n", Format::Regex),
        ("a.example CNAME .\n", Format::Rpz),
        ("a.example\n", Format::Domains),
        ("*.a.example\n", Format::Wildcard),
        ("0.0.0.0 a.example\n", Format::Hosts),
    ] {
        let text = format!("########[ Ads ]########\n#$# mine #$#\n{text}## more ##\n#@#\n");
        assert_eq!(format(text.as_bytes()), Ok(expected), "{text}");
    }
}

#[test]
fn few_lines_of_another_format_do_not_change_it() {
    let names = names(100);
    for line in [
        "*.b.example\nb\\.example$",
        "||b.example^",
        "Ads & trackers",
        "The @best list",
        "zip",
        "local-zone:",
        "b.example:80",
        "ads-*.b.example",
        "{+block}",
        "b.example {",
        "<b>",
    ] {
        assert_eq!(
            format(format!("{names}{line}\n").as_bytes()),
            Ok(Format::Domains),
            "{line}"
        );
    }
    for (line, expected) in [
        ("full:b.example", Format::V2fly),
        ("=b.example", Format::Dnscrypt),
        ("||b.example^$important", Format::AdBlock),
    ] {
        assert_eq!(
            format(format!("{names}{line}\n").as_bytes()),
            Ok(expected),
            "no other reader has {line}"
        );
    }
}

#[test]
fn two_formats_that_would_block_differently_are_an_error_that_names_both() {
    for (text, one, other) in [
        (
            names(9) + &"^ad[0-9]+\\.\n".repeat(6),
            Format::Regex,
            Format::Domains,
        ),
        (
            names(9) + &"^ad[0-9]+\\.\n".repeat(4),
            Format::Domains,
            Format::Regex,
        ),
        (
            names(9) + "=b.example\n||c.example^$important\n",
            Format::AdBlock,
            Format::Dnscrypt,
        ),
        (
            "address=/a.example/\nlocal-zone: b.example static\n".into(),
            Format::Dnsmasq,
            Format::Unbound,
        ),
    ] {
        assert_eq!(
            format(text.as_bytes()),
            Err(Unclear::Between(one, other)),
            "{text}"
        );
    }
    assert_eq!(
        Unclear::Between(Format::Regex, Format::Domains).to_string(),
        "can be read as regex and as domains, which would block different names: name its format before the path \
         (`regex:FILE` or `domains:FILE`)"
    );
}

#[test]
fn a_text_of_which_next_to_nothing_can_be_read_is_an_error() {
    let text = "It is a text about a.example.\nNobody would take\nit for a list.\na.example\nAnd so on, and so on.\n";
    assert_eq!(
        format(text.as_bytes()),
        Err(Unclear::NoFormat {
            format: Format::Domains,
            understood: 1,
            entries: 5
        })
    );
    assert_eq!(
        Unclear::NoFormat {
            format: Format::Domains,
            understood: 1,
            entries: 5
        }
        .to_string(),
        "is in no known format: of its first 5 entries 1 can be read as domains, and fewer as any other. If it is a list, \
         name its format before the path (`domains:FILE`)"
    );
}

#[test]
fn a_list_that_tells_nothing_has_names() {
    for text in [
        "",
        "# title\n",
        "???\n",
        "zip\n",
        "[Manager]\n",
        "some words\n",
    ] {
        assert_eq!(format(text.as_bytes()), Ok(Format::Domains), "{text}");
    }
}

#[test]
fn a_line_that_is_cut_says_nothing() {
    let mut text = "a.example\n".repeat(HEAD as usize / 10 + 1).into_bytes();
    text.truncate(HEAD as usize - 5);
    text.extend_from_slice(b"\n||b^");
    assert_eq!(text.len() as u64, HEAD);
    assert_eq!(format(&text), Ok(Format::Domains));
}

fn names(names: usize) -> String {
    (0..names).fold(String::new(), |text, number| {
        text + &format!("n{number}.example\n")
    })
}
