//! What became of the lines of a list.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Deserializer, Serialize};

use super::{Action, Format, ListRule, MAX_PATTERN, NameError, Scope, Subject};

/// Why an entry of a list is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Unusable {
    /// It should be a name and is none.
    Name(NameError),
    /// A name under which others have theirs.
    PublicSuffix,
    /// About so many names that it cannot be meant.
    TooGeneral,
    /// About something that no name is.
    NoName,
    /// A wildcard or a regular expression that cannot be read.
    Pattern,
    /// One that is longer than is read.
    PatternTooLong,
    /// A rule with this modifier, which says something that is not known of a name.
    Modifier(#[serde(deserialize_with = "known_word")] Word),
    /// A rule that undoes others, in a list that is trusted to block only.
    Untrusted,
    /// A rule for the looks of a page.
    Cosmetic,
    /// A URL, or a name with a path or a port.
    Url,
    /// A line of this kind, which holds no rule for a name.
    Setting(#[serde(deserialize_with = "known_word")] Word),
    /// A name for which a resolver is named.
    Forwarding,
    /// A name that is given an address of its own.
    Answer,
    /// Several words, and the first is no address.
    SeveralWords,
    /// A line that the format does not have.
    Foreign,
    /// A record that cannot be read.
    Record,
    /// A record of another zone.
    OutsideZone,
    /// A line longer than is read.
    LineTooLong,
}

/// A word that this program has in it.
type Word = &'static str;

/// Reads a word. One that is read for the first time stays until the program ends; there are only
/// so many.
fn known_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    static KNOWN: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());

    let word = String::deserialize(deserializer)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(&*word) {
        return Ok(known);
    }
    let word: Word = word.leak();
    known.insert(word);
    Ok(word)
}

impl Unusable {
    /// The word for it in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name(error) => error.as_str(),
            Self::PublicSuffix => "public_suffix",
            Self::TooGeneral => "too_general",
            Self::NoName => "no_name",
            Self::Pattern => "pattern",
            Self::PatternTooLong => "pattern_too_long",
            Self::Modifier(_) => "modifier",
            Self::Untrusted => "untrusted",
            Self::Cosmetic => "cosmetic",
            Self::Url => "url",
            Self::Setting(_) => "setting",
            Self::Forwarding => "forwarding",
            Self::Answer => "answer",
            Self::SeveralWords => "several_words",
            Self::Foreign => "foreign",
            Self::Record => "record",
            Self::OutsideZone => "outside_zone",
            Self::LineTooLong => "line_too_long",
        }
    }

    /// The modifier or the setting that it is about.
    pub const fn detail(self) -> Option<&'static str> {
        match self {
            Self::Modifier(name) | Self::Setting(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(error) => return error.fmt(f),
            Self::Modifier(name) => return write!(f, "the modifier ${name} is not supported"),
            Self::Setting(name) => return write!(f, "`{name}` makes no rule for a name"),
            Self::PatternTooLong => {
                return write!(f, "it is a pattern of more than {MAX_PATTERN} bytes");
            }
            Self::PublicSuffix => "it is a public suffix, under which others have their names",
            Self::TooGeneral => "it is about nearly every name",
            Self::NoName => "no name can match it",
            Self::Pattern => "it is a pattern that cannot be read",
            Self::Untrusted => "it would undo rules, and the list is trusted to block only",
            Self::Cosmetic => "it is about the looks of a page",
            Self::Url => "it is a URL, or has a path or a port",
            Self::Forwarding => "it names a resolver and blocks nothing",
            Self::Answer => "it gives an address of its own",
            Self::SeveralWords => "it has several words and no address before them",
            Self::Foreign => "it is no line of this format",
            Self::Record => "it is a record that cannot be read",
            Self::OutsideZone => "it lies outside of the zone",
            Self::LineTooLong => "it is longer than 65,536 bytes",
        })
    }
}

/// An entry that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Example {
    /// Its line, from 1.
    pub line: u32,
    /// Why not.
    pub reason: Unusable,
    /// What it says, cut to [`Example::TEXT`] characters, with control characters escaped.
    pub text: String,
    /// What in particular is wrong with it, where something else says that.
    pub detail: Option<String>,
}

impl Example {
    /// Characters of an example that are kept.
    pub const TEXT: usize = 60;
}

/// What kind of rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// For a name, with this scope.
    Name(Scope),
    /// For the names that match a pattern.
    Pattern,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Name(Scope::Name),
        Self::Name(Scope::Subdomains),
        Self::Name(Scope::Subtree),
        Self::Pattern,
    ];

    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name(scope) => scope.as_str(),
            Self::Pattern => "pattern",
        }
    }

    const fn of(subject: &Subject<'_>) -> Self {
        match subject {
            Subject::Name(_, scope) => Self::Name(*scope),
            Subject::Pattern(_) => Self::Pattern,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Name(Scope::Name) => 0,
            Self::Name(Scope::Subdomains) => 1,
            Self::Name(Scope::Subtree) => 2,
            Self::Pattern => 3,
        }
    }
}

