use std::{fs, path::PathBuf};

use filter_lists::Trust;
use proptest::{
    collection::vec, prelude::any, prop_oneof, proptest, sample::select, strategy::Strategy,
};

use super::{good, parse};
use crate::config::{Audience, Config, Entry, List, MAX_FILE, Rules};
use filter_core::{Actions, DnsAction, QuicAction, TcpAction};

const EXAMPLE: &str = include_str!("../example.toml");

fn read(bytes: &[u8]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("namegate.toml");
    fs::write(&path, bytes).unwrap();
    Config::read(&path).map_err(|error| {
        error
            .to_string()
            .replace(&path.display().to_string(), "namegate.toml")
    })
}

fn entries(line: u32, texts: &[&str]) -> Vec<Entry> {
    texts
        .iter()
        .map(|text| Entry {
            text: (*text).into(),
            line,
        })
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_example_says_what_it_shows() {
    let config = good(EXAMPLE);
    assert_eq!(config.cache, Some("/var/lib/namegate".into()));
    let hosts = List {
        file: "etc/hosts.txt".into(),
        name: None,
        format: None,
        allow: false,
        subtrees: false,
        trust: Trust::Full,
        trial: false,
        audience: 0,
        line: 8,
    };
    let format = Some(Entry {
        text: "domains".into(),
        line: 12,
    });
    let school = List {
        file: "etc/school.txt".into(),
        format,
        subtrees: true,
        audience: 1,
        line: 11,
        ..hosts.clone()
    };
    let needed = List {
        file: "/etc/namegate/needed.txt".into(),
        allow: true,
        line: 18,
        ..hosts.clone()
    };
    let name = Some("Trackers".into());
    let trackers = List {
        file: "etc/trackers.txt".into(),
        name,
        audience: 2,
        line: 26,
        ..hosts.clone()
    };
    let shown = List {
        file: "etc/shown-why.txt".into(),
        audience: 3,
        line: 34,
        ..hosts.clone()
    };
    let new = List {
        file: "etc/new.txt".into(),
        trust: Trust::Block,
        trial: true,
        line: 39,
        ..hosts.clone()
    };
    assert_eq!(config.lists, [hosts, school, needed, trackers, shown, new]);

    let block = entries(46, &["example.com", "||ads.example^", r"/^ad[0-9]+\./"]);
    let always = Rules {
        block,
        allow: entries(47, &["good.example"]),
        trial: false,
        audience: 0,
    };
    let at_night = Rules {
        block: entries(50, &["games.example"]),
        allow: Vec::new(),
        trial: false,
        audience: 4,
    };
    assert_eq!(config.rules, [always, at_night]);

    let groups = config
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.clients.len(), group.exempt));
    assert_eq!(
        groups.collect::<Vec<_>>(),
        [
            ("children", 4, false),
            ("guests", 1, false),
            ("servers", 1, true)
        ]
    );
    let schedules: Vec<_> = config
        .schedules
        .iter()
        .map(|schedule| schedule.name.as_str())
        .collect();
    assert_eq!(schedules, ["school", "night"]);
    let audience = |groups: &[usize], schedule, dns| Audience {
        groups: Some(groups.into()),
        schedule: Some(schedule),
        actions: Actions::new(dns, TcpAction::AsInterface),
    };
    let for_all = |actions| Audience {
        actions,
        ..Audience::default()
    };
    let page = Actions::new(DnsAction::Address, TcpAction::AsInterface);
    let expected = [
        Audience::default(),
        audience(&[1], 0, DnsAction::AsInterface),
        for_all(
            Actions::new(DnsAction::NoData, TcpAction::Alert)
                .with_quic(QuicAction::Close)
                .with_code(Actions::FILTERED),
        ),
        for_all(page.with_addresses(Some([192, 0, 2, 80].into()), "2001:db8::80".parse().ok())),
        audience(&[1, 2], 1, DnsAction::Refused),
    ];
    assert_eq!(config.audiences(), expected);
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(good(""), Config::default());
    assert_eq!(good("# nothing yet\r\n"), Config::default());
    assert_eq!(read(b"").unwrap(), Config::default());
}

#[test]
fn relative_paths_are_those_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("namegate.toml");
    fs::write(
        &path,
        "cache = \"kept\"\n[[list]]\nfile = \"lists/hosts\"\n[[list]]\nfile = \"/srv/hosts\"\n",
    )
    .unwrap();
    let config = Config::read(&path).unwrap();
    assert_eq!(config.cache, Some(folder.path().join("kept")));
    let files: Vec<PathBuf> = config.lists.into_iter().map(|list| list.file).collect();
    assert_eq!(
        files,
        [folder.path().join("lists/hosts"), "/srv/hosts".into()]
    );
}

