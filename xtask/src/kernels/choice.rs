//! Which packages a kernel is: those of the lock, or their successors.

use anyhow::{Context as _, Result, ensure};

use super::list::Kernel;
use crate::archive::{Package, Versions, newest};

/// What the name of a package with a kernel begins with.
pub const IMAGE: &str = "linux-image-";
/// What the names of a kernel's other packages begin with. There are none before 6.19 or so: the
/// image has all.
const PARTS: [&str; 3] = ["linux-base-", "linux-binary-", "linux-modules-"];

/// True if the suite still has each of these packages.
pub fn is_there(locked: &Versions, suite: &[Package]) -> bool {
    locked.iter().all(|(name, version)| {
        suite
            .iter()
            .any(|it| it.name == *name && it.version == *version)
    })
}

/// The newest packages of a kernel that the suite has.
pub fn newest_of(kernel: &Kernel, suite: &[Package]) -> Result<Versions> {
    let images = suite
        .iter()
        .filter(|package| is_image(&package.name, kernel));
    let image = newest(images).with_context(|| {
        let series = kernel.series.as_deref().unwrap_or("any series");
        format!(
            "the kernel {} is gone: Debian's suite {} has no {IMAGE}({series})-{}; take it out of xtask/kernels.toml, \
             or name another suite there",
            kernel.label, kernel.suite, kernel.flavour
        )
    })?;
    let version = image.name.strip_prefix(IMAGE).unwrap_or_default();
    let is_part = |name: &str| {
        PARTS
            .iter()
            .any(|part| name.strip_prefix(part) == Some(version))
    };
    let parts: Vec<_> = image.depends.iter().filter(|name| is_part(name)).collect();
    let mut packages = Versions::from([(image.name.clone(), image.version.clone())]);
    for part in &parts {
        // What the archive has no longer is left out here, and missed below if it is needed.
        if let Some(found) = newest(suite.iter().filter(|package| package.name == **part)) {
            packages.insert(found.name.clone(), found.version.clone());
        }
    }
    let lacks = |kind: &str| {
        let mut needed = parts.iter().filter(|part| part.starts_with(kind));
        needed.any(|part| !packages.contains_key(*part))
    };
    ensure!(
        !lacks("linux-binary-"),
        "the archive has no binary of the kernel {} any longer",
        image.name
    );
    ensure!(
        !kernel.modules || !lacks("linux-modules-"),
        "the archive has no modules of {} any longer: say `modules = false` for {} in xtask/kernels.toml",
        image.name,
        kernel.label
    );
    Ok(packages)
}

/// Whether the package is an image of the kernel's series and flavour. The part between has numbers
/// and Debian's own mark alone (`.118+deb13`): other words are those of other flavours.
fn is_image(name: &str, kernel: &Kernel) -> bool {
    let between = || {
        let rest = name
            .strip_prefix(IMAGE)?
            .strip_suffix(&kernel.flavour)?
            .strip_suffix('-')?;
        match &kernel.series {
            Some(series) => rest.strip_prefix(series)?.strip_prefix('.'),
            None => Some(rest),
        }
    };
    let is_version = |rest: &str| {
        let (number, mark) = rest.split_once("+deb").unwrap_or((rest, "0"));
        let is_number = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
        let has_only = |text: &str, others: &str| {
            text.chars()
                .all(|c| c.is_ascii_digit() || others.contains(c))
        };
        is_number(number) && has_only(number, ".-") && is_number(mark) && has_only(mark, ".+")
    };
    between().is_some_and(is_version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Architecture;

    #[test]
    fn the_image_of_a_series_and_a_flavour_is_found_by_its_name() {
        let kernel = kernel(Some("6.1"), "cloud-amd64");
        for name in [
            "linux-image-6.1.0-57-cloud-amd64",
            "linux-image-6.1.5+deb12-cloud-amd64",
        ] {
            assert!(is_image(name, &kernel), "{name}");
        }
        for name in [
            "linux-image-6.12.118+deb13-cloud-amd64",
            "linux-image-6.1.0-57-amd64",
            "linux-image-6.1.0-57-cloud-amd64-dbg",
            "linux-image-6.1-cloud-amd64",
            "linux-image-cloud-amd64",
            "linux-modules-6.1.0-57-cloud-amd64",
        ] {
            assert!(!is_image(name, &kernel), "{name}");
        }
        let full = self::kernel(None, "amd64");
        assert!(is_image("linux-image-7.3.4+deb13-amd64", &full));
        assert!(is_image("linux-image-6.12.74+deb13+1-amd64", &full));
        assert!(!is_image("linux-image-7.3.4+deb13-cloud-amd64", &full));
        assert!(!is_image("linux-image-7.3-amd64", &kernel));
    }

    #[test]
    fn a_kernel_in_several_packages_is_all_of_them() {
        let suite = suite();
        let packages = newest_of(&kernel(None, "cloud-amd64"), &suite).unwrap();
        let names: Vec<_> = packages.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "linux-binary-7.3.4-cloud-amd64",
                "linux-image-7.3.4-cloud-amd64",
                "linux-modules-7.3.4-cloud-amd64"
            ]
        );
        assert!(is_there(&packages, &suite));
        assert!(!is_there(&packages, &suite[..2]));
    }

    #[test]
    fn modules_that_are_gone_are_missed_only_where_they_are_wanted() {
        let mut suite = suite();
        suite.retain(|package| !package.name.starts_with("linux-modules-"));
        let mut kernel = kernel(Some("7.3"), "cloud-amd64");
        assert!(
            newest_of(&kernel, &suite)
                .is_err_and(|error| error.to_string().contains("modules = false"))
        );
        kernel.modules = false;
        assert_eq!(newest_of(&kernel, &suite).unwrap().len(), 2);
        suite.retain(|package| !package.name.starts_with("linux-binary-"));
        assert!(newest_of(&kernel, &suite).is_err());
    }

    #[test]
    fn a_series_that_is_gone_is_one_sentence() {
        let error = newest_of(&kernel(Some("6.16"), "cloud-amd64"), &suite())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "the kernel K is gone: Debian's suite S has no linux-image-(6.16)-cloud-amd64"
            ),
            "{error}"
        );
    }

    fn kernel(series: Option<&str>, flavour: &str) -> Kernel {
        Kernel {
            label: "K".to_owned(),
            architecture: Architecture::Amd64,
            suite: "S".to_owned(),
            series: series.map(str::to_owned),
            flavour: flavour.to_owned(),
            quick: false,
            modules: true,
        }
    }

    fn suite() -> Vec<Package> {
        let package = |name: &str, version: &str, depends: &[&str]| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            depends: depends.iter().map(|name| (*name).to_owned()).collect(),
        };
        let depends = [
            "kmod",
            "linux-base-7.3.4-cloud-amd64",
            "linux-binary-7.3.4-cloud-amd64",
            "linux-modules-7.3.4-cloud-amd64",
        ];
        vec![
            package("linux-image-7.2.9-cloud-amd64", "7.2.9-1", &[]),
            package("linux-image-7.3.4-cloud-amd64", "7.3.4-1", &depends),
            package("linux-binary-7.3.4-cloud-amd64", "7.3.4-1", &[]),
            package("linux-modules-7.3.4-cloud-amd64", "7.3.4-1", &[]),
            package("linux-base", "4.9", &[]),
        ]
    }
}
