//! What lists would do, before they are used: which of their entries say nothing new, and which
//! names they would block.
//!
//! The lists go into the same compiled policy that the controller has, and it decides.

use std::{fmt, path::Path};

use filter_lists::{
    Action, Domain, ListError, ListOptions, ListReport, ListRule, Scope, Sink, Subject,
    TooManyNames, packed,
};
use filter_policy::compiled::{
    Builder, CompileError, CompiledPolicy, EVERYBODY, FOR_ALL, ListRules, Repeated, RepeatedRule,
    Rule, Undo, Undoing, hash_key,
};

/// Lists that are checked together.
pub struct Check {
    builder: Builder,
    lists: Vec<Read>,
}

/// A list that was read, and the first few of its rules that were known not to be new.
struct Read {
    report: ListReport,
    repeated: Vec<(RuleText, u32)>,
}

/// Lists that were checked.
pub struct Checked {
    /// What was found about each.
    pub lists: Vec<CheckedList>,
    /// The rules of all of them together.
    pub compiled: CompiledPolicy,
}

/// Rules of lists that undo rules of other lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// How many there are.
    pub count: u64,
    /// The first few of them.
    pub first: Vec<UndoneRule>,
}

/// A rule that undoes a rule of another list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneRule {
    /// The list of the rule.
    pub list: String,
    /// Its line there; `None` for one that takes an equal rule out, such as AdGuard's `$badfilter`.
    pub line: Option<u32>,
    /// What it says.
    pub rule: RuleText,
    /// The first rule that it undoes.
    pub undone: RuleText,
    /// Where that stands.
    pub at: Place,
}

impl Undone {
    /// Rules that are kept.
    pub const MOST: usize = 20;

    /// Those of a compiled policy.
    pub fn of(compiled: &CompiledPolicy) -> Self {
        let Undoing { count, first } = compiled.undoing(Self::MOST);
        let first = first.into_iter().map(
            |Undo {
                 list,
                 line,
                 rule,
                 undone,
             }| UndoneRule {
                list: list.into(),
                line,
                rule: rule.into(),
                at: Place::of(&undone),
                undone: undone.into(),
            },
        );
        Self {
            count,
            first: first.collect(),
        }
    }
}

impl fmt::Display for UndoneRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            list,
            line,
            rule,
            undone,
            at,
        } = self;
        let text = |rule: &RuleText| rule.to_string().escape_debug().to_string();
        match line {
            Some(line) => write!(f, "{list}:{line} allows {}", text(rule))?,
            None => write!(f, "{list} takes out {}", text(rule))?,
        }
        write!(f, ", which {}:{} blocks", at.list, at.line)?;
        if rule.text == undone.text {
            Ok(())
        } else {
            write!(f, " by {}", text(undone))
        }
    }
}

/// What was found about one list.
#[derive(Debug)]
pub struct CheckedList {
    /// What became of its entries.
    pub report: ListReport,
    /// The first few rules that stand in it or in an earlier list already. The report has their
    /// number.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The list, as it was named.
    pub list: String,
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

impl Default for Check {
    fn default() -> Self {
        Self {
            builder: Builder::new(hash_key()),
            lists: Vec::new(),
        }
    }
}

impl Check {
    /// Examples that are kept of each kind.
    const EXAMPLES: usize = Repeated::FIRST;

    /// Reads a list. One that holds no rule is no error here: its report says so.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub fn read(
        &mut self,
        path: &Path,
        options: &ListOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ListError> {
        let rules = self.builder.list(&packed::display_name(path), FOR_ALL);
        let rules = if options.allow {
            rules.allowing()
        } else {
            rules
        };
        let mut sink = Listed {
            rules,
            repeated: Vec::new(),
        };
        let report = match filter_lists::load(path, options, &mut sink, progress) {
            Ok(report) => report,
            Err(ListError::Empty { holds, .. }) => holds.report().clone(),
            Err(error) => return Err(error),
        };
        let repeated = sink.repeated;
        self.lists.push(Read { report, repeated });
        Ok(())
    }

