//! Starting the guests of several kernels, and collecting what they report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use guest::plan::{Group, Plan};

use super::builds::Build;
use super::guest_machine::{Ended, Machine};
use super::initramfs::{self, Tree};
use super::list::Kernel;
use super::lock::Lock;
use super::packages::{self, Unpacked};
use super::results::{Cell, CellOutcome, Report, word};
use super::tried::Tried;
use super::{modules, programs};
use crate::archive::Architecture;
use crate::workspace::Workspace;

/// What the test programs read of the verifier's budgets.
pub const BUDGET: &str = "filter-ebpf/verifier-budgets.toml";
/// What every guest has loaded; where a kernel has it as a module.
const MODULES: [&str; 1] = ["veth"];
/// What the guest may take beyond its own deadline, to boot and to end.
const BOOT: Duration = Duration::from_mins(2);
/// A guest without result is tried once more: emulation fails at times.
const ATTEMPTS: usize = 2;

/// A guest to start.
#[derive(Clone, Debug)]
pub struct Boot {
    /// What its files are called.
    pub name: &'static str,
    /// What it checks.
    pub groups: Vec<Group>,
    /// More for the kernel's command line.
    pub more: &'static str,
    /// Its memory.
    pub memory_mib: u32,
    /// For how long it may check.
    pub limit: Duration,
    /// The folder of captures for [`Group::Replay`], from the repository's root.
    pub captures: Option<PathBuf>,
    /// Changed frames to compare; as many as on a host if left out.
    pub mutated_frames: Option<usize>,
}

impl Boot {
    /// The guest with those of its checks that are named, or with all if none is; `None` if nothing
    /// is left.
    pub fn with_only(mut self, named: &[Group]) -> Option<Self> {
        self.groups
            .retain(|group| named.is_empty() || named.contains(group));
        (!self.groups.is_empty()).then_some(self)
    }
}

/// The guests of the whole matrix. What may harm the kernel has one of its own, with checks of its
/// memory; without modules it only says that it is not possible.
pub fn full(kernel: &Kernel) -> Vec<Boot> {
    let (harmful, harmless): (Vec<_>, Vec<_>) = Group::ALL
        .into_iter()
        .partition(|group| group.may_harm_kernel());
    let mut checks = Boot {
        name: "checks",
        groups: harmless,
        more: "",
        memory_mib: 2048,
        limit: Duration::from_mins(45),
        captures: Some("../shared/captures".into()),
        mutated_frames: Some(20_000),
    };
    if !kernel.modules {
        checks.groups.extend(harmful);
        return vec![checks];
    }
    let stress = Boot {
        name: "stress",
        groups: harmful,
        more: "slub_debug=FZPU",
        captures: None,
        ..checks.clone()
    };
    vec![checks, stress]
}

/// All that these guests check.
pub fn groups(boots: &[Boot]) -> Vec<Group> {
    boots.iter().flat_map(|boot| boot.groups.clone()).collect()
}

/// Where guests are prepared and run.
pub struct Bench<'a> {
    workspace: &'a Workspace,
    build: Build<'a>,
    lock: Lock,
    jobs: usize,
    folder: PathBuf,
    /// Test programs of filter-user that every guest has.
    tests: Vec<&'static str>,
    /// Files of the host that every guest has, at their paths.
    files: Vec<PathBuf>,
    /// For how long guests may run, all in all.
    limit: Option<Duration>,
    /// When that is over, once the first guest has begun.
    end: Option<Instant>,
}

