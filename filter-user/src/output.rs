//! What people read: colours in a terminal only, numbers with thousands separators, tables.

use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, StdoutLock, Write},
    mem,
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use filter_user::printable::{self, is_obeyed};
use indicatif::HumanCount;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{
    Value,
    ser::{Formatter, Serializer},
};

pub const FAILURE: Style = AnsiColor::Red.on_default().bold();
pub const BLOCKED: Style = AnsiColor::Red.on_default();
pub const PASSED: Style = AnsiColor::Green.on_default();
pub const HEADING: Style = Style::new().bold();
pub const FAINT: Style = Style::new().dimmed();

/// Standard output; colours go out only to a terminal, and not where `NO_COLOR` is set.
pub fn stdout() -> AutoStream<StdoutLock<'static>> {
    anstream::stdout().lock()
}

/// One object a line, without a character that a terminal obeys: JSON itself leaves some as they are.
pub fn json_line(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    object.serialize(&mut Serializer::with_formatter(&mut *out, Escaping))?;
    writeln!(out)
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_obeyed) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            let mut characters = after.chars();
            // All of them are in the first plane, and take one escape (RFC 8259 §7).
            let code = characters.next().map_or(0, u32::from);
            write!(out, "\\u{code:04x}")?;
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// An answer of the controller with all of its texts as they may be printed.
pub fn printable<T: Serialize + DeserializeOwned>(object: &T) -> serde_json::Result<T> {
    let mut object = serde_json::to_value(object)?;
    escape(&mut object);
    serde_json::from_value(object)
}

fn escape(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(escaped) = printable::printable(text) {
                *text = escaped;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(escape),
        Value::Object(object) => {
            *object = mem::take(object)
                .into_iter()
                .map(|(name, mut value)| {
                    escape(&mut value);
                    (printable::printable(&name).into_owned(), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// Where a rule came from: `hosts.txt:12`, or `manual`.
pub fn place(list: &str, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{list}:{line}"),
        None => "manual".into(),
    }
}

/// What is said of a rule that does not simply block: `  (allow)`.
pub fn mark(action: &str) -> String {
    match action {
        "block" => String::new(),
        other => format!("  ({})", other.replace('_', " ")),
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
