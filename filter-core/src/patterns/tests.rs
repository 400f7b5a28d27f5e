use super::*;
use crate::{
    abi::{ActivePolicy, Effect, Generation},
    hash::{HASH_KEY_WORDS, HashKey},
    rules::{Rules, prevailing_rule},
};

/// Ends in `ads`: blocked for audience 1 by list 7, and audited for audience 2. Is `ads`: blocked,
/// whatever allows it, for audience 1 by list 9.
fn part() -> Box<Part> {
    let [other, a, d, s, dot, end] = [0_u8, 1, 2, 3, 4, 5];
    let [is, ends, start, after_s, after_d] = [1_u16, 2, 3, 4, 5];
    let columns = end + 1;

    let mut part = Part::empty();
    (part.start, part.finals, part.matches) = (start.into(), is.into(), ends.into());
    (part.columns, part.dot) = (columns.into(), dot.into());
    for (octet, column) in [(b'a', a), (b'd', d), (b's', s), (b'x', other)] {
        for octet in [octet, octet.to_ascii_uppercase()] {
            part.octets[usize::from(octet)] = column;
        }
    }
    for (state, column, next) in [
        (start, s, after_s),
        (after_s, d, after_d),
        (after_d, a, ends),
        (ends, end, is),
    ] {
        part.cells[usize::from(state - is - 1) * usize::from(columns) + usize::from(column)] = next;
    }
    let place = |precedence: Precedence| precedence.place();
    let [of_is, of_ends, ..] = &mut part.meanings;
    of_is.masks[place(Precedence::BlockImportant)] = 1;
    of_is.keys[place(Precedence::BlockImportant)] = 33;
    of_is.lists = [0, 9];
    of_ends.masks[place(Precedence::Block)] = 1;
    of_ends.masks[place(Precedence::Audit)] = 2;
    (
        of_ends.keys[place(Precedence::Block)],
        of_ends.keys[place(Precedence::Audit)],
    ) = (22, 11);
    of_ends.lists = [7, 0];
    part
}

/// Parts of either generation, and a rule that allows a name.
struct Tables {
    parts: [Vec<Box<Part>>; 2],
    in_force: ActivePolicy,
    allowed: Option<(RuleKey, Effect)>,
}

impl Tables {
    fn new(parts: Vec<Box<Part>>) -> Self {
        let in_force =
            ActivePolicy::new(Generation::default(), Precedence::AllowImportant).with_patterns();
        Self {
            parts: [parts, Vec::new()],
            in_force,
            allowed: None,
        }
    }

    fn found(&self, name: &str, audiences: u32) -> Option<Found> {
        prevailing_rule(name, &key(), self, audiences)
    }
}

impl Patterns for Tables {
    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.parts
            .get(slot as usize)?
            .get(index as usize)
            .map(|part| &**part)
    }
}

impl Rules for Tables {
    fn in_force(&self) -> ActivePolicy {
        self.in_force
    }

    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.allowed
            .as_ref()
            .filter(|(allowed, _)| *allowed == key)
            .map(|(_, effect)| effect)
    }
}

fn key() -> HashKey {
    HashKey::from_words(core::array::from_fn::<_, HASH_KEY_WORDS, _>(|word| {
        !(word as u64).wrapping_mul(0x1234_5678_9abc_def1)
    }))
}

const ENDS: Found = Found {
    precedence: Precedence::Block,
    key: RuleKey(22),
    audiences: 1,
    bank: 0,
    list: 7,
    labels: 0,
};
const AUDITED: Found = Found {
    precedence: Precedence::Audit,
    key: RuleKey(11),
    audiences: 2,
    bank: 0,
    list: 0,
    labels: 0,
};
const IS: Found = Found {
    precedence: Precedence::BlockImportant,
    key: RuleKey(33),
    audiences: 1,
    bank: 0,
    list: 9,
    labels: 0,
};

#[test]
fn the_best_of_what_matches_for_the_audiences_that_count_is_found() {
    let tables = Tables::new(vec![part()]);
    for (name, audiences, expected) in [
        ("ads", 0b111, Some(IS)),
        ("ADS.", 0b001, Some(IS)),
        ("ads", 0b110, Some(AUDITED)),
        ("ads", 0b100, None),
        ("xads", 0b111, Some(ENDS)),
        ("x.ads", 0b111, Some(ENDS)),
        ("sads", 0b011, Some(ENDS)),
        ("x.xads", 0b010, Some(AUDITED)),
        ("ad", 0b111, None),
        ("ds", 0b111, None),
        ("ads.x", 0b111, None),
        ("a.ds", 0b111, None),
        ("adsx", 0b111, None),
    ] {
        assert_eq!(
            tables.found(name, audiences),
            expected,
            "{name} for {audiences:#b}"
        );
    }
}

