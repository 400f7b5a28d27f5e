//! What holds of any message in any TCP segments.

mod engine;

use filter_core::Reason;
use frames::{Data, Extension, Hello, Wrap};
use proptest::{
    collection::vec,
    prelude::{
        ProptestConfig, TestCaseError, any, prop_assert, prop_assert_eq, prop_assume, prop_oneof,
        proptest,
    },
    sample::select,
    strategy::{Just, Strategy},
};

const LISTED: &str = "ads.example.com";
const OTHER: &str = "web.example.com";
const NAMES: [&str; 4] = [LISTED, OTHER, "x.ads.example.com", "com"];

/// A payload for a connection to this port, how far its names go, and what becomes of it in one
/// piece.
#[derive(Clone, Debug)]
struct Whole {
    port: u16,
    payload: Vec<u8>,
    name_end: usize,
    reason: Reason,
    name: String,
}

impl Whole {
    fn new(port: u16, payload: Vec<u8>, name_end: usize) -> Self {
        let mut offline = engine::offline(&engine::one_bucket(), &[LISTED]);
        let reason = offline.decide(&Wrap::v4(port).tcp(&payload));
        Self {
            port,
            payload,
            name_end,
            reason,
            name: offline.name().to_string(),
        }
    }

    fn hello(name: &str, padding: usize) -> Self {
        let mut hello = Hello::of(name);
        hello.extensions_mut().push(Extension::padding(padding));
        let record = hello.record();
        let name_end = frames::server_name_at(&record, name).unwrap() + name.len();
        Self::new(443, record, name_end)
    }

    /// Behind records that servers read over: empty ones where this is true, else those of type
    /// `change_cipher_spec`.
    fn behind_records(name: &str, are_empty: &[bool]) -> Self {
        let record = |is_empty: &bool| {
            if *is_empty {
                &[22, 3, 1, 0, 0][..]
            } else {
                &[20, 3, 3, 0, 1, 1]
            }
        };
        let hello = frames::client_hello(name);
        let payload = [are_empty.iter().flat_map(record).copied().collect(), hello].concat();
        let name_end = frames::server_name_at(&payload, name).unwrap() + name.len();
        Self::new(443, payload, name_end)
    }

    fn message(message: &[u8]) -> Self {
        let payload = frames::over_tcp(message);
        let len = payload.len();
        Self::new(53, payload, len)
    }

    /// Up to the first message that is blocked, or to the end.
    fn stream(names: &[&str]) -> Self {
        let messages = names
            .iter()
            .map(|name| frames::over_tcp(&frames::query(name)));
        let blocked = names
            .iter()
            .position(|name| name.ends_with(LISTED))
            .unwrap_or(names.len() - 1);
        let name_end = messages
            .clone()
            .take(blocked + 1)
            .map(|message| message.len())
            .sum();
        Self::new(53, messages.flatten().collect(), name_end)
    }
}

/// What is judged in one piece: hellos in one record or several, and messages of both sides.
fn whole() -> impl Strategy<Value = Whole> {
    let name = || select(&NAMES[..]);
    let hello = (name(), 0..2_000_usize).prop_map(|(name, padding)| Whole::hello(name, padding));
    let in_records = (name(), 10..300_usize).prop_map(|(name, octets)| {
        let records = frames::in_records(&frames::client_hello(name), octets);
        // A name may be in two records: it is there when all are.
        let len = records.len();
        Whole {
            name_end: len,
            ..Whole::new(443, records, len)
        }
    });
    let query = name().prop_map(|name| Whole::message(&frames::query(name)));
    let response = (name(), name(), 0..15_usize).prop_map(|(asked, target, texts)| {
        let answers = [(asked, Data::Text(texts)), (asked, Data::Cname(target))];
        Whole::message(&frames::response_of(&[asked], &answers))
    });
    prop_oneof![hello, in_records, behind_records(), query, response]
}

/// Hellos behind so many records that servers read over.
fn behind_records() -> impl Strategy<Value = Whole> {
    (select(&NAMES[..]), vec(any::<bool>(), 1..=32))
        .prop_map(|(name, are_empty)| Whole::behind_records(name, &are_empty))
}

