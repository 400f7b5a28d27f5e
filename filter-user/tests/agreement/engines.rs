//! The kernel and user space, side by side under the same rules.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
    net::SocketAddr,
    time::Duration,
};

use filter_core::{
    Actions, Directions, DnsAction, Effect, Generation, HASH_KEY_WORDS, HashKey, Interface,
    Offline, Options, Patterns, ProgramSet, Reason, RuleKey, Rules, Sent, Settings, TcpAction,
    Verdict,
};
use filter_user::kernel::{Filter, LoadOptions, TestBed};

/// Of the names that occur, each of so many is a rule.
const NAMES_A_RULE: usize = 3;
/// What the kernel takes for a test run: an Ethernet header at least, and as many buffers as a
/// packet may have at most.
const FRAME_BYTES: std::ops::RangeInclusive<usize> = 14..=65_536;
/// Few enough that flows have to go for others.
const FLOWS: u32 = 64;
/// The kernel has frames from memory come in by the loopback interface.
const LOOPBACK: u32 = 1;
/// Of answers.
const NO_LIMIT: u32 = 0;
/// The kernel has its own time, whatever time a capture has.
const NEVER: Duration = Duration::MAX;

/// Everybody is answered.
fn interface() -> Interface {
    Interface::new(Directions::Both)
        .facing_clients(Actions::new(DnsAction::NxDomain, TcpAction::Reset))
}

/// A decision, with all names of the frame.
#[derive(Debug, PartialEq, Eq)]
struct Decision {
    sent: Option<Sent>,
    /// The frame as it is then.
    frame: Vec<u8>,
    reason: Reason,
    names: Vec<Judged>,
}

/// What is reported of a name.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    name: String,
    reason: Option<Reason>,
    rule: Option<RuleKey>,
    record: Option<u16>,
    sequence: u32,
    ends: (SocketAddr, SocketAddr),
}

/// What was seen on the way.
#[derive(Debug, Default)]
pub struct Tally {
    /// Frames that both decided over.
    pub judged: usize,
    /// Those that both blocked.
    pub dropped: usize,
    /// Those of them that became an answer.
    pub answered: usize,
    /// Frames that a test run does not take.
    pub not_taken: usize,
    /// Names that both judged.
    pub names: usize,
    /// The reasons that occurred.
    pub reasons: BTreeSet<Reason>,
}

#[derive(Clone)]
struct Keys(HashSet<RuleKey>);

impl Patterns for Keys {}

impl Rules for Keys {
    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.0.contains(&key).then_some(&Effect::BLOCK_SUBTREE)
    }
}

/// Has both decide over each frame, in order and with what they hold of its flow: the programs for
/// frames in one buffer, as far as a frame lies in one, and those for any frames, of which the
/// tally is.
///
/// # Panics
/// Where they disagree, with the frame, both decisions and `what`, which says where the frame is
/// from.
pub fn compare<F: IntoIterator<Item = Vec<u8>>>(
    rule_names: &[String],
    what: &str,
    frames: impl Fn() -> F,
) -> Tally {
    let in_one_buffer = frames()
        .into_iter()
        .filter(|frame| frame.len() <= TestBed::first_buffer());
    compare_by(ProgramSet::LINEAR, rule_names, what, in_one_buffer);
    compare_by(ProgramSet::FRAGS, rule_names, what, frames())
}

