//! The object that is embedded, and what the verifier says of it.

use std::{fs, path::Path};

use object::{Object as _, ObjectSymbol as _};

use super::filter;

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/namegate"));

#[test]
fn the_program_loads_within_its_budget_of_verified_instructions() {
    let verified = u64::from(filter(&[], 1).program().unwrap().verified_instructions);
    let budget = budget();
    println!("{verified} instructions verified of a budget of {budget}");
    assert!(verified > 0, "the kernel tells no number");
    assert!(
        verified <= budget,
        "the verifier goes through {verified} instructions, the budget is {budget}: \
         make the program simpler, or raise filter-ebpf/verifier-budget and say why"
    );
}

#[test]
fn the_budget_leaves_little_room() {
    let verified = u64::from(filter(&[], 1).program().unwrap().verified_instructions);
    assert!(
        budget() <= verified + verified / 5,
        "the verifier goes through {verified} instructions: lower filter-ebpf/verifier-budget to about 5 % above that"
    );
}

#[test]
fn the_object_has_the_maps_of_a_log_only_with_the_trace_feature() {
    let maps = |part: &str| symbols().iter().filter(|name| name.contains(part)).count();
    assert_eq!(maps("RULES"), 1);
    assert_eq!(maps("AYA_LOG") > 0, cfg!(feature = "trace"));
}

#[test]
fn without_the_trace_feature_the_object_carries_no_format_strings() {
    // aya-log's records start with the target, module and file that a message comes from.
    let has_sources = OBJECT_DATA.iter().any(|section| section_has(section, b"filter-ebpf/src/"));
    assert_eq!(has_sources, cfg!(feature = "trace"));
}

/// Sections whose bytes the kernel is given to work with.
const OBJECT_DATA: [&str; 3] = [".rodata", ".data", "xdp.frags"];

fn section_has(name: &str, bytes: &[u8]) -> bool {
    use object::ObjectSection as _;
    let file = object::File::parse(OBJECT).unwrap();
    let sections = file.sections().filter(|section| section.name().is_ok_and(|found| found.starts_with(name)));
    sections
        .flat_map(|section| section.data().map(<[u8]>::to_vec))
        .any(|data| data.windows(bytes.len()).any(|at| at == bytes))
}

fn symbols() -> Vec<String> {
    let file = object::File::parse(OBJECT).unwrap();
    file.symbols().filter_map(|symbol| symbol.name().map(str::to_owned).ok()).collect()
}

fn budget() -> u64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../filter-ebpf/verifier-budget");
    let text = fs::read_to_string(path).unwrap();
    let number = text.lines().find(|line| !line.starts_with('#')).unwrap();
    number.trim().replace('_', "").parse().unwrap()
}
