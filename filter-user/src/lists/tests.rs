use std::{fs, io::Write, path::PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

#[test]
fn a_hosts_file_gives_its_names_and_leaves_out_local_ones() {
    let list = read(
        b"# a hosts file\n127.0.0.1 localhost localhost.localdomain\n::1 ip6-loopback\nff02::1\tip6-allnodes\n\
          0.0.0.0 0.0.0.0\n0.0.0.0 ads.example.com # why\n127.0.0.1\tTrack.Example.NET.\tb.example.org\r\n",
    );
    assert_eq!(list.names(), ["ads.example.com:6", "track.example.net:7", "b.example.org:7"]);
    assert_eq!((list.report.local, list.report.unusable_entries()), (5, 0));
    assert_eq!(list.report.format(), Format::Hosts);
}

#[test]
fn a_list_of_names_gives_each_once() {
    let list = read(b"! title\nb\xc3\xbccher.example\n\nads.example.com.\nADS.example.com\nxn--bcher-kva.example");
    assert_eq!(list.names(), ["xn--bcher-kva.example:2", "ads.example.com:4"]);
    assert_eq!((list.report.names, list.report.repeated, list.report.lines), (2, 2, 6));
    assert_eq!(list.report.format(), Format::Domains);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_matter() {
    assert_eq!(read(b"\xef\xbb\xbfa.example\r\nb.example\r\n").names(), ["a.example:1", "b.example:2"]);
    assert_eq!(read(b"\xef\xbb\xbf# title\r\n0.0.0.0 a.example\r\n").names(), ["a.example:2"]);
}

#[test]
fn both_formats_may_stand_in_one_file_and_the_more_frequent_one_names_it() {
    let list = read(b"0.0.0.0 a.example\nb.example\nc.example\n");
    assert_eq!(list.names(), ["a.example:1", "b.example:2", "c.example:3"]);
    assert_eq!(list.report.format(), Format::Domains);
}

#[test]
fn entries_that_are_no_names_are_counted_by_reason_with_their_lines() {
    let list = read(b"a.example\n192.0.2.1\n||ads.example^\ncom\nhttp://b.example/x\n*.c.example\n192.0.2.2\n");
    assert_eq!(list.names(), ["a.example:1"]);
    let counts: Vec<_> = list.report.unusable.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(counts, [("address", 2), ("single_label", 1), ("adblock", 1), ("pattern", 1), ("url", 1)]);
    let examples: Vec<_> = list.report.examples.iter().map(|example| (example.line, &*example.text)).collect();
    assert_eq!(examples[..3], [(2, "192.0.2.1"), (3, "||ads.example^"), (4, "com")]);
}

#[test]
fn one_bad_name_on_a_hosts_line_does_not_take_the_others_along() {
    let list = read(b"0.0.0.0 a.example b/c d.example\n");
    assert_eq!(list.names(), ["a.example:1", "d.example:1"]);
    assert_eq!(list.report.unusable_entries(), 1);
}

#[test]
fn latin_1_in_a_comment_costs_nothing_and_in_a_name_costs_that_name() {
    let list = read(b"# caf\xe9\na.example # na\xefve\nm\xfcller.example\nb.example\n");
    assert_eq!(list.names(), ["a.example:2", "b.example:4"]);
    assert_eq!(list.report.unusable.get(&Unusable::Name(NameError::NotUtf8)), Some(&1));
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
        assert_eq!(read(&padded(length)).names(), ["a.example:1", "b.example:2"], "{length}");
    }
    let list = read(&padded(MAX_LINE + 1));
    assert_eq!(list.names(), ["b.example:2"]);
    assert_eq!(list.report.unusable.get(&Unusable::LineTooLong), Some(&1));
}

#[test]
fn a_comment_of_any_length_is_a_comment() {
    let list = read(&[b"#".repeat(3 * MAX_LINE), b"\na.example\n".to_vec()].concat());
    assert_eq!((list.names(), list.report.unusable_entries()), (vec!["a.example:2".into()], 0));
}

#[test]
fn gzip_and_zstd_are_unpacked_whatever_the_file_is_called() {
    let text = b"a.example\nb.example\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text).unwrap();
    for packed in [gzip.finish().unwrap(), zstd::encode_all(&text[..], 0).unwrap()] {
        assert_eq!(read(&packed).names(), ["a.example:1", "b.example:2"]);
    }
}

#[test]
fn a_packed_file_that_is_cut_is_an_error() {
    let packed = zstd::encode_all(&b"a.example\n".repeat(1000)[..], 0).unwrap();
    let error = read_error(&packed[..packed.len() - 5]);
    assert!(error.starts_with("cannot read the list `LIST`: "), "{error}");
}

#[test]
fn progress_tells_the_bytes_of_the_file() {
    let mut read = 0;
    let text = b"a.example\n".repeat(100_000);
    let (_dir, path) = file(&text);
    load(&path, &mut Names::default(), &mut |bytes| read += bytes).unwrap();
    assert_eq!(read, text.len() as u64);
}

#[test]
fn later_lists_add_only_what_is_new() {
    let mut names = Names::default();
    let (_first, first) = file(b"a.example\nb.example\n");
    let (_second, second) = file(b"b.example\nc.example\n");
    let reports = [first, second].map(|path| load(&path, &mut names, &mut |_| {}).unwrap());
    assert_eq!(reports.map(|report| (report.names, report.repeated)), [(2, 0), (1, 1)]);
    assert_eq!(names.len(), 3);
}

#[test]
fn a_list_that_repeats_another_is_no_error() {
    let mut names = Names::default();
    let (_dir, path) = file(b"a.example\n");
    assert!(load(&path, &mut names, &mut |_| {}).is_ok());
    assert_eq!(load(&path, &mut names, &mut |_| {}).map(|report| report.repeated).ok(), Some(1));
}

#[test]
fn a_file_without_a_usable_name_is_an_error_that_says_what_it_has() {
    for (text, holds) in [
        (&b""[..], "it is empty"),
        (b"# nothing\n\n", "it has only comments and local names"),
        (b"127.0.0.1 localhost\n::1 ip6-loopback\n", "it has only comments and local names"),
        (
            b"[Adblock Plus]\n||a.example^\n||b.example^\n",
            "none of its 3 entries is usable; line 1, \"[Adblock Plus]\": it is a rule for ad blockers. \
             Hosts files and lists of one name a line are read",
        ),
    ] {
        assert_eq!(read_error(text), format!("the list `LIST` has no name that can be blocked: {holds}"));
    }
    assert_eq!(read(b"127.0.0.1 localhost\n127.0.0.1 a.example\n").names(), ["a.example:2"]);
}

#[test]
fn a_file_that_is_not_text_is_an_error() {
    let utf_16: Vec<u8> = "a.example\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&utf_16[..], b"a.example\n\x7fELF\0\0", &b"\0".repeat(100_000)] {
        let error = read_error(bytes);
        assert!(error.starts_with("the list `LIST` is not UTF-8 text (line "), "{error}");
    }
}

