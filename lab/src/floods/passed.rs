//! What came through a filter, as the kernel counts it.

use anyhow::{Context as _, Result};

use super::SplitHello;
use crate::Namespace;

/// Segments of [`super::whole_hellos`] that came in by an interface, which nft counts and drops
/// behind the XDP program: nobody has to answer them.
#[derive(Debug)]
pub struct Passed<'n> {
    namespace: &'n Namespace,
}

impl<'n> Passed<'n> {
    const TABLE: &'static str = "flood";

    /// Counts from now on, in place of what was counted there before.
    pub fn count(namespace: &'n Namespace, interface: &str, hello: &SplitHello) -> Result<Self> {
        let (table, [first, second]) = (Self::TABLE, hello.sequences());
        let connection = "ip saddr . tcp sport . ip daddr";
        let rules = format!(
            "add table netdev {table}; delete table netdev {table}; add table netdev {table}; \
             add counter netdev {table} first; add counter netdev {table} second; add counter netdev {table} whole; \
             add counter netdev {table} others; \
             add set netdev {table} halves {{ type ipv4_addr . inet_service . ipv4_addr; size 65535; flags dynamic; }}; \
             add chain netdev {table} in {{ type filter hook ingress device {interface} priority 0 ; }}; \
             add rule netdev {table} in ip saddr 10.0.0.0/8 tcp sequence {second} update @halves {{ {connection} }} counter name second drop; \
             add rule netdev {table} in ip saddr 10.0.0.0/8 tcp sequence {first} {connection} @halves counter name whole; \
             add rule netdev {table} in ip saddr 10.0.0.0/8 tcp sequence {first} counter name first drop; \
             add rule netdev {table} in ip saddr 10.0.0.0/8 counter name others drop"
        );
        namespace.output("nft", &[&rules])?;
        Ok(Self { namespace })
    }

    /// First halves so far, and those that came again.
    pub fn first_halves(&self) -> Result<u64> {
        self.packets("first")
    }

    /// Second halves so far. Where the filter has dropped the first one, it may let the second one
    /// pass: the hello is not whole.
    pub fn second_halves(&self) -> Result<u64> {
        self.packets("second")
    }

    /// Hellos so far of which both halves came through: the server has all of it. There are 65,535
    /// at most.
    pub fn whole(&self) -> Result<u64> {
        self.packets("whole")
    }

    fn packets(&self, counter: &str) -> Result<u64> {
        let text = self
            .namespace
            .output("nft", &["list", "counter", "netdev", Self::TABLE, counter])?;
        let count = text
            .split("packets ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        count
            .and_then(|count| count.parse().ok())
            .with_context(|| format!("nft says no number of packets: {text}"))
    }
}
