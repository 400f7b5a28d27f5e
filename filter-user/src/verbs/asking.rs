//! What `test` and `explain` ask with: a name, a client and a time.

use std::net::IpAddr;

use filter_api::questions::Question;

/// For whom a name is judged, and when.
#[derive(clap::Args)]
pub struct CaseArgs {
    /// As this client would meet it, and not as one in no group
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,

    /// The client's MAC address; it counts more than the address
    #[arg(long, value_name = "MAC")]
    mac: Option<String>,

    /// At this time (RFC 3339), and not now
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<jiff::Timestamp>,
}

fn time(text: &str) -> Result<jiff::Timestamp, &'static str> {
    let parsed = text.parse();
    parsed.map_err(|_| "write a time as in RFC 3339, such as 2026-11-25T21:00:00+01:00")
}

impl CaseArgs {
    /// The question about this name.
    pub fn about(&self, name: &str) -> Question {
        Question {
            name: name.into(),
            client: self.client,
            mac: self.mac.clone(),
            at: self.at,
        }
    }
}
