//! VLAN tags around all that goes over an interface, for labs: without the interfaces of VLANs,
//! which not every kernel has. It takes Linux 6.6, where programs of this kind have a place of
//! their own.

use std::fmt;

use aya::{
    Ebpf, EbpfLoader,
    maps::Array,
    programs::{ProgramError, SchedClassifier, TcAttachType},
};

use super::{KernelError, map_mut, requirements};

/// The object that the build script made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/tags"));

/// A VLAN tag: its protocol (0x8100, 0x88a8) and the number of the VLAN.
pub type Tag = (u16, u16);

/// Puts tags around what leaves an interface, and takes them off what comes in, until this is
/// dropped. What comes in without them is dropped.
pub struct Tagging {
    _object: Ebpf,
}

impl Tagging {
    /// Begins with an interface in the thread's network namespace, and these tags, two at most, the
    /// outermost first.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn attach(interface: &str, tags: &[Tag]) -> Result<Self, KernelError> {
        let mut object = EbpfLoader::new()
            .load(OBJECT)
            .map_err(|error| requirements::explain_load(error, None))?;
        let mut map = Array::<_, u32>::try_from(map_mut(&mut object, "TAGS")?)?;
        for (place, (protocol, id)) in (0..).zip(tags) {
            map.set(place, (u32::from(*protocol) << 16) | u32::from(*id), 0)?;
        }
        for (name, side) in [
            ("untag", TcAttachType::Ingress),
            ("tag", TcAttachType::Egress),
        ] {
            let program = object
                .program_mut(name)
                .ok_or(KernelError::Object { what: name })?;
            let program: &mut SchedClassifier =
                program.try_into().map_err(|error: ProgramError| error)?;
            program
                .load()
                .map_err(|error| requirements::explain_program(name, error, None))?;
            program.attach(interface, side)?;
        }
        Ok(Self { _object: object })
    }
}

impl fmt::Debug for Tagging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tagging").finish_non_exhaustive()
    }
}
