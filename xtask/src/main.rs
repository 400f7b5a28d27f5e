//! The chores of this repository. Each verb sets up what it needs and the machine lacks.

mod archive;
mod bench;
mod build;
mod cache;
mod corpus;
mod cross;
mod demonstration;
mod deny;
mod fuzz;
mod kernels;
mod lab;
mod mutants;
mod progress;
mod run;
mod setup;
mod test;
mod toolchain;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set up, build, try, test and measure Namegate.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what building and testing need and this machine lacks.
    Setup(setup::Args),
    /// Build the release binary, with the kernel program inside: target/release/namegate.
    Build(build::Args),
    /// Show the filter at work in a lab of network namespaces; with arguments, run it on a real
    /// interface.
    Run(run::Args),
    /// Keep the lab standing, to try things in.
    #[command(subcommand)]
    Lab(lab::Verb),
    /// Pass every test and check. Needs root.
    Test,
    /// Measure; arguments go to the bench.
    Bench {
        /// Arguments of the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Try the filter on the kernels that people have, each in a guest under QEMU.
    Kernels(kernels::Args),
    /// Record the repository's own captures anew, from real clients in the lab.
    Corpus,
    /// Check the dependencies' licences, sources and versions with cargo-deny, which it installs if
    /// need be.
    Deny,
    /// Fuzz the decision: feed it made-up frames for a time, and see that what holds of any frame
    /// holds of these.
    Fuzz(fuzz::Args),
    /// Change what filter-core means in small ways, and see that its tests notice each.
    Mutants(mutants::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Setup(args) => setup::run(&args),
        Verb::Build(args) => build::run(&args),
        Verb::Run(args) => run::run(&args),
        Verb::Lab(verb) => lab::run(&verb),
        Verb::Test => test::run(),
        Verb::Bench { args } => bench::run(&args),
        Verb::Kernels(args) => kernels::run(&args),
        Verb::Corpus => corpus::run(),
        Verb::Deny => deny::run(),
        Verb::Fuzz(args) => fuzz::run(&args),
        Verb::Mutants(args) => mutants::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        anstream::eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
