//! What a guest is told to do: the file `/plan.json` of its initramfs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the guest finds its plan.
pub const PATH: &str = "/plan.json";

/// What a guest is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The checks, in the order in which they run. The kernel log is always checked, at the end.
    pub checks: Vec<Group>,
    /// The folder of captures, as an absolute path; needed by [`Group::Replay`].
    #[serde(default)]
    pub captures: Option<PathBuf>,
    /// The folder of filter-user's test programs.
    #[serde(default = "tests_dir")]
    pub tests_dir: PathBuf,
    /// How many changed frames [`Group::Corpus`] and [`Group::Agreement`] each compare; as many as
    /// on a host if left out.
    #[serde(default)]
    pub mutated_frames: Option<usize>,
    /// Seconds from the start of the guest until it ends. A check that has no time left fails.
    pub deadline_seconds: u64,
}

fn tests_dir() -> PathBuf {
    PathBuf::from("/tests")
}

/// Checks that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The kernel takes all programs; reports their verified instructions.
    Load,
    /// The kernel's verdicts equal user space's over the repository's corpus and over changed
    /// frames of it (the test program `corpus`).
    Corpus,
    /// The same over all captures of the collection and over changed frames of these (the test
    /// program `agreement`).
    Agreement,
    /// The loaded program, a frame at a time (the test program `kernel`).
    Kernel,
    /// `namegate replay` says the same by the kernel as by user space, over the captures of the
    /// plan.
    Replay,
    /// Clients and servers with the filter between them, in native and in generic mode.
    Live,
    /// Large blocked frames. Harms the kernel if the kernel has the fault that this looks for.
    Stress,
    /// Each operation that the program may use on frames in several buffers. Harms the kernel
    /// likewise.
    Operations,
    /// What is said where the kernel or the process lacks something, and what suffices.
    Requirements,
}

impl Group {
    /// All of them, in the order in which they are best run: what may harm the kernel comes late.
    pub const ALL: [Self; 9] = [
        Self::Load,
        Self::Corpus,
        Self::Agreement,
        Self::Kernel,
        Self::Replay,
        Self::Live,
        Self::Requirements,
        Self::Operations,
        Self::Stress,
    ];

    /// True if the check may harm the kernel, which is then for a guest alone.
    pub fn may_harm_kernel(self) -> bool {
        matches!(self, Self::Stress | Self::Operations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_needs_checks_and_a_deadline_only() {
        let plan: Plan =
            serde_json::from_str(r#"{"checks": ["load", "live"], "deadline_seconds": 60}"#)
                .unwrap();
        assert_eq!(plan.checks, [Group::Load, Group::Live]);
        assert_eq!((plan.captures, plan.mutated_frames), (None, None));
        assert_eq!(plan.tests_dir, PathBuf::from("/tests"));
    }

    #[test]
    fn an_unknown_check_or_field_is_an_error() {
        assert!(
            serde_json::from_str::<Plan>(r#"{"checks": ["lode"], "deadline_seconds": 60}"#)
                .is_err()
        );
        assert!(
            serde_json::from_str::<Plan>(
                r#"{"checks": [], "deadline_seconds": 60, "capture": "/c"}"#
            )
            .is_err()
        );
    }
}