#[test]
fn a_dot_inside_a_label_is_an_octet_of_it() {
    let mut part = part();
    // Of the part, octets that are not told apart go where a dot between labels leads nowhere.
    part.octets[usize::from(b'.')] = 2;
    let tables = Tables::new(vec![part]);
    for (octets, expected) in [
        (&b"\x03a.s\0"[..], Precedence::BlockImportant),
        (b"\x01a\x01s\0", Precedence::NotListed),
    ] {
        let mut name = Name::of_wire(octets).unwrap();
        name.begin_judging(u32::MAX, 0);
        run_parts(&mut name, &tables, tables.in_force);
        assert_eq!(name.precedence(), expected);
    }
}

#[test]
fn all_parts_of_the_generation_in_force_are_run_and_none_of_the_other() {
    let mut tables = Tables::new(vec![Part::empty(), part()]);
    assert_eq!(tables.found("xads", 1), Some(ENDS), "the second");
    tables.parts.reverse();
    assert_eq!(tables.found("xads", 1), None, "of the other generation");
    tables.in_force = ActivePolicy::new(Generation::default().other(), Precedence::AllowImportant)
        .with_patterns();
    assert_eq!(tables.found("xads", 1), Some(ENDS), "which is in force now");
    tables.in_force = ActivePolicy::new(Generation::default().other(), Precedence::AllowImportant);
    assert_eq!(tables.found("xads", 1), None, "without patterns");
    let most = (1..PARTS).map(|_| Part::empty()).chain([part()]).collect();
    assert_eq!(
        Tables::new(most).found("xads", 1),
        Some(ENDS),
        "the last that there may be"
    );
}

#[test]
fn a_pattern_prevails_over_a_rule_of_a_lower_precedence_and_is_not_run_where_none_can_be_higher() {
    let mut tables = Tables::new(vec![part()]);
    let mut allow = Effect::default();
    allow.add(Precedence::Allow, 1, 0, true, true);
    tables.allowed = Some((key().rule_key("ads").unwrap(), allow));
    assert_eq!(tables.found("ads", 1), Some(IS));
    assert_eq!(
        tables
            .found("x.ads", 1)
            .map(|found| (found.precedence, found.labels)),
        Some((Precedence::Allow, 1))
    );
    tables.in_force = tables.in_force.with_top(Precedence::Allow);
    assert_eq!(
        tables.found("ads", 1).map(|found| found.precedence),
        Some(Precedence::Allow)
    );
}

#[test]
fn a_walk_tells_each_match_and_its_steps_are_counted() {
    let (part, mut states) = (part(), Vec::new());
    part.walk(&mut Name::of_text("ads").unwrap(), |state| {
        states.push(state);
    });
    assert_eq!(states, [2, 1]);
    let tables = Tables::new(vec![self::part(), self::part()]);
    // One for each octet that was read, and one more, of each part.
    for (name, steps) in [
        ("ads", 2 * 4),
        ("x.ads", 2 * 5),
        ("ad", 2 * 2),
        ("x", 2 * 2),
    ] {
        let mut name = Name::of_text(name).unwrap();
        run_parts(&mut name, &tables, tables.in_force);
        assert_eq!(name.steps(), steps, "{name}");
        run_parts(&mut name, &tables, tables.in_force);
        assert_eq!(name.steps(), 2 * steps, "{name}, again");
    }
    let mut root = Name::of_wire(b"\0").unwrap();
    run_parts(&mut root, &tables, tables.in_force);
    assert_eq!(
        (root.steps(), root.precedence()),
        (2, Precedence::NotListed),
        "the root"
    );
}

#[test]
fn the_longest_name_is_walked_over_to_before_its_first_octet() {
    let [start, end] = [2, 2];
    let mut any = Part::empty();
    // All octets and dots lead to where the walk is, and the end to a match.
    (any.start, any.finals, any.matches, any.columns, any.dot) = (start, 1, 1, end + 1, 1);
    for (column, next) in [(0, 2), (1, 2), (2, 1)] {
        any.cells[column] = next;
    }
    any.meanings[0].masks[Precedence::Block.place()] = 1;
    let tables = Tables::new(vec![any]);
    for name in [
        "a".to_owned(),
        "a.".repeat(127),
        format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(61)),
    ] {
        assert_eq!(
            tables.found(&name, 1).map(|found| found.precedence),
            Some(Precedence::Block),
            "{name}"
        );
    }
}
