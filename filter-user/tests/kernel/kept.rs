//! Larger maps of a filter that is pinned, while system calls fail.

use std::{path::Path, sync::Arc};

use filter_policy::{compiled::CompiledPolicy, groups::Groups};
use filter_user::kernel::{Filter, LoadOptions, Mode, Pins, interface_index};
use lab::{BpfFileSystem, Lab, Options};

use super::{
    UNANSWERED,
    faults::{Call, Failing, with_failing_as},
    growing::{blocked, empty, names, options},
};

const OLD: [bool; 6] = [true, true, true, true, true, false];
const NEW: [bool; 6] = [false, false, false, true, true, true];

/// The new programs take over at once. What lets go of the old ones comes behind, and its failure
/// is none of the policy: with it, the filter would have been detached.
#[test]
fn whichever_call_behind_the_programs_fails_a_pinned_filter_has_one_policy_or_the_other() {
    let lab = Lab::new(&Options::default()).unwrap();
    let mounted = BpfFileSystem::mount(&lab.directory().join("bpf")).unwrap();
    let mut growing = Growing::new(&lab, mounted.path());
    let calls = growing.grow(Failing::Once, usize::MAX, NEW);
    growing.end();
    let last = |wanted| calls.iter().rposition(|call| *call == wanted).unwrap();
    let (loaded, updated) = (last(Call::PROG_LOAD), last(Call::LINK_UPDATE));

    let mut growing = Growing::new(&lab, mounted.path());
    let before = (loaded + 1..updated).step_by((updated - loaded) / 4);
    for number in before.chain([updated]) {
        growing.grow(Failing::Once, number, OLD);
    }
    growing.end();
    assert!(
        updated + 1 < calls.len(),
        "links are pinned anew: {calls:?}"
    );
    for failing in [Failing::Once, Failing::All] {
        let mut growing = Growing::new(&lab, mounted.path());
        growing.grow(failing, updated + 1, NEW);
        growing.end();
    }
}

/// A pinned filter that has one policy in force, and one that it has no room for.
struct Growing<'l> {
    lab: &'l Lab,
    filter: Filter,
    pins: Arc<Pins>,
    first: CompiledPolicy,
    second: CompiledPolicy,
}

impl<'l> Growing<'l> {
    fn new(lab: &'l Lab, bpf: &Path) -> Self {
        let pins = Arc::new(Pins::open(&bpf.join("namegate")).unwrap());
        let index = lab.gateway().inside(|| interface_index("lan"));
        let mut filter = Filter::load(&LoadOptions {
            interfaces: [(index.unwrap().unwrap(), UNANSWERED)].into(),
            pins: Some(pins.clone()),
            ..options(8)
        })
        .unwrap();
        let [first, second] = [names(&filter, 0..5), names(&filter, 3..40)];
        filter
            .install(&empty(&filter), &first, &Groups::default(), |_| {})
            .unwrap();
        lab.gateway()
            .inside(|| filter.attach(&["lan".to_owned()], Mode::Generic))
            .unwrap()
            .unwrap();
        Self {
            lab,
            filter,
            pins,
            first,
            second,
        }
    }

    /// Puts the second policy in force, while this call fails; then these names are blocked, and
    /// the interface is filtered.
    fn grow(&mut self, failing: Failing, number: usize, wanted: [bool; 6]) -> Vec<Call> {
        let Self {
            filter,
            first,
            second,
            ..
        } = self;
        let (installed, calls) = with_failing_as(failing, Some(number), || {
            filter.install(first, second, &Groups::default(), |_| {})
        });
        let what = format!("call {number} {:?} ({failing:?})", calls.get(number));
        assert_eq!(installed.is_ok(), wanted == NEW, "{what}: {installed:?}");
        assert_eq!(blocked(filter, 0..6), wanted, "{what}");
        let id = filter.program().unwrap().id;
        let link = self
            .lab
            .gateway()
            .output("ip", &["-d", "link", "show", "dev", "lan"])
            .unwrap();
        assert!(
            link.contains(&format!("prog/xdp id {id} ")),
            "{what}: {link}"
        );
        calls
    }

    fn end(self) {
        let Self { filter, pins, .. } = self;
        drop(filter);
        pins.remove_all().unwrap();
    }
}
