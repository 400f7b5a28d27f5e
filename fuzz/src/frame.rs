//! What holds of any frame.

use filter_core::{Counter, Reason, Verdict, prevailing_rule};

use super::{answer, world};

/// Decides over the frame, twice alone and then once more behind itself.
///
/// # Panics
/// If the decision is not what it has to be.
pub fn check(frame: &[u8]) {
    let mut filter = world::filter(false);
    let reason = filter.decide(frame);
    let name = filter.name().to_string();
    let counted: Vec<_> = filter
        .counters()
        .into_iter()
        .filter(|(it, _)| matches!(it, Counter::Packets(_)))
        .collect();
    assert_eq!(
        counted,
        [(Counter::Packets(reason), 1)],
        "a frame moves the counter of its reason and no other"
    );
    if reason.message().is_some() {
        assert_is_judged_rightly(&name, reason, filter.name().matched());
    } else if !is_refused_unjudged(reason) {
        assert_eq!(
            reason.verdict(),
            Verdict::Pass,
            "{reason:?} is not about a name"
        );
    }

    let mut another = world::filter(false);
    assert_eq!(another.decide(frame), reason, "the same frame, alone again");
    assert_eq!(
        another.name().to_string(),
        name,
        "the same frame, alone again"
    );

    let mut reporting = world::filter(true);
    assert_eq!(
        reporting.decide(frame),
        reason,
        "the same frame, with all names reported"
    );
    let names = world::take_names(&mut reporting);
    assert!(
        reason.message().is_none() || names.contains(&name),
        "{name} is not among what is reported: {names:?}"
    );

    answer::check(frame, reason);

    let again = filter.decide(frame).verdict();
    assert!(
        reason.verdict() == Verdict::Pass
            || again == Verdict::Drop
            || reason == Reason::DnsBeyondDropped,
        "what is dropped is dropped when it is sent again"
    );
}

/// True for what is dropped though no rule is about it.
fn is_refused_unjudged(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::DnsQuestionsRefused | Reason::DnsBeyondDropped
    )
}

fn assert_is_judged_rightly(name: &str, reason: Reason, matched: filter_core::RuleKey) {
    assert!(
        !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic()),
        "{name:?} is not readable"
    );
    let is_dropped = reason.verdict() == Verdict::Drop;
    if is_dropped {
        assert!(
            world::is_blocked_by(name, matched),
            "a rule of another name blocked {name}"
        );
    }
    // What is written with an escape is no name that can be asked about.
    if name != "." && !name.contains('\\') {
        let blocked = prevailing_rule(name, world::hash_key(), &world::rules(), u32::MAX).is_some();
        assert_eq!(
            blocked, is_dropped,
            "{name} asked about as text, and in {reason:?}"
        );
    }
}
