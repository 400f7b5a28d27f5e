//! What holds of any file as a list.

use filter_lists::{
    Domain, Format, ListError, ListOptions, ListReport, ListRule, Sink, Subject, TooManyNames,
};

use super::with_file;

/// Reads the file in the format that its content tells, and in one that is said.
///
/// # Panics
/// If a rule is none that may be, or the format is told and read otherwise.
pub fn check(text: &[u8]) {
    if let Ok((report, rules)) = read(text, None) {
        let (said, again) = read(text, Some(report.format)).expect("what is told can be said");
        assert_eq!(
            (said, again),
            (report, rules),
            "the same format, told and said"
        );
    }
    // Which of them is as good as chance.
    let sum: usize = text.iter().map(|byte| usize::from(*byte)).sum();
    let _ = read(text, Some(Format::ALL[sum % Format::ALL.len()]));
}

fn read(text: &[u8], format: Option<Format>) -> Result<(ListReport, Vec<String>), ListError> {
    let mut rules = Rules::default();
    let options = ListOptions {
        format,
        ..ListOptions::default()
    };
    let report = with_file(text, |path| {
        let mut report = filter_lists::load(path, &options, &mut rules, &mut |_| {})?;
        report.list.clear();
        Ok(report)
    })?;
    let Rules(rules) = rules;
    assert_eq!(
        report.kinds.total(),
        rules.len() as u64,
        "rules are counted as they are given"
    );
    assert_eq!(report.rules + report.repeated, report.kinds.total());
    assert!(!rules.is_empty(), "a list without a rule is an error");
    Ok((report, rules))
}

/// Takes the rules of a list as text.
#[derive(Default)]
struct Rules(Vec<String>);

impl Sink for Rules {
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        match rule.subject {
            Subject::Name(name, _) => {
                assert_eq!(
                    Domain::parse(name).as_ref().map(Domain::as_str),
                    Ok(name),
                    "a name is canonical"
                );
            }
            Subject::Pattern(pattern) => {
                let parsed = regex_syntax::ParserBuilder::new()
                    .unicode(false)
                    .utf8(false)
                    .build()
                    .parse(pattern);
                assert!(parsed.is_ok(), "a pattern can be read: {pattern}");
            }
        }
        self.0.push(format!("{line} {rule:?}"));
        Ok(true)
    }
}
