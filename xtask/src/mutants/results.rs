//! What became of mutants, as a file of the repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail};

/// A change of the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mutant {
    /// Its file and what is changed there, without lines, which other changes move. Of several that
    /// read the same, the second and further ones have a number.
    pub name: String,
    /// As cargo-mutants names it now.
    pub listed: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A test fails, or does not end.
    Caught,
    /// No test notices.
    Survives,
    /// It does not build.
    Unbuilt,
    /// It means the same as the source, for this reason.
    Equivalent(String),
}

/// By the names of mutants.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Results(BTreeMap<String, State>);

/// The mutants of these lines.
pub fn numbered<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<Mutant> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mutant = |line: &str| {
        let name = without_place(line);
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 {
            name
        } else {
            format!("{name} #{count}")
        };
        Mutant {
            name,
            listed: line.to_owned(),
        }
    };
    lines
        .filter(|line| !line.trim().is_empty())
        .map(mutant)
        .collect()
}

/// `a.rs:12:5: replace ...` without line and column.
fn without_place(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(line), Some(column), Some(what))
            if is_number(line) && is_number(column) =>
        {
            format!("{file}:{what}")
        }
        _ => line.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What cargo-mutants has written to this folder so far, by its own names of mutants.
pub fn found(folder: &Path) -> Result<BTreeMap<String, State>> {
    let mut found = BTreeMap::new();
    for (file, state) in [
        ("caught.txt", State::Caught),
        ("timeout.txt", State::Caught),
        ("missed.txt", State::Survives),
        ("unviable.txt", State::Unbuilt),
    ] {
        let file = folder.join(file);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            // It has not begun.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", file.display()));
            }
        };
        found.extend(text.lines().map(|line| (line.to_owned(), state.clone())));
    }
    Ok(found)
}

impl Results {
    const HEADING: &str = "# state\tmutant\treason (of what is equivalent)";

    /// Reads the file; nothing is known if there is none.
    pub fn read(file: &Path) -> Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => {
                Self::parse(&text).with_context(|| format!("{} cannot be read", file.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let mut results = BTreeMap::new();
        for (number, line) in (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            let mut columns = line.split('\t');
            let (state, name, reason) = (
                columns.next(),
                columns.next(),
                columns.next().unwrap_or_default(),
            );
            let state = match state {
                Some("caught") => State::Caught,
                Some("survives") => State::Survives,
                Some("unbuilt") => State::Unbuilt,
                Some("equivalent") if reason.is_empty() => {
                    bail!("line {number}: `equivalent` needs a reason")
                }
                Some("equivalent") => State::Equivalent(reason.to_owned()),
                _ => bail!("line {number}: a state is caught, survives, unbuilt or equivalent"),
            };
            let name = name.with_context(|| format!("line {number} names no mutant"))?;
            results.insert(name.to_owned(), state);
        }
        Ok(Self(results))
    }

    /// Writes the file.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut text = format!("{}\n", Self::HEADING);
        for (name, state) in &self.0 {
            let (state, reason) = match state {
                State::Caught => ("caught", ""),
                State::Survives => ("survives", ""),
                State::Unbuilt => ("unbuilt", ""),
                State::Equivalent(reason) => ("equivalent", reason.as_str()),
            };
            writeln!(text, "{state}\t{name}\t{reason}")?;
        }
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Forgets those that the source does not have any more.
    pub fn forget_all_but(&mut self, mutants: &[Mutant]) {
        let names: BTreeSet<_> = mutants.iter().map(|mutant| &mutant.name).collect();
        self.0.retain(|name, _| names.contains(name));
    }

    /// True if it is known what becomes of it. What survived is tried again: tests may have come
    /// since.
    pub fn has(&self, mutant: &Mutant) -> bool {
        self.0
            .get(&mutant.name)
            .is_some_and(|state| *state != State::Survives)
    }

    /// What a reader says of a mutant stands, unless a test tells it from the source.
    pub fn note(&mut self, mutant: &Mutant, state: State) {
        let is_equivalent = matches!(self.0.get(&mutant.name), Some(State::Equivalent(_)));
        if !is_equivalent || state == State::Caught {
            self.0.insert(mutant.name.clone(), state);
        }
    }

    /// Those of these that are known.
    pub fn of(&self, mutants: &[Mutant]) -> BTreeMap<Mutant, State> {
        mutants
            .iter()
            .filter_map(|mutant| Some((mutant.clone(), self.0.get(&mutant.name)?.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_lines_and_tell_mutants_apart() {
        let lines = [
            "a.rs:12:5: replace + with -",
            "a.rs:40:9: replace + with -",
            "b.rs:1:1: replace f -> u8 with 0",
        ];
        let names: Vec<_> = numbered(lines.into_iter())
            .into_iter()
            .map(|mutant| mutant.name)
            .collect();
        assert_eq!(
            names,
            [
                "a.rs: replace + with -",
                "a.rs: replace + with - #2",
                "b.rs: replace f -> u8 with 0"
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "caught\ta\t\nequivalent\tb\tboth are 0\nsurvives\tc\t\nunbuilt\td\t\n";
        let results = Results::parse(text).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        results.write(file.path()).unwrap();
        assert_eq!(Results::read(file.path()).unwrap(), results);
        assert_eq!(results.0.len(), 4);
    }

    #[test]
    fn lines_that_say_nothing_are_told() {
        for (text, part) in [
            ("equivalent\ta", "reason"),
            ("dead\ta", "line 1: a state"),
            ("caught", "no mutant"),
        ] {
            let error = format!("{:#}", Results::parse(text).unwrap_err());
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_a_folder_of_the_tool_has_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(found(folder.path()).unwrap(), BTreeMap::new());
        for (file, text) in [
            ("caught.txt", "a\nb\n"),
            ("missed.txt", "c\n"),
            ("timeout.txt", "d\n"),
            ("unviable.txt", "e\n"),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let states: Vec<_> = found(folder.path()).unwrap().into_values().collect();
        assert_eq!(
            states,
            [
                State::Caught,
                State::Caught,
                State::Survives,
                State::Caught,
                State::Unbuilt
            ]
        );
    }

    #[test]
    fn what_a_reader_said_stands_unless_a_test_says_otherwise() {
        let mutants = numbered(["a.rs:1:1: x", "a.rs:2:1: y", "a.rs:3:1: z"].into_iter());
        let text = "equivalent\ta.rs: x\tno\nequivalent\ta.rs: y\tthe same";
        let mut results = Results::parse(text).unwrap();
        for (mutant, state) in mutants
            .iter()
            .zip([State::Caught, State::Survives, State::Survives])
        {
            results.note(mutant, state);
        }
        let states: Vec<_> = results.of(&mutants).into_values().collect();
        assert_eq!(
            states,
            [
                State::Caught,
                State::Equivalent("the same".into()),
                State::Survives
            ]
        );
        assert!(results.has(&mutants[1]) && !results.has(&mutants[2]));
    }
}
