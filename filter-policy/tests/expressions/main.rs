//! Random expressions as rules, against the engines of the programs that the expressions are
//! written for: what a rule blocks is what its expression matches there. None of these engines
//! shares code with `regex-syntax`.

mod engines;
mod generate;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use filter_lists::{Domain, Format, ListError, ListOptions};
use filter_policy::compiled::{Builder, CompiledPolicy, EVERYBODY, hash_key};
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

use engines::{Engine, Node, Pcre2, Tre};
use generate::{Dialect, expression, names};

/// Expressions for each engine.
const EXPRESSIONS: u32 = 1_000;
/// Random names for each of them, and real names for all.
const NAMES: usize = 40;
const REAL_NAMES: usize = 150;

#[test]
fn a_rule_of_pi_hole_is_about_the_names_that_tre_matches() {
    compare(
        Dialect::Posix,
        Format::Regex,
        &|expression| expression.to_owned(),
        &mut Tre::default(),
    );
}

#[test]
fn a_rule_of_adguard_is_about_the_names_that_node_matches() {
    // Without a modifier, AdGuard leaves out what is shorter than four characters.
    compare(
        Dialect::JavaScript,
        Format::AdBlock,
        &|expression| format!("/{expression}/$important"),
        &mut Node::start(),
    );
}

#[test]
fn a_rule_of_v2fly_is_about_the_names_that_pcre2_matches() {
    compare(
        Dialect::Re2,
        Format::V2fly,
        &|expression| format!("regexp:{expression}"),
        &mut Pcre2,
    );
}

/// What became of an expression here.
enum Read {
    Rule(Box<CompiledPolicy>),
    NoName,
    TooGeneral,
    TooLarge,
    Unreadable,
}

fn compare(
    dialect: Dialect,
    format: Format,
    line: &dyn Fn(&str) -> String,
    engine: &mut dyn Engine,
) {
    let (engine, seen) = (
        RefCell::new(engine),
        RefCell::new(BTreeMap::<&str, u32>::new()),
    );
    let mut runner = TestRunner::new(Config {
        cases: EXPRESSIONS,
        failure_persistence: None,
        max_shrink_time: 30_000,
        ..Config::default()
    });
    let run = runner.run(
        &(expression(dialect), names(dialect, NAMES)),
        |(expression, random)| {
            let names: Vec<String> = real().iter().cloned().chain(random).collect();
            let theirs = engine.borrow_mut().matching(&expression, &names);
            let Ok(theirs) = theirs else {
                *seen
                    .borrow_mut()
                    .entry("too much for the engine")
                    .or_default() += 1;
                return Ok(());
            };
            let count = |kind| *seen.borrow_mut().entry(kind).or_default() += 1;
            match (read(&line(&expression), format), theirs) {
                (Read::Unreadable, None) => count("refused"),
                (Read::Unreadable, Some(_)) => {
                    prop_assert!(false, "`{}` is refused here alone", expression);
                }
                (_, None) => prop_assert!(false, "`{}` is taken here alone", expression),
                (Read::TooLarge, Some(_)) => count("too large"),
                (Read::TooGeneral, Some(theirs)) => {
                    let real = theirs
                        .iter()
                        .take(real().len())
                        .filter(|matches| **matches)
                        .count();
                    prop_assert!(
                        real > REAL_NAMES / 2,
                        "`{}` matches {} real names alone",
                        expression,
                        real
                    );
                    count("too general");
                }
                (Read::NoName, Some(theirs)) => {
                    prop_assert!(
                        !theirs.contains(&true),
                        "`{}` matches names there",
                        expression
                    );
                    count("no name");
                }
                (Read::Rule(compiled), Some(theirs)) => {
                    for (name, theirs) in names.iter().zip(theirs) {
                        let ours = compiled
                            .deciding(&name.parse::<Domain>().expect("a name"), EVERYBODY)
                            .is_some();
                        prop_assert_eq!(
                            ours,
                            theirs,
                            "`{}` and {} (here, there)",
                            expression,
                            name
                        );
                    }
                    count(if compiled.has_patterns() {
                        "pattern"
                    } else {
                        "name"
                    });
                }
            }
            Ok(())
        },
    );
    if let Err(TestError::Fail(why, (expression, _))) = &run {
        panic!("{expression}: {why}");
    }
    run.unwrap_or_else(|error| panic!("{error}"));
    println!("{seen:?}");
    let patterns = seen.borrow().get("pattern").copied().unwrap_or_default();
    assert!(
        patterns > EXPRESSIONS / 2,
        "only {patterns} patterns were compared"
    );
}

fn read(line: &str, format: Format) -> Read {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), line).expect("a file");
    let options = ListOptions {
        format: Some(format),
        ..ListOptions::default()
    };
    let mut builder = Builder::new(hash_key());
    match filter_lists::load(
        file.path(),
        &options,
        &mut builder.list("list", 0),
        &mut |_| {},
    ) {
        Ok(_) => {
            let compiled = builder.finish().expect("a rule book");
            let has_room = compiled.refused_patterns().next().is_none();
            if has_room {
                Read::Rule(Box::new(compiled))
            } else {
                Read::TooLarge
            }
        }
        Err(ListError::Empty { holds, .. }) => {
            let reasons: Vec<_> = holds
                .report()
                .unusable
                .keys()
                .map(|reason| reason.as_str())
                .collect();
            match reasons[..] {
                ["no_name"] => Read::NoName,
                ["too_general"] => Read::TooGeneral,
                ["pattern"] => Read::Unreadable,
                _ => panic!("{line}: {reasons:?}"),
            }
        }
        Err(error) => panic!("{line}: {error}"),
    }
}

/// Names that people visit.
fn real() -> &'static [String] {
    static REAL: LazyLock<Vec<String>> = LazyLock::new(|| {
        let text = fs::read_to_string(collection().join("popular/domain-stats-top-38k.domains"))
            .expect("a list");
        let names = text.lines().filter(|line| {
            line.parse::<Domain>()
                .is_ok_and(|name| name.as_str() == *line)
        });
        let names: Vec<String> = names.map(str::to_owned).collect();
        let step = names.len() / REAL_NAMES;
        names.into_iter().step_by(step).take(REAL_NAMES).collect()
    });
    &REAL
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/blocklists")
}
