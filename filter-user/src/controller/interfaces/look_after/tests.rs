//! Interfaces that come and go in a kernel of this test's own: whatever happened, what is filtered
//! in the end is what has the names.

use filter_core::{Directions, ProgramSet};
use netlink_packet_route::link::LinkLayerType;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::kernel::{AttachedMode, Device, Held};

const OURS: u32 = 7;
const OTHERS: u32 = 8;

/// Names that are to be filtered, and one that is not.
const NAMES: [&str; 3] = ["lan", "wan", "other"];

/// What somebody does to the interfaces; a number is a place in [`NAMES`].
#[derive(Clone, Copy, Debug)]
enum Event {
    Create {
        name: usize,
        is_ethernet: bool,
        /// With the lowest index that is free, or with one that was never used.
        reuses_index: bool,
    },
    Delete(usize),
    Rename(usize, usize),
    MoveAway(usize),
    MoveBack,
    Detach(usize),
    /// Puts another program where none is.
    AttachOther(usize),
    DetachOther(usize),
    Look,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let name = 0..NAMES.len();
    let event = prop_oneof![
        (name.clone(), prop::bool::weighted(0.8), any::<bool>()).prop_map(
            |(name, is_ethernet, reuses_index)| Event::Create {
                name,
                is_ethernet,
                reuses_index
            }
        ),
        name.clone().prop_map(Event::Delete),
        (name.clone(), name.clone()).prop_map(|(from, to)| Event::Rename(from, to)),
        name.clone().prop_map(Event::MoveAway),
        Just(Event::MoveBack),
        name.clone().prop_map(Event::Detach),
        name.clone().prop_map(Event::AttachOther),
        name.prop_map(Event::DetachOther),
        Just(Event::Look),
        Just(Event::Look),
    ];
    vec(event, 0..40)
}

struct ModelDevice {
    device: Device,
    is_here: bool,
    /// The link that attaches our program, by a number that no other has.
    link: Option<u32>,
}

impl ModelDevice {
    fn programs(&mut self) -> &mut Vec<(u32, AttachedMode)> {
        &mut self.device.programs
    }
}

#[derive(Default)]
struct Model {
    devices: Vec<ModelDevice>,
    /// The links that are held, by the index that their interface had.
    held: Vec<(u32, u32)>,
    numbers: u32,
}

impl Model {
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    fn here(&mut self, name: &str) -> Option<&mut ModelDevice> {
        self.devices
            .iter_mut()
            .find(|it| it.is_here && it.device.name == name)
    }

    fn is_free(&self, index: u32) -> bool {
        let mut here = self.devices.iter().filter(|it| it.is_here);
        here.all(|it| it.device.index != index)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Create {
                name,
                is_ethernet,
                reuses_index,
            } => self.create(NAMES[name], is_ethernet, reuses_index),
            Event::Delete(name) => self
                .devices
                .retain(|it| !(it.is_here && it.device.name == NAMES[name])),
            Event::Rename(from, to) => {
                if self.here(NAMES[to]).is_none()
                    && let Some(renamed) = self.here(NAMES[from])
                {
                    renamed.device.name = NAMES[to].into();
                }
            }
            Event::MoveAway(name) => {
                if let Some(moved) = self.here(NAMES[name]) {
                    moved.is_here = false;
                }
            }
            Event::MoveBack => self.move_back(),
            Event::Detach(name) => {
                if let Some(detached) = self.here(NAMES[name]) {
                    detached.link = None;
                    detached.programs().retain(|(id, _)| *id != OURS);
                }
            }
            Event::AttachOther(name) => {
                if let Some(occupied) = self.here(NAMES[name])
                    && occupied.programs().is_empty()
                {
                    occupied.programs().push((OTHERS, AttachedMode::Generic));
                }
            }
            Event::DetachOther(name) => {
                if let Some(free) = self.here(NAMES[name]) {
                    free.programs().retain(|(id, _)| *id != OTHERS);
                }
            }
            Event::Look => {}
        }
    }

    fn create(&mut self, name: &str, is_ethernet: bool, reuses_index: bool) {
        if self.here(name).is_some() {
            return;
        }
        let lowest = (1..1000).find(|index| self.is_free(*index));
        let index = lowest.filter(|_| reuses_index);
        let index = index.unwrap_or_else(|| 1000 + self.number());
        let layer = if is_ethernet {
            LinkLayerType::Ether
        } else {
            LinkLayerType::None
        };
        self.devices.push(ModelDevice {
            device: Device {
                name: name.into(),
                index,
                programs: Vec::new(),
                is_veth: false,
                mtu: 1500,
                is_up: true,
                layer,
            },
            is_here: true,
            link: None,
        });
    }

    /// The kernel gives an interface that is moved another index, or name, where those are taken.
    fn move_back(&mut self) {
        let Some(place) = self.devices.iter().position(|it| !it.is_here) else {
            return;
        };
        let Device { name, index, .. } = self.devices[place].device.clone();
        if self.here(&name).is_some() {
            return;
        }
        if !self.is_free(index) {
            self.devices[place].device.index = 1000 + self.number();
        }
        self.devices[place].is_here = true;
    }
}

