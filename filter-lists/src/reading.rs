//! What is read of a list on its way to the rules: the one place where entries are checked, counted
//! and handed on.

use std::mem;

use filter_core::DnsAction;

use super::{
    Action, ListOptions, ListReport, ListRule, NameError, Scope, Sink, Subject, TooManyNames,
    Trust, Unusable, canonical_into,
    domain::{is_single_label, plainly_canonical},
    formats::unusable_word,
    pattern::{self, Pattern, PatternError},
    suffixes::{Section, is_public_suffix},
};

/// What a format says about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub scope: Scope,
    pub action: Action,
    /// What the rule says itself of the answer.
    pub answer: Option<DnsAction>,
    /// True if it would have the name answered with data of its own.
    pub has_data: bool,
    pub cancels: bool,
    pub guard: Guard,
}

/// Which names are refused because they stand for too large a part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// None: who writes a whole subtree or a wildcard means it.
    Open,
    /// Single labels and the suffixes of registries.
    Registries,
    /// As well those under which a company gives names to others.
    AllSuffixes,
}

impl Meaning {
    pub const fn new(scope: Scope, action: Action, guard: Guard) -> Self {
        Self {
            scope,
            action,
            answer: None,
            has_data: false,
            cancels: false,
            guard,
        }
    }
}

/// Why a list is read no further.
#[derive(Debug)]
pub(super) enum Stop {
    TooMany(TooManyNames),
    Include,
}

/// Ends early where nothing more can be taken.
pub(super) type Taken = Result<(), Stop>;

/// A list that is being read.
pub(super) struct Reading<'a> {
    sink: &'a mut dyn Sink,
    pub options: &'a ListOptions,
    pub report: ListReport,
    /// Why the last entry that was left out was.
    pub left_out: Option<Unusable>,
    name: Vec<u8>,
}

impl<'a> Reading<'a> {
    pub fn new(sink: &'a mut dyn Sink, options: &'a ListOptions, report: ListReport) -> Self {
        Self {
            sink,
            options,
            report,
            left_out: None,
            name: Vec::new(),
        }
    }

    /// What a plain entry does.
    pub fn action(&self) -> Action {
        if self.options.allow {
            Action::Allow
        } else {
            Action::Block
        }
    }

    /// What a name is about that stands in the list by itself.
    pub fn alone(&self) -> Meaning {
        if self.options.widen {
            Meaning::new(Scope::Subtree, self.action(), Guard::AllSuffixes)
        } else {
            Meaning::new(Scope::Name, self.action(), Guard::Registries)
        }
    }

    /// What a name with all below it is about, where the format has no other rules for names.
    pub fn subtree(&self) -> Meaning {
        Meaning::new(Scope::Subtree, self.action(), Guard::Registries)
    }

    /// Takes a name; what is none is left out with the reason.
    pub fn name(&mut self, text: &[u8], meaning: Meaning) -> Taken {
        match self.try_name(text, meaning)? {
            Ok(()) => Ok(()),
            Err(error) => self.without_rule(unusable_word(text, error), text),
        }
    }

    /// Takes a name; for what is none nothing is counted.
    pub fn try_name(
        &mut self,
        text: &[u8],
        meaning: Meaning,
    ) -> Result<Result<(), NameError>, Stop> {
        if let Some(name) = plainly_canonical(text) {
            return self.canonical_name(name, text, meaning).map(Ok);
        }
        let mut name = mem::take(&mut self.name);
        name.clear();
        let canonical = canonical_into(text, &mut name);
        let taken =
            match canonical.and_then(|()| str::from_utf8(&name).map_err(|_| NameError::NotUtf8)) {
                Ok(name) => self.canonical_name(name, text, meaning).map(Ok),
                Err(error) => Ok(Err(error)),
            };
        self.name = name;
        taken
    }

    /// Takes a line that is a name by itself and nothing else, as most lines of most lists are;
    /// false if it is anything else.
    pub fn plain_line(&mut self, line: &[u8]) -> Result<bool, Stop> {
        let Some(name) = plainly_canonical(line) else {
            return Ok(false);
        };
        self.canonical_name(name, line, self.alone()).map(|()| true)
    }