impl<'a> Bench<'a> {
    /// With test programs that the guests run, and files and folders, from the repository's root,
    /// that these read.
    pub fn new(
        workspace: &'a Workspace,
        build: Build<'a>,
        lock: Lock,
        jobs: usize,
        tests: &[&'static str],
        files: &[&str],
    ) -> Result<Self> {
        let folder = workspace.target().join("kernels");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let files = files
            .iter()
            .map(|file| absolute(workspace.root(), file))
            .collect();
        Ok(Self {
            workspace,
            build,
            lock,
            jobs,
            folder,
            tests: tests.to_vec(),
            files,
            limit: None,
            end: None,
        })
    }

    /// No guest runs longer than this after the first began.
    pub fn ending_within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Tries each kernel, some at once; the results are in the order of the kernels.
    pub fn run(
        mut self,
        kernels: &[Kernel],
        boots: impl Fn(&Kernel) -> Vec<Boot> + Sync,
    ) -> Result<Vec<Tried>> {
        let mut bases = BTreeMap::new();
        for architecture in kernels
            .iter()
            .map(|kernel| kernel.architecture)
            .collect::<BTreeSet<_>>()
        {
            bases.insert(architecture, self.base(architecture)?);
        }
        self.end = self.limit.map(|limit| Instant::now() + limit);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut tried = Vec::new();
            while let Some(kernel) = kernels.get(next.fetch_add(1, Ordering::Relaxed)) {
                tried.push(self.one(kernel, &boots(kernel), &bases[&kernel.architecture]));
            }
            tried
        };
        let mut tried: Vec<Tried> = thread::scope(|scope| {
            let workers: Vec<_> = (0..self.jobs).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        });
        tried.sort_by_key(|tried| {
            kernels
                .iter()
                .position(|kernel| kernel.label == tried.kernel)
        });
        ensure!(
            tried.len() == kernels.len(),
            "a thread that runs guests panicked: see what it said above"
        );
        Ok(tried)
    }

    /// The part of the file system that all guests of an architecture share.
    fn base(&self, architecture: Architecture) -> Result<PathBuf> {
        let mut tree = Tree::default();
        for folder in [
            "proc", "sys", "dev", "run", "tmp", "etc", "modules", "root", "var",
        ] {
            tree.directory(folder);
        }
        programs::add(&mut tree, &self.build, architecture, &self.tests)?;
        // Tests look for files by way of their package's folder.
        tree.directory(&initramfs::place_of(
            &self.workspace.root().join("filter-user"),
        ));
        for file in &self.files {
            tree.copy_all(file)?;
        }
        let path = self.folder.join(format!("base-{architecture}.cpio.gz"));
        tree.write(&path)?;
        Ok(path)
    }

    /// Tries a kernel; what goes wrong on the host is a result as well.
    fn one(&self, kernel: &Kernel, boots: &[Boot], base: &Path) -> Tried {
        let begun = Instant::now();
        let mut tried = Tried::new(&kernel.label, kernel.architecture);
        match packages::find(kernel, &self.lock) {
            Ok(unpacked) => {
                tried.successor.clone_from(&unpacked.successor);
                tried.packages.clone_from(&unpacked.packages);
                for boot in boots {
                    if let Err(error) = self.boot(kernel, &unpacked, boot, base, &mut tried) {
                        tried = tried.without_result(&boot.groups, &format!("{error:#}"));
                    }
                }
            }
            Err(error) => tried = tried.without_result(&groups(boots), &format!("{error:#}")),
        }
        tried.seconds = begun.elapsed().as_secs_f64();
        tried
    }

