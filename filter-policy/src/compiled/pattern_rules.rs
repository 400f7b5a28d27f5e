//! The patterns of all lists, and the automata that they are run as.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use filter_core::{AUDIENCES_OF_BANK, HashKey, Name, PatternMatch, Precedence, RuleKey};
use filter_lists::{Action, MOST_PATTERNS, TooManyNames};
use serde::{Deserialize, Serialize};

use super::{
    ListInfo, Matching, Rule, effect,
    list_numbers::ListNumbers,
    patterns::{self, Compiled, Refusal},
};

/// The patterns, each once for an action.
#[derive(Default)]
pub(super) struct PatternRules {
    rules: Vec<PatternRule>,
    known: HashMap<(Box<str>, Action), usize>,
    keys: HashMap<RuleKey, usize>,
    /// Those that are in force, by their number in the automata.
    compiled: Vec<usize>,
    automata: Compiled,
    refused: Vec<(usize, Refusal)>,
}

/// A pattern that a list has.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct PatternRule {
    text: Box<str>,
    action: Action,
    /// Its lists and the lines there.
    places: Vec<(usize, u32)>,
    cancelled: bool,
    /// The number of the list of the first rule that takes it out.
    cancelled_by: Option<usize>,
}

impl PatternRules {
    /// These, as [`PatternRules::all`] gave them; they are still to be compiled.
    pub fn of(rules: Vec<PatternRule>) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// All of them.
    pub fn all(&self) -> &[PatternRule] {
        &self.rules
    }

    /// Adds a pattern, or takes it out; false if it is known.
    pub fn add(
        &mut self,
        text: &str,
        action: Action,
        list: usize,
        line: u32,
        cancels: bool,
    ) -> Result<bool, TooManyNames> {
        let known = self.known.get(&(Box::from(text), action)).copied();
        let index = known.unwrap_or(self.rules.len());
        if known.is_none() {
            if index >= MOST_PATTERNS {
                return Err(TooManyNames);
            }
            self.known.insert((text.into(), action), index);
            self.rules.push(PatternRule {
                text: text.into(),
                action,
                places: Vec::new(),
                cancelled: false,
                cancelled_by: None,
            });
        }
        let rule = &mut self.rules[index];
        rule.cancelled |= cancels;
        rule.cancelled_by = rule.cancelled_by.or(cancels.then_some(list));
        if !cancels {
            rule.places.push((list, line));
        }
        Ok(known.is_none() && !cancels)
    }

    /// Makes the automata. A pattern that there is no room for is not in force.
    pub fn compile(&mut self, hash_key: &HashKey, lists: &[ListInfo], numbers: &mut ListNumbers) {
        self.known = HashMap::new();
        let keys: Vec<_> = self.rules.iter().map(|rule| rule.key(hash_key)).collect();
        self.keys = keys.iter().copied().zip(0..).collect();
        let wanted: Vec<_> = (0..self.rules.len())
            .filter(|index| self.rules[*index].is_wanted())
            .collect();
        let texts: Vec<_> = wanted
            .iter()
            .map(|index| &*self.rules[*index].text)
            .collect();
        let banks: BTreeSet<_> = wanted
            .iter()
            .flat_map(|index| self.rules[*index].audiences(lists).into_keys())
            .collect();
        // That of the first bank has its place whether it means something or not.
        let meanings = banks.iter().filter(|bank| **bank != 0).count() + 1;
        self.automata = patterns::compile(&texts, meanings, |matching| {
            let mut of_banks = BTreeMap::new();
            for number in matching {
                let index = wanted[*number as usize];
                self.rules[index].add_to(&mut of_banks, keys[index], lists, numbers);
            }
            of_banks.into_iter().collect()
        });
        let refused = std::mem::take(&mut self.automata.refused);
        self.refused = refused
            .into_iter()
            .map(|it| (wanted[it.pattern as usize], it.refusal))
            .collect();
        self.compiled = wanted;
    }

    /// The automata, for the kernel.
    pub fn automata(&self) -> &Compiled {
        &self.automata
    }

