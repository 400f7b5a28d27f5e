//! What an object asks of the kernel, read from the object.

use std::collections::BTreeSet;

use aya_obj::{
    Object, ProgramSection,
    generated::{BPF_CALL, BPF_JMP, bpf_insn},
};

use super::{Feature, KernelError};

/// Every feature that the programs and maps of an object use, and those that the controller uses
/// besides.
pub(in crate::kernel) fn features_of(object: &[u8]) -> Result<Vec<Feature>, KernelError> {
    let object = Object::parse(object).map_err(|error| KernelError::Load(error.to_string()))?;
    let instructions = object
        .functions
        .values()
        .flat_map(|function| function.instructions.iter().copied());
    let helpers = instructions.filter_map(helper).map(Feature::Helper);
    let maps = object.maps.values().map(|map| Feature::Map {
        kind: map.map_type(),
        flags: map.map_flags(),
    });
    let takes_frags =
        |section: &ProgramSection| matches!(section, ProgramSection::Xdp { frags: true, .. });
    let frags = object
        .programs
        .values()
        .any(|program| takes_frags(&program.section))
        .then_some(Feature::Frags);
    let always = [
        Feature::SystemCall,
        Feature::Jit,
        Feature::Batches,
        Feature::Link,
    ];
    let all: BTreeSet<_> = always
        .into_iter()
        .chain(maps)
        .chain(helpers)
        .chain(frags)
        .collect();
    Ok(all.into_iter().collect())
}

/// The helper that an instruction calls. Calls of the object's own functions have another source
/// register.
fn helper(instruction: bpf_insn) -> Option<u32> {
    let calls = u32::from(instruction.code) == BPF_JMP | BPF_CALL && instruction.src_reg() == 0;
    calls.then_some(instruction.imm.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::OBJECT;

    #[test]
    fn every_feature_of_the_embedded_object_has_a_name() {
        let nameless: Vec<_> = features_of(OBJECT)
            .unwrap()
            .into_iter()
            .filter(|feature| !feature.has_name())
            .collect();
        assert!(
            nameless.is_empty(),
            "give these a name and a version in feature.rs: {nameless:?}"
        );
    }

    #[test]
    fn what_the_programs_are_known_to_use_is_found() {
        let features = features_of(OBJECT).unwrap();
        // bpf_loop, bpf_xdp_load_bytes; a ring buffer, an LPM trie.
        let used = [
            Feature::Helper(181),
            Feature::Helper(189),
            Feature::Map { kind: 27, flags: 0 },
        ];
        for feature in used
            .into_iter()
            .chain([Feature::Map { kind: 11, flags: 1 }])
        {
            assert!(features.contains(&feature), "{feature}: {features:?}");
        }
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        assert!(features_of(b"no object").is_err());
    }
}