fn stream() -> impl Strategy<Value = Whole> {
    // Of one length, so that cuts may fall between messages.
    vec(select(&[LISTED, OTHER][..]), 1..6).prop_map(|names| Whole::stream(&names))
}

/// Ranges of a payload, as shares of 10,000: all of it, cut at some places, and some of it again.
fn parts() -> impl Strategy<Value = Vec<(usize, usize)>> {
    // Anywhere, and where a payload of a few equal messages has their ends.
    let cut = prop_oneof![
        0..=10_000_usize,
        (1..6_usize, 1..6_usize).prop_map(|(of, in_all)| of * 10_000 / in_all.max(of))
    ];
    let cuts = vec(cut, 0..5);
    let overlaps = vec(prop_oneof![Just(0), 0..1_000_usize], 12);
    let again = vec((0..10_000_usize, 1..5_000_usize), 0..4);
    let parts = (cuts, overlaps, again).prop_map(|(mut cuts, overlaps, again)| {
        cuts.extend([0, 10_000]);
        cuts.sort_unstable();
        let overlaps = overlaps.chunks(2);
        let cut = cuts.windows(2).zip(overlaps).map(|(cut, overlap)| {
            (
                cut[0].saturating_sub(overlap[0]),
                (cut[1] + overlap[1]).min(10_000),
            )
        });
        cut.chain(
            again
                .into_iter()
                .map(|(from, len)| (from, (from + len).min(10_000))),
        )
        .collect::<Vec<_>>()
    });
    parts.prop_shuffle()
}

/// The parts of a payload of this length.
fn scaled(parts: &[(usize, usize)], len: usize) -> Vec<(usize, usize)> {
    let scaled = |share: usize| (share * len).div_ceil(10_000);
    parts
        .iter()
        .map(|(from, to)| (scaled(*from), scaled(*to)))
        .filter(|(from, to)| from < to)
        .collect()
}

/// Which octets have come after each of the parts.
fn staged(parts: &[(usize, usize)], len: usize) -> impl Iterator<Item = Vec<bool>> {
    parts.iter().scan(vec![false; len], |come, (from, to)| {
        come[*from..*to].fill(true);
        Some(come.clone())
    })
}

/// Pieces beyond gaps that are there at once, at most.
fn pieces(parts: &[(usize, usize)], len: usize) -> usize {
    staged(parts, len)
        .map(|come| {
            come.windows(2)
                .filter(|octets| !octets[0] && octets[1])
                .count()
        })
        .max()
        .unwrap_or(0)
}

/// The decisions over these parts, after a SYN, and the place of the first that makes all up to the
/// end of the names complete.
fn judge_parts(whole: &Whole, parts: &[(usize, usize)]) -> (Vec<(Reason, String)>, usize) {
    judge_parts_of(whole, parts, true)
}

/// Those after a SYN, or of a connection whose SYN was not seen.
fn judge_parts_of(
    whole: &Whole,
    parts: &[(usize, usize)],
    opens: bool,
) -> (Vec<(Reason, String)>, usize) {
    const FIRST: u32 = u32::MAX - 100;
    let wrap = Wrap::v4(whole.port);
    let mut offline = engine::offline(&engine::one_bucket(), &[LISTED]);
    if opens {
        offline.decide(&wrap.syn(FIRST - 1, &[]));
    }
    let decided = parts.iter().map(|(from, to)| {
        let reason = offline.decide(&frames::segment(&wrap, FIRST, &whole.payload, *from..*to));
        (reason, offline.name().to_string())
    });
    let decided = decided.collect();
    let mut complete = staged(parts, whole.payload.len())
        .map(|come| come[..whole.name_end].iter().all(|come| *come));
    (
        decided,
        complete
            .position(|complete| complete)
            .expect("parts that make up the whole"),
    )
}

/// Where the records before a hello end: each has a length of 0 or 1.
fn records_end(whole: &Whole) -> usize {
    let mut at = 0;
    while whole.payload[at + 3] == 0 && whole.payload[at + 4] <= 1 {
        at += 5 + usize::from(whole.payload[at + 4]);
    }
    at
}

