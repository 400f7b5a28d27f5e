//! What `test` and `explain` ask with: a name, a client and a time.

use std::net::IpAddr;

use filter_user::api::Client;
use serde::de::DeserializeOwned;

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
    #[arg(long, value_name = "TIME")]
    at: Option<jiff::Timestamp>,
}

impl CaseArgs {
    /// Asks the controller about this name.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        controller: &Client,
        path: &str,
        name: &str,
    ) -> anyhow::Result<T> {
        let client = self.client.map(|client| client.to_string());
        let at = self.at.map(|at| at.to_string());
        let all = [
            ("name", Some(name)),
            ("client", client.as_deref()),
            ("mac", self.mac.as_deref()),
            ("at", at.as_deref()),
        ];
        let query: Vec<_> = all
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        Ok(controller.get(path, &query).await?)
    }
}
