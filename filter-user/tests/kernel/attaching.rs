//! Which programs are attached, and in which mode: by what the driver of the interface takes.

use filter_core::{ProgramSet, Quic};
use filter_user::kernel::{
    AttachedMode, Attachment, Filter, KernelError, LoadOptions, Mode, interface_index,
};
use lab::{Lab, Options};

use super::{UNANSWERED, filter};

/// One buffer of a veth holds 3,506 bytes.
const LARGE: u32 = 9_000;

#[test]
fn frames_of_an_ordinary_mtu_go_to_the_programs_for_one_buffer_in_either_mode() {
    let lab = lab(1_500);
    for (mode, attached) in [
        (Mode::Native, AttachedMode::Native),
        (Mode::Generic, AttachedMode::Generic),
    ] {
        let (_filter, attachment) = attach(&lab, mode).unwrap();
        assert_eq!(
            (attachment.mode, attachment.set),
            (attached, ProgramSet::LINEAR)
        );
        assert_eq!(program_on(&lab), "namegate");
    }
}

#[test]
fn a_veth_with_a_large_mtu_never_has_the_programs_for_several_buffers() {
    let lab = lab(LARGE);
    let refused = attach(&lab, Mode::Native).unwrap_err();
    assert!(
        matches!(refused, KernelError::VethMtu { mtu: LARGE, .. }),
        "{refused}"
    );
    for mode in [Mode::Auto, Mode::Generic] {
        let (_filter, attachment) = attach(&lab, mode).unwrap();
        assert_eq!(
            (attachment.mode, attachment.set),
            (AttachedMode::Generic, ProgramSet::LINEAR)
        );
        assert_eq!(program_on(&lab), "namegate");
    }
}

#[test]
fn a_veth_takes_larger_frames_of_one_buffer_in_its_driver() {
    let lab = lab(3_000);
    let (_filter, attachment) = attach(&lab, Mode::Native).unwrap();
    assert_eq!(
        (attachment.mode, attachment.set),
        (AttachedMode::Native, ProgramSet::LINEAR)
    );
}

#[test]
fn programs_that_nothing_needs_are_not_loaded() {
    let mut filter = filter(&[], 1);
    let loaded = |filter: &mut Filter| {
        let mut names: Vec<_> = filter
            .verified_instructions()
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        loaded(&mut filter),
        ["namegate", "namegate_joined", "namegate_tcp"]
    );
    filter.load_all().unwrap();
    assert_eq!(
        loaded(&mut filter),
        [
            "frags_answer",
            "frags_joined",
            "frags_layers",
            "frags_quic",
            "frags_tcp",
            "namegate",
            "namegate_answer",
            "namegate_frags",
            "namegate_joined",
            "namegate_quic",
            "namegate_tcp"
        ]
    );
}

fn lab(mtu: u32) -> Lab {
    Lab::new(&Options {
        mtu,
        ..Options::default()
    })
    .unwrap()
}

fn attach(lab: &Lab, mode: Mode) -> Result<(Filter, Attachment), KernelError> {
    let index = lab.gateway().inside(|| interface_index("lan")).unwrap()?;
    let interfaces = [(index, UNANSWERED)].into();
    let mut filter = Filter::load(&LoadOptions {
        interfaces,
        ..LoadOptions::default()
    })?;
    let attached = lab
        .gateway()
        .inside(|| filter.attach(&["lan".to_owned()], mode))
        .unwrap()?;
    Ok((filter, attached.into_iter().next().unwrap()))
}

/// The name of the XDP program on the gateway's interface, as the kernel has it.
fn program_on(lab: &Lab) -> String {
    let link = lab
        .gateway()
        .output("ip", &["-details", "link", "show", "dev", "lan"])
        .unwrap();
    let words: Vec<_> = link.split_whitespace().collect();
    let id = words
        .windows(3)
        .find_map(|words| (words[0] == "prog/xdp").then(|| words[2]));
    let id: u32 = id
        .and_then(|id| id.parse().ok())
        .unwrap_or_else(|| panic!("no XDP program: {link}"));
    let program = aya::programs::loaded_programs()
        .flatten()
        .find(|program| program.id() == id)
        .unwrap();
    program.name_as_str().unwrap().to_owned()
}

#[test]
fn the_program_for_quic_is_loaded_where_it_is_inspected() {
    for (quic, is_loaded) in [
        (Quic::Inspect, true),
        (Quic::Pass, false),
        (Quic::Refuse, false),
    ] {
        let lab = lab(1_500);
        let mut filter = lab
            .gateway()
            .inside(|| {
                let interfaces = [(interface_index("lan")?, UNANSWERED.with_quic(quic))].into();
                let mut filter = Filter::load(&LoadOptions {
                    interfaces,
                    ..LoadOptions::default()
                })?;
                filter.attach(&["lan".to_owned()], Mode::Generic)?;
                Ok::<_, KernelError>(filter)
            })
            .unwrap()
            .unwrap();
        let loaded = filter.verified_instructions().unwrap();
        assert_eq!(
            loaded.iter().any(|(name, _)| *name == "namegate_quic"),
            is_loaded,
            "{quic:?}"
        );
    }
}
