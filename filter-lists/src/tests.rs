mod recorded;

use std::{fs, io::Write, path::PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

pub(super) use recorded::lines_of;

use super::*;

#[test]
fn a_hosts_file_gives_its_names_and_leaves_out_local_ones() {
    let list = read_list(
        b"# a hosts file\n127.0.0.1 localhost localhost.localdomain\n::1 ip6-loopback\nff02::1\tip6-allnodes\n\
          0.0.0.0 0.0.0.0\n0.0.0.0 ads.example.com # why\n127.0.0.1\tTrack.Example.NET.\tb.example.org\r\n",
    );
    assert_eq!(
        list.names(),
        [
            "ads.example.com:6",
            "track.example.net:7",
            "b.example.org:7"
        ]
    );
    assert_eq!((list.report.local, list.report.unusable_entries()), (5, 0));
    assert_eq!(list.report.format, Format::Hosts);
}

#[test]
fn a_list_of_names_gives_each_once() {
    let list = read_list(b"! title\nb\xc3\xbccher.example\n\nads.example.com.\nADS.example.com\nxn--bcher-kva.example");
    assert_eq!(
        list.names(),
        ["xn--bcher-kva.example:2", "ads.example.com:4"]
    );
    assert_eq!(
        (list.report.rules, list.report.repeated, list.report.lines),
        (2, 2, 6)
    );
    assert_eq!(list.report.format, Format::Domains);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_matter() {
    assert_eq!(
        read_list(b"\xef\xbb\xbfa.example\r\nb.example\r\n").names(),
        ["a.example:1", "b.example:2"]
    );
    assert_eq!(
        read_list(b"\xef\xbb\xbf# title\r\n0.0.0.0 a.example\r\n").names(),
        ["a.example:2"]
    );
    assert_eq!(
        read_list(b"\xef\xbb\xbfmsFilterList\r\n-d a.example\r\n").names(),
        ["a.example:2"]
    );
}

#[test]
fn hosts_lines_and_names_may_stand_in_one_file_and_the_more_frequent_ones_name_it() {
    let list = read_list(b"0.0.0.0 a.example\nb.example\nc.example\n");
    assert_eq!(list.names(), ["a.example:1", "b.example:2", "c.example:3"]);
    assert_eq!(list.report.format, Format::Domains);
}

#[test]
fn the_format_that_is_asked_for_is_the_one_that_is_read() {
    let text = b"a.example\nb.example\n";
    let kinds = |format| {
        let options = ListOptions {
            format,
            ..ListOptions::default()
        };
        read_with(text, options)
            .report
            .kinds
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(None), [(Action::Block, Kind::Name(Scope::Name), 2)]);
    assert_eq!(
        kinds(Some(Format::Dnscrypt)),
        [(Action::Block, Kind::Name(Scope::Subtree), 2)]
    );
}

#[test]
fn plain_entries_allow_where_that_is_asked_for() {
    let allow = ListOptions {
        allow: true,
        ..ListOptions::default()
    };
    for (format, text) in [
        (Format::Hosts, "0.0.0.0 a.example"),
        (Format::AdBlock, "|a.example^"),
        (Format::AdBlock, "@@|a.example^"),
        (Format::Rpz, "a.example CNAME ."),
        (Format::Regex, r"^a\.example$"),
        (Format::V2fly, "full:a.example"),
        (Format::Dnscrypt, "=a.example"),
    ] {
        assert_eq!(
            lines_of(format, text, allow),
            ["allow name a.example"],
            "{text}"
        );
    }
}

#[test]
fn entries_that_are_no_rules_are_counted_by_reason_with_their_lines() {
    let list = read_list(
        b"a.example\n192.0.2.1\n||ads.example^\ncom\nhttp://b.example/x\nd.example\n192.0.2.2\n",
    );
    assert_eq!(
        list.names(),
        ["a.example:1", "ads.example:3", "d.example:6"]
    );
    let counts: Vec<_> = list
        .report
        .unusable
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count))
        .collect();
    assert_eq!(counts, [("address", 2), ("single_label", 1), ("url", 1)]);
    let examples: Vec<_> = list
        .report
        .examples
        .iter()
        .map(|example| (example.line, &*example.text))
        .collect();
    assert_eq!(
        examples[..3],
        [(2, "192.0.2.1"), (4, "com"), (5, "http://b.example/x")]
    );
}

