//! What the kernel and the process must have: capabilities are checked before anything is loaded,
//! features of the kernel are probed once it has refused something.
//!
//! A version says little: vendors bring features to older kernels, and build newer ones without
//! some.

mod capabilities;
mod feature;
mod object;
mod probe;
mod refusal;
mod sys;

use std::{io, path::Path};

use aya::{
    BtfError, EbpfError,
    maps::MapError,
    programs::{ProgramError, Xdp},
};

use super::{KernelError, OBJECT};
pub use capabilities::check as check_capabilities;
pub use feature::{Feature, Features};
pub(super) use object::features_of;
pub use refusal::{Refusal, SavedLog};
pub(super) use sys::{detach_link, link, link_info, open_pin, pin, program_id, update_link};

/// What the programs ask of a kernel: what this build was compiled to, not a list that somebody
/// keeps.
///
/// # Errors
/// If the embedded object cannot be read.
pub fn required_features() -> Result<Vec<Feature>, KernelError> {
    features_of(OBJECT)
}

/// Turns a refusal of the kernel into what to do about it, in one sentence. A verifier's log goes
/// into a file in this folder, or where there is none in the system's folder for temporary files.
pub(super) fn explain_load(error: EbpfError, logs: Option<&Path>) -> KernelError {
    match error {
        EbpfError::ProgramError(error) => explain_program("", error, logs),
        EbpfError::MapError(error) => explain_map(error),
        EbpfError::BtfError(BtfError::LoadError {
            io_error,
            verifier_log,
        }) => explain_refusal("BTF", io_error, &verifier_log.to_string(), logs),
        other => KernelError::Load(in_one_line(&other)),
    }
}

/// Turns the refusal of a program into what to do about it.
pub(super) fn explain_program(name: &str, error: ProgramError, logs: Option<&Path>) -> KernelError {
    match error {
        ProgramError::LoadError {
            io_error,
            verifier_log,
        } => explain_refusal(name, io_error, &verifier_log.to_string(), logs),
        other => missing().unwrap_or_else(|| KernelError::Load(in_one_line(&other))),
    }
}

fn explain_refusal(name: &str, error: io::Error, log: &str, logs: Option<&Path>) -> KernelError {
    if let Some(missing) = missing() {
        return missing;
    }
    // The verifier writes a log; what does not get to the verifier is forbidden.
    if log.is_empty() && is_forbidden(&error) {
        return capabilities::forbidden(error);
    }
    KernelError::Refused(Box::new(Refusal::new(name, error, log, logs)))
}

fn explain_map(error: MapError) -> KernelError {
    if let Some(missing) = missing() {
        return missing;
    }
    match error {
        MapError::CreateError { io_error, .. } if is_forbidden(&io_error) => {
            capabilities::forbidden(io_error)
        }
        MapError::CreateError { name, io_error } => KernelError::NewMap {
            name,
            error: io_error,
        },
        other => KernelError::Load(in_one_line(&other)),
    }
}

/// Loads a program, and says what to do where the kernel does not.
pub(super) fn load(name: &str, program: &mut Xdp) -> Result<(), KernelError> {
    program
        .load()
        .map_err(|error| explain_program(name, error, None))
}

/// Has the kernel load the programs of any object, to see what is said of one that it refuses.
///
/// # Errors
/// As [`super::Filter::load`].
#[cfg(feature = "root-tests")]
pub fn try_object(object: &[u8], logs: Option<&Path>) -> Result<(), KernelError> {
    let mut object = aya::Ebpf::load(object).map_err(|error| explain_load(error, logs))?;
    object.programs_mut().try_for_each(|(name, program)| {
        let program: &mut Xdp = program
            .try_into()
            .map_err(|error| explain_program(name, error, logs))?;
        program
            .load()
            .map_err(|error| explain_program(name, error, logs))
    })
}

/// Detaches the links of a process, as `bpftool link detach` does.
///
/// # Errors
/// If there is none, or the kernel refuses.
#[cfg(feature = "root-tests")]
pub fn detach_links_of(process: u32) -> io::Result<()> {
    let mut found = Err(io::ErrorKind::NotFound.into());
    for entry in std::fs::read_dir(format!("/proc/{process}/fdinfo"))? {
        let text = std::fs::read_to_string(entry?.path())?;
        let id = text.lines().find_map(|line| line.strip_prefix("link_id:"));
        if let Some(id) = id.and_then(|id| id.trim().parse().ok()) {
            sys::detach_link_by_id(id)?;
            found = Ok(());
        }
    }
    found
}

/// All that the kernel lacks, if it lacks something. What cannot be probed counts as there.
fn missing() -> Option<KernelError> {
    let features = required_features().ok()?;
    let missing: Vec<_> = features
        .into_iter()
        .filter(|feature| feature.is_supported().is_ok_and(|is| !is))
        .collect();
    (!missing.is_empty()).then(|| KernelError::Missing {
        running: running_kernel(),
        features: Features(missing),
    })
}

fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES))
}

/// The release of the kernel, as `uname -r` has it.
fn running_kernel() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

/// An error and its causes, each said once.
fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}
