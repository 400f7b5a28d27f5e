//! The characters that canonical names are made of.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind};

/// The class of them all.
pub(super) fn any() -> ClassBytes {
    ClassBytes::new([
        ClassBytesRange::new(b'-', b'.'),
        ClassBytesRange::new(b'0', b'9'),
        ClassBytesRange::new(b'_', b'_'),
        ClassBytesRange::new(b'a', b'z'),
    ])
}

/// The class of those within a label.
pub(super) fn within_label() -> ClassBytes {
    let mut class = any();
    class.difference(&ClassBytes::new([ClassBytesRange::new(b'.', b'.')]));
    class
}

/// The same expression with nothing in it that no name has, and without groups. What cannot match a
/// name becomes an empty class.
pub(super) fn restrict(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => hir.clone(),
        HirKind::Literal(literal) if literal.0.iter().all(|byte| has(*byte)) => hir.clone(),
        HirKind::Literal(_) => Hir::fail(),
        HirKind::Class(class) => {
            let mut class = ascii(class);
            class.intersect(&any());
            Hir::class(Class::Bytes(class))
        }
        HirKind::Repetition(repetition) => {
            let sub = restrict(&repetition.sub);
            match (is_fail(&sub), repetition.min) {
                (true, 0) => Hir::empty(),
                (true, _) => Hir::fail(),
                (false, _) => Hir::repetition(repetition.with(sub)),
            }
        }
        HirKind::Capture(capture) => restrict(&capture.sub),
        HirKind::Concat(parts) => {
            let parts: Vec<Hir> = parts.iter().map(restrict).collect();
            if parts.iter().any(is_fail) {
                Hir::fail()
            } else {
                Hir::concat(parts)
            }
        }
        HirKind::Alternation(ways) => {
            let ways = ways
                .iter()
                .map(restrict)
                .filter(|way| !is_fail(way))
                .collect();
            Hir::alternation(ways)
        }
    }
}

/// The ASCII characters of a class. `regex-syntax` makes a class of characters of alternatives of
/// one character, also where expressions are about octets.
fn ascii(class: &Class) -> ClassBytes {
    match class {
        Class::Bytes(class) => class.clone(),
        Class::Unicode(class) => {
            let ranges = class.ranges().iter().filter_map(|range| {
                let start = u8::try_from(range.start()).ok().filter(u8::is_ascii)?;
                let end = u8::try_from(range.end()).map_or(0x7f, |end| end.min(0x7f));
                Some(ClassBytesRange::new(start, end))
            });
            ClassBytes::new(ranges)
        }
    }
}

/// True for an expression that matches nothing.
pub(super) fn is_fail(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Class(class) if class.is_empty())
}

fn has(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
}
