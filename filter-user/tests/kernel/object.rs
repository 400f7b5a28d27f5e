//! The object that is embedded, and what the verifier says of it.

use std::{collections::BTreeMap, fs, path::Path};

use object::{Object as _, ObjectSymbol as _};

use super::filter;

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/namegate"));

#[test]
fn each_program_loads_within_its_budget_of_verified_instructions() {
    let budgets = budgets();
    let mut filter = filter(&[], 1);
    filter.load_all().unwrap();
    for (program, verified) in filter.verified_instructions().unwrap() {
        let budget = largest(&budgets, program);
        println!("{program}: {verified} instructions verified of a budget of {budget}");
        assert!(verified > 0, "the kernel tells no number");
        assert!(
            u64::from(verified) <= budget,
            "the verifier goes through {verified} instructions of {program}, the budget is {budget}: make the program \
             simpler, or raise it by `cargo xtask kernels --write-budgets` and say why"
        );
    }
}

#[test]
fn no_budget_is_above_half_of_what_a_verifier_goes_through() {
    for (kernel, programs) in &budgets() {
        for (program, budget) in programs {
            assert!(
                budget.as_integer().is_some_and(|budget| budget <= 500_000),
                "{program} on {kernel}: {budget:?}"
            );
        }
    }
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
    let has_sources = OBJECT_DATA
        .iter()
        .any(|section| section_has(section, b"filter-ebpf/src/"));
    assert_eq!(has_sources, cfg!(feature = "trace"));
}

/// Sections whose bytes the kernel is given to work with.
const OBJECT_DATA: [&str; 3] = [".rodata", ".data", "xdp"];

fn section_has(name: &str, bytes: &[u8]) -> bool {
    use object::ObjectSection as _;
    let file = object::File::parse(OBJECT).unwrap();
    let sections = file
        .sections()
        .filter(|section| section.name().is_ok_and(|found| found.starts_with(name)));
    sections
        .flat_map(|section| section.data().map(<[u8]>::to_vec))
        .any(|data| data.windows(bytes.len()).any(|at| at == bytes))
}

fn symbols() -> Vec<String> {
    let file = object::File::parse(OBJECT).unwrap();
    file.symbols()
        .filter_map(|symbol| symbol.name().map(str::to_owned).ok())
        .collect()
}

/// By kernel and program. The kernel that runs need not be among these.
fn budgets() -> BTreeMap<String, toml::Table> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../filter-ebpf/verifier-budgets.toml");
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn largest(budgets: &BTreeMap<String, toml::Table>, program: &str) -> u64 {
    let of_kernels = budgets
        .values()
        .filter_map(|programs| programs.get(program)?.as_integer());
    of_kernels
        .max()
        .unwrap_or_else(|| panic!("no budget for {program}"))
        .cast_unsigned()
}