#[test]
fn a_byte_order_mark_and_carriage_returns_move_no_line() {
    let config = read("\u{feff}[[list]]\r\nfile = \"hosts\"\r\n".as_bytes()).unwrap();
    assert_eq!(config.lists[0].line, 2);
    let error = read("\u{feff}\r\n\r\nlist = 1\r\n".as_bytes()).unwrap_err();
    assert!(
        error.starts_with("the configuration `namegate.toml`, line 3, column "),
        "{error}"
    );
}

#[test]
fn what_is_no_readable_text_is_an_error() {
    let of = |path: &str| Config::read(path.as_ref()).unwrap_err().to_string();
    assert_eq!(
        of("/nowhere/namegate.toml"),
        "there is no configuration `/nowhere/namegate.toml`: check the path"
    );
    assert_eq!(
        of("/"),
        "the configuration `/` is a directory: name the file in it"
    );
    assert_eq!(
        read(b"# caf\xc3\xa9\n# caf\xe9\n").unwrap_err(),
        "the configuration `namegate.toml` is not UTF-8 text from line 2 on: write it in TOML, and convert UTF-16 with \
         iconv"
    );
}

#[test]
fn a_file_has_no_more_than_32_mebibytes() {
    assert_eq!(read(&vec![b'\n'; MAX_FILE]).unwrap(), Config::default());
    let error = "the configuration `namegate.toml` is larger than 33554432 bytes: put rules and names into lists, which \
                 may be of any size, and name these with [[list]]";
    assert_eq!(read(&vec![b'\n'; MAX_FILE + 1]).unwrap_err(), error);
    assert_eq!(
        Config::read("/dev/zero".as_ref()).unwrap_err().to_string(),
        error.replace("namegate.toml", "/dev/zero")
    );
}

#[test]
fn a_file_of_nothing_but_depth_or_tables_ends_soon() {
    const BYTES: usize = 1 << 20;

    for unit in [
        "[",
        "{",
        "a.",
        "a={",
        "[[list]]\n",
        "[[group]]\n",
        "\"",
        "a=[",
        "x=1\n",
        "[a",
        "list=[{",
    ] {
        assert!(parse(&unit.repeat(BYTES / unit.len())).is_err(), "{unit}");
    }
}

/// Words of configurations, good and bad, in any order.
fn near_toml() -> impl Strategy<Value = String> {
    let words = [
        "[[list]]",
        "[[rules]]",
        "[[group]]",
        "[[schedule]]",
        "\n",
        "\n",
        "\n",
        "file",
        "name",
        "clients",
        "times",
        "block",
        "groups",
        "schedule",
        "action",
        "address",
        "tcp",
        "quic",
        "code",
        "time-zone",
        "=",
        "=",
        "[",
        "]",
        ",",
        "\"a\"",
        "\"192.0.2.0/24\"",
        "\"::/0\"",
        "\"UTC\"",
        "\"nxdomain\"",
        "\"audit\"",
        "\"192.0.2.1\"",
        "\"mon 08:00-09:00\"",
        "\"sun-mon 22:00-06:00\"",
        "true",
        "1",
        "{",
        "}",
        ".",
        "'",
        "\"",
        "\\",
        "\u{0}",
        "ü",
        "#",
    ];
    vec(
        prop_oneof![9 => select(words.to_vec()).prop_map(String::from), 1 => any::<String>()],
        0..60,
    )
    .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_an_error_of_one_line(text in near_toml()) {
        if let Err(error) = parse(&text) {
            let error = error.to_string();
            assert!(!error.contains(char::is_control) && error.len() < 4_000, "{error}");
        }
    }

    #[test]
    fn the_example_with_a_byte_changed_is_a_configuration_or_an_error_of_one_line(
        place in 0..EXAMPLE.len(), byte in any::<u8>(),
    ) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        bytes[place] = byte;
        if let Err(error) = parse(&String::from_utf8_lossy(&bytes)) {
            assert!(!error.to_string().contains(char::is_control), "{error}");
        }
    }
}

#[test]
fn how_a_list_is_trusted_is_a_word_and_one_that_allows_is_not_asked() {
    let trust = |text: &str| {
        read(format!("[[list]]\nfile = \"a\"\n{text}\n").as_bytes()).map(|it| it.lists[0].trust)
    };
    assert_eq!(trust(""), Ok(Trust::Full));
    assert_eq!(trust("trust = \"block\""), Ok(Trust::Block));
    assert_eq!(trust("trust = \"full\""), Ok(Trust::Full));
    let error = trust("trust = \"some\"").unwrap_err();
    assert!(
        error.ends_with(
            "line 3, column 9: `some` says not how a list is trusted: write block or full"
        ),
        "{error}"
    );
    let error = trust("allow = true\ntrust = \"block\"").unwrap_err();
    assert!(
        error.contains("line 4, column 9: `trust` says what a list that blocks may do to others"),
        "{error}"
    );
}
