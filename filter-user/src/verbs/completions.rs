//! `namegate completions`

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{cli::Cli, output};

/// Print completions for a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate completions bash > /usr/share/bash-completion/completions/namegate
  namegate completions fish > ~/.config/fish/completions/namegate.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "namegate", &mut text);
    std::io::Write::write_all(&mut output::stdout(), &text)?;
    Ok(ExitCode::SUCCESS)
}
