//! The controller itself, with as many names as the largest filter has: what memory it takes, and
//! what a reload takes.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use indicatif::HumanCount;
use lab::{Lab, Options, Process, wait_until};
use rustix::param::clock_ticks_per_second;

use crate::{
    names::RealNames,
    plan::Plan,
    process::memory_of,
    rows::{Row, Rows},
    statistics::Summary,
};

const START_UP: Duration = Duration::from_mins(1);

/// Megabytes that are resident at rest.
const AT_REST: f64 = 40.0;
/// Seconds until one changed name is in force.
const RELOAD: f64 = 0.3;
/// Memory of the kernel's maps and of the controller together during a reload, over what it is at
/// rest.
const AT_HIGHEST: f64 = 1.5;

const MB: f64 = 1e6;

/// What one run found.
struct Run {
    /// Bytes that are resident at rest, at its highest during a reload, and those of the kernel's
    /// maps.
    at_rest: f64,
    highest: f64,
    after_reload: f64,
    maps: f64,
    /// Seconds.
    reload_wall: f64,
    reload_cpu: f64,
    /// Of a reload in which all names are others, for which there is no room beside those in force.
    other_names_wall: f64,
    other_names_cpu: f64,
}

/// Measures with a cache and without one.
pub fn measure(
    namegate: &Path,
    plan: &Plan,
    names: &RealNames,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let names = names.some_rules(plan.most_rules());
    for cache in [false, true] {
        let runs = (0..plan.loads)
            .map(|round| run(namegate, &names, cache, round))
            .collect::<Result<Vec<_>, _>>()?;
        let mut row =
            |name: &str, unit, goal: Option<f64>, figure: fn(&Run) -> f64| -> anyhow::Result<()> {
                let with = if cache {
                    "with a cache"
                } else {
                    "without a cache"
                };
                let name = format!("{name}, {with}, {} names", HumanCount(names.len() as u64));
                let row = Row::median(
                    name,
                    Summary::of(runs.iter().map(figure)).context("no rounds")?,
                    unit,
                );
                rows.push(if let Some(goal) = goal {
                    row.at_most(goal)
                } else {
                    row
                });
                Ok(())
            };
        row("controller at rest, resident", "MB", Some(AT_REST), |run| {
            run.at_rest / MB
        })?;
        row(
            "controller at rest after a reload, resident",
            "MB",
            Some(AT_REST),
            |run| run.after_reload / MB,
        )?;
        row(
            "reload of one changed name, wall",
            "s",
            Some(RELOAD),
            |run| run.reload_wall,
        )?;
        row("reload of one changed name, CPU", "s", None, |run| {
            run.reload_cpu
        })?;
        row(
            "reload of other names alone, with new maps, wall",
            "s",
            None,
            |run| run.other_names_wall,
        )?;
        row(
            "reload of other names alone, with new maps, CPU",
            "s",
            None,
            |run| run.other_names_cpu,
        )?;
        row("reload, resident at its highest", "MB", None, |run| {
            run.highest / MB
        })?;
        row(
            "reload, maps and controller over what they take at rest",
            "times",
            Some(AT_HIGHEST),
            |run| (run.maps + run.highest) / (run.maps + run.at_rest),
        )?;
    }
    Ok(())
}

