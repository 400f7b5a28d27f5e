//! Matching names against many patterns at once.

use regex_automata::{
    Input, PatternSet,
    meta::{BuildError, Config, Regex},
    util::syntax,
};

use super::{Place, RuleText};
use crate::lists::Action;

/// Bytes of the automaton for all patterns.
const MAX_AUTOMATON: usize = 256 << 20;

/// All patterns together are more than is compiled for a check.
#[derive(Debug, thiserror::Error)]
#[error("the patterns of the lists are too large to be matched together ({0}): check fewer lists at once")]
pub struct PatternsTooLarge(Box<BuildError>);

/// Patterns with their rules.
pub(super) struct Patterns {
    regex: Regex,
    rules: Vec<(RuleText, Place)>,
}

impl Patterns {
    pub fn new<'a>(patterns: impl Iterator<Item = (&'a str, Action, Place)>) -> Result<Self, PatternsTooLarge> {
        let rules: Vec<(RuleText, Place)> = patterns
            .map(|(regex, action, at)| (RuleText { action, scope: None, text: regex.to_owned() }, at))
            .collect();
        let texts: Vec<&str> = rules.iter().map(|(rule, _)| &*rule.text).collect();
        let config = Config::new()
            .utf8_empty(false)
            .nfa_size_limit(Some(MAX_AUTOMATON))
            .match_kind(regex_automata::MatchKind::All);
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let regex = Regex::builder().configure(config).syntax(syntax).build_many(&texts);
        Ok(Self { regex: regex.map_err(|error| PatternsTooLarge(Box::new(error)))?, rules })
    }

    /// The rules of the patterns that are found in the name.
    pub fn matching(&self, name: &str) -> Vec<(RuleText, Place)> {
        let mut found = PatternSet::new(self.regex.pattern_len());
        self.regex.which_overlapping_matches(&Input::new(name), &mut found);
        found.iter().map(|pattern| self.rules[pattern.as_usize()].clone()).collect()
    }
}
