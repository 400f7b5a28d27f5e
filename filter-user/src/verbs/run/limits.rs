//! What reading lists may take.

use std::time::Duration;

use filter_lists::Limits;
use filter_user::controller::MaxShrink;

/// Limits of reading, at the start and at each reload.
#[derive(Clone, Debug, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "they are the options as they are written"
)]
pub struct LimitArgs {
    /// MiB that all lists may have together, unpacked
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    max_unpacked: u32,

    /// MiB of memory that the rules may take while they are read [default: half of what is free]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    max_memory: Option<u32>,

    /// Seconds that reading may take
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..))]
    max_seconds: u32,

    /// Percent of its rules that a list may lose in a reload; beyond that, nothing of the reload is
    /// taken
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    max_shrink: u8,
}

/// Rules that lists may have for each that there may be in the kernel: they repeat and cover each
/// other. Few rules may be said very often.
const READ_FOR_EACH: u64 = 4;
const READ_AT_LEAST: u64 = 1 << 16;

impl LimitArgs {
    /// The limits, where there may be so many rules in the kernel.
    pub fn limits(&self, max_rules: u32) -> Limits {
        let mebibytes = |number: u32| u64::from(number) << 20;
        let of_rules = u64::from(max_rules) * READ_FOR_EACH + READ_AT_LEAST;
        let unnamed = Limits::default();
        Limits {
            unpacked: mebibytes(self.max_unpacked),
            rules: of_rules.min(unnamed.rules),
            time: Duration::from_secs(self.max_seconds.into()),
            memory: self.max_memory.map(mebibytes),
        }
    }

    /// What a list may lose.
    pub fn max_shrink(&self) -> MaxShrink {
        MaxShrink {
            percent: self.max_shrink,
            ..MaxShrink::default()
        }
    }
}