    fn boot(
        &self,
        kernel: &Kernel,
        unpacked: &Unpacked,
        boot: &Boot,
        base: &Path,
        tried: &mut Tried,
    ) -> Result<()> {
        ensure!(
            self.limit(boot) > BOOT,
            "there was no time left to start the guest"
        );
        let stem = format!("{}-{}", kernel.label, boot.name);
        let (own, whole) = (
            self.folder.join(format!("{stem}.own")),
            self.folder.join(format!("{stem}.cpio.gz")),
        );
        self.own_part(kernel, unpacked, boot, &own)?;
        initramfs::join(&[base, &own], &whole)?;
        let machine = Machine {
            architecture: kernel.architecture,
            large_pages: kernel.flavour.ends_with("-16k"),
            memory_mib: boot.memory_mib,
            image: unpacked.image.clone(),
            initramfs: whole.clone(),
            more: boot.more,
        };
        let console = self.folder.join(format!("{stem}.log"));
        tried.consoles.push(console.clone());
        for attempt in 1..=ATTEMPTS {
            let limit = self.limit(boot);
            println!(
                "{}: {} begins; console: {}",
                kernel.label,
                boot.name,
                console.display()
            );
            let begun = Instant::now();
            let ended = machine.run(&console, limit)?;
            let report = read(&console)?;
            let why = report
                .no_result(boot.memory_mib, matches!(ended, Ended::Late))
                .map(|why| match ended {
                    Ended::ByItself(status) if !status.success() => {
                        format!("{why}; QEMU failed ({status})")
                    }
                    _ => why,
                });
            println!(
                "{}: {} ended after {} s{}",
                kernel.label,
                boot.name,
                begun.elapsed().as_secs(),
                why.as_ref()
                    .map(|why| format!(", no result: {why}"))
                    .unwrap_or_default()
            );
            let is_last = attempt == ATTEMPTS || self.limit(boot) <= BOOT;
            if why.is_none() || is_last {
                take(report, why, kernel, boot, tried);
                break;
            }
        }
        // Hundreds of megabytes for all kernels, and made anew each time.
        let _ = (fs::remove_file(own), fs::remove_file(whole));
        Ok(())
    }

    /// How long a guest may run from now.
    fn limit(&self, boot: &Boot) -> Duration {
        let left = self.end.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        });
        left.min(boot.limit + BOOT)
    }

    /// The part of the file system that one guest has alone.
    fn own_part(
        &self,
        kernel: &Kernel,
        unpacked: &Unpacked,
        boot: &Boot,
        path: &Path,
    ) -> Result<()> {
        let mut tree = Tree::default();
        let order = modules::load_order(unpacked, &MODULES)?;
        let has_all = !order.is_empty() || !kernel.modules;
        ensure!(
            has_all,
            "the packages of {} have no module `{}`",
            kernel.label,
            MODULES[0]
        );
        for (number, module) in (1..).zip(order) {
            tree.bytes(
                &format!("modules/{number:02}-{}.ko", module.name),
                module.bytes,
            );
        }
        let plan = Plan {
            checks: boot.groups.clone(),
            captures: boot
                .captures
                .as_ref()
                .map(|folder| absolute(self.workspace.root(), folder)),
            tests_dir: "/tests".into(),
            mutated_frames: boot.mutated_frames,
            deadline_seconds: self.limit(boot).saturating_sub(BOOT).as_secs(),
        };
        tree.bytes(guest::plan::PATH, serde_json::to_vec(&plan)?);
        tree.write(path)
    }
}

/// Puts a guest's report into what is known of its kernel.
fn take(report: Report, why: Option<String>, kernel: &Kernel, boot: &Boot, tried: &mut Tried) {
    let mut cells = report.cells(&boot.groups, !kernel.modules);
    if let Some(why) = why {
        // What it reported before it died holds; what is left has no result.
        let named = boot
            .groups
            .iter()
            .map(|group| word(*group))
            .chain([guest::report::LOG.to_owned()]);
        for name in named {
            let failed = cells
                .get(&name)
                .is_some_and(|cell| cell.outcome == CellOutcome::Failed);
            if !failed {
                cells.insert(name, Cell::no_result(why.clone()));
            }
        }
    }
    tried.add(cells);
    tried.release = report.release.or_else(|| tried.release.take());
    tried.page_size = report.page_size.or(tried.page_size);
    tried.programs.extend(report.programs);
}

fn read(console: &Path) -> Result<Report> {
    let bytes = fs::read(console).with_context(|| format!("cannot read {}", console.display()))?;
    Ok(Report::read(&String::from_utf8_lossy(&bytes)))
}

/// A path from the repository's root, without `..`: guests have no links to follow.
fn absolute(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let mut absolute = root.to_owned();
    for part in path.as_ref().components() {
        match part {
            std::path::Component::ParentDir => drop(absolute.pop()),
            part => absolute.push(part),
        }
    }
    absolute
}