/// Numbers of rules, by what they do and what they are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RuleKinds([[u64; Kind::ALL.len()]; Action::ALL.len()]);

impl RuleKinds {
    /// How many there are of this kind.
    pub fn of(&self, action: Action, kind: Kind) -> u64 {
        self.0[action as usize][kind.index()]
    }

    /// The kinds of which there are some.
    pub fn iter(&self) -> impl Iterator<Item = (Action, Kind, u64)> {
        let kinds = Action::ALL
            .into_iter()
            .flat_map(|action| Kind::ALL.map(|kind| (action, kind)));
        kinds
            .map(|(action, kind)| (action, kind, self.of(action, kind)))
            .filter(|(.., rules)| *rules > 0)
    }

    /// Rules for the names that match a pattern.
    pub(super) fn patterns(&self) -> u64 {
        self.0
            .iter()
            .map(|kinds| kinds[Kind::Pattern.index()])
            .sum()
    }

    /// All rules.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }
}

/// What became of the entries of a list.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ListReport {
    /// The list's name: its path as it was given.
    pub list: String,
    /// Its format.
    pub format: Format,
    /// Its lines.
    pub lines: u32,
    /// Its rules by kind, those that are repeated and those that cancel others included.
    pub kinds: RuleKinds,
    /// Rules that no earlier list and no earlier line has.
    pub rules: u64,
    /// Rules that an earlier list or line has.
    pub repeated: u64,
    /// Rules that take others out.
    pub cancelling: u64,
    /// Rules that block a name for which the list has data of its own, with which nobody is
    /// answered.
    pub with_data: u64,
    /// Local names (`localhost` and the like) that were left out.
    pub local: u64,
    /// Entries that could not be used, by reason.
    pub unusable: BTreeMap<Unusable, u64>,
    /// The first few of them for each reason, in the order of their lines.
    pub examples: Vec<Example>,
}

impl ListReport {
    /// Examples that are kept for each reason.
    const EXAMPLES: u64 = 3;

    pub(super) fn new(list: String, format: Format) -> Self {
        Self {
            list,
            format,
            lines: 0,
            kinds: RuleKinds::default(),
            rules: 0,
            repeated: 0,
            cancelling: 0,
            with_data: 0,
            local: 0,
            unusable: BTreeMap::new(),
            examples: Vec::new(),
        }
    }

    /// Number of entries that could not be used.
    pub fn unusable_entries(&self) -> u64 {
        self.unusable.values().sum()
    }

    /// So many of its rules turned out to be in an earlier list or line.
    pub fn count_repeated(&mut self, rules: u64) {
        let rules = rules.min(self.rules);
        (self.rules, self.repeated) = (self.rules - rules, self.repeated + rules);
    }

    pub(super) fn count_rule(&mut self, rule: ListRule<'_>, new: bool) {
        self.kinds.0[rule.action as usize][Kind::of(&rule.subject).index()] += 1;
        self.cancelling += u64::from(rule.cancels);
        *(if new {
            &mut self.rules
        } else {
            &mut self.repeated
        }) += 1;
    }

    pub(super) fn count_unusable(&mut self, reason: Unusable, text: &[u8], detail: Option<String>) {
        let count = self.unusable.entry(reason).or_default();
        *count += 1;
        if *count <= Self::EXAMPLES {
            self.examples.push(Example {
                line: self.lines,
                reason,
                text: shown(text),
                detail,
            });
        }
    }
}

/// Text from a list as it can be shown: nobody's terminal obeys it.
pub(super) fn shown(text: &[u8]) -> String {
    let start = text.get(..4 * Example::TEXT).unwrap_or(text);
    let text = String::from_utf8_lossy(start);
    let shown: String = text
        .chars()
        .take(Example::TEXT)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().count() > Example::TEXT {
        shown + "…"
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_list_is_cut_and_cannot_steer_a_terminal() {
        assert_eq!(shown(b"plain.text"), "plain.text");
        assert_eq!(shown(b"\x1b[2J\x07"), "\\u{1b}[2J\\u{7}");
        assert_eq!(shown("\u{202e}gro".as_bytes()), "\\u{202e}gro");
        assert_eq!(shown(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(shown("ü".repeat(60).as_bytes()), "ü".repeat(60));
        assert_eq!(shown("ü".repeat(61).as_bytes()), "ü".repeat(60) + "…");
        assert_eq!(shown(&b"a".repeat(100_000)).chars().count(), 61);
    }

    #[test]
    fn the_first_few_examples_of_each_reason_are_kept_and_all_are_counted() {
        let mut report = ListReport::new(String::new(), Format::Hosts);
        for line in 1..=10 {
            report.lines = line;
            report.count_unusable(Unusable::Url, b"u", None);
            report.count_unusable(Unusable::Cosmetic, b"a", None);
        }
        assert_eq!(report.unusable_entries(), 20);
        let lines: Vec<u32> = report.examples.iter().map(|example| example.line).collect();
        assert_eq!(lines, [1, 1, 2, 2, 3, 3]);
    }
}
