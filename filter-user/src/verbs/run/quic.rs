//! What is done with QUIC, as the command line says it.

use clap::{ValueEnum, value_parser};
use filter_core::{Directions, Quic};

use super::per_interface::PerInterface;

/// Arguments about QUIC.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "QUIC")]
pub struct QuicArgs {
    /// Whether server names in QUIC are read (`inspect`), QUIC passes unread (`pass`), or is
    /// dropped so that clients go on with TCP (`refuse`), on all interfaces or on one
    /// (`wan0=pass`); `inspect`, but `pass` where only responses are judged
    #[arg(long, num_args = 1.., value_name = "[IF=]QUIC", value_parser = quic)]
    quic: Vec<PerInterface<Quic>>,

    /// QUIC connections that are remembered at once; each takes 6 kB of the kernel's memory
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = value_parser!(u32).range(1..=1 << 17))]
    pub quic_flows: u32,

    /// QUIC Initial packets that each CPU opens in a second at most; 0 for no bound
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub quic_per_second: u32,

    /// The same of those of one source
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub quic_per_source: u32,

    /// What becomes of those beyond: they pass unread, or are dropped, and their client sends them
    /// again
    #[arg(long, value_enum, default_value_t)]
    pub quic_beyond: Beyond,
}

/// `--quic-beyond`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Beyond {
    /// They pass, and are counted
    Pass,
    /// They are dropped, and counted
    #[default]
    Drop,
}

impl QuicArgs {
    /// Refuses what is about interfaces that there are not.
    pub fn check(&self, names: &[String]) -> anyhow::Result<()> {
        PerInterface::check("--quic", &self.quic, names)
    }

    /// What is done with QUIC on this interface. Where only servers are, no client's packet comes.
    pub fn on(&self, name: &str, directions: Directions) -> Quic {
        let unless_said = if directions == Directions::Responses {
            Quic::Pass
        } else {
            Quic::Inspect
        };
        PerInterface::said_of(&self.quic, name).unwrap_or(unless_said)
    }
}

fn quic(text: &str) -> Result<PerInterface<Quic>, String> {
    PerInterface::parse(text, |word| {
        let quic = Quic::ALL.into_iter().find(|quic| quic.as_str() == word);
        quic.ok_or_else(|| format!("`{word}` is none of `inspect`, `pass` and `refuse`"))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        quic: QuicArgs,
    }

    fn args(args: &[&str]) -> QuicArgs {
        Line::parse_from(["run"].iter().chain(args)).quic
    }

    #[test]
    fn quic_is_inspected_where_clients_may_be_unless_something_else_is_said() {
        let on = |given: &[&str]| {
            let args = args(given);
            [
                args.on("lan", Directions::Both),
                args.on("lan", Directions::Queries),
                args.on("wan", Directions::Responses),
            ]
        };
        assert_eq!(on(&[]), [Quic::Inspect, Quic::Inspect, Quic::Pass]);
        assert_eq!(on(&["--quic", "refuse"]), [Quic::Refuse; 3]);
        assert_eq!(
            on(&["--quic", "lan=pass", "wan=inspect"]),
            [Quic::Pass, Quic::Pass, Quic::Inspect]
        );
    }

    #[test]
    fn other_words_and_other_interfaces_are_errors() {
        assert!(
            quic("lan=drop")
                .unwrap_err()
                .contains("`drop` is none of `inspect`, `pass` and `refuse`")
        );
        let error = args(&["--quic", "eth9=pass"])
            .check(&["lan".into()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("eth9"), "{error}");
    }
}
