use filter_core::HashKey;
use filter_lists::{Action, Scope};
use proptest::prelude::*;

use super::*;
use crate::compiled::{
    hash_key,
    sources::{Origin, Origins},
    staged::{Arrival, StagedRules},
};

/// The number of the effect of all names, the first behind that of none.
const EFFECTS: u16 = 1;

#[test]
fn each_name_is_found_by_its_key_and_no_other_is() {
    let (hash_key, names) = (hash_key(), names(10_000));
    let table = table(&hash_key, &names);
    assert_eq!(table.len() as usize, names.len());
    for (line, name) in (1..).zip(&names) {
        let key = hash_key.key_of_canonical(name);
        let index = table.find(key).unwrap();
        assert_eq!((table.key(index), &*table.name(index)), (key, &**name));
        assert_eq!(
            table
                .sources(index)
                .map(|source| (source.list, source.line))
                .collect::<Vec<_>>(),
            [(0, line)]
        );
        assert_eq!(table.effect(index), EFFECTS);
    }
    assert_eq!(table.find(hash_key.key_of_canonical("other.example")), None);
}

#[test]
fn all_come_in_the_order_of_their_keys_with_their_numbers() {
    let table = table(&hash_key(), &names(3_000));
    let mut next = 0;
    let mut before = None;
    table.each(|index, key, effect, redundant| {
        assert!(before.is_none_or(|before| before < key));
        assert_eq!((index, effect, redundant), (next, EFFECTS, false));
        assert_eq!(table.key(index), key);
        (next, before) = (next + 1, Some(key));
    });
    assert_eq!(next, 3_000);
}

#[test]
fn a_table_without_names_finds_none() {
    let table = table(&hash_key(), &[]);
    assert_eq!((table.len(), table.find(RuleKey(0))), (0, None));
    table.each(|_, _, _, _| panic!("there is none"));
}

proptest! {
    #[test]
    fn whatever_bytes_change_nothing_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<prop::sample::Index>(),
        asked: u64,
    ) {
        let whole = table(&hash_key(), &names(100));
        let (layout, bytes) = whole.image();
        let mut bytes = bytes.to_vec();
        // The parts that are not the starts of the buckets, which are most of a small table.
        let small = layout.part(Part::Keys).start;
        for (place, byte) in changes {
            let place = small + place.index(bytes.len() - small);
            bytes[place] = byte;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(table) = Table::open(Bytes::Owned(bytes), layout.clone()) {
            table.find(RuleKey(asked));
            table.each(|index, key, _, _| {
                table.find(key);
                table.name(index);
                table.sources(index).count();
            });
        }
    }
}

fn names(count: u32) -> Vec<String> {
    (0..count)
        .map(|number| format!("n{number}.ads-{}.example.com", number % 13))
        .collect()
}

fn table(hash_key: &HashKey, names: &[String]) -> Table {
    let (mut staged, mut origins, mut numbers) = Default::default();
    let (lists, kind) = ([], Kind::new(Scope::Name, Action::Block));
    let origin = Origins::number(
        &mut origins,
        Origin {
            list: 0,
            kind,
            cancels: false,
        },
        &lists,
        &mut numbers,
    );
    for (line, name) in (1..).zip(names) {
        let arrival = Arrival {
            key: hash_key.key_of_canonical(name),
            name: name.as_bytes(),
            origin,
            line,
        };
        StagedRules::push(&mut staged, arrival).unwrap();
    }
    Table::make(hash_key, staged, &origins).unwrap().table
}
