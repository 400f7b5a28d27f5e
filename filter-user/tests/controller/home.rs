//! A gateway to run controllers in.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use lab::{GATEWAY_LAN, Lab, Options, Process, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub const NAMEGATE: &str = env!("CARGO_BIN_EXE_namegate");

/// How long anything may take.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A gateway with a list, where controllers run.
pub struct Home {
    pub lab: Lab,
}

impl Home {
    pub fn new(names: &[&str]) -> Self {
        let home = Self {
            lab: Lab::new(&Options::default()).unwrap(),
        };
        fs::write(home.path("list"), names.join("\n")).unwrap();
        home
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.directory().join(name).to_str().unwrap().to_owned()
    }

    pub fn socket(&self) -> PathBuf {
        self.path("namegate.sock").into()
    }

    pub fn run_args(&self, args: &[&str]) -> Vec<String> {
        let mut all = vec!["run".to_owned(), "--subtrees".to_owned()];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        if !args.contains(&"--pins") {
            all.extend(["--without-controller", "pass"].map(str::to_owned));
        }
        for (option, file) in [("--list", "list"), ("--socket", "namegate.sock")] {
            if !args.contains(&option) {
                all.extend([option.to_owned(), self.path(file)]);
            }
        }
        all
    }

    /// Starts a controller and waits until it answers.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut running = self.spawn(args);
        self.wait_for(&mut running);
        running
    }

    /// Waits until a controller answers.
    pub fn wait_for(&self, running: &mut Running) {
        wait_until("the controller to answer", LIMIT, || {
            assert!(running.process.ended()?.is_none(), "{}", running.said());
            Ok(self.verb(&["status"]).status.success())
        })
        .unwrap();
    }

    pub fn spawn(&self, args: &[&str]) -> Running {
        let mut command = self.lab.gateway().command(NAMEGATE);
        Running::spawn(
            command.args(self.run_args(args)),
            self.path("controller.log"),
        )
    }

    pub fn tail(&self, verb: &str) -> Running {
        let mut command = Command::new(NAMEGATE);
        let log = self.path(verb);
        let running = Running::spawn(
            command.args([verb, "--json", "--socket", &self.path("namegate.sock")]),
            log,
        );
        wait_until("somebody to read events", LIMIT, || {
            Ok(self.json(&["status"])["events"]["readers"] == 1)
        })
        .unwrap();
        running
    }

    pub fn verb(&self, args: &[&str]) -> Output {
        finish(
            Command::new(NAMEGATE)
                .args(args)
                .env("NAMEGATE_SOCKET", self.socket()),
        )
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.verb(&[args, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The rules that are listed: those added by hand first, then those of lists, which come in an
    /// order of their own, sorted.
    pub fn rules(&self) -> Vec<String> {
        let output = self.verb(&["block", "list", "--json"]);
        let rules = String::from_utf8(output.stdout).unwrap();
        let rules = rules
            .lines()
            .map(|rule| serde_json::from_str::<Value>(rule).unwrap());
        let mut rules: Vec<_> = rules
            .map(|rule| {
                (
                    rule["list"] != "manual",
                    rule["rule"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        rules.sort();
        rules.into_iter().map(|(_, rule)| rule).collect()
    }

    /// Exit code and words of a verb that fails.
    pub fn fails(&self, args: &[&str]) -> (i32, String) {
        failure(&self.verb(args))
    }

    /// Exit code and words of a controller that does not start.
    pub fn run_fails(&self, args: &[&str]) -> (i32, String) {
        failure(&finish(
            self.lab
                .gateway()
                .command(NAMEGATE)
                .args(self.run_args(args)),
        ))
    }

    pub fn is_attached(&self, interface: &str) -> bool {
        let link = self
            .lab
            .gateway()
            .output("ip", &["link", "show", "dev", interface])
            .unwrap();
        link.contains("xdp")
    }

    /// True if the question gets through to the gateway, where no server is: its kernel says so at
    /// once.
    pub fn asks(&self, name: &str) -> bool {
        let server = format!("@{}", GATEWAY_LAN.v4);
        let args = ["+tries=1", "+time=1", "+noedns", &server, name];
        let output = self
            .lab
            .client()
            .command("dig")
            .args(args)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains("connection refused")
    }
}

/// A program that goes on, with what it said.
pub struct Running {
    pub process: Process,
    log: PathBuf,
}

impl Running {
    pub fn spawn(command: &mut Command, log: String) -> Self {
        let file = File::create(&log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        Self {
            process: Process::spawn(command).unwrap(),
            log: log.into(),
        }
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn first_line(&self) -> Value {
        wait_until("a line", LIMIT, || Ok(self.said().contains('\n'))).unwrap();
        serde_json::from_str(self.said().lines().next().unwrap()).unwrap()
    }

    /// Sends the signal; the exit code that follows.
    pub fn signal(&mut self, signal: Signal) -> Option<i32> {
        kill_process(
            Pid::from_raw(self.process.id().cast_signed()).unwrap(),
            signal,
        )
        .unwrap();
        wait_until("the end", LIMIT, || Ok(self.process.ended()?.is_some())).unwrap();
        self.process.ended().unwrap().unwrap().code()
    }
}

/// Runs a program that should end by itself.
pub fn finish(command: &mut Command) -> Output {
    // A program that should end and does not is ended here, and what it said tells why.
    let mut limited = Command::new("timeout");
    limited
        .arg(LIMIT.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    limited.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    limited.stdin(Stdio::null()).output().unwrap()
}

fn failure(output: &Output) -> (i32, String) {
    assert!(
        output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
