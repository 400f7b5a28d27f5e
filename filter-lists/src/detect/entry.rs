//! Entries of a list, and the shapes that most of them have.

use crate::{
    domain::plainly_canonical,
    formats::{Words, is_address},
};

/// An entry of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// Its line.
    pub text: &'a [u8],
    /// Its shape, if it is a frequent one.
    pub shape: Option<Shape>,
    /// How many entries of this shape come before it.
    pub before: usize,
}

/// What nearly all entries of most lists look like. A reader makes the same of all entries of one
/// of these shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `x`
    Name,
    /// `0.0.0.0 x`
    Hosts,
    /// `*.x`
    Wildcard,
    /// `||x^`
    Subtree,
    /// `.x`
    Dotted,
    /// `192.0.2.1`
    Address,
}

impl Shape {
    pub const COUNT: usize = 6;

    fn of(text: &[u8]) -> Option<Self> {
        let is_name = |name: &[u8]| name.contains(&b'.') && plainly_canonical(name).is_some();
        match text.trim_ascii() {
            [b'*', b'.', name @ ..] => is_name(name).then_some(Self::Wildcard),
            [b'.', name @ ..] => is_name(name).then_some(Self::Dotted),
            [b'|', b'|', name @ .., b'^'] => is_name(name).then_some(Self::Subtree),
            name if is_name(name) => Some(Self::Name),
            line => {
                let mut words = Words(line);
                let address = words.next().filter(|word| is_address(word))?;
                let Some(name) = words.next() else {
                    return (address == line).then_some(Self::Address);
                };
                (is_name(name) && words.is_empty()).then_some(Self::Hosts)
            }
        }
    }
}

/// The lines as entries.
pub(super) fn entries<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Entry<'a>> {
    let mut seen = [0; Shape::COUNT];
    let entry = |text| {
        let shape = Shape::of(text);
        let before = shape.map_or(0, |shape| seen[shape as usize]);
        if let Some(shape) = shape {
            seen[shape as usize] += 1;
        }
        Entry {
            text,
            shape,
            before,
        }
    };
    lines.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_shapes_are_told_and_counted() {
        let lines = [
            "a.example",
            " b.example ",
            "0.0.0.0\tc.example",
            "*.d.example",
            "||e.example^",
            ".f.example",
            "192.0.2.1",
            "zip",
        ];
        let entries = entries(lines.iter().map(|line| line.as_bytes()));
        let shapes: Vec<_> = entries
            .iter()
            .map(|entry| (entry.shape, entry.before))
            .collect();
        assert_eq!(
            shapes,
            [
                (Some(Shape::Name), 0),
                (Some(Shape::Name), 1),
                (Some(Shape::Hosts), 0),
                (Some(Shape::Wildcard), 0),
                (Some(Shape::Subtree), 0),
                (Some(Shape::Dotted), 0),
                (Some(Shape::Address), 0),
                (None, 0)
            ]
        );
        for line in [
            "0.0.0.0 a.example b.example",
            "a.example b.example",
            "||a*.example^",
            "A.example",
            "*.*.example",
            "",
        ] {
            assert_eq!(Shape::of(line.as_bytes()), None, "{line}");
        }
    }
}