impl Kernel for Model {
    fn look(&mut self, name: &str, held: Option<u32>) -> Result<Look, KernelError> {
        let held = held.map(|index| {
            let link = self.held.iter().find(|(it, _)| *it == index).unwrap().1;
            let at = |it: &&ModelDevice| it.is_here && it.device.index == index;
            Held {
                program: OURS,
                here: self.devices.iter().find(at).map(|it| it.device.clone()),
                is_attached: self.devices.iter().any(|it| it.link == Some(link)),
            }
        });
        let named = self.here(name).map(|it| it.device.clone());
        Ok(Look { named, held })
    }

    fn attach(&mut self, name: &str, settings: Interface) -> Result<Attachment, KernelError> {
        let number = self.number();
        let interface = name.to_owned();
        let device = self.here(name).unwrap();
        if device.device.layer != LinkLayerType::Ether {
            let kind = "none".to_owned();
            return Err(KernelError::NotEthernet { interface, kind });
        }
        if let Some((id, _)) = device.programs().first() {
            return Err(KernelError::Occupied {
                interface,
                id: *id,
                name: "pass".to_owned(),
            });
        }
        device.link = Some(number);
        device.programs().push((OURS, AttachedMode::Generic));
        let index = device.device.index;
        assert!(self.held.iter().all(|(it, _)| *it != index), "held twice");
        self.held.push((index, number));
        Ok(Attachment {
            interface,
            index,
            mode: AttachedMode::Generic,
            set: ProgramSet::LINEAR,
            settings,
            is_veth: false,
            far_end_may_miss_answers: false,
        })
    }

    fn detach(&mut self, index: u32) {
        let place = self.held.iter().position(|(it, _)| *it == index).unwrap();
        let (_, link) = self.held.swap_remove(place);
        if let Some(device) = self.devices.iter_mut().find(|it| it.link == Some(link)) {
            device.link = None;
            device.programs().retain(|(id, _)| *id != OURS);
        }
    }

    fn set(&mut self, _: u32, _: Interface) -> Result<bool, KernelError> {
        Ok(false)
    }
}

/// What holds of an interface once it was looked after, and nothing happened since.
fn check(interface: &NamedInterface, model: &mut Model) {
    let name = interface.name();
    let attached = interface.attachment.as_ref().map(|it| it.index);
    match (model.here(name), &interface.standing) {
        (Some(device), Standing::Filtered) => {
            assert_eq!(attached, Some(device.device.index), "{name}");
            assert!(device.device.runs(OURS), "{name}");
        }
        (Some(device), Standing::Failed { .. }) => {
            let is_ethernet = device.device.layer == LinkLayerType::Ether;
            assert!(!is_ethernet || device.device.runs(OTHERS), "{name}");
            assert_eq!(attached, None, "{name}");
        }
        (None, Standing::Renamed { to }) => {
            assert!(!NAMES[..2].contains(&&**to), "{to} is to be filtered");
            let device = model.here(to).unwrap();
            assert!(device.device.runs(OURS), "{to}");
        }
        (None, Standing::Missing | Standing::Moved) => assert_eq!(attached, None, "{name}"),
        (device, standing) => panic!(
            "{name}: {standing:?}, {:?}",
            device.map(|it| it.device.clone())
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_what_is_filtered_is_what_has_the_names(events in events()) {
        let mut model = Model::default();
        let new = |name: &&str| {
            NamedInterface::new((*name).into(), Interface::new(Directions::Both))
        };
        let mut all: Vec<_> = NAMES[..2].iter().map(new).collect();
        for event in events {
            model.happen(event);
            if matches!(event, Event::Look) {
                look_after(&mut all, &mut model, None);
            }
        }
        look_after(&mut all, &mut model, None);
        for interface in &all {
            check(interface, &mut model);
        }
        let said = look_after(&mut all, &mut model, None);
        prop_assert_eq!(said, Vec::<String>::new(), "nothing has changed");
        let held = all.iter().filter(|it| it.attachment.is_some()).count();
        prop_assert_eq!(model.held.len(), held, "links that nobody has");
        let running = model.devices.iter().filter(|it| it.device.runs(OURS)).count();
        prop_assert_eq!(running, held, "programs that nobody has");
    }
}
