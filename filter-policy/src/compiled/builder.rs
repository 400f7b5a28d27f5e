//! Making a compiled policy of lists.

use filter_core::HashKey;
use filter_lists::{ListRule, Sink, Subject, TooManyNames, is_single_label};

use super::{
    CompiledPolicy, ListInfo, Repeated,
    effect::TooManyEffects,
    ingest_worker::IngestWorker,
    kind::Kind,
    list_numbers::ListNumbers,
    pattern_rules::PatternRules,
    sources::{Origin, Origins},
    table::{Made, Table},
};

/// Two names have one key, so the kernel could not tell them apart. At 1,000,000 names this happens
/// in one of 10,000,000 runs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the names {0} and {1} cannot be told apart in this run: start namegate again, which draws a new hash key"
)]
pub struct KeyCollision(pub String, pub String);

/// Why a compiled policy cannot be made of lists that could be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Two names with one key.
    #[error(transparent)]
    Collision(#[from] KeyCollision),
    /// More than the kernel has room for.
    #[error(transparent)]
    Effect(#[from] TooManyEffects),
    /// More names or patterns than are held.
    #[error(transparent)]
    TooMany(#[from] TooManyNames),
}

/// A compiled policy in the making: list after list, then [`Builder::finish`].
pub struct Builder {
    hash_key: HashKey,
    ingest_worker: IngestWorker,
    origins: Origins,
    patterns: PatternRules,
    lists: Vec<ListInfo>,
    numbers: ListNumbers,
}

impl Builder {
    /// No rules yet; names get their keys with this one.
    pub fn new(hash_key: HashKey) -> Self {
        Self {
            hash_key,
            ingest_worker: IngestWorker::new(hash_key),
            origins: Origins::default(),
            patterns: PatternRules::default(),
            lists: Vec::new(),
            numbers: ListNumbers::default(),
        }
    }

    /// Begins the next list, which is of this audience: what goes into the sink comes from it.
    pub fn list(&mut self, name: &str, audience: u16) -> ListRules<'_> {
        self.lists.push(ListInfo {
            name: name.into(),
            label: None,
            trial: false,
            allows: false,
            audience,
            rules: 0,
            top_level: false,
        });
        ListRules { builder: self }
    }

    /// The compiled policy of all these lists.
    pub fn finish(self) -> Result<CompiledPolicy, CompileError> {
        self.finish_with_report().map(|(compiled, _)| compiled)
    }

    /// The same, and what of each list says nothing new: of rules for names, that is known only
    /// now.
    pub fn finish_with_report(self) -> Result<(CompiledPolicy, Vec<Repeated>), CompileError> {
        let Self {
            hash_key,
            ingest_worker,
            origins,
            mut patterns,
            mut lists,
            mut numbers,
        } = self;
        let Made {
            table,
            effect,
            tally,
        } = Table::make(&hash_key, ingest_worker.finish()?, &origins)?;
        patterns.compile(&hash_key, &lists, &mut numbers);
        let (first, repeated): (Vec<_>, Vec<_>) =
            tally.of_lists(lists.len(), &origins).into_iter().unzip();
        lists
            .iter_mut()
            .zip(first)
            .for_each(|(list, names)| list.rules += names);
        Ok((
            CompiledPolicy::of(&hash_key, table, effect, patterns, (lists, numbers)),
            repeated,
        ))
    }

    /// Adds a rule for a name. Whether an earlier one says the same is not known yet.
    fn enter(
        &mut self,
        name: &str,
        kind: Kind,
        line: u32,
        cancels: bool,
    ) -> Result<(), TooManyNames> {
        let Some(list) = self.lists.last_mut() else {
            return Ok(());
        };
        list.top_level |= !cancels && is_single_label(name);
        let origin = Origin {
            list: self.lists.len() - 1,
            kind,
            cancels,
        };
        let origin = self.origins.number(origin, &self.lists, &mut self.numbers);
        self.ingest_worker
            .push(name, kind.is_about_below() && !cancels, origin, line)
    }
}

/// Takes the rules of a list.
pub struct ListRules<'a> {
    builder: &'a mut Builder,
}

impl ListRules<'_> {
    /// What the list would block passes, and is reported.
    #[must_use]
    pub fn on_trial(self) -> Self {
        self.builder
            .lists
            .last_mut()
            .into_iter()
            .for_each(|list| list.trial = true);
        self
    }

    /// The list is there to allow what others block.
    #[must_use]
    pub fn allowing(self) -> Self {
        self.builder
            .lists
            .last_mut()
            .into_iter()
            .for_each(|list| list.allows = true);
        self
    }

    /// What those whom it blocks see of it, in place of the name of the file.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        self.builder
            .lists
            .last_mut()
            .into_iter()
            .for_each(|list| list.label = Some(label.into()));
        self
    }
}

impl Sink for ListRules<'_> {
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        let ListRule {
            subject,
            action,
            answer,
            cancels,
        } = rule;
        let on_trial = self.builder.lists.last().is_some_and(|list| list.trial);
        let action = if on_trial { action.on_trial() } else { action };
        match subject {
            // A line of 0 says that there is no rule: this one is there to take others out.
            Subject::Name(name, scope) if cancels => self
                .builder
                .enter(name, Kind::new(scope, action), 0, cancels)
                .map(|()| true),
            Subject::Name(name, scope) => {
                let kind = Kind::new(scope, action).with_answer(answer);
                self.builder.enter(name, kind, line, cancels).map(|()| true)
            }
            Subject::Pattern(text) => {
                let list = self.builder.lists.len() - 1;
                let new = self
                    .builder
                    .patterns
                    .add(text, action, list, line, cancels)?;
                if new && let Some(list) = self.builder.lists.last_mut() {
                    list.rules += 1;
                }
                Ok(new)
            }
        }
    }
}

#[cfg(test)]
mod tests;
