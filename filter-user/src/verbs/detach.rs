//! `namegate detach`

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::ValueHint;
use filter_user::{
    kernel::{DEFAULT_PINS, Pins, interface_name},
    printable::printable_lines,
};

use crate::output::stdout;

/// End the filtering that goes on without a controller
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate detach
  namegate detach --pins /sys/fs/bpf/office

When a controller ends by SIGTERM or by a crash, the kernel goes on filtering by its last policy, and the next controller
takes over without a gap. This takes the programs off all interfaces and removes what is pinned. Ctrl-C in the terminal of
`namegate run` does the same.")]
pub struct Args {
    /// The folder of a BPF file system in which the filter is pinned
    #[arg(long, value_name = "DIR", default_value = DEFAULT_PINS, value_hint = ValueHint::DirPath)]
    pins: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let detached = match Pins::open_existing(&args.pins)? {
        Some(pins) => pins.remove_all()?,
        None => Vec::new(),
    };
    let text = if detached.is_empty() {
        format!("nothing was attached by pins in {}", args.pins.display())
    } else {
        let names = detached
            .iter()
            .map(|index| interface_name(*index).unwrap_or_else(|| format!("interface {index}")));
        format!("detached from {}", names.collect::<Vec<_>>().join(", "))
    };
    writeln!(stdout(), "{}", printable_lines(&text))?;
    Ok(ExitCode::SUCCESS)
}