#[test]
fn one_bad_name_on_a_hosts_line_does_not_take_the_others_along() {
    let list = read_list(b"0.0.0.0 a.example b/c d.example\n");
    assert_eq!(list.names(), ["a.example:1", "d.example:1"]);
    assert_eq!(list.report.unusable_entries(), 1);
}

#[test]
fn latin_1_in_a_comment_costs_nothing_and_in_a_name_costs_that_name() {
    let list = read_list(b"# caf\xe9\na.example # na\xefve\nm\xfcller.example\nb.example\n");
    assert_eq!(list.names(), ["a.example:2", "b.example:4"]);
    assert_eq!(
        list.report
            .unusable
            .get(&Unusable::Name(NameError::NotUtf8)),
        Some(&1)
    );
}

#[test]
fn a_line_is_read_up_to_its_bound_and_left_out_above_it() {
    let padded = |length: usize| {
        let mut text = b"a.example".to_vec();
        text.resize(length, b' ');
        text.extend_from_slice(b"\nb.example\n");
        text
    };
    for length in [MAX_LINE - 1, MAX_LINE] {
        assert_eq!(
            read_list(&padded(length)).names(),
            ["a.example:1", "b.example:2"],
            "{length}"
        );
    }
    let list = read_list(&padded(MAX_LINE + 1));
    assert_eq!(list.names(), ["b.example:2"]);
    assert_eq!(list.report.unusable.get(&Unusable::LineTooLong), Some(&1));
}

#[test]
fn a_record_over_many_lines_is_read_up_to_its_bound_and_left_out_above_it() {
    let record = |length: usize| {
        let start = "$TTL 1\n@ SOA a. b. 1 2 3 4 5\na.example TXT (\n";
        let line = format!("\"{}\"\n", "x".repeat(97));
        format!(
            "{start}{}b.example CNAME .\n )\nc.example CNAME .\n",
            line.repeat(length / 100)
        )
    };
    assert_eq!(
        read_list(record(1_000).as_bytes()).names(),
        ["a.example:15", "c.example:16"]
    );
    let list = read_list(record(2 * MAX_LINE).as_bytes());
    assert_eq!(list.report.unusable.get(&Unusable::LineTooLong), Some(&1));
    assert_eq!(list.report.rules, 1);
}

#[test]
fn a_comment_of_any_length_is_a_comment() {
    let list = read_list(&[b"#".repeat(3 * MAX_LINE), b"\na.example\n".to_vec()].concat());
    assert_eq!(
        (list.names(), list.report.unusable_entries()),
        (vec!["a.example:2".into()], 0)
    );
}

#[test]
fn a_list_that_includes_another_is_an_error_that_names_the_line() {
    let text =
        b"$TTL 300\n@ SOA localhost. root.localhost. 1 2 3 4 5\na.example CNAME .\n$INCLUDE list\n";
    assert_eq!(
        read_error(text),
        "the list `LIST` includes another file in line 4: give that file as a list of its own, and take the line out"
    );
}

#[test]
fn gzip_and_zstd_are_unpacked_whatever_the_file_is_called() {
    let text = b"a.example\nb.example\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text).unwrap();
    for packed in [
        gzip.finish().unwrap(),
        zstd::encode_all(&text[..], 0).unwrap(),
    ] {
        assert_eq!(read_list(&packed).names(), ["a.example:1", "b.example:2"]);
    }
}

#[test]
fn a_packed_file_that_is_cut_is_an_error() {
    let packed = zstd::encode_all(&b"a.example\n".repeat(1000)[..], 0).unwrap();
    let error = read_error(&packed[..packed.len() - 5]);
    assert!(
        error.starts_with("cannot read the list `LIST`: "),
        "{error}"
    );
}

#[test]
fn progress_tells_the_bytes_of_the_file() {
    let mut read = 0;
    let text = b"a.example\n".repeat(100_000);
    let (_dir, path) = file(&text);
    load(
        &path,
        &ListOptions::default(),
        &mut Names::default(),
        &mut |bytes| read += bytes,
    )
    .unwrap();
    assert_eq!(read, text.len() as u64);
}

