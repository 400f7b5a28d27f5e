//! The seeds of the fuzzers of the controller's readers, held to what the fuzzers hold any input
//! to. They lie in `fuzz/seeds`, a folder for each target; inputs that failed once are among them.

#[path = "../../fuzz/src/controller/mod.rs"]
mod controller;

use std::{fs, path::Path};

use controller::{capture, configuration, list, pattern};

/// A folder of seeds, and what is held to its properties with each.
type Target = (&'static str, fn(&[u8]));

#[test]
fn every_seed_has_the_properties_of_any_input() {
    let targets: [Target; 4] = [
        ("list", list::check),
        ("pattern", pattern::check),
        ("configuration", configuration::check),
        ("capture", capture::check),
    ];
    for (target, check) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fuzz/seeds")
            .join(target);
        let seeds: Vec<_> = fs::read_dir(&folder)
            .expect(target)
            .map(|entry| entry.expect("an entry").path())
            .collect();
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for seed in seeds {
            println!("{}", seed.display());
            check(&fs::read(seed).expect("a seed"));
        }
    }
}

#[test]
fn the_corpus_is_read_as_captures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for entry in fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
    {
        capture::check(&fs::read(entry).expect("a file"));
    }
}
