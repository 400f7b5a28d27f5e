//! The seeds of the fuzzers of the controller's readers, held to what the fuzzers hold any input to. They lie in `fuzz/seeds`, a
//! folder for each target; inputs that failed once are among them.

#[path = "../../fuzz/src/controller/mod.rs"]
mod controller;

use std::{fs, path::Path};

use controller::{capture, configuration, list, pattern};

#[test]
fn every_seed_has_the_properties_of_any_input() {
    replay("list", list::check);
    replay("pattern", pattern::check);
    replay("configuration", configuration::check);
    replay("capture", capture::check);
}

#[test]
fn the_corpus_is_read_as_captures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for entry in fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()) {
        capture::check(&fs::read(entry).expect("a file"));
    }
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(&folder).expect(target).map(|entry| entry.expect("an entry").path()).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for seed in seeds {
        println!("{}", seed.display());
        check(&fs::read(seed).expect("a seed"));
    }
}
