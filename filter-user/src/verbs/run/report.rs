//! What a controller says while it starts and ends.

use std::io::Write;

use filter_lists::{ListReport, Unusable};
use filter_policy::compiled::CompiledPolicy;
use filter_user::{
    controller::NamedInterface,
    kernel::{AttachedMode, Attachment},
    printable::printable_lines,
    server::ApiSocket,
};

use crate::output::{count, plural, table};

/// Tells people something. Where nobody reads, the filter goes on.
pub fn say(text: &str) {
    let _ = writeln!(crate::output::stdout(), "{}", printable_lines(text));
}

/// As [`say`], for what is not quite right.
pub fn warn(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", printable_lines(text));
}

/// The filter is in force.
pub fn started(
    interfaces: &[NamedInterface],
    compiled: &CompiledPolicy,
    socket: &ApiSocket,
) -> String {
    let interfaces: Vec<_> = interfaces
        .iter()
        .map(|it| {
            let mode = it.mode().map_or("missing", AttachedMode::as_str);
            format!("{} ({mode})", it.name())
        })
        .collect();
    let rules = plural(compiled.len(), "rule");
    let socket = socket.path().display();
    let hint = if compiled.is_empty() {
        "; `namegate block add` adds some"
    } else {
        ""
    };
    format!(
        "filtering {} with {rules}{hint}; the API is on {socket}",
        interfaces.join(", ")
    )
}

/// Answers that the driver sends may not arrive.
pub fn far_end(attachment: &Attachment) -> String {
    let name = &attachment.interface;
    format!(
        "`{name}` is a veth, whose other end takes answers from the driver only if it has an XDP program, too: where it has \
         none, nobody hears of what is blocked; leave `--mode native` out, or write `--mode generic`"
    )
}

/// What of a list could not be used, by reason, with examples.
pub fn left_out(list: &ListReport) -> String {
    let rows = list.unusable.iter().map(|(reason, number)| {
        [
            format!("  {}", count(*number)),
            format!("{reason}:"),
            examples(list, *reason),
        ]
    });
    let entries = plural(list.unusable_entries(), "entry").replace("entrys", "entries");
    let rules = plural(list.kinds.total(), "rule");
    format!(
        "{}: {rules}; {entries} left out:\n{}",
        list.list,
        table(rows, &[0])
    )
}

/// Data of a policy zone with which nobody is answered.
pub fn with_data(list: &ListReport) -> String {
    let rules = plural(list.with_data, "rule");
    format!(
        "{}: {rules} with data of the list's own (an address, an alias, a text), which nobody is answered with: these names are \
         blocked, and the list's `action` in the configuration or --action says what their clients hear",
        list.list
    )
}

fn examples(list: &ListReport, reason: Unusable) -> String {
    let examples = list
        .examples
        .iter()
        .filter(|example| example.reason == reason);
    let examples: Vec<_> = examples
        .map(|it| format!("line {} \"{}\"", it.line, it.text))
        .collect();
    examples.join(", ")
}
