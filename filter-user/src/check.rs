//! What lists would do, before they are used: which of their entries say nothing new, and which names they would block.

mod patterns;
mod rules;

use std::{fmt, path::Path};

use crate::{
    lists::{self, Action, Domain, ListError, ListOptions, ListReport, ListRule, Scope, Sink, Subject},
    policy::TooManyNames,
};
use rules::Rules;

pub use patterns::PatternsTooLarge;

/// Lists that are checked together.
#[derive(Default)]
pub struct Check {
    rules: Rules,
    lists: Vec<CheckedList>,
}

/// What was found about one list.
#[derive(Debug)]
pub struct CheckedList {
    /// What became of its entries.
    pub report: ListReport,
    /// The first few rules that stand in it or in an earlier list already. The report has their number.
    pub repeated: Vec<Finding>,
    /// How many rules say nothing more than a wider one of any of the lists.
    pub redundant: u64,
    /// The first few of those.
    pub redundant_examples: Vec<Finding>,
}

/// A rule that says nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it says.
    pub rule: RuleText,
    /// Its line.
    pub line: u32,
    /// The rule that says so already.
    pub by: RuleText,
    /// Where that stands.
    pub at: Place,
}

/// A name that would be blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The name.
    pub name: String,
    /// The rule that blocks it.
    pub rule: RuleText,
    /// Where that stands.
    pub at: Place,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which of the lists, in the order in which they were read.
    pub list: usize,
    /// Its line there, from 1.
    pub line: u32,
}

/// A rule, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// What becomes of the names.
    pub action: Action,
    /// Which names, if it is for a name.
    pub scope: Option<Scope>,
    /// The name, or the pattern.
    pub text: String,
}

impl fmt::Display for RuleText {
    /// `x`, `*.x`, `x and below`, `/pattern/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.scope {
            Some(Scope::Name) => f.write_str(text),
            Some(Scope::Subdomains) => write!(f, "*.{text}"),
            Some(Scope::Subtree) => write!(f, "{text} and below"),
            None => write!(f, "/{text}/"),
        }
    }
}

impl Check {
    /// Examples that are kept of each kind.
    const EXAMPLES: usize = 3;

    /// Reads a list. One that holds no rule is no error here: its report says so.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub fn read(&mut self, path: &Path, options: &ListOptions, progress: &mut dyn FnMut(u64)) -> Result<(), ListError> {
        let list = self.lists.len();
        let mut sink = Listed { rules: &mut self.rules, list, repeated: Vec::new() };
        let report = match lists::load(path, options, &mut sink, progress) {
            Ok(report) => report,
            Err(ListError::Empty { holds, .. }) => holds.report().clone(),
            Err(error) => return Err(error),
        };
        let repeated = sink.repeated;
        self.lists.push(CheckedList { report, repeated, redundant: 0, redundant_examples: Vec::new() });
        Ok(())
    }

    /// Takes out what is cancelled, and looks for what is redundant. The lists, and their rules.
    pub fn finish(mut self) -> (Vec<CheckedList>, Verdicts) {
        self.rules.settle();
        for (list, place) in self.rules.redundant() {
            let Some(checked) = self.lists.get_mut(place.list) else {
                continue;
            };
            checked.redundant += 1;
            if checked.redundant_examples.len() < Self::EXAMPLES {
                checked.redundant_examples.push(list);
            }
        }
        (self.lists, Verdicts(self.rules))
    }
}

/// The rules of lists that were checked.
pub struct Verdicts(Rules);

impl Verdicts {
    /// The rule of all lists together that decides about each of these names, if there is one.
    pub fn deciding<'a>(
        &self,
        names: impl IntoIterator<Item = &'a Domain>,
    ) -> Result<Vec<Option<(RuleText, Place)>>, PatternsTooLarge> {
        let judge = self.0.judge()?;
        Ok(names.into_iter().map(|name| judge(name.as_str())).collect())
    }

    /// Which of these names all lists together would block, in their order.
    pub fn blocked(&self, names: &[Domain]) -> Result<Vec<Blocked>, PatternsTooLarge> {
        let judged = names.iter().zip(self.deciding(names)?);
        let blocked = judged.filter_map(|(name, deciding)| {
            let (rule, at) = deciding.filter(|(rule, _)| rule.action.blocks())?;
            Some(Blocked { name: name.to_string(), rule, at })
        });
        Ok(blocked.collect())
    }
}

/// A list on its way into the rules.
struct Listed<'a> {
    rules: &'a mut Rules,
    list: usize,
    repeated: Vec<Finding>,
}

impl Sink for Listed<'_> {
    fn expect(&mut self, rules: u64) {
        self.rules.reserve(rules);
    }

    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        let first = self.rules.add(rule, Place { list: self.list, line });
        if let Some(at) = first
            && self.repeated.len() < Check::EXAMPLES
        {
            let rule = RuleText::from(&rule);
            self.repeated.push(Finding { by: rule.clone(), rule, line, at });
        }
        Ok(first.is_none())
    }
}

impl From<&ListRule<'_>> for RuleText {
    fn from(rule: &ListRule<'_>) -> Self {
        let (text, scope) = match rule.subject {
            Subject::Name(name, scope) => (name, Some(scope)),
            Subject::Pattern(regex) => (regex, None),
        };
        Self { action: rule.action, scope, text: text.to_owned() }
    }
}

#[cfg(test)]
mod tests;