#[test]
fn later_lists_add_only_what_is_new() {
    let mut names = Names::default();
    let (_first, first) = file(b"a.example\nb.example\n");
    let (_second, second) = file(b"b.example\nc.example\n");
    let reports = [first, second].map(|path| into(&path, &mut names).unwrap());
    assert_eq!(
        reports.map(|report| (report.rules, report.repeated)),
        [(2, 0), (1, 1)]
    );
    assert_eq!(names.len(), 3);
}

#[test]
fn a_list_that_repeats_another_is_no_error() {
    let mut names = Names::default();
    let (_dir, path) = file(b"a.example\n");
    assert!(into(&path, &mut names).is_ok());
    assert_eq!(
        into(&path, &mut names).map(|report| report.repeated).ok(),
        Some(1)
    );
}

#[test]
fn a_file_without_a_usable_name_is_an_error_that_says_what_it_has() {
    for (text, holds) in [
        (&b""[..], "it is empty"),
        (b"# nothing\n\n", "it has only comments and local names"),
        (
            b"127.0.0.1 localhost\n::1 ip6-loopback\n",
            "it has only comments and local names",
        ),
        (
            b"192.0.2.1\nhttp://a.example/\n",
            "as domains none of its 2 entries is usable; line 1, \"192.0.2.1\": it is an address, not a name. \
             If it is in another format, name that before the path (`adblock:FILE`)",
        ),
    ] {
        assert_eq!(
            read_error(text),
            format!("the list `LIST` has no rule that can be used: {holds}")
        );
    }
    assert_eq!(
        read_list(b"127.0.0.1 localhost\n127.0.0.1 a.example\n").names(),
        ["a.example:2"]
    );
}

#[test]
fn a_file_that_is_not_text_is_an_error() {
    let utf_16: Vec<u8> = "a.example\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        read_error(&utf_16),
        "the list `LIST` is UTF-16 text: convert it with `iconv -f UTF-16 -t UTF-8`"
    );
    for bytes in [&b"a.example\n\x7fELF\0\0"[..], &b"\0".repeat(100_000)] {
        assert_eq!(
            read_error(bytes),
            "the list `LIST` is a binary file and no list: name a text file"
        );
    }
    assert_eq!(
        read_error(&[&b"a.example\n".repeat(10_000)[..], b"\0"].concat()),
        "the list `LIST` is not UTF-8 text (line 10001 has a zero byte): fetch it again, and look at that line"
    );
}

#[test]
fn a_file_packed_otherwise_is_an_error_that_names_the_format() {
    for (start, kind) in [
        (&b"\xfd7zXZ\0..."[..], "xz"),
        (b"BZh91AY", "bzip2"),
        (b"PK\x03\x04..", "zip"),
    ] {
        let expected = format!(
            "the list `LIST` is a {kind} file: unpack it first (plain text, gzip and zstd are read)"
        );
        assert_eq!(read_error(start), expected);
    }
}

#[test]
fn a_file_that_is_no_list_is_an_error_whatever_format_it_is_said_to_have() {
    let page = b"<!DOCTYPE html>\n<title>\na.example\n";
    let (_dir, path) = file(page);
    for format in [None, Some(Format::Domains), Some(Format::AdBlock)] {
        let error = load(
            &path,
            &ListOptions {
                format,
                ..ListOptions::default()
            },
            &mut Names::default(),
            &mut |_| {},
        );
        let error = error
            .unwrap_err()
            .to_string()
            .replace(&path.display().to_string(), "LIST");
        assert_eq!(
            error,
            "the list `LIST` is an HTML page and no list: open it to see what it says, and fetch the list itself"
        );
    }
    let mut tar = [0; 600];
    tar[257..262].copy_from_slice(b"ustar");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    assert_eq!(
        read_error(&gzip.finish().unwrap()),
        "the list `LIST` is a tar file: unpack it first (plain text, gzip and zstd are read)"
    );
}

#[test]
fn a_list_that_is_clearly_of_no_format_is_an_error_and_read_where_its_format_is_said() {
    let names = (0..9).fold(String::new(), |text, number| {
        text + &format!("n{number}.example\n")
    });
    let text = names + &"^ad[0-9]+\\.\n".repeat(4);
    assert_eq!(
        read_error(text.as_bytes()),
        "the list `LIST` can be read as domains and as regex, which would block different names: name its format before \
         the path (`domains:FILE` or `regex:FILE`)"
    );
    let options = ListOptions {
        format: Some(Format::Domains),
        ..ListOptions::default()
    };
    assert_eq!(read_with(text.as_bytes(), options).report.rules, 9);
}

