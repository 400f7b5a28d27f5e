//! The real lists of ../shared/blocklists, against the counts that stand beside them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use filter_user::{
    lists::{self, Domain, Format, ListReport},
    policy::Names,
};

/// Where the number of our rules is not the counted number of names: by how much, and why.
const DIFFERENCES: [(&str, i64, &str); 6] = [
    ("stevenblack/source-minecraft.hosts", 8, "named a hosts file, and has one name a line: its content tells"),
    ("hagezi/whitelist.domains", -308, "names behind `*.` are patterns, which this version leaves out"),
    ("urlhaus-filter/urlhaus.domains.zst", -6, "five single labels, and an address in octal"),
    ("urlhaus-filter/urlhaus.hosts", -6, "five single labels, and an address in octal"),
    ("dandelionsprout/antimalware.hosts", -1, "a single label: `dhl-commx.`"),
    ("dandelionsprout/antimalware.domains", -1, "a single label: `dhl-commx.`"),
];

#[test]
fn every_hosts_file_and_list_of_names_gives_the_counted_names() {
    assert_eq!(lists().len(), 52, "rows of counts.tsv with these formats");
    for List { file, counted, report, names } in lists() {
        let expected = counted.checked_add_signed(difference(file)).expect("a count");
        assert_eq!((report.names, names.len() as u64), (expected, expected), "{file}: {:?}", report.examples);
    }
    for (file, ..) in DIFFERENCES {
        assert!(lists().iter().any(|list| list.file == file), "{file} is not counted");
    }
}

#[test]
fn every_list_is_told_by_its_content() {
    for List { file, report, .. } in lists() {
        let domains = !file.contains(".hosts") || file == "stevenblack/source-minecraft.hosts";
        let expected = if domains { Format::Domains } else { Format::Hosts };
        assert_eq!(report.format(), expected, "{file}");
    }
}

#[test]
fn of_stevenblacks_hosts_file_only_the_local_names_are_left_out() {
    let List { report, names, .. } = list("stevenblack/unified.hosts.zst");
    assert_eq!((report.names, report.repeated, report.local), (116_378, 0, 14));
    assert_eq!((report.lines, report.unusable_entries()), (123_071, 0));
    assert!(has(names, "doubleclick.net") && !has(names, "localhost") && !has(names, "example.com"));
}

#[test]
fn the_largest_list_of_names_loads_whole() {
    let largest = lists().iter().max_by_key(|list| list.counted).expect("lists");
    assert_eq!(largest.file, "blocklistproject/phishing.domains.zst");
    let List { report, names, .. } = largest;
    assert_eq!((report.names, report.repeated, report.local), (190_215, 0, 0));
    assert_eq!((report.lines, report.unusable_entries()), (190_228, 0));
    assert_eq!(names.iter().map(|(name, _)| name.len()).max(), Some(128));
}

#[test]
fn addresses_in_a_list_are_counted_and_the_names_around_them_load() {
    let List { report, names, .. } = list("urlhaus-filter/urlhaus.domains.zst");
    let counts: Vec<_> = report.unusable.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(counts, [("address", 128_124), ("single_label", 5)]);
    let first = &report.examples[0];
    assert_eq!((first.line, &*first.text), (8, "0056.0151.0121.0114"));
    assert_eq!(names.len(), 6_091);
}

#[test]
fn every_name_of_every_list_is_canonical() {
    for List { file, names, .. } in lists() {
        for (name, line) in names.iter() {
            assert_eq!(Domain::parse_rule(name).as_ref().map(Domain::as_str), Ok(name), "{file}:{line}");
        }
    }
}

#[test]
fn all_lists_together_are_over_a_million_names_each_once() {
    let mut all = Names::default();
    let mut entries = 0;
    for List { file, names, .. } in lists() {
        for (name, line) in names.iter() {
            all.insert(name, line);
        }
        entries += names.len();
    }
    assert!(1_000_000 < all.len() && all.len() < entries, "{} of {entries}", all.len());
}

struct List {
    file: String,
    /// What counts.tsv says.
    counted: u64,
    report: ListReport,
    names: Names,
}

/// All lists of these formats, read once.
fn lists() -> &'static [List] {
    static LISTS: LazyLock<Vec<List>> = LazyLock::new(|| {
        let read = |(file, counted): (String, u64)| {
            let mut names = Names::default();
            let report = lists::load(&collection().join(&file), &mut names, &mut |_| {}).expect(&file);
            List { file, counted, report, names }
        };
        counted_lists().into_iter().map(read).collect()
    });
    &LISTS
}

fn list(file: &str) -> &'static List {
    lists().iter().find(|list| list.file == file).expect(file)
}

fn difference(file: &str) -> i64 {
    DIFFERENCES.iter().find(|(differing, ..)| *differing == file).map_or(0, |(_, difference, _)| *difference)
}

fn has(names: &Names, wanted: &str) -> bool {
    names.iter().any(|(name, _)| name == wanted)
}

/// The lists of these formats, with the number of names that counts.tsv says.
fn counted_lists() -> Vec<(String, u64)> {
    let counts = fs::read_to_string(collection().join("counts.tsv")).expect("../shared/blocklists/counts.tsv");
    let rows = counts.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[1].starts_with("hosts") || row[1].starts_with("domains"))
        .map(|row| (row[0].to_owned(), row[4].parse().expect(row[0])))
        .collect()
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}
