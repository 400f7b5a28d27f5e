//! The kernel and user space, side by side under the same rules.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
};

use filter_core::{Name, Reason, RuleKey, Rules, Settings, Verdict, decide};
use filter_user::kernel::{Filter, LoadOptions, TestBed};

const DNS_PORTS: [u16; 1] = [53];
/// Of the names that occur, each of so many is a rule.
const NAMES_A_RULE: usize = 3;
/// What the kernel takes for a test run: an Ethernet header at least, and as many buffers as a packet may have at most.
const FRAME_BYTES: std::ops::RangeInclusive<usize> = 14..=65_536;

/// A decision, with the name where the reason is about one.
#[derive(Debug, PartialEq, Eq)]
struct Decision {
    verdict: Option<Verdict>,
    reason: Reason,
    name: Option<String>,
}

impl Decision {
    fn new(verdict: Option<Verdict>, reason: Reason, name: &dyn ToString) -> Self {
        Self { verdict, reason, name: is_about_name(reason).then(|| name.to_string()) }
    }
}

/// What was seen on the way.
#[derive(Debug, Default)]
pub struct Tally {
    /// Frames that both decided over.
    pub judged: usize,
    /// Those that both dropped.
    pub dropped: usize,
    /// Frames that a test run does not take.
    pub not_taken: usize,
    /// The reasons that occurred.
    pub reasons: BTreeSet<Reason>,
}

struct Keys(HashSet<RuleKey>);

impl Rules for Keys {
    fn matches(&self, key: RuleKey) -> bool {
        self.0.contains(&key)
    }
}

/// Has both decide over each frame.
///
/// # Panics
/// Where they disagree, with the frame, both decisions and `what`, which says where the frame is from.
pub fn compare(rule_names: &[String], what: &str, frames: impl IntoIterator<Item = Vec<u8>>) -> Tally {
    let options = LoadOptions { max_rules: 1 << 16, dns_ports: DNS_PORTS.to_vec(), events_per_second: 1 };
    let mut filter = Filter::load(&options).expect("a filter");
    let key = *filter.hash_key();
    let keys: Vec<_> = rule_names.iter().filter_map(|name| key.rule_key(name)).collect();
    filter.insert_many(&keys, |_| {}).expect("room for the rules");
    let settings = Settings::new(key, &DNS_PORTS, 1);
    let rules = Keys(keys.into_iter().collect());
    let mut bed = filter.test_bed().expect("a CPU");
    let mut tally = Tally::default();
    for (number, frame) in frames.into_iter().enumerate() {
        let core = in_user_space(&settings, &rules, &frame);
        let Some(kernel) = in_kernel(&mut bed, &frame) else {
            tally.not_taken += 1;
            continue;
        };
        assert!(kernel == core, "{what}, frame {number}:\nkernel     {kernel:?}\nuser space {core:?}\n{}", hex(&frame));
        tally.judged += 1;
        tally.dropped += usize::from(kernel.verdict == Some(Verdict::Drop));
        tally.reasons.insert(kernel.reason);
    }
    tally
}

/// Every third of the names that are asked for in these frames.
pub fn every_third_name<'f>(frames: impl IntoIterator<Item = &'f Vec<u8>>) -> Vec<String> {
    let key = filter_core::HashKey::from_words([3; filter_core::HASH_KEY_WORDS]);
    let settings = Settings::new(key, &DNS_PORTS, 1);
    let none = Keys(HashSet::new());
    let names = frames.into_iter().filter_map(|frame| in_user_space(&settings, &none, frame).name);
    names.collect::<BTreeSet<_>>().into_iter().step_by(NAMES_A_RULE).collect()
}

/// True if a frame holds a DNS question or a hello, so that changing it changes something.
pub fn carries_name(frame: &[u8]) -> bool {
    let settings = Settings::new(filter_core::HashKey::from_words([3; filter_core::HASH_KEY_WORDS]), &DNS_PORTS, 1);
    !matches!(
        in_user_space(&settings, &Keys(HashSet::new()), frame).reason,
        Reason::NotIp | Reason::OtherProtocol | Reason::UdpOther | Reason::TcpOther
    )
}

fn in_user_space(settings: &Settings, rules: &Keys, frame: &[u8]) -> Decision {
    let mut name = Name::default();
    let reason = decide(frame, settings, rules, &mut name);
    Decision::new(Some(reason.verdict()), reason, &name)
}

fn in_kernel(bed: &mut TestBed<'_>, frame: &[u8]) -> Option<Decision> {
    match bed.judge(frame) {
        Ok(judged) => Some(Decision::new(judged.verdict, judged.reason, &judged.name)),
        Err(error) => {
            assert!(!FRAME_BYTES.contains(&frame.len()), "a frame of {} bytes: {error}", frame.len());
            None
        }
    }
}

fn is_about_name(reason: Reason) -> bool {
    matches!(reason, Reason::DnsNotListed | Reason::DnsBlocked | Reason::TlsNotListed | Reason::TlsBlocked)
}

fn hex(frame: &[u8]) -> String {
    frame.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}