    /// The patterns that are not in force, and why.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &Refusal)> {
        self.refused
            .iter()
            .map(|(index, refusal)| (&*self.rules[*index].text, refusal))
    }

    /// The highest precedence of all patterns.
    pub fn top(&self) -> Precedence {
        self.in_force()
            .map(|rule| effect::precedence(rule.action))
            .max()
            .unwrap_or_default()
    }

    pub fn find<'a>(&'a self, key: RuleKey, lists: &'a [ListInfo]) -> Option<Rule<'a>> {
        self.rules
            .get(*self.keys.get(&key)?)?
            .rules(lists)
            .next()
            .map(|(rule, _)| rule)
    }

    pub fn rules<'a>(&'a self, lists: &'a [ListInfo]) -> impl Iterator<Item = Rule<'a>> {
        self.in_force()
            .flat_map(|rule| rule.rules(lists))
            .map(|(rule, _)| rule)
    }

    /// The patterns that find something in a name.
    pub fn matching<'a>(&'a self, name: &Name, lists: &'a [ListInfo]) -> Vec<Matching<'a>> {
        let found = self
            .automata
            .matching(name)
            .into_iter()
            .map(|number| &self.rules[self.compiled[number as usize]]);
        found
            .flat_map(|rule| rule.rules(lists))
            .map(|(rule, list)| Matching {
                rule,
                audience: lists.get(list).map_or(0, |list| list.audience),
                applies: true,
                cancelled: false,
                redundant: false,
                prevails: false,
            })
            .collect()
    }

    /// Each pattern that is in force, by its number, with its action and each list and line that
    /// has it.
    pub fn places(&self) -> impl Iterator<Item = (usize, Action, usize, u32)> {
        let in_force = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.is_wanted());
        in_force.flat_map(|(number, rule)| {
            rule.places
                .iter()
                .map(move |(list, line)| (number, rule.action, *list, *line))
        })
    }

    /// The same of those that find something in a name.
    pub fn places_matching(&self, name: &Name) -> Vec<(usize, Action, usize, u32)> {
        let found = self
            .automata
            .matching(name)
            .into_iter()
            .map(|number| self.compiled[number as usize]);
        let places = found.flat_map(|number| {
            let rule = &self.rules[number];
            rule.places
                .iter()
                .map(move |(list, line)| (number, rule.action, *list, *line))
        });
        places.collect()
    }

    /// Each pattern that another rule takes out, by its number: the list of that rule, and each
    /// list and line of the pattern.
    pub fn taken_out(&self) -> impl Iterator<Item = (usize, usize, usize, u32)> {
        self.rules.iter().enumerate().flat_map(|(number, rule)| {
            let by = rule.cancelled_by;
            rule.places
                .iter()
                .filter_map(move |(list, line)| Some((number, by?, *list, *line)))
        })
    }

    /// The pattern with this number.
    pub fn text(&self, number: usize) -> &str {
        self.rules.get(number).map_or("", |rule| &rule.text)
    }

    /// The rule of a list that has the pattern with this number.
    pub fn rule<'a>(
        &'a self,
        number: usize,
        list: usize,
        line: u32,
        lists: &'a [ListInfo],
    ) -> Rule<'a> {
        Rule {
            rule: self.text(number).into(),
            scope: None,
            action: self
                .rules
                .get(number)
                .map_or(Action::Block, |rule| rule.action),
            list: lists.get(list).map_or("", |list| &list.name),
            line: Some(line),
        }
    }

    fn in_force(&self) -> impl Iterator<Item = &PatternRule> {
        self.rules.iter().filter(|rule| rule.is_wanted())
    }
}

/// The key of a pattern: with another action, the same one is another rule.
pub(super) fn key(text: &str, action: Action, hash_key: &HashKey) -> RuleKey {
    hash_key.text_key(&format!("{action} {text}"))
}

impl PatternRule {
    fn is_wanted(&self) -> bool {
        !self.cancelled && !self.places.is_empty()
    }

    fn key(&self, hash_key: &HashKey) -> RuleKey {
        key(&self.text, self.action, hash_key)
    }

    /// Of several patterns that say the same of a name at once, the first is named.
    fn add_to(
        &self,
        of_banks: &mut BTreeMap<u32, PatternMatch>,
        key: RuleKey,
        lists: &[ListInfo],
        numbers: &mut ListNumbers,
    ) {
        let precedence = effect::precedence(self.action);
        let place = precedence as usize - 1;
        for (bank, (audiences, first)) in self.audiences(lists) {
            let meaning = of_banks.entry(bank).or_default();
            if meaning.masks[place] == 0 {
                meaning.keys[place] = key.0;
                let first = numbers.number(first, None);
                match precedence {
                    Precedence::Block => meaning.lists[0] = first,
                    Precedence::BlockImportant => meaning.lists[1] = first,
                    _ => {}
                }
            }
            meaning.masks[place] |= audiences;
        }
    }

    /// The banks of the audiences of its lists: for each its audiences, and the first of the lists.
    fn audiences(&self, lists: &[ListInfo]) -> BTreeMap<u32, (u32, usize)> {
        let mut of_banks = BTreeMap::new();
        for (list, _) in &self.places {
            let audience = lists.get(*list).map_or(0, |list| u32::from(list.audience));
            let (audiences, _) = of_banks
                .entry(audience / AUDIENCES_OF_BANK)
                .or_insert((0, *list));
            *audiences |= 1 << (audience % AUDIENCES_OF_BANK);
        }
        of_banks
    }

    fn rules<'a>(&'a self, lists: &'a [ListInfo]) -> impl Iterator<Item = (Rule<'a>, usize)> {
        self.places.iter().map(|(list, line)| {
            let rule = Rule {
                rule: (&*self.text).into(),
                scope: None,
                action: self.action,
                list: lists.get(*list).map_or("", |list| &list.name),
                line: Some(*line),
            };
            (rule, *list)
        })
    }
}
