use std::collections::{BTreeMap, BTreeSet};

use filter_core::{AllEffects, AllMasks, RuleKey};
use filter_lists::{Action, Scope};
use proptest::prelude::*;

use super::*;
use crate::compiled::{
    RepeatedRule, effect, hash_key,
    sources::Source,
    staged::{Arrival, StagedRules},
};

/// A rule of a list, in the order in which they come; those that cancel others have the line as
/// well.
#[derive(Clone, Debug)]
struct Entry {
    list: usize,
    name: String,
    kind: Kind,
    line: u32,
    cancels: bool,
}

proptest! {
    // Each makes tables with as many ranges of keys as those of a million names.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_policy_says_what_the_lists_say_one_after_the_other(
        lists in prop::collection::vec((prop::sample::select(&[0_u16, 1, 2, 40, 1_023]), prop::collection::vec(rule(), 0..40)), 1..5),
    ) {
        let (entries, audiences) = entries(&lists);
        let mut builder = Builder::new(hash_key());
        for (list, (audience, _)) in lists.iter().enumerate() {
            let mut sink = builder.list(&list.to_string(), *audience);
            entries.iter().filter(|entry| entry.list == list).for_each(|entry| entry.add_to(&mut sink));
        }
        let (compiled, repeated) = builder.finish_with_report().unwrap();
        let model = Model::of(&entries, &audiences);
        prop_assert_eq!(compiled.table.len() as usize, model.names.len());
        prop_assert_eq!(compiled.lists.iter().map(|list| list.rules).collect::<Vec<_>>(), model.first.clone());
        prop_assert_eq!(&repeated, &model.repeated);
        for (name, (sources, effect)) in &model.names {
            let key = compiled.hash_key.key_of_canonical(name);
            let index = compiled.table.find(key).unwrap();
            prop_assert_eq!(&*compiled.table.name(index), &**name);
            prop_assert_eq!(&compiled.table.sources(index).collect::<Vec<_>>(), sources, "{}", name);
            prop_assert_eq!(compiled.all_effects_of(key).unwrap(), effect, "{}", name);
            prop_assert_eq!(compiled.table.is_redundant(index), model.is_redundant(name), "{}", name);
        }
    }

    #[test]
    fn what_two_policies_differ_in_is_what_the_kernel_is_to_have_of_one_and_not_of_the_other(
        lists in prop::array::uniform2(prop::collection::vec(rule(), 0..40)),
        by_hand in prop::array::uniform2(prop::collection::vec(("[ab](\\.[ab]){1,2}", any::<bool>()), 0..3)),
    ) {
        let key = hash_key();
        let [before, after] = [0, 1].map(|place| {
            let mut builder = Builder::new(key);
            let mut sink = builder.list("list", 0);
            let of_list = [(0, lists[place].clone())];
            entries(&of_list).0.iter().for_each(|entry| entry.add_to(&mut sink));
            let mut compiled = builder.finish().unwrap();
            for (name, added) in &by_hand[place] {
                let name = filter_lists::Domain::parse(name).unwrap();
                if *added { drop(compiled.add(name, Action::Allow)) } else { drop(compiled.remove(&name)) }
            }
            compiled
        });
        let in_kernel = |compiled: &CompiledPolicy| {
            let mut all = BTreeMap::new();
            compiled.each_in_force(|key, effect| assert_eq!(all.insert(key, effect.clone()), None));
            all
        };
        let [old, new] = [&before, &after].map(in_kernel);
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
        let of = |all: &BTreeMap<RuleKey, AllEffects>, key| all.get(key).cloned().unwrap_or_default();
        let expected: BTreeMap<_, _> = keys.iter().map(|key| (*key, (of(&old, key), of(&new, key)))).filter(|(_, (old, new))| old != new).collect();
        let mut found = BTreeMap::new();
        after.each_difference(&before, |key, old, new| assert_eq!(found.insert(key, (old.clone(), new.clone())), None));
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn what_is_repeated_without_end_takes_no_memory_without_end_and_is_counted() {
    const LINES: u32 = 120_000;

    let mut builder = Builder::new(hash_key());
    let entry = |list, name: &str, line| Entry {
        list,
        name: name.into(),
        kind: Kind::new(Scope::Subtree, Action::Block),
        line,
        cancels: false,
    };
    let mut sink = builder.list("0", 0);
    (1..=LINES).for_each(|line| entry(0, "a.example", line).add_to(&mut sink));
    let mut sink = builder.list("1", 0);
    (1..=LINES).for_each(|line| {
        entry(
            1,
            if line % 2 == 0 {
                "a.example"
            } else {
                "b.example"
            },
            line,
        )
        .add_to(&mut sink);
    });
    let (compiled, repeated) = builder.finish_with_report().unwrap();
    assert_eq!(
        repeated.iter().map(|it| it.rules).collect::<Vec<_>>(),
        [u64::from(LINES) - 1, u64::from(LINES) - 1]
    );
    let lines = |of: usize| {
        repeated[of]
            .first
            .iter()
            .map(|rule| rule.line)
            .collect::<Vec<_>>()
    };
    assert_eq!((lines(0), lines(1)), (vec![2, 3, 4], vec![2, 3, 4]));
    let index = compiled
        .table
        .find(compiled.hash_key.key_of_canonical("a.example"))
        .unwrap();
    assert_eq!(
        compiled
            .table
            .sources(index)
            .map(|it| (it.list, it.line))
            .collect::<Vec<_>>(),
        [(0, 1), (1, 2)]
    );
}

#[test]
fn two_names_with_one_key_are_told_and_not_taken_for_one() {
    let (mut origins, mut staged) = (Origins::default(), StagedRules::default());
    let origin = Origin {
        list: 0,
        kind: Kind::new(Scope::Name, Action::Block),
        cancels: false,
    };
    let origin = origins.number(origin, &[], &mut ListNumbers::default());
    for name in ["a.example", "b.example"] {
        staged
            .push(Arrival {
                key: RuleKey(7),
                name: name.as_bytes(),
                origin,
                line: 1,
            })
            .unwrap();
    }
    let collision = KeyCollision("a.example".into(), "b.example".into());
    let made = Table::make(&hash_key(), staged, &origins);
    assert_eq!(made.map(|_| ()), Err(CompileError::Collision(collision)));
}

/// A name, what is said of it, whether that is to take others out, and how many lines behind the
/// one before it stands.
type Drawn = (String, Scope, Action, bool, u32);

fn rule() -> impl Strategy<Value = Drawn> {
    let scope = prop::sample::select(vec![Scope::Name, Scope::Subdomains, Scope::Subtree]);
    let action = prop::sample::select(vec![
        Action::Block,
        Action::Block,
        Action::Allow,
        Action::BlockImportant,
    ]);
    (
        "[ab](\\.[ab]){0,3}",
        scope,
        action,
        prop::bool::weighted(0.1),
        0_u32..3,
    )
}

/// The rules of all lists, with lines that rise by some each time, and the audience of each list.
fn entries(lists: &[(u16, Vec<Drawn>)]) -> (Vec<Entry>, Vec<u16>) {
    let mut entries = Vec::new();
    for (list, (_, rules)) in lists.iter().enumerate() {
        let mut line = 1;
        for (name, scope, action, cancels, behind) in rules {
            line += behind;
            let kind = Kind::new(*scope, *action);
            entries.push(Entry {
                list,
                name: name.clone(),
                kind,
                line,
                cancels: *cancels,
            });
        }
    }
    (
        entries,
        lists.iter().map(|(audience, _)| *audience).collect(),
    )
}

impl Entry {
    fn add_to(&self, sink: &mut ListRules<'_>) {
        let subject = Subject::Name(&self.name, self.kind.scope());
        let rule = ListRule {
            subject,
            action: self.kind.action(),
            answer: None,
            cancels: self.cancels,
        };
        assert_eq!(sink.rule(rule, self.line), Ok(true));
    }
}

/// What the lists say, by looking at all that was said before.
struct Model {
    names: BTreeMap<String, (Vec<Source>, AllEffects)>,
    first: Vec<u64>,
    repeated: Vec<Repeated>,
}

impl Model {
    fn of(entries: &[Entry], audiences: &[u16]) -> Self {
        let mut model = Self {
            names: BTreeMap::new(),
            first: vec![0; audiences.len()],
            repeated: vec![Repeated::default(); audiences.len()],
        };
        let mut numbers = ListNumbers::default();
        let ask = |effect: &mut AllEffects, entry: &Entry, numbers: &mut ListNumbers| {
            effect::add(
                effect,
                entry.kind,
                audiences[entry.list].into(),
                numbers.number(entry.list, None),
            );
        };
        let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        let mut said: BTreeMap<&str, AllEffects> = BTreeMap::new();
        for entry in entries {
            let before = by_name.entry(&entry.name).or_default();
            let said = said.entry(&entry.name).or_default();
            if !entry.cancels {
                let is_as_first = before
                    .first()
                    .is_some_and(|first| (first.list, first.kind) == (entry.list, entry.kind));
                let so_far = said.clone();
                if is_as_first {
                    numbers.number(entry.list, None);
                } else {
                    ask(said, entry, &mut numbers);
                }
                if before.is_empty() {
                    model.first[entry.list] += 1;
                } else if *said == so_far {
                    let Entry {
                        line, name, kind, ..
                    } = entry.clone();
                    let repeated = &mut model.repeated[entry.list];
                    repeated.rules += 1;
                    repeated.first.push(RepeatedRule {
                        line,
                        name: name.into(),
                        kind,
                    });
                }
            }
            before.push(entry);
        }
        for repeated in &mut model.repeated {
            repeated.first.sort();
            repeated.first.truncate(Repeated::FIRST);
        }
        for (name, rules) in by_name {
            let cancelled: Vec<_> = rules
                .iter()
                .filter(|it| it.cancels)
                .map(|it| it.kind)
                .collect();
            let as_first = |it: &&Entry| (it.list, it.kind) == (rules[0].list, rules[0].kind);
            let mut further: Vec<_> = rules[1..]
                .iter()
                .copied()
                .filter(|it| !it.cancels && !as_first(it))
                .collect();
            further.sort_by_key(|it| (it.list, it.kind, it.line));
            further.dedup_by_key(|it| (it.list, it.kind));
            let all: Vec<_> = rules[..1]
                .iter()
                .copied()
                .filter(|it| !it.cancels)
                .chain(further)
                .collect();
            let mut effect = said[name].clone();
            if !cancelled.is_empty() {
                effect = AllEffects::default();
                let left = all.iter().filter(|it| !cancelled.contains(&it.kind));
                left.for_each(|it| ask(&mut effect, it, &mut numbers));
            }
            let source = |it: &Entry| Source {
                list: it.list,
                line: it.line,
                kind: it.kind,
                cancelled: cancelled.contains(&it.kind),
                cancelled_by: rules
                    .iter()
                    .filter(|by| by.cancels && by.kind == it.kind)
                    .map(|by| by.list)
                    .min(),
            };
            model
                .names
                .insert(name.into(), (all.into_iter().map(source).collect(), effect));
        }
        model
    }

    fn is_redundant(&self, name: &str) -> bool {
        let mut above = AllMasks::default();
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some((_, effect)) = self.names.get(parent) {
                above.add_below(effect);
            }
            rest = parent;
        }
        let own = &self.names[name].1;
        !own.is_none() && !above.is_none() && own.are_covered_by(&above)
    }
}
