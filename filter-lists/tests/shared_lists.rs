//! The real lists of ../shared/blocklists: what each holds, and the counts that stand beside them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use filter_lists::{Action, Domain, Kind, ListError, ListOptions, ListReport, Names, Scope};

/// What each list is expected to give: its format, its rules by kind, and what is left out by
/// reason.
const EXPECTED: &str = include_str!("shared_lists.tsv");

/// Where the number of names is not the one that counts.tsv says: by how much, and why.
const DIFFERENCES: [(&str, i64, &str); 14] = [
    (
        "stevenblack/source-minecraft.hosts",
        8,
        "one name a line, without an address",
    ),
    ("stevenblack/porn-only.hosts.zst", -1, "a public suffix"),
    (
        "hagezi/whitelist.domains",
        0,
        "names behind `*.` are counted there, too",
    ),
    (
        "hagezi-2022/adguard-dns-filter.domains.zst",
        -1,
        "a public suffix",
    ),
    (
        "urlhaus-filter/urlhaus.domains.zst",
        -6,
        "five single labels, and an address in octal",
    ),
    (
        "urlhaus-filter/urlhaus.hosts",
        -6,
        "five single labels, and an address in octal",
    ),
    (
        "urlhaus-filter/urlhaus.rpz",
        -6,
        "five single labels, and an address in octal",
    ),
    (
        "urlhaus-filter/urlhaus.dnscrypt-names",
        -6,
        "five single labels, and an address in octal",
    ),
    (
        "urlhaus-filter/urlhaus.dnsmasq.conf",
        -1,
        "an address in octal",
    ),
    (
        "urlhaus-filter/urlhaus.unbound.conf",
        -1,
        "an address in octal",
    ),
    (
        "urlhaus-filter/urlhaus.bind.conf",
        -1,
        "an address in octal",
    ),
    (
        "dandelionsprout/antimalware.hosts",
        -2,
        "a single label, and a public suffix",
    ),
    (
        "dandelionsprout/antimalware.domains",
        -2,
        "a single label, and a public suffix",
    ),
    ("popular/opendns-top-10k.domains", -2, "two public suffixes"),
];

/// Formats of which counts.tsv counts every name that is a rule.
const COUNTED: [&str; 8] = [
    "hosts", "domains", "wildcard", "dnsmasq", "unbound", "rpz", "BIND", "dnscrypt",
];

#[test]
fn every_list_gives_the_expected_rules() {
    let expected: Vec<&str> = EXPECTED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let actual: Vec<String> = lists().iter().map(row).collect();
    let differing: Vec<&str> = actual
        .iter()
        .map(|row| &**row)
        .filter(|row| !expected.contains(row))
        .collect();
    assert!(
        differing.is_empty(),
        "rows that are not in shared_lists.tsv:\n{}",
        differing.join("\n")
    );
    assert_eq!(actual.len(), expected.len(), "rows of shared_lists.tsv");
}

#[test]
fn every_list_of_names_gives_the_counted_names() {
    let counted = |list: &&List| {
        let forwards = list.counted_as.contains("/x/ip") || list.counted_as.contains("IPs");
        COUNTED
            .iter()
            .any(|format| list.counted_as.starts_with(format))
            && !forwards
    };
    assert_eq!(lists().iter().filter(counted).count(), 74);
    for List {
        file,
        names,
        counted,
        ..
    } in lists().iter().filter(counted)
    {
        let expected = counted
            .checked_add_signed(difference(file))
            .expect("a count");
        assert_eq!(names.len() as u64, expected, "{file}");
    }
}

#[test]
fn every_name_is_canonical() {
    for List { file, names, .. } in lists() {
        for (name, _) in names.iter() {
            assert_eq!(
                Domain::parse(name).as_ref().map(Domain::as_str),
                Ok(name),
                "{file}"
            );
        }
    }
}

