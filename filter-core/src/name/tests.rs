use super::*;
use proptest::prelude::*;

fn text(text: &str) -> Result<Name, NameError> {
    let mut name = Name::default();
    name.set_text(text).map(|()| name)
}

fn wire(octets: &[u8]) -> Result<(Name, u32), NameError> {
    let mut name = Name::default();
    name.read_wire(octets, 0, (0, octets.len() as u32), Name::labels_found)
        .map(|end| (name, end))
}

fn labels(name: &Name) -> Vec<Vec<u8>> {
    let label = |place| {
        let (start, next) = (name.label_start(place), name.label_start(place + 1));
        (start..next - 1)
            .map(|at| name.octet(at).to_ascii_lowercase())
            .collect()
    };
    (0..name.labels()).map(label).collect()
}

#[test]
fn wire_and_text_of_one_name_have_the_same_labels() {
    let (on_the_wire, end) = wire(b"\x03wWw\x07example\x03com\0rest").unwrap();
    assert_eq!(end, 17);
    assert_eq!(
        labels(&on_the_wire),
        labels(&text("www.EXAMPLE.com").unwrap())
    );
    assert_ne!(
        labels(&on_the_wire),
        labels(&text("www.example.org").unwrap())
    );
    assert_eq!(on_the_wire.to_string(), "www.example.com");
}

#[test]
fn a_dot_inside_a_label_does_not_divide_it() {
    let (name, _) = wire(b"\x03a.b\x03com\0").unwrap();
    assert_eq!(name.labels(), 2);
    assert_eq!(name.to_string(), "a\\x2eb.com");
    assert_eq!(text("a.b.com").unwrap().labels(), 3);
}

#[test]
fn the_root_has_no_labels() {
    let (name, end) = wire(b"\0").unwrap();
    assert_eq!((name.labels(), end, name.to_string()), (0, 1, ".".into()));
}

#[test]
fn labels_may_have_63_octets_and_no_more() {
    assert_eq!(text(&"a".repeat(63)).unwrap().labels(), 1);
    assert_eq!(text(&"a".repeat(64)).unwrap_err(), NameError::Label);
    assert_eq!(
        wire(&[b"\x3f", "a".repeat(63).as_bytes(), b"\0"].concat())
            .unwrap()
            .0
            .labels(),
        1
    );
    assert_eq!(
        wire(&[b"\x40", "a".repeat(64).as_bytes(), b"\0"].concat()).unwrap_err(),
        NameError::LabelType
    );
}

#[test]
fn names_may_have_255_octets_and_no_more() {
    let octets = |labels: usize, tail: &[u8]| [&b"\x01a".repeat(labels), tail, b"\0"].concat();
    let (longest, end) = wire(&octets(127, b"")).unwrap();
    assert_eq!((longest.labels(), end), (127, 255));
    assert_eq!(wire(&octets(128, b"")).unwrap_err(), NameError::TooLong);
    assert_eq!(wire(&octets(125, b"\x02aa")).unwrap().1, 254);
    assert_eq!(
        wire(&octets(126, b"\x02aa")).unwrap_err(),
        NameError::TooLong
    );
    assert_eq!(text(&"a.".repeat(127)).unwrap().labels(), 127);
    assert_eq!(
        text(&format!("{}aa", "a.".repeat(126))).unwrap_err(),
        NameError::TooLong
    );
}

#[test]
fn text_may_end_in_one_dot_and_has_no_empty_label() {
    assert_eq!(
        labels(&text("a.b.").unwrap()),
        labels(&text("a.b").unwrap())
    );
    for bad in ["", ".", "a..b", ".a", "a.."] {
        assert_eq!(text(bad).unwrap_err(), NameError::Label, "{bad:?}");
    }
}

#[test]
fn what_ends_early_is_cut_wherever_it_ends() {
    let whole = b"\x03www\x07example\x03com\0";
    for end in 0..whole.len() {
        assert_eq!(wire(&whole[..end]).unwrap_err(), NameError::Cut, "{end}");
    }
}

proptest! {
    #[test]
    fn an_earlier_name_leaves_no_trace(before in "[a-z.]{0,250}", octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut used = Name::default();
        let _ = used.set_text(&before);
        let end = octets.len() as u32;
        let again = used.read_wire(&octets[..], 0, (0, end), Name::labels_found).map(|end| (labels(&used), end));
        prop_assert_eq!(again, wire(&octets).map(|(name, end)| (labels(&name), end)));
    }
}
