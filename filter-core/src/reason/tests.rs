use super::*;

#[test]
fn counters_have_their_place_in_the_order_of_all() {
    for (place, counter) in Counter::all().enumerate() {
        assert_eq!(counter.index() as usize, place, "{counter:?}");
    }
    assert_eq!(Counter::all().count() as u32, Counter::COUNT);
}

#[test]
fn no_two_counters_share_a_name() {
    let mut names: Vec<_> = Counter::all().map(Counter::as_str).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len() as u32, Counter::COUNT);
}

#[test]
fn only_what_a_rule_blocks_or_nobody_answers_is_dropped_and_fragments_where_they_are_to_be() {
    let dropped: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| reason.verdict() == Verdict::Drop)
        .collect();
    let others: Vec<_> = dropped
        .iter()
        .filter(|reason| !reason.is_blocked())
        .collect();
    let expected = [
        Reason::FragmentDropped,
        Reason::FlowBusy,
        Reason::TcpEnded,
        Reason::DnsQuestionsRefused,
        Reason::DnsBeyondDropped,
        Reason::QuicFlowBlocked,
        Reason::QuicBeyondBudgetDropped,
        Reason::QuicRefused,
    ];
    assert_eq!(
        others.into_iter().copied().copied().collect::<Vec<_>>(),
        expected
    );
    assert_eq!(dropped.len(), 12);
}

#[test]
fn what_is_blocked_stands_before_all_and_what_is_allowed_or_audited_before_what_is_not_blocked() {
    for reason in Reason::ALL {
        for other in Reason::ALL {
            let stands = reason.is_blocked()
                || matches!(
                    reason,
                    Reason::DnsAudited
                        | Reason::DnsResponseAudited
                        | Reason::TlsAudited
                        | Reason::QuicAudited
                        | Reason::DnsResponseAllowed
                ) && !other.is_blocked();
            assert_eq!(reason.outranks(*other), stands, "{reason:?}, {other:?}");
        }
    }
}

#[test]
fn what_a_name_of_each_precedence_meets_is_of_its_message() {
    use Message::{ClientHello, Query, QuicHello, Response};

    let precedences = [
        Precedence::NotListed,
        Precedence::Audit,
        Precedence::Block,
        Precedence::Allow,
        Precedence::BlockImportant,
        Precedence::AllowImportant,
    ];
    for message in [Query, Response, ClientHello, QuicHello] {
        for precedence in precedences {
            let reason = message.reason(precedence);
            assert_eq!(reason.message(), Some(message));
            let is = (
                reason.is_blocked(),
                reason.is_audited(),
                reason.is_of_rule(),
            );
            assert_eq!(
                is,
                (
                    precedence.blocks(),
                    precedence == Precedence::Audit,
                    precedence != Precedence::NotListed
                ),
                "{message:?} {precedence:?}"
            );
            assert_eq!(reason.verdict() == Verdict::Drop, precedence.blocks());
            assert_eq!(
                (reason.is_refused(), reason.ends_judging()),
                (precedence.blocks(), precedence.blocks())
            );
        }
    }
    let of_names = Reason::ALL
        .iter()
        .filter(|reason| reason.message().is_some())
        .count();
    assert_eq!(of_names, 16);
}

#[test]
fn some_reasons_end_what_is_judged_of_a_packet_and_some_say_that_there_may_be_more_of_it() {
    let of = |is: fn(Reason) -> bool| {
        Reason::ALL
            .iter()
            .copied()
            .filter(|it| is(*it))
            .collect::<Vec<_>>()
    };
    let refused = of(Reason::is_refused);
    assert_eq!(
        refused
            .iter()
            .filter(|reason| !reason.is_blocked())
            .collect::<Vec<_>>(),
        [&Reason::DnsQuestionsRefused]
    );
    let ending: Vec<_> = of(Reason::ends_judging)
        .into_iter()
        .filter(|reason| !refused.contains(reason))
        .collect();
    assert_eq!(
        ending,
        [
            Reason::DnsBeyondDropped,
            Reason::DnsBeyond,
            Reason::TlsBeyond
        ]
    );
    assert_eq!(
        of(Reason::ran_out_of_bytes),
        [Reason::HeadersCut, Reason::PacketCut]
    );
}

#[test]
fn words_in_output_are_those_that_others_read() {
    let messages = [
        Message::Query,
        Message::Response,
        Message::ClientHello,
        Message::QuicHello,
    ];
    assert_eq!(
        messages.map(Message::as_str),
        ["query", "response", "client_hello", "client_hello"]
    );
    assert_eq!(
        messages.map(Message::protocol),
        ["dns", "dns", "tls", "quic"]
    );
    assert_eq!(
        [Verdict::Pass, Verdict::Drop].map(Verdict::as_str),
        ["pass", "drop"]
    );
    for counter in Counter::all() {
        assert!(
            counter.describe().ends_with('.') && counter.as_str().len() > 3,
            "{counter:?}"
        );
    }
}