/// What an outcome of a message before its end is called.
fn is_split(reason: Reason) -> bool {
    matches!(reason, Reason::TlsHelloSplit | Reason::DnsSplit)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_message_in_any_segments_in_any_order_is_judged_as_in_one(whole in whole(), parts in parts()) {
        let parts = scaled(&parts, whole.payload.len());
        prop_assume!(pieces(&parts, whole.payload.len()) <= 4);
        let (decided, complete) = judge_parts(&whole, &parts);
        prop_assert!(decided.iter().all(|(reason, _)| whole.reason.is_blocked() || !reason.is_blocked()), "{:?}", decided);
        let (last, before) = decided[..=complete].split_last().expect("a part");
        prop_assert!(whole.reason.message().is_some(), "{:?}", whole.reason);
        if before.iter().all(|(reason, _)| is_split(*reason)) {
            prop_assert_eq!(last, &(whole.reason, whole.name.clone()), "{:?}: {:?}", parts, decided);
        } else {
            // A hello in records may have its name before its end; a response, what it was asked
            // for.
            let judged = before.iter().find(|(reason, _)| !is_split(*reason));
            prop_assert_eq!(judged, Some(&(whole.reason, whole.name.clone())), "{:?}: {:?}", parts, decided);
        }
    }

    #[test]
    fn a_hello_behind_records_is_judged_as_in_one_if_its_start_comes_first(
        whole in behind_records(),
        more in 1..300_usize,
        parts in parts(),
    ) {
        let mut parts = scaled(&parts, whole.payload.len());
        // Enough to see that it is a hello.
        parts.insert(0, (0, (records_end(&whole) + more).min(whole.payload.len())));
        prop_assume!(pieces(&parts, whole.payload.len()) <= 4);
        let (decided, complete) = judge_parts_of(&whole, &parts, false);
        let judged = decided[..=complete].iter().find(|(reason, _)| !is_split(*reason));
        prop_assert_eq!(judged, Some(&(whole.reason, whole.name.clone())), "{:?}: {:?}", parts, decided);
    }

    #[test]
    fn the_segments_that_pass_never_make_up_what_is_blocked(whole in whole(), parts in parts()) {
        let parts = scaled(&parts, whole.payload.len());
        prop_assume!(pieces(&parts, whole.payload.len()) <= 4);
        let (decided, _) = judge_parts(&whole, &parts);
        let passed: Vec<_> = parts.iter().zip(&decided).filter(|(_, (reason, _))| !reason.is_blocked()).collect();
        let has = |octet: usize| passed.iter().any(|((from, to), _)| (*from..*to).contains(&octet));
        let is_whole = (0..whole.name_end).all(has);
        prop_assert_eq!(is_whole, !whole.reason.is_blocked(), "{:?}: {:?}", parts, decided);
    }

    #[test]
    fn messages_in_any_segments_in_order_are_each_judged(stream in stream(), parts in parts()) {
        let mut parts = scaled(&parts, stream.payload.len());
        parts.sort_unstable();
        prop_assert_stream(&stream, &parts)?;
    }

    #[test]
    fn messages_in_any_segments_in_any_order_are_each_judged(stream in stream(), parts in parts()) {
        let parts = scaled(&parts, stream.payload.len());
        prop_assume!(pieces(&parts, stream.payload.len()) <= 4);
        prop_assert_stream(&stream, &parts)?;
    }
}

/// Nothing is blocked before the listed message is complete, and it is blocked then; if there is
/// none, nothing is.
fn prop_assert_stream(stream: &Whole, parts: &[(usize, usize)]) -> Result<(), TestCaseError> {
    let (decided, complete) = judge_parts(stream, parts);
    let before = &decided[..complete];
    prop_assert!(
        before.iter().all(|(reason, _)| !reason.is_blocked()),
        "{:?}: {:?}",
        parts,
        decided
    );
    let (reason, name) = &decided[complete];
    prop_assert_eq!(
        reason.is_blocked(),
        stream.reason.is_blocked(),
        "{:?}: {:?}",
        parts,
        decided
    );
    if reason.is_blocked() {
        prop_assert_eq!(name, &stream.name);
    }
    Ok(())
}
