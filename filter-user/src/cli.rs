//! The command line.

use std::{io::Write as _, path::PathBuf, process};

use clap::{Args, Parser, Subcommand, ValueHint};
use filter_api::DEFAULT_SOCKET;

use crate::verbs::{
    block, check, completions, detach, events, explain, reload, replay, rollback, run, stats,
    status, test,
};

/// Filters a network's DNS and TLS traffic by name, in the kernel.
#[derive(Parser)]
#[command(name = "namegate", version, max_term_width = 100)]
#[command(after_help = "\
Examples:
  namegate run --iface eth0 --list hosts.txt    Block the names of a hosts file on eth0
  namegate test ads.example.com                 Would this name be blocked, and by which rule?
  namegate events                               Watch what is blocked
  namegate replay monday.pcap                   Which names are in a capture, and what would they meet?
  namegate check ads.txt                        What would this list do?

`namegate VERB --help` has examples for each verb.")]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    Run(Box<run::Args>),
    Detach(detach::Args),
    Reload(reload::Args),
    Rollback(rollback::Args),
    Block(block::Args),
    Allow(block::AllowArgs),
    Check(check::Args),
    Status(status::Args),
    Stats(stats::Args),
    Test(test::Args),
    Explain(explain::Args),
    Events(events::Args),
    Replay(replay::Args),
    Completions(completions::Args),
}

/// Which controller, which all verbs need.
#[derive(Clone, Debug, Args)]
pub struct SocketArgs {
    /// The controller's socket
    #[arg(long, value_name = "PATH", env = "NAMEGATE_SOCKET", default_value = DEFAULT_SOCKET)]
    #[arg(value_hint = ValueHint::FilePath)]
    pub socket: PathBuf,
}

/// What all verbs that ask a controller take.
#[derive(Args)]
pub struct ClientArgs {
    #[command(flatten)]
    pub socket: SocketArgs,

    /// How long the controller may take to answer [default: 10; for changes and reloads 600, once it
    /// has answered that it is there]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub timeout: Option<u32>,

    /// Print JSON, for other programs
    #[arg(long)]
    pub json: bool,
}

/// What the command line says; ends the process where it is wrong.
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if error.use_stderr() {
            // Where nobody reads, the exit code tells.
            let _ = write!(anstream::stderr(), "{}", in_plain_words(&error));
            process::exit(error.exit_code());
        }
        error.exit()
    })
}

/// The words of an error, without those of the language that this is written in.
fn in_plain_words(error: &clap::Error) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("invalid digit found in string", "write a whole number"),
        (
            "cannot parse integer from empty string",
            "write a whole number",
        ),
        ("number too large to fit in target type", "it is too large"),
        ("number too small to fit in target type", "it is too small"),
        (
            "invalid IP address syntax",
            "write an IP address, such as 192.0.2.17 or 2001:db8::17",
        ),
        ("is not in ", "is not within "),
        ("..=", " to "),
    ];
    let text = error.render().ansi().to_string();
    WORDS
        .iter()
        .fold(text, |text, (theirs, ours)| text.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_each_verb_has_examples() {
        for verb in Cli::command().get_subcommands() {
            let help = verb
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.starts_with("Examples:\n  namegate"),
                "{}",
                verb.get_name()
            );
        }
    }

    #[test]
    fn shells_complete_no_files_where_interfaces_are_named() {
        let cli = Cli::command();
        let run = cli.find_subcommand("run").unwrap();
        for option in ["iface", "clients"] {
            let mut arguments = run.get_arguments();
            let argument = arguments.find(|it| it.get_long() == Some(option)).unwrap();
            assert_eq!(argument.get_value_hint(), ValueHint::Other, "{option}");
        }
    }

    #[test]
    fn each_verb_that_asks_a_controller_can_answer_in_json() {
        for verb in Cli::command().get_subcommands() {
            let asks = !["run", "detach", "completions"].contains(&verb.get_name());
            let mut leaves: Vec<_> = verb.get_subcommands().collect();
            if leaves.is_empty() {
                leaves.push(verb);
            }
            for leaf in leaves {
                let json = leaf
                    .get_arguments()
                    .any(|argument| argument.get_long() == Some("json"));
                assert_eq!(json, asks, "{}", leaf.get_name());
            }
        }
    }
}
