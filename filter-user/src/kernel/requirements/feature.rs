//! Features of kernels, and what to say where they are missing.

use std::fmt;

/// Something that not every kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// The bpf system call itself.
    SystemCall,
    /// A compiler for programs: what has callbacks is not interpreted.
    Jit,
    /// Maps of a type (`enum bpf_map_type`) with these flags.
    Map {
        /// The type's number.
        kind: u32,
        /// `BPF_F_*` of its creation.
        flags: u32,
    },
    /// Operations on many entries of a map in one call.
    Batches,
    /// An attachment that ends with the process.
    Link,
    /// A function that XDP programs may call, by its number (`enum bpf_func_id`).
    Helper(u32),
    /// XDP programs that take frames in several buffers.
    Frags,
}

/// Helpers by number, with the first version of Linux that offers them to XDP programs.
const HELPERS: [(u32, &str, Version); 16] = [
    (1, "bpf_map_lookup_elem", (4, 8)),
    (5, "bpf_ktime_get_ns", (4, 8)),
    (8, "bpf_get_smp_processor_id", (4, 8)),
    (12, "bpf_tail_call", (4, 8)),
    (28, "bpf_csum_diff", (4, 16)),
    (44, "bpf_xdp_adjust_head", (4, 10)),
    (65, "bpf_xdp_adjust_tail", (4, 18)),
    (PROBE_READ_KERNEL, "bpf_probe_read_kernel", (5, 8)),
    (130, "bpf_ringbuf_output", (5, 8)),
    (131, "bpf_ringbuf_reserve", (5, 8)),
    (132, "bpf_ringbuf_submit", (5, 8)),
    (160, "bpf_ktime_get_coarse_ns", (5, 11)),
    (181, "bpf_loop", (5, 17)),
    (188, "bpf_xdp_get_buff_len", (5, 18)),
    (189, "bpf_xdp_load_bytes", (5, 18)),
    (190, "bpf_xdp_store_bytes", (5, 18)),
];

/// A helper that kernels withhold in lockdown for confidentiality.
const PROBE_READ_KERNEL: u32 = 113;

/// Types of maps by number, and flags.
const MAPS: [(u32, &str, Version); 8] = [
    (1, "hash", (3, 19)),
    (2, "array", (3, 19)),
    (3, "program array", (4, 2)),
    (6, "per-CPU array", (4, 6)),
    (11, "LPM trie", (4, 11)),
    (12, "array of maps", (4, 12)),
    (13, "hash of maps", (4, 12)),
    (27, "ring buffer", (5, 8)),
];
const FLAGS: [(u32, &str, Version); 4] = [
    (1 << 0, "without preallocation", (4, 6)),
    (1 << 7, "read-only for programs", (5, 2)),
    (1 << 10, "that can be mapped into memory", (5, 5)),
    (1 << 12, "of any size in another map", (5, 10)),
];

/// Major and minor number of the first Linux with something.
type Version = (u32, u32);

impl Feature {
    /// The first Linux that has it, as Torvalds released it; vendors have brought much to older
    /// kernels.
    fn since(self) -> Option<Version> {
        match self {
            Self::SystemCall => Some((3, 18)),
            Self::Jit => Some((4, 8)),
            Self::Map { kind, flags } => {
                let kind = MAPS.iter().find(|(number, ..)| *number == kind)?.2;
                let flags = FLAGS
                    .iter()
                    .filter(|(bit, ..)| flags & bit != 0)
                    .map(|(.., since)| *since);
                Some(flags.fold(kind, Version::max))
            }
            Self::Batches => Some((5, 6)),
            Self::Link => Some((5, 9)),
            Self::Helper(number) => HELPERS
                .iter()
                .find(|(helper, ..)| *helper == number)
                .map(|(.., since)| *since),
            Self::Frags => Some((5, 18)),
        }
    }

    /// What gives it to a kernel that is new enough.
    fn remedy(self) -> Option<&'static str> {
        match self {
            Self::SystemCall => Some("boot a kernel that was built with CONFIG_BPF_SYSCALL"),
            Self::Jit => Some(
                "run `sysctl net.core.bpf_jit_enable=1`, or boot a kernel that was built with CONFIG_BPF_JIT",
            ),
            Self::Helper(PROBE_READ_KERNEL) => Some(
                "boot without lockdown for confidentiality (`lockdown=integrity` leaves it), or a kernel that was built \
                 with CONFIG_BPF_EVENTS",
            ),
            _ => None,
        }
    }

    /// True if its name is known, and not its number alone.
    #[cfg(test)]
    pub(super) fn has_name(self) -> bool {
        let known = FLAGS.iter().fold(0, |known, (bit, ..)| known | bit);
        let has_known_flags = if let Self::Map { flags, .. } = self {
            flags & !known == 0
        } else {
            true
        };
        has_known_flags && self.since().is_some()
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SystemCall => f.write_str("the bpf system call"),
            Self::Jit => f.write_str("a BPF compiler (JIT) that is on"),
            Self::Map { kind, flags } => write_map(f, *kind, *flags),
            Self::Batches => f.write_str("batch operations on maps"),
            Self::Link => f.write_str("BPF links for XDP"),
            Self::Helper(number) => match HELPERS.iter().find(|(helper, ..)| helper == number) {
                Some((_, name, _)) => write!(f, "the helper {name}"),
                None => write!(f, "the helper with number {number}"),
            },
            Self::Frags => f.write_str("XDP programs for frames in several buffers"),
        }
    }
}

