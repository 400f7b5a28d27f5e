//! What judges frames: the program in the kernel, or its source in user space.

use std::net::SocketAddr;

use filter_core::{
    Event, HashKey, Interface, Offline, Options, Reason, ResponseAction, RuleKey, Settings,
};
use filter_policy::at::PolicyAt;

use crate::kernel::{Filter, KernelError, NameEvent, TestBed};

/// Judges frames one after another, with the state of their flows.
pub trait Engine {
    /// Judges a frame that starts with its Ethernet header: why it passes or not, and each name
    /// that was judged with it, in order. `None` for a frame that the engine does not take.
    ///
    /// # Errors
    /// If the kernel fails.
    fn judge(&mut self, frame: &[u8]) -> Result<Option<(Reason, Vec<Seen>)>, KernelError>;

    /// Forgets all flows: what comes next has nothing to do with what came before.
    ///
    /// # Errors
    /// If the kernel fails.
    fn forget_flows(&mut self) -> Result<(), KernelError>;
}

/// A name that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it met.
    pub reason: Reason,
    /// What its client is to get, if it is blocked: what its list or its rule says, or what an
    /// interface would do.
    pub action: ResponseAction,
    /// The name: lower case, odd bytes as `\xHH`, the root as `.`.
    pub name: String,
    /// The rule that blocks it.
    pub rule: Option<RuleKey>,
    /// Type of the resource record in which it stands, for a further name of a DNS response.
    pub record: Option<u16>,
    /// Who sent it, and to whom.
    pub flow: (SocketAddr, SocketAddr),
    /// TCP's sequence number of the message in which it stands, or octets of the connection ID of
    /// QUIC.
    pub sequence: Option<u32>,
}

/// The loaded program, run over frames from memory.
#[derive(Debug)]
pub struct KernelEngine<'f> {
    bed: TestBed<'f>,
}

impl<'f> KernelEngine<'f> {
    /// The interface that frames from memory come in by, the loopback; as a replay has it.
    pub const INTERFACE: (u32, Interface) = (1, Interface::of_recording());

    /// Frames that a test run takes: an Ethernet header at least, and at most what IP can hold.
    const FRAME_BYTES: std::ops::RangeInclusive<usize> = 14..=65_535;

    /// The program of this filter, which must report what passes, too, and take what it gets for a
    /// recording ([`KernelEngine::INTERFACE`]); the thread stays on one CPU from here on.
    ///
    /// # Errors
    /// If the thread cannot be kept on a CPU.
    pub fn new(filter: &'f mut Filter) -> Result<Self, KernelError> {
        Ok(Self {
            bed: filter.test_bed()?,
        })
    }
}

impl Engine for KernelEngine<'_> {
    fn judge(&mut self, frame: &[u8]) -> Result<Option<(Reason, Vec<Seen>)>, KernelError> {
        if !Self::FRAME_BYTES.contains(&frame.len()) {
            return Ok(None);
        }
        let judged = self.bed.judge(frame)?;
        let mut names = Vec::new();
        self.bed.drain_events(|event| names.push(Seen::from(event)));
        Ok(Some((judged.reason, names)))
    }

    fn forget_flows(&mut self) -> Result<(), KernelError> {
        self.bed.forget_flows()
    }
}

/// The program's source, run as it is.
pub struct UserEngine<'p> {
    offline: Offline<PolicyAt<'p>>,
}

impl<'p> UserEngine<'p> {
    /// Judges by this policy, which was made with the same hash key.
    pub fn new(hash_key: HashKey, dns_ports: &[u16], policy: PolicyAt<'p>) -> Self {
        let options = Options {
            dns_ports,
            report_passed: true,
            ..Options::default()
        };
        Self {
            offline: Offline::new(Settings::new(hash_key, &options), policy)
                .on(Interface::of_recording()),
        }
    }
}

impl Engine for UserEngine<'_> {
    fn judge(&mut self, frame: &[u8]) -> Result<Option<(Reason, Vec<Seen>)>, KernelError> {
        let reason = self.offline.decide(frame);
        Ok(Some((
            reason,
            self.offline.take_events().iter().filter_map(seen).collect(),
        )))
    }

    fn forget_flows(&mut self) -> Result<(), KernelError> {
        self.offline.forget_flows();
        Ok(())
    }
}

impl From<NameEvent> for Seen {
    fn from(event: NameEvent) -> Self {
        Self {
            rule: event.rule,
            sequence: sequence(event.sequence),
            reason: event.reason,
            action: event.action,
            name: event.name,
            record: event.record,
            flow: (event.source, event.destination),
        }
    }
}

fn seen(event: &Event) -> Option<Seen> {
    let reason = event.reason()?;
    Some(Seen {
        rule: event.rule(),
        sequence: sequence(event.sequence()),
        reason,
        action: event.action()?,
        name: event.name().to_string(),
        record: event.record(),
        flow: (event.source(), event.destination()),
    })
}

/// Datagrams have no sequence number, which is 0 in an event; of TCP's, one in 4,294,967,296 is
/// taken for none.
fn sequence(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}
