//! A reader that is tried on the entries of a list.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;

use super::{
    entry::{Entry, Shape},
    grade::{self, Grade, Read},
};
use crate::{
    Format, ListOptions, ListReport, ListRule, Scope, Sink, Subject, TooManyNames,
    formats::{self, FormatReader},
    reading::Reading,
};

/// Entries after which a reader that understands few of them is given no more.
const FIRST: usize = 32;

/// Entries of a frequent shape after which a reader is given no more of them.
const READ_OF_A_SHAPE: usize = 8;

/// A reader is given no more if another one understands so many times as much of the first entries.
const FAR_BEHIND: u64 = 3;

/// One entry in so many has to be understood.
const UNDERSTOOD: u64 = 4;

/// How a reader understands the entries.
pub(super) struct Candidate {
    pub format: Format,
    /// One for each entry.
    pub grades: Vec<Grade>,
    /// A hash of the rules that it takes, in their order. Of entries of the same shape the first
    /// ones tell what it takes.
    pub rules: u64,
}

impl Candidate {
    /// Reads all entries; `None` if it is far behind `best`, the best score of the first entries so
    /// far.
    pub fn read(
        format: Format,
        entries: &[Entry<'_>],
        is_cut: bool,
        best: Option<u64>,
    ) -> Option<Self> {
        let options = ListOptions {
            format: Some(format),
            ..ListOptions::default()
        };
        let mut sink = Hashed(FixedState::default().build_hasher());
        let mut reading = Reading::new(&mut sink, &options, ListReport::new(String::new(), format));
        let mut reader = formats::reader(format);
        let mut trial = Self {
            format,
            grades: Vec::with_capacity(entries.len()),
            rules: 0,
        };
        let mut of_shapes = [None; Shape::COUNT];
        for entry in entries {
            let of_shape = entry.shape.and_then(|shape| of_shapes[shape as usize]);
            let grade = match of_shape.filter(|_| entry.before >= READ_OF_A_SHAPE) {
                Some(grade) => grade,
                None => read(entry.text, format, &mut *reader, &mut reading),
            };
            trial.grades.push(grade);
            trial.grade_open_entry();
            if let Some(shape) = entry.shape {
                of_shapes[shape as usize] = Some(grade).filter(|grade| *grade != Grade::Open);
            }
            if trial.grades.len() == FIRST
                && best.is_some_and(|best| trial.score() * FAR_BEHIND < best)
            {
                return None;
            }
        }
        // Of an entry that goes on behind the head nothing is known.
        let last = if is_cut {
            Grade::Comment
        } else {
            Grade::Foreign
        };
        trial
            .grades
            .iter_mut()
            .filter(|grade| **grade == Grade::Open)
            .for_each(|grade| *grade = last);
        trial.rules = sink.0.finish();
        Some(trial)
    }

    /// Gives the lines of an entry that ends here the grade of the last one.
    fn grade_open_entry(&mut self) {
        let Some((last, before)) = self.grades.split_last_mut() else {
            return;
        };
        if *last == Grade::Open {
            return;
        }
        before
            .iter_mut()
            .rev()
            .take_while(|grade| **grade == Grade::Open)
            .for_each(|grade| *grade = *last);
    }

    pub fn score(&self) -> u64 {
        self.grades.iter().map(|grade| grade.weight()).sum()
    }

    pub fn score_of_first(&self) -> u64 {
        self.grades
            .iter()
            .take(FIRST)
            .map(|grade| grade.weight())
            .sum()
    }

    /// Entries that say something, or should.
    pub fn entries(&self) -> usize {
        self.grades
            .iter()
            .filter(|grade| **grade != Grade::Comment)
            .count()
    }

    pub fn understood(&self) -> usize {
        self.grades
            .iter()
            .filter(|grade| grade.is_understood())
            .count()
    }

    /// True for what a list can hardly be to its own reader.
    pub fn understands_too_little(&self) -> bool {
        self.score() * UNDERSTOOD < self.entries() as u64 * Grade::Whole.weight()
    }

    /// By how much it understands entries better than the other one, and by how much worse.
    pub fn compared_with(&self, other: &Self) -> (u64, u64) {
        let pairs = self.grades.iter().zip(&other.grades);
        pairs
            .map(|(this, other)| this.compared_with(*other))
            .fold((0, 0), |(ahead, behind), (more, less)| {
                (ahead + more, behind + less)
            })
    }

    /// True if it understands an entry fully that the other one cannot read.
    pub fn has_a_line_unlike(&self, other: &Self) -> bool {
        self.grades
            .iter()
            .zip(&other.grades)
            .any(|pair| pair == (&Grade::Whole, &Grade::Foreign))
    }
}

fn read(
    entry: &[u8],
    format: Format,
    reader: &mut dyn FormatReader,
    reading: &mut Reading<'_>,
) -> Grade {
    // To parse an expression takes longest.
    let at_a_glance = (format == Format::Regex)
        .then(|| grade::expression_at_a_glance(entry.trim_ascii()))
        .flatten();
    if let Some(grade) = at_a_glance {
        return grade;
    }
    let before = Read::so_far(reading);
    // Nothing is too much here, and an inclusion ends nothing.
    let stopped = reader.line(entry, reading).is_err();
    Grade::of(
        format,
        entry.trim_ascii(),
        &before.until_now(reading, stopped, reader.is_within_entry()),
    )
}

/// The rules that were taken.
struct Hashed(<FixedState as BuildHasher>::Hasher);

impl Sink for Hashed {
    fn rule(&mut self, rule: ListRule<'_>, _line: u32) -> Result<bool, TooManyNames> {
        let ListRule {
            subject,
            action,
            cancels,
            ..
        } = rule;
        match subject {
            Subject::Name(name, scope) => (name, scope).hash(&mut self.0),
            Subject::Pattern(pattern) => (pattern, None::<Scope>).hash(&mut self.0),
        }
        (action, cancels).hash(&mut self.0);
        Ok(true)
    }
}