fn run(namegate: &Path, names: &[&str], cache: bool, round: usize) -> anyhow::Result<Run> {
    let lab = Lab::new(&Options::default())?;
    let controller = Controller::start(&lab, namegate, names, cache)?;
    let status: serde_json::Value = serde_json::from_str(&controller.verb(&["status", "--json"])?)?;
    let maps = status["memory"]["kernel_bytes"]
        .as_f64()
        .context("the status has no memory of the maps")?;
    let at_rest = controller.memory("VmRSS:")?;
    let mut names = names.to_vec();
    let changed = format!("changed-{round}.example");
    let middle = names.len() / 2;
    *names.get_mut(middle).context("there are no names")? = &changed;
    write(&controller.list, &names)?;
    // From here on, what is highest is that of the reload (proc_pid_clear_refs(5)).
    fs::write(format!("/proc/{}/clear_refs", controller.process.id()), "5")
        .context("VmHWM cannot be reset")?;
    let (start, cpu_start) = (Instant::now(), controller.cpu()?);
    controller.verb(&["reload"])?;
    let (reload_wall, reload_cpu) = (start.elapsed().as_secs_f64(), controller.cpu()? - cpu_start);
    let told = controller.verb(&["test", &changed])?;
    ensure!(
        told.contains(&format!("rule {changed}")),
        "the name that is new is not in force: {told}"
    );
    let (highest, after_reload) = (controller.memory("VmHWM:")?, controller.memory("VmRSS:")?);
    let (other_names_wall, other_names_cpu) = controller.reload_of_other_names(&names)?;
    Ok(Run {
        at_rest,
        highest,
        after_reload,
        maps,
        reload_wall,
        reload_cpu,
        other_names_wall,
        other_names_cpu,
    })
}

struct Controller {
    process: Process,
    namegate: PathBuf,
    list: PathBuf,
    socket: PathBuf,
}

impl Controller {
    fn start(lab: &Lab, namegate: &Path, names: &[&str], cache: bool) -> anyhow::Result<Self> {
        let [list, socket, folder, log] =
            ["names", "socket", "cache", "log"].map(|name| lab.directory().join(name));
        write(&list, names)?;
        let mut command = lab.gateway().command(namegate);
        command.args(["run", "--iface", "lan", "--mode", "generic", "--subtrees"]);
        command.args(["--without-controller", "pass"]);
        command
            .arg("--list")
            .arg(&list)
            .arg("--socket")
            .arg(&socket);
        if cache {
            command.arg("--cache").arg(&folder);
        }
        let file = File::create(&log).context("the controller's log cannot be made")?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let process = Process::spawn(&mut command)?;
        let mut controller = Self {
            process,
            namegate: namegate.into(),
            list,
            socket,
        };
        wait_until("the controller to be ready", START_UP, || {
            if controller.process.ended()?.is_some() {
                bail!("the controller ended: {}", fs::read_to_string(&log)?.trim());
            }
            Ok(controller.verb(&["status"]).is_ok())
        })?;
        Ok(controller)
    }

    /// Seconds that a reload takes in which each name is another one, and seconds of CPU.
    fn reload_of_other_names(&self, names: &[&str]) -> anyhow::Result<(f64, f64)> {
        let others: Vec<_> = names.iter().map(|name| format!("x{name}")).collect();
        write(
            &self.list,
            &others.iter().map(|name| &**name).collect::<Vec<_>>(),
        )?;
        let (start, cpu_start) = (Instant::now(), self.cpu()?);
        self.verb(&["reload"])?;
        let took = (start.elapsed().as_secs_f64(), self.cpu()? - cpu_start);
        let first = others.first().context("there are no names")?;
        ensure!(
            self.verb(&["test", first])?.contains("rule "),
            "the names that are new are not in force"
        );
        Ok(took)
    }

    /// What the verb says.
    fn verb(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.namegate)
            .args(args)
            .arg("--socket")
            .arg(&self.socket)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // A name that is blocked has an exit code of its own.
        ensure!(
            output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(said)
    }

    fn memory(&self, field: &str) -> anyhow::Result<f64> {
        memory_of(&self.process.id().to_string(), field)
    }

    /// Seconds of CPU that it took so far, its own and the kernel's on its behalf
    /// (`proc_pid_stat(5)`).
    fn cpu(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = stat
            .rsplit_once(')')
            .context("/proc/PID/stat has no name")?;
        let ticks = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<f64>)
            .sum::<Result<f64, _>>()?;
        Ok(ticks / clock_ticks_per_second() as f64)
    }
}

fn write(list: &Path, names: &[&str]) -> anyhow::Result<()> {
    let mut file = File::create(list).context("the list cannot be written")?;
    file.write_all(names.join("\n").as_bytes())
        .context("the list cannot be written")
}
