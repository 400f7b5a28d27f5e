//! What is asked of the kernel, and what is said where it refuses.

use std::{fs, os::unix::fs::PermissionsExt as _};

use filter_user::kernel::{Feature, KernelError, SavedLog, required_features, try_object};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    write::{Object, StandardSection, Symbol, SymbolSection},
};

/// `r0 = 2` and `exit`.
const PASS: [u8; 16] = [0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
/// `r0 = *(u32 *)(r1 + 4000)`, which is behind the context.
const BEYOND: [u8; 8] = [0x61, 0x10, 0xa0, 0x0f, 0, 0, 0, 0];

#[test]
fn this_kernel_has_all_that_the_program_asks_for() {
    let features = required_features().unwrap();
    assert!(features.len() > 15, "{features:?}");
    for feature in features {
        assert!(feature.is_supported().unwrap(), "{feature}");
    }
}

#[test]
fn what_no_kernel_has_is_found_missing() {
    let beside = [
        Feature::Helper(9_999),
        // bpf_probe_read, which XDP programs may not call in every kernel, but never
        // bpf_skb_load_bytes.
        Feature::Helper(26),
        Feature::Map {
            kind: 9_999,
            flags: 0,
        },
        Feature::Map {
            kind: 2,
            flags: 1 << 30,
        },
    ];
    for feature in beside {
        assert!(!feature.is_supported().unwrap(), "{feature}");
    }
}

#[test]
fn a_program_that_the_verifier_takes_is_loaded() {
    try_object(&object_of(&PASS), None).unwrap();
}

#[test]
fn a_refusal_is_one_sentence_with_the_path_of_the_whole_log() {
    let folder = tempfile::tempdir().unwrap();
    let refused = try_object(
        &object_of(&[&BEYOND[..], &PASS].concat()),
        Some(folder.path()),
    )
    .unwrap_err();
    // As the command line prints it.
    let said = format!("{:#}", anyhow::Error::from(refused));
    let log = folder.path().join("namegate-refused-refused.log");
    assert!(
        said.starts_with("Linux ") && said.contains(" refuses the program `refused` ("),
        "{said}"
    );
    assert!(
        said.ends_with(log.to_str().unwrap()) && said.lines().count() == 1 && said.len() < 400,
        "{said}"
    );
    assert!(
        !said.contains("insns") && !said.contains("invalid"),
        "{said}"
    );
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("invalid bpf_context access off=4000") && text.contains("processed "),
        "{text}"
    );
    assert_eq!(
        fs::metadata(&log).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn without_a_folder_the_log_is_among_temporary_files() {
    let refused = try_object(&object_of(&[&BEYOND[..], &PASS].concat()), None).unwrap_err();
    let KernelError::Refused(refusal) = &refused else {
        panic!("{refused}")
    };
    let SavedLog::In(path) = refusal.log() else {
        panic!("{refused}")
    };
    assert!(path.starts_with(std::env::temp_dir()), "{refused}");
    fs::remove_file(path).unwrap();
}

/// An object with one XDP program of these instructions.
fn object_of(instructions: &[u8]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let section = object.add_section(vec![], b"xdp".to_vec(), SectionKind::Text);
    object.append_section_data(section, instructions, 8);
    let license = object.add_section(vec![], b"license".to_vec(), SectionKind::Data);
    object.append_section_data(license, b"GPL\0", 1);
    object.section_id(StandardSection::Text);
    object.add_symbol(Symbol {
        name: b"refused".to_vec(),
        value: 0,
        size: instructions.len() as u64,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    object.write().unwrap()
}