fn compare_by(
    set: ProgramSet,
    rule_names: &[String],
    what: &str,
    frames: impl IntoIterator<Item = Vec<u8>>,
) -> Tally {
    let options = LoadOptions {
        max_rules: 1 << 16,
        flows: FLOWS,
        report_passed: true,
        events_per_second: u32::MAX,
        answers_per_second: NO_LIMIT,
        reset_again_after: NEVER,
        interfaces: [(LOOPBACK, interface())].into(),
        ..LoadOptions::default()
    };
    let mut filter = Filter::load(&options).expect("a filter");
    let key = *filter.hash_key();
    let keys: Vec<_> = rule_names
        .iter()
        .filter_map(|name| key.rule_key(name))
        .collect();
    filter
        .insert_many(&keys, |_| {})
        .expect("room for the rules");
    let mut offline = offline(&key, Keys(keys.into_iter().collect()));
    let mut bed = filter.test_bed().expect("a CPU").with(set);
    let mut tally = Tally::default();
    for (number, frame) in frames.into_iter().enumerate() {
        if !FRAME_BYTES.contains(&frame.len()) {
            tally.not_taken += 1;
            continue;
        }
        let core = in_user_space(&mut offline, &frame);
        let kernel = in_kernel(&mut bed, &frame);
        assert!(
            kernel == core,
            "{what}, {}, frame {number}:\nkernel     {kernel:?}\nuser space {core:?}\n{}",
            set.entry,
            hex(&frame)
        );
        tally.judged += 1;
        tally.dropped += usize::from(kernel.reason.verdict() == Verdict::Drop);
        tally.answered += usize::from(kernel.frame != frame);
        tally.names += kernel.names.len();
        tally.reasons.insert(kernel.reason);
    }
    tally
}

/// Every third of the names that are in these frames.
pub fn every_third_name<'f>(frames: impl IntoIterator<Item = &'f Vec<u8>>) -> Vec<String> {
    let mut offline = offline(&any_key(), Keys(HashSet::new()));
    let names = frames
        .into_iter()
        .flat_map(|frame| in_user_space(&mut offline, frame).names);
    names
        .map(|name| name.name)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .step_by(NAMES_A_RULE)
        .collect()
}

/// True if a frame holds DNS or TLS, so that changing it changes something.
pub fn carries_name(frame: &[u8]) -> bool {
    // One flow at a time: what stands alone is what is changed.
    let mut offline = offline(&any_key(), Keys(HashSet::new()));
    !matches!(
        in_user_space(&mut offline, frame).reason,
        Reason::NotIp | Reason::OtherProtocol | Reason::UdpOther | Reason::TcpOther
    )
}

fn any_key() -> HashKey {
    HashKey::from_words([3; HASH_KEY_WORDS])
}

fn offline(key: &HashKey, rules: Keys) -> Offline<Keys> {
    let options = Options {
        flows: FLOWS,
        report_passed: true,
        answers_per_second: NO_LIMIT,
        reset_again_after: NEVER,
        ..Options::default()
    };
    let mut offline = Offline::new(Settings::new(*key, &options), rules)
        .on(interface())
        .with_first_buffer(TestBed::first_buffer());
    // It is part of a flow's key, and so of which flow goes for another.
    offline.set_interface_index(LOOPBACK);
    offline
}

fn in_user_space(offline: &mut Offline<Keys>, frame: &[u8]) -> Decision {
    let (reason, sent, frame) = offline.send(frame);
    let names = offline.take_events();
    Decision {
        sent: Some(sent),
        frame,
        reason,
        names: names
            .iter()
            .map(|event| Judged {
                name: event.name().to_string(),
                reason: event.reason(),
                rule: event.rule(),
                record: event.record(),
                sequence: event.sequence(),
                ends: (event.source(), event.destination()),
            })
            .collect(),
    }
}

fn in_kernel(bed: &mut TestBed<'_>, frame: &[u8]) -> Decision {
    let judged = bed.judge(frame).expect("a frame that the kernel takes");
    let mut names = Vec::new();
    bed.drain_events(|event| {
        names.push(Judged {
            name: event.name,
            reason: Some(event.reason),
            rule: event.rule,
            record: event.record,
            sequence: event.sequence,
            ends: (event.source, event.destination),
        });
    });
    Decision {
        sent: judged.sent,
        frame: judged.frame,
        reason: judged.reason,
        names,
    }
}

fn hex(frame: &[u8]) -> String {
    frame.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}