    /// Takes a canonical name, for which the list has this text.
    fn canonical_name(&mut self, name: &str, text: &[u8], meaning: Meaning) -> Taken {
        if is_local(name) {
            self.report.local += 1;
            return Ok(());
        }
        if let Some(reason) = refused(name, meaning.guard) {
            return self.without_rule(reason, text);
        }
        let subject = Subject::Name(name, meaning.scope);
        let Meaning {
            action,
            answer,
            has_data,
            cancels,
            ..
        } = meaning;
        if undoes(*self.options, action, cancels) {
            return self.without_rule(Unusable::Untrusted, text);
        }
        let Self { sink, report, .. } = self;
        let rule = ListRule {
            subject,
            action,
            answer,
            cancels,
        };
        let new = sink.rule(rule, report.lines).map_err(Stop::TooMany)?;
        report.count_rule(rule, new);
        report.with_data += u64::from(has_data);
        Ok(())
    }

    /// Takes a regular expression in the syntax of `regex-syntax`, as the rule for a name if it
    /// says no more than that.
    pub fn pattern(&mut self, regex: &str, action: Action, cancels: bool, text: &[u8]) -> Taken {
        let regex = match pattern::read(regex) {
            Ok(Pattern::Regex(regex)) => regex,
            Ok(Pattern::Name(name, scope)) => {
                return self.name(
                    name.as_bytes(),
                    Meaning {
                        cancels,
                        ..Meaning::new(scope, action, Guard::Open)
                    },
                );
            }
            Ok(Pattern::TooGeneral) => return self.without_rule(Unusable::TooGeneral, text),
            Ok(Pattern::Nothing) => return self.without_rule(Unusable::NoName, text),
            Err(PatternError::TooLong) => return self.without_rule(Unusable::PatternTooLong, text),
            Err(PatternError::Syntax(error)) => return self.unreadable(error, text),
        };
        if undoes(*self.options, action, cancels) {
            return self.without_rule(Unusable::Untrusted, text);
        }
        let rule = ListRule {
            subject: Subject::Pattern(&regex),
            action,
            answer: None,
            cancels,
        };
        let new = self
            .sink
            .rule(rule, self.report.lines)
            .map_err(Stop::TooMany)?;
        self.report.count_rule(rule, new);
        Ok(())
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "formats end with these where they might end with a rule"
)]
impl Reading<'_> {
    /// Counts a pattern that cannot be read, with what is wrong with it.
    pub fn unreadable(&mut self, error: String, text: &[u8]) -> Taken {
        self.leave_out(Unusable::Pattern, text, Some(error))
    }

    /// Counts a record of a zone that cannot be read, with what is wrong with it.
    pub fn unreadable_record(&mut self, error: &str, text: &[u8]) -> Taken {
        self.leave_out(Unusable::Record, text, Some(error.to_owned()))
    }

    /// Counts an entry that makes no rule.
    pub fn without_rule(&mut self, reason: Unusable, text: &[u8]) -> Taken {
        self.leave_out(reason, text, None)
    }

    fn leave_out(&mut self, reason: Unusable, text: &[u8], detail: Option<String>) -> Taken {
        self.left_out = Some(reason);
        self.report.count_unusable(reason, text, detail);
        Ok(())
    }
}

/// True for a rule of a list that is trusted to block only, if the rule does anything else.
fn undoes(options: ListOptions, action: Action, cancels: bool) -> bool {
    options.trust == Trust::Block && !options.allow && (cancels || action.allows())
}

fn refused(name: &str, guard: Guard) -> Option<Unusable> {
    let section = match guard {
        Guard::Open => return None,
        Guard::Registries => Section::Registries,
        Guard::AllSuffixes => Section::All,
    };
    if is_single_label(name) {
        return Some(Unusable::Name(NameError::SingleLabel));
    }
    is_public_suffix(name, section).then_some(Unusable::PublicSuffix)
}

/// The names for the machine and its network that hosts files begin with.
fn is_local(name: &str) -> bool {
    matches!(
        name,
        "localhost"
            | "localhost.localdomain"
            | "localhost4"
            | "localhost4.localdomain4"
            | "localhost6"
            | "localhost6.localdomain6"
            | "local"
            | "localdomain"
            | "broadcasthost"
            | "ip6-localhost"
            | "ip6-loopback"
            | "ip6-localnet"
            | "ip6-mcastprefix"
            | "ip6-allnodes"
            | "ip6-allrouters"
            | "ip6-allhosts"
    )
}
