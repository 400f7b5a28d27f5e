//! How real clients ask, and what they and who reads events say then.

use std::{
    fs,
    process::{Output, Stdio},
    time::Duration,
};

use lab::{Family, Process, SERVER, wait_until};
use serde_json::Value;

use crate::network::{LISTED, NAMEGATE, Network};

pub fn dig(network: &Network, family: Family, args: &[&str]) -> String {
    let at = format!("@{}", SERVER.of(family));
    let mut command = network.lab.client().command("timeout");
    let output = command
        .args(["10", "dig", "+tries=1", "+time=3", &at])
        .args(args)
        .output()
        .unwrap();
    words(&output)
}

/// The status and the records of the answer, as dig printed it.
pub fn answer(text: &str) -> String {
    let status = text
        .split("status: ")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .unwrap_or("none");
    let section = text
        .split(";; ANSWER SECTION:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next());
    let records = section
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.split('\t').next_back());
    [status]
        .into_iter()
        .chain(records)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Milliseconds until the answer, as dig measured them.
pub fn query_time(text: &str) -> u64 {
    let time = text
        .split(";; Query time: ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    time.and_then(|time| time.parse().ok())
        .unwrap_or_else(|| panic!("{text}"))
}

pub fn curl(network: &Network, family: Family, name: &str) -> Output {
    let to = format!("{name}:443:{}", bracketed(family));
    let args = [
        "-skS",
        "-o",
        "/dev/null",
        "--max-time",
        "10",
        "--resolve",
        &to,
        &format!("https://{name}/"),
    ];
    network
        .lab
        .client()
        .command("curl")
        .args(args)
        .output()
        .unwrap()
}

/// A blocked name in each of dig over TCP, curl and `OpenSSL`.
pub fn tcp_ways(network: &Network, family: Family) -> [Output; 3] {
    let client = network.lab.client();
    let at = format!("@{}", SERVER.of(family));
    let dig = client
        .command("timeout")
        .args(["10", "dig", "+tcp", "+tries=1", "+time=3", &at, LISTED])
        .output();
    let to = format!("{}:443", bracketed(family));
    let openssl = [
        "10",
        "openssl",
        "s_client",
        "-brief",
        "-servername",
        LISTED,
        "-connect",
        &to,
    ];
    let openssl = client
        .command("timeout")
        .args(openssl)
        .stdin(Stdio::null())
        .output();
    [
        dig.unwrap(),
        curl(network, family, LISTED),
        openssl.unwrap(),
    ]
}

/// The server's address, as it stands in a URL.
pub fn bracketed(family: Family) -> String {
    match family {
        Family::V4 => SERVER.v4.to_string(),
        Family::V6 => format!("[{}]", SERVER.v6),
    }
}

pub fn words(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .map(String::from_utf8_lossy)
        .concat()
}

/// Somebody who reads events.
pub struct Events {
    path: String,
    _process: Process,
}

impl Events {
    pub fn follow(network: &Network) -> Self {
        let path = network.path("events");
        let mut command = network.lab.gateway().command(NAMEGATE);
        command.args(["events", "--json", "--socket", &network.path("socket")]);
        command
            .stdin(Stdio::null())
            .stdout(fs::File::create(&path).unwrap());
        let process = Process::spawn(&mut command).unwrap();
        let reads = || {
            Ok(network
                .verb("status")
                .is_some_and(|status| status["events"]["readers"] == 1))
        };
        wait_until("somebody to read events", Duration::from_secs(20), reads).unwrap();
        Self {
            path,
            _process: process,
        }
    }

    /// The first event of this name in this protocol.
    pub fn of(&self, name: &str, protocol: &str) -> Value {
        self.first(1, |event| {
            event["name"] == name && event["protocol"] == protocol
        })
        .remove(0)
    }

    /// The first so many events of this name.
    pub fn all_of(&self, name: &str, count: usize) -> Vec<Value> {
        self.first(count, |event| event["name"] == name)
    }

    fn first(&self, count: usize, is_wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut found = Vec::new();
        wait_until(&format!("{count} events"), Duration::from_secs(10), || {
            let text = fs::read_to_string(&self.path)?;
            let events = text
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            found = events.filter(&is_wanted).take(count).collect();
            Ok(found.len() == count)
        })
        .unwrap();
        found
    }
}
