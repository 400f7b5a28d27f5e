//! `namegate rollback`

use std::process::ExitCode;

use filter_api::reload::Reloaded;

use super::{ask, reload::print};
use crate::cli::ClientArgs;

/// Put the policy back in force that was there before the last reload
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  namegate rollback

Manual rules stay. A second time, this puts the newer policy back. Files of lists are not changed: the next
reload or start reads them again.
With --json, one object, as of `namegate reload`.")]
pub struct Args {
    #[command(flatten)]
    client: ClientArgs,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let reloaded: Reloaded = ask(&args.client, async |client| Ok(client.roll_back().await?))?;
    print(&args.client, &reloaded)
}