#[test]
fn a_list_without_any_rule_says_what_it_has() {
    for (file, says) in [
        (
            "urlhaus-filter/urlhaus-online.dnscrypt-ips",
            "as domains none of its 5174 entries is usable; line 7, \"1.10.147.48\": it is an address, not a name",
        ),
        (
            "dnsmasq-china-list/apple.china.dnsmasq.conf",
            "as dnsmasq none of its 164 entries is usable; line 1, \"server=/a1.mzstatic.com/114.114.114.114\": it names \
             a resolver and blocks nothing",
        ),
        (
            "urlhaus-filter/urlhaus-online.adguard",
            "as adblock none of its 6817 entries is usable; line 7, \"||0-24bpautomentes.hu$all\": the modifier $all is not \
             supported",
        ),
    ] {
        let list = lists().iter().find(|list| list.file == file).expect(file);
        let error = list.read.as_ref().expect_err(file).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn forwarding_can_be_read_as_an_allow_list() {
    let path = collection().join("dnsmasq-china-list/apple.china.dnsmasq.conf");
    let options = ListOptions {
        allow: true,
        ..ListOptions::default()
    };
    let report =
        filter_lists::load(&path, &options, &mut Names::default(), &mut |_| {}).expect("rules");
    assert_eq!(
        report.kinds.of(Action::Allow, Kind::Name(Scope::Subtree)),
        164
    );
}

#[test]
fn all_lists_together_are_over_a_million_and_a_half_names() {
    let all: BTreeSet<&str> = lists()
        .iter()
        .flat_map(|list| list.names.iter())
        .map(|(name, _)| name)
        .collect();
    assert!(all.len() > 1_500_000, "{}", all.len());
}

struct List {
    file: String,
    read: Result<ListReport, ListError>,
    names: Names,
    /// What counts.tsv says that it is, and how many names it has.
    counted_as: String,
    counted: u64,
}

/// A row of the table.
fn row(list: &List) -> String {
    let report = match &list.read {
        Ok(report) => report,
        Err(ListError::Empty { holds, .. }) => holds.report(),
        Err(error) => panic!("{}: {error}", list.file),
    };
    let mut rules: Vec<String> = report
        .kinds
        .iter()
        .map(|(action, kind, rules)| format!("{action} {} {rules}", kind.as_str()))
        .collect();
    rules.extend((report.cancelling > 0).then(|| format!("cancelling {}", report.cancelling)));
    let mut left_out: Vec<String> = (report.local > 0)
        .then(|| format!("local {}", report.local))
        .into_iter()
        .collect();
    left_out.extend(report.unusable.iter().map(|(reason, count)| {
        let detail = reason
            .detail()
            .map(|detail| format!(" {detail}"))
            .unwrap_or_default();
        format!("{}{detail} {count}", reason.as_str())
    }));
    [
        &list.file,
        report.format.as_str(),
        &rules.join(", "),
        &left_out.join(", "),
    ]
    .join("\t")
}

/// All lists, read once.
fn lists() -> &'static [List] {
    static LISTS: LazyLock<Vec<List>> = LazyLock::new(|| {
        let read = |[file, counted_as, counted]: [String; 3]| {
            let mut names = Names::default();
            let read = filter_lists::load(
                &collection().join(&file),
                &ListOptions::default(),
                &mut names,
                &mut |_| {},
            );
            List {
                counted: counted.parse().expect(&file),
                file,
                read,
                names,
                counted_as,
            }
        };
        counted_lists().into_iter().map(read).collect()
    });
    &LISTS
}

/// Files, formats and numbers of names, as counts.tsv says.
fn counted_lists() -> Vec<[String; 3]> {
    let counts = fs::read_to_string(collection().join("counts.tsv"))
        .expect("../shared/blocklists/counts.tsv");
    let rows = counts
        .lines()
        .skip(1)
        .map(|row| row.split('\t').collect::<Vec<_>>());
    rows.map(|row| [row[0], row[1], row[4]].map(str::to_owned))
        .collect()
}

fn difference(file: &str) -> i64 {
    DIFFERENCES
        .iter()
        .find(|(differing, ..)| *differing == file)
        .map_or(0, |(_, difference, _)| *difference)
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}
