//! The real lists of ../shared/blocklists: what each holds, and the counts that stand beside them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use filter_user::{
    lists::{self, Action, Domain, ListError, ListOptions, ListReport, ListRule, Sink, Subject},
    policy::TooManyNames,
};

/// What each list is expected to give: its format, its rules by kind, and what is left out by reason.
const EXPECTED: &str = include_str!("shared_lists.tsv");

#[test]
fn every_list_gives_the_expected_rules() {
    let actual: Vec<String> = lists().iter().map(row).collect();
    let expected: Vec<&str> = EXPECTED.lines().filter(|line| !line.starts_with('#')).collect();
    let differing: Vec<&String> = actual.iter().filter(|row| !expected.contains(&&***row)).collect();
    assert!(
        differing.is_empty(),
        "rows that are not in shared_lists.tsv:\n{}",
        differing.iter().map(|row| format!("{row}\n")).collect::<String>()
    );
    assert_eq!(actual.len(), expected.len(), "rows of shared_lists.tsv");
}

struct List {
    file: String,
    read: Result<ListReport, ListError>,
    names: BTreeSet<String>,
    counted: u64,
}

/// A row of the table.
fn row(list: &List) -> String {
    let report = match &list.read {
        Ok(report) => report,
        Err(ListError::Empty { holds, .. }) => holds.report(),
        Err(error) => panic!("{}: {error}", list.file),
    };
    let mut rules: Vec<String> =
        report.kinds.iter().map(|(action, kind, rules)| format!("{action} {} {rules}", kind.as_str())).collect();
    rules.extend((report.cancelling > 0).then(|| format!("cancelling {}", report.cancelling)));
    let mut left_out: Vec<String> = (report.local > 0).then(|| format!("local {}", report.local)).into_iter().collect();
    left_out.extend(report.unusable.iter().map(|(reason, count)| {
        let detail = reason.detail().map(|detail| format!(" {detail}")).unwrap_or_default();
        format!("{}{detail} {count}", reason.as_str())
    }));
    [&list.file, report.format.as_str(), &rules.join(", "), &left_out.join(", ")].join("\t")
}

/// Takes the names of rules.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Sink for Names {
    fn expect(&mut self, _: u64) {}

    fn rule(&mut self, rule: ListRule<'_>, _: u32) -> Result<bool, TooManyNames> {
        Ok(match rule.subject {
            Subject::Name(name, _) => self.0.insert(name.to_owned()),
            Subject::Pattern(_) => true,
        })
    }
}

/// All lists, read once.
fn lists() -> &'static [List] {
    static LISTS: LazyLock<Vec<List>> = LazyLock::new(|| {
        let read = |(file, counted): (String, u64)| {
            let mut names = Names::default();
            let read = lists::load(&collection().join(&file), &ListOptions::default(), &mut names, &mut |_| {});
            List { file, read, names: names.0, counted }
        };
        counted_lists().into_iter().map(read).collect()
    });
    &LISTS
}

/// The lists, with the number of names that counts.tsv says.
fn counted_lists() -> Vec<(String, u64)> {
    let counts = fs::read_to_string(collection().join("counts.tsv")).expect("../shared/blocklists/counts.tsv");
    let rows = counts.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>());
    rows.map(|row| (row[0].to_owned(), row[4].parse().expect(row[0]))).collect()
}

fn collection() -> PathBuf {
    Path::new("/work").join("shared/blocklists")
}
