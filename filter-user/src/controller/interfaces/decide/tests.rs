use netlink_packet_route::link::LinkLayerType;

use super::*;
use crate::kernel::AttachedMode;

/// The program that runs on the interfaces that are filtered.
const OURS: u32 = 7;
const OTHERS: u32 = 8;

fn device(name: &str, index: u32, programs: &[u32]) -> Device {
    Device {
        name: name.into(),
        index,
        programs: programs
            .iter()
            .map(|id| (*id, AttachedMode::Generic))
            .collect(),
        is_veth: true,
        mtu: 1500,
        is_up: true,
        layer: LinkLayerType::Ether,
    }
}

fn held(here: Option<Device>, is_attached: bool) -> Held {
    Held {
        program: OURS,
        here,
        is_attached,
    }
}

fn steps(held: impl Into<Option<Held>>, named: Option<Device>) -> Step {
    let held = held.into();
    step(&Look { named, held }, &["lan".into(), "wan".into()].into())
}

#[test]
fn an_interface_that_runs_the_program_under_its_name_is_filtered() {
    let lan = device("lan", 2, &[OURS]);
    assert_eq!(
        steps(held(Some(lan.clone()), true), Some(lan)),
        Step::Keep(Standing::Filtered)
    );
}

#[test]
fn a_deleted_interface_is_let_go_and_waited_for_and_the_next_of_its_name_is_attached_to() {
    assert_eq!(steps(held(None, false), None), Step::Release(Loss::Deleted));
    assert_eq!(steps(None, None), Step::Wait);
    let again = device("lan", 5, &[]);
    assert_eq!(
        steps(None, Some(again.clone())),
        Step::Attach(again.clone())
    );
    // One may be there again before anybody has looked.
    assert_eq!(
        steps(held(None, false), Some(again)),
        Step::Release(Loss::Deleted)
    );
}

#[test]
fn an_interface_of_the_same_index_is_not_taken_for_the_one_that_was_deleted() {
    let again = device("lan", 2, &[]);
    assert_eq!(
        steps(held(Some(again.clone()), false), Some(again)),
        Step::Release(Loss::Detached)
    );
}

#[test]
fn a_renamed_interface_is_filtered_until_another_one_has_its_name() {
    let renamed = device("eth9", 2, &[OURS]);
    assert_eq!(
        steps(held(Some(renamed.clone()), true), None),
        Step::Keep(Standing::Renamed { to: "eth9".into() })
    );
    assert_eq!(
        steps(held(Some(renamed), true), Some(device("lan", 5, &[]))),
        Step::Release(Loss::NameTaken)
    );
}

#[test]
fn an_interface_with_another_name_that_is_to_be_filtered_is_let_go_for_that_one() {
    let renamed = device("wan", 2, &[OURS]);
    assert_eq!(
        steps(held(Some(renamed), true), None),
        Step::Release(Loss::NamedOtherwise)
    );
}

#[test]
fn an_interface_in_another_namespace_is_let_go_also_if_its_index_is_used_again() {
    assert_eq!(steps(held(None, true), None), Step::Release(Loss::Moved));
    let other = device("other", 2, &[]);
    assert_eq!(
        steps(held(Some(other), true), None),
        Step::Release(Loss::Moved)
    );
}

#[test]
fn a_program_that_is_detached_or_replaced_is_noticed() {
    let bare = device("lan", 2, &[]);
    assert_eq!(
        steps(held(Some(bare.clone()), false), Some(bare)),
        Step::Release(Loss::Detached)
    );
    let others = device("lan", 2, &[OTHERS]);
    for is_attached in [true, false] {
        assert_eq!(
            steps(
                held(Some(others.clone()), is_attached),
                Some(others.clone())
            ),
            Step::Release(Loss::Replaced { by: OTHERS })
        );
    }
}

/// Whatever the kernel says: an interface is called filtered only if it runs the program, and
/// whoever lets go and looks again attaches to the interface of the name, or waits for one.
#[test]
fn no_interface_is_called_filtered_that_is_not() {
    let mut devices = vec![None];
    for name in ["lan", "eth9"] {
        for index in [2, 5] {
            for programs in [&[][..], &[OURS], &[OTHERS], &[OURS, OTHERS]] {
                devices.push(Some(device(name, index, programs)));
            }
        }
    }
    let named = |it: &&Option<Device>| it.as_ref().is_none_or(|it| it.name == "lan");
    let here = |it: &&Option<Device>| it.as_ref().is_none_or(|it| it.index == 2);
    for named in devices.iter().filter(named) {
        for here in devices.iter().filter(here) {
            for is_attached in [true, false] {
                let step = steps(held(here.clone(), is_attached), named.clone());
                match step {
                    Step::Keep(standing) => {
                        let here = here.as_ref().unwrap();
                        assert!(here.runs(OURS));
                        let by_name = named.as_ref().map(|it| it.index) == Some(2);
                        assert_eq!(standing == Standing::Filtered, by_name);
                    }
                    Step::Release(_) => match steps(None, named.clone()) {
                        Step::Attach(device) => assert_eq!(Some(&device), named.as_ref()),
                        next => assert!(next == Step::Wait && named.is_none()),
                    },
                    step => panic!("{step:?}"),
                }
            }
        }
    }
}

#[test]
fn what_failed_is_tried_again_when_the_interface_changes_or_after_a_while() {
    let lan = device("lan", 2, &[OTHERS]);
    let at = Instant::now();
    let tried = Tried {
        device: lan.clone(),
        at,
    };
    assert!(is_worth_trying(None, &lan, at));
    assert!(!is_worth_trying(Some(&tried), &lan, at + TRY_AGAIN / 2));
    assert!(is_worth_trying(Some(&tried), &lan, at + TRY_AGAIN));
    for changed in [
        device("lan", 2, &[]),
        device("lan", 3, &[OTHERS]),
        Device {
            mtu: 9000,
            ..lan.clone()
        },
        Device {
            is_up: false,
            ..lan.clone()
        },
    ] {
        assert!(is_worth_trying(Some(&tried), &changed, at));
    }
}

#[test]
fn a_moved_interface_stays_so_until_it_is_back() {
    let moved = without_interface(&Standing::Filtered, Some(Loss::Moved));
    assert_eq!(moved, Standing::Moved);
    assert_eq!(without_interface(&moved, None), Standing::Moved);
    for loss in [None, Some(Loss::Deleted), Some(Loss::Detached)] {
        assert_eq!(
            without_interface(&Standing::Filtered, loss),
            Standing::Missing
        );
    }
    let deleted = without_interface(&Standing::Moved, Some(Loss::Deleted));
    assert_eq!(deleted, Standing::Missing);
}
