//! What happens to packets while no controller runs.

use std::{path::PathBuf, sync::Arc};

use clap::ValueHint;
use filter_user::kernel::{DEFAULT_PINS, PinError, Pins, interface_name};

/// What happens to packets while no controller runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum WithoutController {
    /// The kernel goes on filtering by the last policy
    Keep,
    /// All packets pass
    Pass,
}

/// Whether the filter stays when the controller ends, and where.
#[derive(Clone, Debug, clap::Args)]
pub struct KeepingArgs {
    /// What happens to packets while no controller runs: after a crash, or between SIGTERM and the
    /// next start [default: keep, where there is a BPF file system]
    #[arg(long, value_enum, value_name = "HOW")]
    without_controller: Option<WithoutController>,

    /// The folder of a BPF file system in which the filter is pinned, so that it stays [default:
    /// /sys/fs/bpf/namegate]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pins: Option<PathBuf>,
}

impl KeepingArgs {
    /// The pins, which another controller may have left; none if the filter is to end with this one.
    /// Where nobody asked for them, a system without a place for them is no error, but something to
    /// be told.
    ///
    /// # Errors
    /// If they cannot be had.
    pub fn pins(&self) -> Result<Place, PinError> {
        if self.without_controller == Some(WithoutController::Pass) {
            return Ok(Place::default());
        }
        let folder = self.pins.clone().unwrap_or_else(|| DEFAULT_PINS.into());
        let was_asked_for = self.pins.is_some() || self.without_controller.is_some();
        match Pins::open(&folder) {
            Ok(pins) => Ok(Place {
                pins: Some(Arc::new(pins)),
                warning: None,
            }),
            Err(error) if error.is_without_place() && !was_asked_for => Ok(Place {
                pins: None,
                warning: Some(format!(
                    "all packets pass once this controller ends: {error}"
                )),
            }),
            Err(error) => Err(error),
        }
    }
}

/// Where the filter is pinned, if it is.
#[derive(Default)]
pub struct Place {
    pub pins: Option<Arc<Pins>>,
    /// Why it is not, though nobody said that it should not be.
    pub warning: Option<String>,
}

/// How the filter is taken off again, where it stays.
pub fn how_to_detach(pins: &Pins) -> String {
    let folder = pins.folder().display().to_string();
    if folder == DEFAULT_PINS {
        "`namegate detach` ends that".to_owned()
    } else {
        format!("`namegate detach --pins {folder}` ends that")
    }
}

/// After a start that failed or was broken off: what the kernel goes on with. Where that is nothing,
/// nothing stays pinned.
pub fn after_no_start(pins: &Pins) -> Option<String> {
    let left = pins.interfaces().unwrap_or_default();
    if left.is_empty() {
        // The failure of the start is what is to be told.
        let _ = pins.remove_all();
        return None;
    }
    let names: Vec<_> = left
        .iter()
        .map(|index| interface_name(*index).unwrap_or_else(|| format!("interface {index}")))
        .collect();
    Some(format!(
        "the kernel goes on filtering {} by the policy of the controller before; {}",
        names.join(", "),
        how_to_detach(pins)
    ))
}
