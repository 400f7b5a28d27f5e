//! How many blocked queries are answered a second, and how soon: by the filter on the way, and by resolvers with the same
//! names behind it. dnsperf asks, in the lab.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use lab::{Lab, Options, Process, SERVER, wait_until};

use crate::{
    names::RealNames,
    rows::{Row, Rows},
    statistics::Summary,
};

/// Names in each list.
pub const NAMES: usize = 1_000;
const START_UP: Duration = Duration::from_secs(20);
/// The filter judges what is for port 53, and nothing for these.
const DNSMASQ_PORT: &str = "5302";
const UNBOUND_PORT: &str = "5303";

/// What dnsperf is told: as many as there are answers, and one after another.
const MANY: [&str; 6] = ["-l", "3", "-c", "8", "-q", "100"];
const SINGLE: [&str; 6] = ["-l", "1", "-c", "1", "-q", "1"];
/// It waits for so long, with `--action drop`.
const PATIENCE: [&str; 2] = ["-t", "1"];

/// Who answers.
#[derive(Clone, Copy)]
enum Server {
    Dnsmasq,
    Unbound,
    /// The filter, with this in place of `--action nxdomain`.
    Filter(&'static str),
}

impl Server {
    const ALL: [Self; 4] = [Self::Dnsmasq, Self::Unbound, Self::Filter("nxdomain"), Self::Filter("drop")];

