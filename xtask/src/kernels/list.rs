//! The kernels that there are to boot: `xtask/kernels.toml`.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use super::lock::Lock;
use crate::archive::Architecture;

/// A kernel to boot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// What it is called here.
    pub label: String,
    /// For which processors.
    pub architecture: Architecture,
    /// Debian's suite.
    pub suite: String,
    /// The first part of its version; the newest of the suite if there is none.
    pub series: Option<String>,
    /// The last part of its package's name.
    pub flavour: String,
    /// True if the quick run boots it.
    #[serde(default)]
    pub quick: bool,
    /// False if the archive has no modules for it.
    #[serde(default = "yes")]
    pub modules: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct File {
    kernel: Vec<Kernel>,
}

/// Reads the list.
pub fn read(path: &Path) -> Result<Vec<Kernel>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} cannot be used", path.display()))
}

fn parse(text: &str) -> Result<Vec<Kernel>> {
    let File { kernel: kernels } = toml::from_str(text)?;
    for (at, kernel) in kernels.iter().enumerate() {
        let is_further = kernels[..at]
            .iter()
            .any(|other| other.label == kernel.label);
        ensure!(!is_further, "the label `{}` stands twice", kernel.label);
    }
    Ok(kernels)
}

/// The kernels of these names: labels, or first parts of the locked version (`7.3`); all for no
/// name.
pub fn select(kernels: Vec<Kernel>, lock: &Lock, names: &[String]) -> Result<Vec<Kernel>> {
    let has_version = |kernel: &Kernel, name: &str| {
        let version = lock.version_of(&kernel.label).unwrap_or_default();
        version
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['.', '-', '+']))
    };
    let is_named = |kernel: &Kernel, name: &str| {
        kernel.label == name
            || (kernel.architecture == Architecture::Amd64 && has_version(kernel, name))
    };
    for name in names {
        if !kernels.iter().any(|kernel| is_named(kernel, name)) {
            let labels: Vec<_> = kernels.iter().map(|kernel| kernel.label.as_str()).collect();
            bail!(
                "there is no kernel `{name}` in xtask/kernels.toml; there are: {}",
                labels.join(", ")
            );
        }
    }
    let is_wanted =
        |kernel: &Kernel| names.is_empty() || names.iter().any(|name| is_named(kernel, name));
    Ok(kernels.into_iter().filter(is_wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        [[kernel]]
        label = "6.1"
        architecture = "amd64"
        suite = "bookworm-security"
        series = "6.1"
        flavour = "cloud-amd64"
        quick = true

        [[kernel]]
        label = "newest"
        architecture = "amd64"
        suite = "trixie-backports"
        flavour = "cloud-amd64"
        modules = false

        [[kernel]]
        label = "arm-newest"
        architecture = "arm64"
        suite = "trixie-backports"
        flavour = "cloud-arm64"
    "#;
    const LOCK: &str = r#"
        ["newest"]
        "linux-image-7.3.4+deb13-cloud-amd64" = "7.3.4-1~bpo13+1"
        ["arm-newest"]
        "linux-image-7.3.4+deb13-cloud-arm64" = "7.3.4-1~bpo13+1"
    "#;

    #[test]
    fn a_kernel_has_modules_and_is_not_quick_unless_the_list_says_so() {
        let kernels = parse(LIST).unwrap();
        assert!(kernels[0].quick && kernels[0].modules);
        assert!(!kernels[1].quick && !kernels[1].modules);
    }

    #[test]
    fn a_label_that_stands_twice_and_an_unknown_field_are_errors() {
        assert!(
            parse(&LIST.replace("arm-newest", "newest"))
                .is_err_and(|error| error.to_string().contains("`newest`"))
        );
        assert!(parse(&LIST.replace("quick", "quik")).is_err());
    }

    #[test]
    fn a_kernel_is_named_by_its_label_or_its_version() {
        let labels = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let kernels = select(parse(LIST).unwrap(), &Lock::parse(LOCK).unwrap(), &names);
            kernels.map(|kernels| {
                kernels
                    .into_iter()
                    .map(|kernel| kernel.label)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(labels(&[]).unwrap(), ["6.1", "newest", "arm-newest"]);
        assert_eq!(labels(&["7.3"]).unwrap(), ["newest"]);
        assert_eq!(
            labels(&["arm-newest", "6.1"]).unwrap(),
            ["6.1", "arm-newest"]
        );
        assert!(labels(&["7"]).is_ok() && labels(&["7.3.4"]).is_ok());
        let error = labels(&["7.30"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no kernel `7.30` in xtask/kernels.toml; there are: 6.1, newest, arm-newest"
        );
    }

    #[test]
    fn the_repositorys_list_and_lock_belong_together() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (kernels, lock) = (
            read(&folder.join("kernels.toml")).unwrap(),
            Lock::read(folder).unwrap(),
        );
        for kernel in &kernels {
            assert!(
                lock.get(&kernel.label).is_some(),
                "{} is not in kernels.lock",
                kernel.label
            );
        }
        assert_eq!(
            kernels
                .iter()
                .filter(|kernel| kernel.quick && kernel.modules)
                .count(),
            3
        );
    }
}
