//! `namegate`: filters a network's DNS and TLS traffic by name, in the kernel.

mod cli;
mod output;
mod verbs;

use std::process::ExitCode;

use filter_user::printable::printable_lines;

use crate::cli::Verb;

fn main() -> ExitCode {
    let result = match cli::parse().verb {
        Verb::Run(args) => verbs::run::run(&args),
        Verb::Detach(args) => verbs::detach::run(&args),
        Verb::Reload(args) => verbs::reload::run(&args),
        Verb::Rollback(args) => verbs::rollback::run(&args),
        Verb::Block(args) => verbs::block::run(&args),
        Verb::Allow(args) => verbs::block::allow(&args),
        Verb::Check(args) => verbs::check::run(&args),
        Verb::Status(args) => verbs::status::run(&args),
        Verb::Stats(args) => verbs::stats::run(&args),
        Verb::Test(args) => verbs::test::run(&args),
        Verb::Explain(args) => verbs::explain::run(&args),
        Verb::Events(args) => verbs::events::run(&args),
        Verb::Replay(args) => verbs::replay::run(&args),
        Verb::Completions(args) => verbs::completions::run(&args),
    };
    match result {
        Ok(code) => code,
        // Whoever reads our output has had enough, as `head` does.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!(
                "{}namegate:{:#} {}",
                output::FAILURE,
                output::FAILURE,
                printable_lines(&format!("{error:#}"))
            );
            ExitCode::FAILURE
        }
    }
}