fn write_map(f: &mut fmt::Formatter<'_>, kind: u32, flags: u32) -> fmt::Result {
    match MAPS.iter().find(|(number, ..)| *number == kind) {
        Some((_, name, _)) => write!(f, "maps of type {name}")?,
        None => write!(f, "maps of type {kind}")?,
    }
    for (_, flag, _) in FLAGS.iter().filter(|(bit, ..)| flags & bit != 0) {
        write!(f, " {flag}")?;
    }
    Ok(())
}

/// Several features, all of which are missing: what they are and what to do, as the end of a
/// sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features(pub Vec<Feature>);

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, feature) in self.0.iter().enumerate() {
            let before = if place == 0 { "" } else { ", " };
            write!(f, "{before}{feature}")?;
        }
        let (with_remedy, without): (Vec<&Feature>, Vec<&Feature>) = self
            .0
            .iter()
            .partition(|feature| feature.remedy().is_some());
        if !without.is_empty() {
            match without
                .iter()
                .map(|feature| feature.since())
                .max()
                .flatten()
            {
                Some((major, minor)) => write!(
                    f,
                    "; boot a newer kernel: Linux has this since {major}.{minor}, some vendors' kernels have it earlier"
                )?,
                None => f.write_str("; boot a newer kernel")?,
            }
        }
        with_remedy
            .iter()
            .filter_map(|feature| feature.remedy())
            .try_for_each(|remedy| write!(f, "; {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::KernelError;

    fn said(features: &[Feature]) -> String {
        let running = "5.14.0-427.el9.x86_64".into();
        KernelError::Missing {
            running,
            features: Features(features.to_vec()),
        }
        .to_string()
    }

    #[test]
    fn all_that_is_missing_is_named_at_once_with_what_to_do() {
        let ring = Feature::Map { kind: 27, flags: 0 };
        assert_eq!(
            said(&[ring, Feature::Helper(181), Feature::Frags]),
            "this kernel (5.14.0-427.el9.x86_64) lacks what the program needs: maps of type ring buffer, the helper \
             bpf_loop, XDP programs for frames in several buffers; boot a newer kernel: Linux has this since 5.18, some \
             vendors' kernels have it earlier"
        );
    }

    #[test]
    fn what_a_setting_or_a_build_gives_is_told_apart_from_what_is_too_new() {
        assert_eq!(
            said(&[Feature::Jit]),
            "this kernel (5.14.0-427.el9.x86_64) lacks what the program needs: a BPF compiler (JIT) that is on; run `sysctl \
             net.core.bpf_jit_enable=1`, or boot a kernel that was built with CONFIG_BPF_JIT"
        );
        let withheld = said(&[Feature::Helper(PROBE_READ_KERNEL)]);
        assert!(withheld.contains(
            "the helper bpf_probe_read_kernel; boot without lockdown for confidentiality"
        ));
        let both = said(&[Feature::Jit, Feature::Frags]);
        assert!(
            both.contains("several buffers; boot a newer kernel: Linux has this since 5.18"),
            "{both}"
        );
        assert!(
            both.contains("; run `sysctl net.core.bpf_jit_enable=1`"),
            "{both}"
        );
    }

    #[test]
    fn what_has_no_name_is_told_by_its_number() {
        assert!(
            said(&[Feature::Helper(9999)])
                .contains("the helper with number 9999; boot a newer kernel")
        );
        assert!(
            said(&[Feature::Map { kind: 99, flags: 0 }])
                .contains("maps of type 99; boot a newer kernel")
        );
    }

    #[test]
    fn flags_of_maps_are_named_and_have_versions_of_their_own() {
        let mapped = Feature::Map {
            kind: 2,
            flags: 1 << 10,
        };
        assert_eq!(
            mapped.to_string(),
            "maps of type array that can be mapped into memory"
        );
        assert_eq!(mapped.since(), Some((5, 5)));
        assert_eq!(Feature::Map { kind: 2, flags: 0 }.since(), Some((3, 19)));
    }
}
