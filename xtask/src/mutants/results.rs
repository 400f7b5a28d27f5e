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
    /// Its file and what is changed there, without lines, which other changes move. Of several that read the same, the second and
    /// further ones have a number.
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
        let name = if *count == 1 { name } else { format!("{name} #{count}") };
        Mutant { name, listed: line.to_owned() }
    };
    lines.filter(|line| !line.trim().is_empty()).map(mutant).collect()
}

/// `a.rs:12:5: replace ...` without line and column.
fn without_place(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(line), Some(column), Some(what)) if is_number(line) && is_number(column) => {
            format!("{file}:{what}")
        }
        _ => line.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Results {
    const HEADING: &str = "# state\tmutant\treason (of what is equivalent)";

    /// Reads the file; nothing is known if there is none.
    pub fn read(file: &Path) -> Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).with_context(|| format!("{} cannot be read", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let mut results = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (state, name, reason) = (columns.next(), columns.next(), columns.next().unwrap_or_default());
            let state = match state {
                Some("caught") => State::Caught,
                Some("survives") => State::Survives,
                Some("unbuilt") => State::Unbuilt,
                Some("equivalent") if reason.is_empty() => bail!("line {number}: `equivalent` needs a reason"),
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

    /// True if it is known what becomes of it. What survived is tried again: tests may have come since.
    pub fn has(&self, mutant: &Mutant) -> bool {
        self.0.get(&mutant.name).is_some_and(|state| *state != State::Survives)
    }

    /// Takes what cargo-mutants wrote to this folder about these. What it did not come to stays as it is.
    pub fn take(&mut self, folder: &Path, mutants: &[Mutant]) -> Result<()> {
        let states = [
            ("caught.txt", State::Caught),
            ("timeout.txt", State::Caught),
            ("missed.txt", State::Survives),
            ("unviable.txt", State::Unbuilt),
        ];
        for (file, state) in states {
            let file = folder.join(file);
            let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let lines: BTreeSet<_> = text.lines().collect();
            for mutant in mutants.iter().filter(|mutant| lines.contains(mutant.listed.as_str())) {
                // A reader's word stands.
                if !matches!(self.0.get(&mutant.name), Some(State::Equivalent(_))) {
                    self.0.insert(mutant.name.clone(), state.clone());
                }
            }
        }
        Ok(())
    }

    /// Those of these that are known.
    pub fn of(&self, mutants: &[Mutant]) -> BTreeMap<Mutant, State> {
        mutants.iter().filter_map(|mutant| Some((mutant.clone(), self.0.get(&mutant.name)?.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_lines_and_tell_mutants_apart() {
        let lines = ["a.rs:12:5: replace + with -", "a.rs:40:9: replace + with -", "b.rs:1:1: replace f -> u8 with 0"];
        let names: Vec<_> = numbered(lines.into_iter()).into_iter().map(|mutant| mutant.name).collect();
        assert_eq!(names, ["a.rs: replace + with -", "a.rs: replace + with - #2", "b.rs: replace f -> u8 with 0"]);
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
        for (text, part) in [("equivalent\ta", "reason"), ("dead\ta", "line 1: a state"), ("caught", "no mutant")] {
            let error = format!("{:#}", Results::parse(text).unwrap_err());
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_folder_of_the_tool_is_taken_and_what_a_reader_said_stands() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("caught.txt", "a.rs:1:1: x\n"),
            ("missed.txt", "a.rs:2:1: y\na.rs:3:1: z\n"),
            ("timeout.txt", ""),
            ("unviable.txt", ""),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let mutants = numbered(["a.rs:1:1: x", "a.rs:2:1: y", "a.rs:3:1: z"].into_iter());
        let mut results = Results::parse("equivalent\ta.rs: z\tthe same").unwrap();
        results.take(folder.path(), &mutants).unwrap();
        let states: Vec<_> = results.of(&mutants).into_values().collect();
        assert_eq!(states, [State::Caught, State::Survives, State::Equivalent("the same".into())]);
        assert!(results.has(&mutants[0]) && !results.has(&mutants[1]));
    }
}