#[test]
fn a_file_packed_otherwise_is_an_error_that_names_the_format() {
    for (start, kind) in [(&b"\xfd7zXZ\0..."[..], "xz"), (b"BZh91AY", "bzip2"), (b"PK\x03\x04..", "zip")] {
        let expected =
            format!("the list `LIST` is a {kind} file: unpack it first (plain text, gzip and zstd are read)");
        assert_eq!(read_error(start), expected);
    }
}

#[test]
fn a_missing_file_and_a_directory_are_errors() {
    let dir = TempDir::new().unwrap();
    assert_eq!(error_of(&dir.path().join("none")), "there is no list `LIST`: check the path");
    assert_eq!(error_of(dir.path()), "the list `LIST` is a directory: name the files in it one by one");
}

proptest! {
    #[test]
    fn no_bytes_panic_and_every_entry_is_counted_once(lines in proptest::collection::vec(line(), 0..40)) {
        let text = lines.join(&b'\n');
        let mut names = Names::default();
        let (_dir, path) = file(&text);
        if let Ok(report) = load(&path, &mut names, &mut |_| {}) {
            prop_assert_eq!(report.names, u64::from(names.len()));
            let words: u64 = report.formats.values().sum();
            let counted = report.names + report.repeated + report.local + report.unusable_entries();
            prop_assert!(counted >= words);
            prop_assert!(counted <= words + u64::from(report.lines));
        }
    }

    #[test]
    fn both_formats_of_the_same_names_give_the_same_rules(
        names in proptest::collection::vec("[a-z]{1,9}(\\.[a-z]{1,9}){1,3}", 1..20),
    ) {
        let domains = names.join("\n");
        let hosts = format!("0.0.0.0\t{}", names.join(" # note\r\n0.0.0.0\t"));
        prop_assert_eq!(read(domains.as_bytes()).names(), read(hosts.as_bytes()).names());
    }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(1_u8.., 0..40),
        "(0\\.0\\.0\\.0 )?[a-z*/|.#]{0,12}( [a-z.]{1,9}){0,2}".prop_map(String::into_bytes),
    ]
}

struct List {
    report: ListReport,
    names: Names,
}

impl List {
    /// Each name with its line.
    fn names(&self) -> Vec<String> {
        self.names.iter().map(|(name, line)| format!("{name}:{line}")).collect()
    }
}

fn read(text: &[u8]) -> List {
    let mut names = Names::default();
    let (_dir, path) = file(text);
    let report = load(&path, &mut names, &mut |_| {}).unwrap();
    List { report, names }
}

fn read_error(text: &[u8]) -> String {
    let (_dir, path) = file(text);
    error_of(&path)
}

fn error_of(path: &Path) -> String {
    let error = load(path, &mut Names::default(), &mut |_| {}).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "LIST")
}

fn file(text: &[u8]) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("list");
    fs::write(&path, text).unwrap();
    (dir, path)
}
