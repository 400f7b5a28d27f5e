//! What a text says in a format, as lines that a claim can be compared with.

use crate::{
    Format, ListOptions, ListReport, ListRule, Sink, Subject, TooManyNames, read, reading::Reading,
};

/// The rules and the lines that are none, in the order of their lines: `block name a.example`,
/// `- url`.
pub(crate) fn lines_of(format: Format, text: &str, options: ListOptions) -> Vec<String> {
    let mut sink = Recorder::default();
    let mut reading = Reading::new(&mut sink, &options, ListReport::new(String::new(), format));
    assert!(read(text.as_bytes(), &mut reading).is_ok(), "{text}");
    let examples = reading.report.examples;
    sink.0.extend(examples.into_iter().map(|example| {
        let detail = example
            .reason
            .detail()
            .map(|detail| format!(" {detail}"))
            .unwrap_or_default();
        (
            example.line,
            format!("- {}{detail}", example.reason.as_str()),
        )
    }));
    sink.0.sort_by_key(|(line, _)| *line);
    sink.0.into_iter().map(|(_, text)| text).collect()
}

/// Rules as text, with their lines.
#[derive(Default)]
struct Recorder(Vec<(u32, String)>);

impl Sink for Recorder {
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        let cancel = if rule.cancels { "cancel " } else { "" };
        let action = rule.action;
        self.0.push((
            line,
            match rule.subject {
                Subject::Name(name, scope) => format!("{cancel}{action} {scope} {name}"),
                Subject::Pattern(pattern) => format!("{cancel}{action} pattern {pattern}"),
            },
        ));
        Ok(true)
    }
}
