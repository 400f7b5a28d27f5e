//! No test program that loads or attaches programs does without the kernel's log.

use std::fs;
use std::path::{Path, PathBuf};

use toml::Value;

const GUARD: &str = "lab::fail_on_kernel_damage!();";
/// A feature without which such programs, or such tests in them, are not built.
const FEATURE: &str = "root-tests";

#[test]
fn every_test_program_that_loads_programs_fails_by_damage() {
    let programs = test_programs();
    let (guarded, bare): (Vec<_>, Vec<_>) = programs
        .iter()
        .filter(|program| needs_root(program))
        .partition(|program| text(&program.main).contains(GUARD));
    assert!(
        bare.is_empty(),
        "`{GUARD}` is missing in {:?}",
        bare.iter().map(|program| &program.main).collect::<Vec<_>>()
    );
    assert!(guarded.len() >= 8, "{} programs need root", guarded.len());
}

#[derive(Debug)]
struct TestProgram {
    main: PathBuf,
    named: Option<Value>,
}

/// By the manifest, or by the features that are asked for in its files.
fn needs_root(program: &TestProgram) -> bool {
    let features = program
        .named
        .as_ref()
        .and_then(|named| named.get("required-features")?.as_array());
    features.is_some_and(|features| {
        features
            .iter()
            .any(|feature| feature.as_str() == Some(FEATURE))
    }) || text(&program.main).contains(&format!("feature = \"{FEATURE}\""))
}

/// Those of every package of the workspace: the files and folders in `tests`, and what the manifest
/// names.
fn test_programs() -> Vec<TestProgram> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let workspace: Value = toml::from_str(&text(&root.join("Cargo.toml"))).unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .flat_map(|member| of_package(&root.join(member.as_str().unwrap())))
        .collect()
}

fn of_package(package: &Path) -> Vec<TestProgram> {
    let manifest: Value = toml::from_str(&text(&package.join("Cargo.toml"))).unwrap();
    let named = manifest
        .get("test")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut programs: Vec<_> = named
        .into_iter()
        .map(|named| {
            let name = named["name"].as_str().unwrap();
            let path = named
                .get("path")
                .and_then(Value::as_str)
                .map_or_else(|| format!("tests/{name}.rs"), str::to_owned);
            TestProgram {
                main: package.join(path),
                named: Some(named),
            }
        })
        .map(or_in_a_folder)
        .collect();
    for entry in fs::read_dir(package.join("tests")).into_iter().flatten() {
        let program = or_in_a_folder(TestProgram {
            main: entry.unwrap().path(),
            named: None,
        });
        let is_known = programs.iter().any(|known| known.main == program.main);
        if !is_known
            && program
                .main
                .extension()
                .is_some_and(|extension| extension == "rs")
        {
            programs.push(program);
        }
    }
    programs
}

/// `tests/name.rs`, where that is no file, is `tests/name/main.rs`.
fn or_in_a_folder(program: TestProgram) -> TestProgram {
    let main = program.main.with_extension("").join("main.rs");
    if main.exists() {
        TestProgram { main, ..program }
    } else {
        program
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
