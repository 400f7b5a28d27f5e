//! What a record does with its trigger.

use filter_core::DnsAction;

use crate::{Action, Unusable, reading::Reading};

/// A record, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The zone's own.
    Soa,
    /// Of no meaning for policy: DNSSEC, and the like.
    Nothing(&'static str),
    /// An alias, to this absolute name with its dot.
    Cname(String),
    /// Any other data, which is the answer.
    Data,
}

impl Record {
    pub fn policy(&self, trigger: &[u8], reading: &Reading<'_>) -> Result<Policy, Unusable> {
        match self {
            Self::Cname(target) => policy_of(target.as_bytes(), trigger, reading),
            Self::Soa | Self::Data => Ok(Policy::data(reading.action())),
            Self::Nothing(kind) => Err(Unusable::Setting(kind)),
        }
    }
}

/// What becomes of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub action: Action,
    /// What the zone answers to a query for it.
    pub answer: Option<DnsAction>,
    /// True if the zone answers with data of its own, for which there is no place in a rule.
    pub has_data: bool,
}

impl Policy {
    const fn answering(action: Action, answer: DnsAction) -> Self {
        Self {
            action,
            answer: Some(answer),
            has_data: false,
        }
    }

    const fn data(action: Action) -> Self {
        Self {
            action,
            answer: None,
            has_data: matches!(action, Action::Block),
        }
    }

    const PASSES: Self = Self {
        action: Action::Allow,
        answer: None,
        has_data: false,
    };
}

/// The policy that the target of a CNAME record stands for. NXDOMAIN (`.`), NODATA (`*.`), DROP and
/// local data block; the trigger itself is PASSTHRU in the notation of before 2012.
pub(super) fn policy_of(
    target: &[u8],
    trigger: &[u8],
    reading: &Reading<'_>,
) -> Result<Policy, Unusable> {
    let is = |name: &str| target.eq_ignore_ascii_case(name.as_bytes());
    let answer = match target {
        b"." => DnsAction::NxDomain,
        b"*." => DnsAction::NoData,
        _ if is("rpz-drop.") => DnsAction::Drop,
        _ if is("rpz-passthru.") => return Ok(Policy::PASSES),
        _ if is("rpz-tcp-only.") => return Err(Unusable::Setting("rpz-tcp-only")),
        _ => return Ok(data(target, trigger, reading)),
    };
    Ok(Policy::answering(reading.action(), answer))
}

/// What a target says that is no action.
fn data(target: &[u8], trigger: &[u8], reading: &Reading<'_>) -> Policy {
    let itself = target
        .strip_suffix(b".")
        .is_some_and(|target| target.eq_ignore_ascii_case(trigger));
    if itself {
        Policy::PASSES
    } else {
        Policy::data(reading.action())
    }
}

/// Owner and target of a line `OWNER [TTL] [IN] CNAME TARGET`, written without anything that could
/// mean something else.
pub(super) fn plain(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if line.first().is_none_or(u8::is_ascii_whitespace) {
        return None;
    }
    let mut words = super::super::Words(line);
    let owner = words.next().filter(|owner| is_plain(owner))?;
    let mut word = words.next()?;
    if word.iter().all(u8::is_ascii_digit) {
        word = words.next()?;
    }
    if word.eq_ignore_ascii_case(b"IN") {
        word = words.next()?;
    }
    let target = words
        .next()
        .filter(|target| word.eq_ignore_ascii_case(b"CNAME") && is_plain(target))?;
    let ends = matches!(words.next(), None | Some([b';', ..]));
    // A relative target is below an origin, which only the other way knows.
    (ends && target.ends_with(b".")).then_some((owner, target))
}

fn is_plain(name: &[u8]) -> bool {
    name.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*'))
}
