//! A lab with servers, and the controller in its gateway.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    process::{Command, Stdio},
    time::Duration,
};

use lab::{DnsServer, Family, Lab, Options, Process, SERVER, TlsServer, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub const NAMEGATE: &str = env!("CARGO_BIN_EXE_namegate");
/// The one rule.
pub const LISTED: &str = "ads.example.com";
/// Its neighbour.
pub const OTHER: &str = "web.example.com";
const LIMIT: Duration = Duration::from_secs(30);

/// Nobody hears of what is blocked.
pub const SILENT: [&str; 4] = ["--action", "drop", "--tcp", "drop"];

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Dig,
    DigTcp,
    Curl,
    OpenSsl,
}

impl Program {
    pub const ALL: [Self; 3] = [Self::Dig, Self::Curl, Self::OpenSsl];
}

/// Fields are dropped in their order: what runs in the lab before the lab.
pub struct Network {
    controller: Option<Process>,
    servers: Option<(DnsServer, TlsServer)>,
    pub lab: Lab,
}

impl Network {
    /// The lab with its servers, and no filter.
    pub fn new(options: &Options) -> Self {
        let mut network = Self::without_servers(options);
        let server = network.lab.server();
        network.servers = Some((
            DnsServer::start(server).unwrap(),
            TlsServer::start(server).unwrap(),
        ));
        // Wires that are new carry nothing in their first second now and then.
        for family in Family::ALL {
            wait_until("the first answer", LIMIT, || {
                Ok(!network.is_silent(Program::Dig, family, OTHER))
            })
            .unwrap();
        }
        network
    }

    /// The lab, and neither servers nor filter.
    pub fn without_servers(options: &Options) -> Self {
        Self {
            controller: None,
            servers: None,
            lab: Lab::new(options).unwrap(),
        }
    }

    /// Starts the controller on the gateway's interface to the client, where nobody hears of what
    /// is blocked, and waits until it filters in this mode.
    pub fn filter(&mut self, mode: &str) {
        self.filter_on("lan", mode, &SILENT);
    }

    /// The same on another interface, with these arguments, in place of the controller before.
    pub fn filter_on(&mut self, interface: &str, mode: &str, further: &[&str]) {
        self.controller = None;
        let (list, log) = (self.path("list"), self.path("log"));
        fs::write(&list, format!("{LISTED}\n")).unwrap();
        let log_file = File::create(&log).unwrap();
        let mut command = self.lab.gateway().command(NAMEGATE);
        command.args([
            "run",
            "--iface",
            interface,
            "--mode",
            mode,
            "--subtrees",
            "--list",
            &list,
            "--socket",
            &self.path("socket"),
            "--without-controller",
            "pass",
        ]);
        command.args(further);
        command
            .stdin(Stdio::null())
            .stdout(log_file.try_clone().unwrap())
            .stderr(log_file);
        let mut process = Process::spawn(&mut command).unwrap();
        wait_until("the controller to answer", LIMIT, || {
            assert!(process.ended()?.is_none(), "{}", fs::read_to_string(&log)?);
            Ok(self.verb("status").is_some())
        })
        .unwrap();
        self.controller = Some(process);
        assert_eq!(self.verb("status").unwrap()["interfaces"][0]["mode"], mode);
    }

    /// Ends the controller by this signal.
    pub fn end(&mut self, signal: Signal) {
        let mut process = self.controller.take().unwrap();
        kill_process(Pid::from_raw(process.id().cast_signed()).unwrap(), signal).unwrap();
        wait_until("the controller to end", LIMIT, || {
            Ok(process.ended()?.is_some())
        })
        .unwrap();
    }

    /// True if the gateway's interface to the client has an XDP program.
    pub fn is_attached(&self) -> bool {
        self.lab
            .gateway()
            .output("ip", &["link", "show", "dev", "lan"])
            .unwrap()
            .contains("xdp")
    }

    /// What the controller said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// True if the client gets an answer.
    pub fn answers(&self, program: Program, family: Family, name: &str) -> bool {
        self.answers_within(10, program, family, name)
    }

    /// True if the client gives up without an answer.
    pub fn is_silent(&self, program: Program, family: Family, name: &str) -> bool {
        !self.answers_within(1, program, family, name)
    }

    fn answers_within(&self, seconds: u32, program: Program, family: Family, name: &str) -> bool {
        let server = match family {
            Family::V4 => SERVER.v4.to_string(),
            Family::V6 => format!("[{}]", SERVER.v6),
        };
        let mut command = self.lab.client().command("timeout");
        command.arg(seconds.to_string());
        match program {
            Program::Dig | Program::DigTcp => command
                .args([
                    "dig",
                    if program == Program::DigTcp {
                        "+tcp"
                    } else {
                        "+notcp"
                    },
                ])
                .args(["+short", "+tries=1", &format!("+time={seconds}")])
                .args([&format!("@{}", SERVER.of(family)), name]),
            Program::Curl => command.args([
                "curl",
                "-sk",
                "--resolve",
                &format!("{name}:443:{server}"),
                &format!("https://{name}/"),
            ]),
            Program::OpenSsl => {
                let args = [
                    "openssl",
                    "s_client",
                    "-brief",
                    "-servername",
                    name,
                    "-connect",
                    &format!("{server}:443"),
                ];
                command.args(args)
            }
        };
        command
            .stdin(Stdio::null())
            .output()
            .unwrap()
            .status
            .success()
    }

    /// The counters of names, without those that are zero.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let stats = self.verb("stats").expect("a controller that answers");
        let counters = stats["counters"].as_object().unwrap().iter();
        let counters = counters.map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
        counters
            .filter(|(name, count)| {
                *count > 0 && (name.starts_with("dns_") || name.starts_with("tls_"))
            })
            .collect()
    }

    pub fn verb(&self, verb: &str) -> Option<Value> {
        let mut command = Command::new(NAMEGATE);
        let output = command
            .args([verb, "--json", "--socket", &self.path("socket")])
            .output()
            .unwrap();
        output
            .status
            .success()
            .then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.directory().join(name).to_str().unwrap().to_owned()
    }
}
