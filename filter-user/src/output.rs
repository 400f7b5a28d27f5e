//! What people read: colours in a terminal only, numbers with thousands separators, tables.

use std::{
    fmt::Display,
    io::{self, StdoutLock, Write},
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use indicatif::HumanCount;
use serde::Serialize;

pub const FAILURE: Style = AnsiColor::Red.on_default().bold();
pub const BLOCKED: Style = AnsiColor::Red.on_default();
pub const PASSED: Style = AnsiColor::Green.on_default();
pub const HEADING: Style = Style::new().bold();
pub const FAINT: Style = Style::new().dimmed();

/// Standard output; colours go out only to a terminal, and not where `NO_COLOR` is set.
pub fn stdout() -> AutoStream<StdoutLock<'static>> {
    anstream::stdout().lock()
}

/// One object a line.
pub fn json_line(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)
}

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// Where a rule came from: `hosts.txt:12`, or `added by hand`.
pub fn place(list: &str, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{list}:{line}"),
        None => "added by hand".into(),
    }
}

/// `1 rule`, `2 rules`.
pub fn plural(number: u64, thing: &str) -> String {
    format!(
        "{} {thing}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// Rows in columns, those with these indices aligned to the right.
pub fn table<R: IntoIterator<Item = impl Display>>(
    rows: impl IntoIterator<Item = R>,
    right: &[usize],
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for row in rows {
        table.add_row(row.into_iter().map(|cell| cell.to_string()));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// True if the error is that nobody reads our output any more.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