#[test]
fn blanks_and_marks_of_other_alphabets_around_names_do_not_matter() {
    let list = read_list(
        "a.example\u{a0}\n\u{3000}b.example\n0.0.0.0\u{a0}c.example # \u{a0}\n\u{feff}d.example\n\u{feff}# x\n"
            .as_bytes(),
    );
    assert_eq!(
        list.names(),
        ["a.example:1", "b.example:2", "c.example:3", "d.example:4"]
    );
}

#[test]
fn a_missing_file_and_a_directory_are_errors() {
    let dir = TempDir::new().unwrap();
    assert_eq!(
        error_of(&dir.path().join("none")),
        "there is no list `LIST`: check the path"
    );
    assert_eq!(
        error_of(dir.path()),
        "the list `LIST` is a directory: name the files in it one by one"
    );
}

proptest! {
    #[test]
    fn no_bytes_panic_in_any_format(
        format in prop::sample::select(Format::ALL.to_vec()),
        lines in proptest::collection::vec(line(), 0..40),
    ) {
        let mut names = Names::default();
        let (_dir, path) = file(&lines.join(&b'\n'));
        let options = ListOptions { format: Some(format), ..ListOptions::default() };
        if let Ok(report) = load(&path, &options, &mut names, &mut |_| {}) {
            prop_assert_eq!(report.kinds.total(), report.rules + report.repeated);
            prop_assert!(report.unusable_entries() + report.kinds.total() > 0);
        }
    }

    #[test]
    fn every_format_of_the_same_names_gives_the_same_names(
        names in proptest::collection::vec("[a-z]{1,9}(\\.[a-z]{1,9}){1,3}", 1..20),
    ) {
        let domains = read_list(names.join("\n").as_bytes());
        let around = |before: &str, after: &str| format!("{before}{}{after}", names.join(&format!("{after}{before}")));
        for text in [
            around("0.0.0.0\t", " # note\r\n"),
            around("||", "^\n"),
            around("address=/", "/#\n"),
            around("local-zone: \"", ".\" always_nxdomain\n"),
            around("zone \"", "\" { type master; };\n"),
            around("", " CNAME .\n"),
            around("-d ", "\n"),
            around("domain:", "\n"),
        ] {
            let list = read_list(text.as_bytes());
            // Formats that are about subtrees take suffixes, too.
            for name in domains.names() {
                prop_assert!(list.names().contains(&name), "{} is not in {:?}", name, list.names());
            }
        }
    }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let start = "(0\\.0\\.0\\.0 |\\|\\||@@|address=/|local-zone: \"|zone \"|full:|regexp:|-d |\\{\\+block\\}|\\$ORIGIN )?";
    prop_oneof![
        proptest::collection::vec(1_u8.., 0..40),
        (
            start,
            "[a-zü*/|.#^$()\\[\\]\\\\;\"{}:=@]{0,12}( [a-z.]{1,9}){0,2}( CNAME \\.)?"
        )
            .prop_map(|(start, rest)| { (start + &rest).into_bytes() }),
    ]
}

struct List {
    report: ListReport,
    names: Names,
}

impl List {
    /// Each name with its line.
    fn names(&self) -> Vec<String> {
        self.names
            .iter()
            .map(|(name, line)| format!("{name}:{line}"))
            .collect()
    }
}

fn read_list(text: &[u8]) -> List {
    read_with(text, ListOptions::default())
}

fn read_with(text: &[u8], options: ListOptions) -> List {
    let mut names = Names::default();
    let (_dir, path) = file(text);
    let report = load(&path, &options, &mut names, &mut |_| {}).unwrap();
    List { report, names }
}

fn read_error(text: &[u8]) -> String {
    let (_dir, path) = file(text);
    error_of(&path)
}

fn error_of(path: &Path) -> String {
    let error = into(path, &mut Names::default()).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "LIST")
}

fn into(path: &Path, names: &mut Names) -> Result<ListReport, ListError> {
    load(path, &ListOptions::default(), names, &mut |_| {})
}

fn file(text: &[u8]) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("list");
    fs::write(&path, text).unwrap();
    (dir, path)
}