    /// Makes the compiled policy of all lists, and looks for what is redundant.
    ///
    /// # Errors
    /// If the lists do not go together.
    pub fn finish(self) -> Result<Checked, CompileError> {
        let (compiled, repeated) = self.builder.finish_with_report()?;
        let lists = (0..).zip(self.lists).zip(repeated);
        let mut lists: Vec<_> = lists
            .map(|((number, list), repeated)| list.checked(number, &repeated, &compiled))
            .collect();
        compiled.each_covered(|covered| {
            let Some(list) = lists.get_mut(covered.list) else {
                return;
            };
            list.redundant += 1;
            if list.redundant_examples.len() < Self::EXAMPLES {
                let line = covered.rule.line.unwrap_or_default();
                list.redundant_examples
                    .push(Finding::new(covered.rule.into(), line, covered.by));
            }
        });
        Ok(Checked { lists, compiled })
    }
}

impl Checked {
    /// Which of these names all lists together would block, in their order.
    pub fn blocked<'a>(&self, names: impl IntoIterator<Item = &'a Domain>) -> Vec<Blocked> {
        let blocked = names.into_iter().filter_map(|name| {
            let rule = self
                .compiled
                .deciding(name, EVERYBODY)
                .filter(|rule| rule.action.blocks())?;
            Some(Blocked {
                name: name.to_string(),
                at: Place::of(&rule),
                rule: rule.into(),
            })
        });
        blocked.collect()
    }
}

impl Read {
    fn checked(self, number: usize, found: &Repeated, compiled: &CompiledPolicy) -> CheckedList {
        let Self {
            mut report,
            mut repeated,
        } = self;
        report.count_repeated(found.rules);
        repeated.extend(
            found
                .first
                .iter()
                .map(|rule| (RuleText::from(rule), rule.line)),
        );
        repeated.sort_by_key(|(_, line)| *line);
        repeated.truncate(Check::EXAMPLES);
        let repeated = repeated.into_iter().filter_map(|(rule, line)| {
            let by = compiled.first_saying(rule.subject(), rule.action, (number, line))?;
            Some(Finding::new(rule, line, by))
        });
        CheckedList {
            repeated: repeated.collect(),
            report,
            redundant: 0,
            redundant_examples: Vec::new(),
        }
    }
}

impl Finding {
    fn new(rule: RuleText, line: u32, by: Rule<'_>) -> Self {
        Self {
            rule,
            line,
            at: Place::of(&by),
            by: by.into(),
        }
    }
}

impl Place {
    fn of(rule: &Rule<'_>) -> Self {
        Self {
            list: rule.list.to_owned(),
            line: rule.line.unwrap_or_default(),
        }
    }
}

/// A list on its way into the compiled policy.
struct Listed<'a> {
    rules: ListRules<'a>,
    repeated: Vec<(RuleText, u32)>,
}

impl Sink for Listed<'_> {
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        let new = self.rules.rule(rule, line)?;
        if !new && !rule.cancels && self.repeated.len() < Check::EXAMPLES {
            self.repeated.push((RuleText::from(&rule), line));
        }
        Ok(new)
    }
}

impl RuleText {
    fn subject(&self) -> Subject<'_> {
        self.scope.map_or(Subject::Pattern(&self.text), |scope| {
            Subject::Name(&self.text, scope)
        })
    }
}

impl From<&ListRule<'_>> for RuleText {
    fn from(rule: &ListRule<'_>) -> Self {
        let (text, scope) = match rule.subject {
            Subject::Name(name, scope) => (name, Some(scope)),
            Subject::Pattern(regex) => (regex, None),
        };
        Self {
            action: rule.action,
            scope,
            text: text.to_owned(),
        }
    }
}

impl From<&RepeatedRule> for RuleText {
    fn from(RepeatedRule { name, kind, .. }: &RepeatedRule) -> Self {
        Self {
            action: kind.action(),
            scope: Some(kind.scope()),
            text: name.as_ref().into(),
        }
    }
}

impl From<Rule<'_>> for RuleText {
    fn from(
        Rule {
            rule,
            scope,
            action,
            ..
        }: Rule<'_>,
    ) -> Self {
        Self {
            action,
            scope,
            text: rule.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
