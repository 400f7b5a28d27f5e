//! Why a name is blocked or not: all rules about it, and which of them prevails.

use filter_core::{
    ActivePolicy, Effect, Found, Generation, Name, Part, Patterns, Precedence, RuleKey, Rules,
    prevailing_rule,
};
use filter_lists::{Domain, Scope};

use super::{Audiences, CompiledPolicy, Rule, effect, hand};

/// What becomes of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No rule is about it.
    NotListed,
    /// A rule of a list in audit mode would block it.
    Audited,
    /// A rule blocks it.
    Blocked,
    /// A rule allows it.
    Allowed,
}

impl Outcome {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotListed => "not_listed",
            Self::Audited => "audited",
            Self::Blocked => "blocked",
            Self::Allowed => "allowed",
        }
    }
}

impl From<Precedence> for Outcome {
    fn from(precedence: Precedence) -> Self {
        match precedence {
            Precedence::NotListed => Self::NotListed,
            Precedence::Audit => Self::Audited,
            Precedence::Block | Precedence::BlockImportant => Self::Blocked,
            Precedence::Allow | Precedence::AllowImportant => Self::Allowed,
        }
    }
}

/// A rule that is about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own"
)]
pub struct Matching<'a> {
    /// The rule.
    pub rule: Rule<'a>,
    /// The audience that it is of.
    pub audience: u16,
    /// True if it is in force for the client and at the time in question.
    pub applies: bool,
    /// True if another rule takes it out.
    pub cancelled: bool,
    /// True if it takes no entry of its own in the kernel: a rule for a name above does as well.
    pub redundant: bool,
    /// True if it is the one that decides, or one of several that say the same.
    pub prevails: bool,
}

/// Why a name is blocked or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// What becomes of it.
    pub outcome: Outcome,
    /// All rules about it, from the top-level domain down, then the patterns.
    pub rules: Vec<Matching<'a>>,
}

impl CompiledPolicy {
    /// All that is said of a name, for a client to whom these audiences of lists apply.
    pub fn explain(&self, name: &Domain, audiences: impl Into<Audiences>) -> Explanation<'_> {
        let audiences = audiences.into();
        let found = self.judge(name, &audiences);
        let mut rules = Vec::new();
        for key in self.hash_key.suffix_keys(name.as_str()) {
            let is_own = key == self.key(name);
            rules.extend(
                self.rules_of(key)
                    .filter(|matching| matching.is_about(is_own)),
            );
        }
        rules.extend(self.patterns.matching(
            &Name::of_text(name.as_str()).unwrap_or_default(),
            &self.lists,
        ));
        for matching in &mut rules {
            matching.applies &= audiences.has(matching.audience.into()) && !matching.cancelled;
            matching.prevails =
                matching.applies && effect::precedence(matching.rule.action) == found.precedence;
        }
        Explanation {
            outcome: found.precedence.into(),
            rules,
        }
    }

    /// The first of the rules that decide about a name, if it is listed.
    pub fn deciding(&self, name: &Domain, audiences: impl Into<Audiences>) -> Option<Rule<'_>> {
        let audiences = audiences.into();
        if self.judge(name, &audiences).precedence == Precedence::NotListed {
            return None;
        }
        self.explain(name, &audiences)
            .rules
            .into_iter()
            .find(|matching| matching.prevails)
            .map(|matching| matching.rule)
    }

    /// What prevails for a name, as the kernel finds it.
    pub fn judge(&self, name: &Domain, audiences: impl Into<Audiences>) -> Found {
        let of_audiences = OfAudiences {
            compiled: self,
            audiences: audiences.into(),
        };
        let first = of_audiences.audiences.bank(0);
        prevailing_rule(name.as_str(), &self.hash_key, &of_audiences, first).unwrap_or_default()
    }

    /// All rules with this key.
    fn rules_of(&self, key: RuleKey) -> impl Iterator<Item = Matching<'_>> {
        let removed = self.by_hand.is_removed(key);
        let listed = self.table.find(key).into_iter().flat_map(move |index| {
            let redundant = self.is_redundant(index);
            self.table.sources(index).map(move |source| Matching {
                rule: self.rule(index, source),
                audience: self.lists.get(source.list).map_or(0, |list| list.audience),
                applies: !removed,
                cancelled: source.cancelled,
                redundant,
                prevails: false,
            })
        });
        listed.chain(self.by_hand.find(key).map(|rule| Matching {
            rule,
            audience: hand::CLASS,
            applies: true,
            cancelled: false,
            redundant: false,
            prevails: false,
        }))
    }
}

/// A compiled policy for a client to whom these audiences of lists apply.
struct OfAudiences<'b> {
    compiled: &'b CompiledPolicy,
    audiences: Audiences,
}

impl Patterns for OfAudiences<'_> {
    /// Of the one group that there is, the words are those of the banks.
    fn audiences(&self, word: u32, _: Generation) -> u32 {
        self.audiences.bank(word)
    }

    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.compiled.part(slot, index)
    }
}

impl Rules for OfAudiences<'_> {
    fn in_force(&self) -> ActivePolicy {
        self.compiled.in_force()
    }

    fn effect(&self, key: RuleKey, generation: Generation) -> Option<&Effect> {
        self.compiled.effect(key, generation)
    }

    fn further_effects(&self, key: RuleKey, generation: Generation) -> &[(u32, Effect)] {
        self.compiled.further_effects(key, generation)
    }
}

impl Matching<'_> {
    /// True if the rule is about its own name, or about one below it.
    fn is_about(&self, is_own: bool) -> bool {
        match self.rule.scope {
            Some(Scope::Name) => is_own,
            Some(Scope::Subdomains) => !is_own,
            _ => true,
        }
    }
}