    fn name(self) -> String {
        match self {
            Self::Dnsmasq => "dnsmasq".into(),
            Self::Unbound => "Unbound".into(),
            Self::Filter(action) => format!("Namegate, {action}"),
        }
    }
}

/// Asks each in turn, so many times, in a lab of its own.
pub fn measure(namegate: &Path, rounds: usize, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let lab = Lab::new(&Options::default())?;
    write_lists(&lab, &names.some_rules(NAMES))?;
    let _resolvers = [start_dnsmasq(&lab)?, start_unbound(&lab)?];
    let mut many = [const { Vec::new() }; Server::ALL.len()];
    let mut single = [const { Vec::new() }; Server::ALL.len()];
    for _ in 0..rounds {
        for ((server, many), single) in Server::ALL.into_iter().zip(&mut many).zip(&mut single) {
            let (port, _filter) = match server {
                Server::Dnsmasq => (DNSMASQ_PORT, None),
                Server::Unbound => (UNBOUND_PORT, None),
                Server::Filter(action) => ("53", Some(start_filter(&lab, namegate, action)?)),
            };
            many.push(ask(&lab, port, &MANY)?);
            single.push(ask(&lab, port, &SINGLE)?);
        }
    }
    for (server, asked) in Server::ALL.into_iter().zip(&many) {
        let rate = Summary::of(asked.iter().map(|asked| asked.rate)).context("no rounds")?;
        rows.push(Row::median(format!("answers a second, {}", server.name()), rate, "1/s"));
    }
    for (what, outcomes) in [("many at a time", &many), ("one at a time", &single)] {
        for (server, asked) in Server::ALL.into_iter().zip(outcomes) {
            // Who is not answered waits until it gives up.
            if let Some(latency) = Summary::of(asked.iter().filter_map(|asked| asked.latency)) {
                rows.push(Row::median(format!("until the answer, {what}, {}", server.name()), latency, "µs"));
            }
        }
    }
    Ok(())
}

fn write_lists(lab: &Lab, names: &[&str]) -> anyhow::Result<()> {
    let lines = |line: &dyn Fn(&str) -> String| names.iter().map(|name| line(name)).collect::<String>();
    for (file, text) in [
        ("names", lines(&|name| format!("{name}\n"))),
        ("queries", lines(&|name| format!("{name} A\n"))),
        ("dnsmasq.conf", lines(&|name| format!("address=/{name}/\n"))),
        ("unbound.list", lines(&|name| format!("local-zone: \"{name}.\" always_nxdomain\n"))),
    ] {
        fs::write(lab.directory().join(file), text).with_context(|| format!("the lab's {file} cannot be written"))?;
    }
    Ok(())
}

fn start_dnsmasq(lab: &Lab) -> anyhow::Result<Process> {
    let mut command = lab.server().command("dnsmasq");
    command.args(["--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces", "--user=nobody"]);
    command.args(["--pid-file", "--log-facility=-", "--port", DNSMASQ_PORT]);
    command.arg(format!("--listen-address={}", SERVER.v4));
    command.arg(format!("--conf-file={}", lab.directory().join("dnsmasq.conf").display()));
    start(lab, "dnsmasq", &mut command, || answers(lab, DNSMASQ_PORT))
}

fn start_unbound(lab: &Lab) -> anyhow::Result<Process> {
    let (directory, configuration) = (lab.directory().display(), lab.directory().join("unbound.conf"));
    let text = format!(
        "server:\n    directory: \"{directory}\"\n    chroot: \"\"\n    username: \"\"\n    pidfile: \"\"\n    \
         use-syslog: no\n    interface: {}\n    port: {UNBOUND_PORT}\n    access-control: 0.0.0.0/0 allow\n    \
         include: \"{directory}/unbound.list\"\nremote-control:\n    control-enable: no\n",
        SERVER.v4
    );
    fs::write(&configuration, text).context("Unbound's configuration cannot be written")?;
    let mut command = lab.server().command("unbound");
    command.arg("-d").arg("-c").arg(configuration);
    start(lab, "unbound", &mut command, || answers(lab, UNBOUND_PORT))
}

fn start_filter(lab: &Lab, namegate: &Path, action: &str) -> anyhow::Result<Process> {
    let (list, socket) = (lab.directory().join("names"), lab.directory().join("socket"));
    let mut command = lab.gateway().command(namegate);
    command.args(["run", "--iface", "lan", "--mode", "generic", "--action", action, "--answers-per-second", "0"]);
    command.arg("--list").arg(list).arg("--socket").arg(&socket);
    start(lab, "namegate", &mut command, || {
        Ok(Command::new(namegate).arg("status").arg("--socket").arg(&socket).output()?.status.success())
    })
}

fn start(
    lab: &Lab,
    name: &str,
    command: &mut Command,
    ready: impl Fn() -> anyhow::Result<bool>,
) -> anyhow::Result<Process> {
    let log = lab.directory().join(format!("{name}.log"));
    let file = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut process = Process::spawn(command)?;
    wait_until(&format!("{name} to be ready"), START_UP, || {
        if process.ended()?.is_some() {
            bail!("{name} ended: {}", fs::read_to_string(&log)?.trim());
        }
        ready()
    })?;
    Ok(process)
}

/// True if any of the names has its answer.
fn answers(lab: &Lab, port: &str) -> anyhow::Result<bool> {
    Ok(ask(lab, port, &["-n", "1"])?.latency.is_some())
}

/// What dnsperf found.
struct Asked {
    /// Answers a second.
    rate: f64,
    /// Microseconds until an answer, on average; `None` if there were no answers.
    latency: Option<f64>,
}

fn ask(lab: &Lab, port: &str, args: &[&str]) -> anyhow::Result<Asked> {
    let mut command = lab.client().command("dnsperf");
    command.args(["-s", &SERVER.v4.to_string(), "-p", port, "-d"]).arg(lab.directory().join("queries"));
    let output = command.args(PATIENCE).args(args).output().context("dnsperf cannot be started")?;
    ensure!(output.status.success(), "dnsperf failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = |heading: &str| {
        let rest = text.split(heading).nth(1).and_then(|rest| rest.split_whitespace().next());
        rest.and_then(|number| number.parse::<f64>().ok()).with_context(|| format!("dnsperf gave no {heading} {text}"))
    };
    let latency = if figure("Queries completed:")? > 0.0 { Some(figure("Average Latency (s):")? * 1e6) } else { None };
    Ok(Asked { rate: figure("Queries per second:")?, latency })
}
