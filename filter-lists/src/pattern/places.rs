//! Whether an expression finds something in a short name, by sets of places.

use regex_syntax::{
    hir::{Class, Hir, HirKind, Look, Repetition},
    is_word_byte,
};

/// Steps that are taken for one name; real expressions take some hundred.
const MOST_STEPS: u32 = 100_000;

/// True if the expression finds something in the name; `None` if that takes too many steps, or the
/// name is longer than 63 octets.
pub(super) fn matches(hir: &Hir, name: &[u8]) -> Option<bool> {
    if name.len() >= u64::BITS as usize {
        return None;
    }
    let mut search = Search {
        name,
        steps: MOST_STEPS,
    };
    search.ends(hir, search.all()).map(|ends| ends != 0)
}

/// A set of places between octets is a word with a bit for each, the place before the first octet
/// being the lowest.
struct Search<'a> {
    name: &'a [u8],
    steps: u32,
}

impl Search<'_> {
    fn all(&self) -> u64 {
        u64::MAX >> (u64::BITS as usize - 1 - self.name.len())
    }

    /// The places where a match may end that begins at one of these.
    fn ends(&mut self, hir: &Hir, begins: u64) -> Option<u64> {
        self.steps = self.steps.checked_sub(1)?;
        if begins == 0 {
            return Some(0);
        }
        match hir.kind() {
            HirKind::Empty => Some(begins),
            HirKind::Literal(literal) => Some(literal.0.iter().fold(begins, |places, octet| {
                self.behind(places, |it| it == *octet)
            })),
            HirKind::Class(class) => Some(self.behind(begins, |octet| has(class, octet))),
            HirKind::Look(look) => Some(begins & self.where_holds(*look)),
            HirKind::Capture(capture) => self.ends(&capture.sub, begins),
            HirKind::Concat(parts) => parts
                .iter()
                .try_fold(begins, |places, part| self.ends(part, places)),
            HirKind::Alternation(ways) => ways
                .iter()
                .try_fold(0, |places, way| Some(places | self.ends(way, begins)?)),
            HirKind::Repetition(repetition) => self.repeated(repetition, begins),
        }
    }

    /// No match goes back, so what further turns reach no longer changes after as many turns as
    /// there are places.
    fn repeated(&mut self, repetition: &Repetition, begins: u64) -> Option<u64> {
        let Repetition { min, max, sub, .. } = repetition;
        let mut places = begins;
        for _ in 0..*min {
            let next = self.ends(sub, places)?;
            if next == places {
                break;
            }
            places = next;
        }
        let mut reached = places;
        for _ in *min..max.unwrap_or(u32::MAX) {
            let next = reached | self.ends(sub, reached)?;
            if next == reached {
                break;
            }
            reached = next;
        }
        Some(reached)
    }

    /// The places behind an octet of this kind that stands at one of the places.
    fn behind(&self, places: u64, is: impl Fn(u8) -> bool) -> u64 {
        let octets = self
            .name
            .iter()
            .enumerate()
            .filter(|(at, octet)| places >> at & 1 != 0 && is(**octet));
        octets.fold(0, |set, (at, _)| set | 1 << (at + 1))
    }

    fn where_holds(&self, look: Look) -> u64 {
        (0..=self.name.len())
            .filter(|at| self.holds(look, *at))
            .fold(0, |set, at| set | 1 << at)
    }

    /// Whether this holds at a place. A name has one line, so that its ends are those of the line.
    fn holds(&self, look: Look, at: usize) -> bool {
        let is_word = |octet: Option<&u8>| octet.is_some_and(|octet| is_word_byte(*octet));
        let before = is_word(at.checked_sub(1).and_then(|before| self.name.get(before)));
        let behind = is_word(self.name.get(at));
        match look {
            Look::Start | Look::StartLF | Look::StartCRLF => at == 0,
            Look::End | Look::EndLF | Look::EndCRLF => at == self.name.len(),
            Look::WordAscii | Look::WordUnicode => before != behind,
            Look::WordAsciiNegate | Look::WordUnicodeNegate => before == behind,
            Look::WordStartAscii | Look::WordStartUnicode => !before && behind,
            Look::WordEndAscii | Look::WordEndUnicode => before && !behind,
            Look::WordStartHalfAscii | Look::WordStartHalfUnicode => !before,
            Look::WordEndHalfAscii | Look::WordEndHalfUnicode => !behind,
        }
    }
}

fn has(class: &Class, octet: u8) -> bool {
    match class {
        Class::Bytes(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&octet)),
        Class::Unicode(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&char::from(octet))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::parser;

    #[test]
    fn an_expression_finds_what_it_says() {
        for (regex, name, found) in [
            ("^a{2,3}$", "aa", true),
            ("^a{2,3}$", "aaaa", false),
            ("^(?:ab?){3}c", "aabac", true),
            (r"\bads\b", "x-ads.example", true),
            (r"\bads\b", "xads.example", false),
            ("(?:^|[.-])x$", "a-x", true),
            ("(?:^|[.-])x$", "ax", false),
            (
                "^(?:(?:a?){60}){60}$",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                true,
            ),
            ("$^", "a", false),
        ] {
            let hir = parser().parse(regex).unwrap();
            assert_eq!(
                matches(&hir, name.as_bytes()),
                Some(found),
                "{regex} in {name}"
            );
        }
        assert_eq!(matches(&Hir::empty(), &[b'a'; 64]), None);
    }
}
