//! The controller as people run it, in network namespaces of its own: what it does, and what it says to bad input.
//! Whatever fails leaves nothing attached.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use lab::{GATEWAY_LAN, Lab, Options, Process, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const NAMEGATE: &str = env!("CARGO_BIN_EXE_namegate");

#[test]
fn it_filters_from_its_start_until_sigterm() {
    ends_by(Signal::TERM, "told to end: detached from lan, nothing is filtered any more\n");
}

#[test]
fn it_filters_from_its_start_until_ctrl_c() {
    ends_by(Signal::INT, "interrupted: detached from lan, nothing is filtered any more\n");
}

fn ends_by(signal: Signal, words: &str) {
    let home = Home::new(&["ads.example.com"]);
    let mut controller = home.start(&["--iface", "lan"]);
    assert!(home.is_attached("lan") && !home.is_attached("wan"));
    assert_eq!(controller.signal(signal), Some(0));
    assert!(controller.said().ends_with(words), "{}", controller.said());
    assert!(!home.is_attached("lan") && !home.socket().exists());
}

#[test]
fn a_killed_controller_leaves_nothing_attached_and_the_next_takes_its_socket() {
    let home = Home::new(&["ads.example.com"]);
    let controller = home.start(&["--iface", "lan"]);
    controller.process.kill().unwrap();
    wait_until("the kernel to detach", LIMIT, || Ok(!home.is_attached("lan"))).unwrap();
    assert!(home.socket().exists());
    let _next = home.start(&["--iface", "lan"]);
    assert!(home.is_attached("lan"));
}

#[test]
fn status_tells_interfaces_rules_and_memory() {
    let home = Home::new(&["ads.example.com", "ADS.example.com", "192.0.2.1"]);
    let _controller = home.start(&["--iface", "lan", "wan", "--mode", "generic", "--max-rules", "100"]);
    let status = home.json(&["status"]);
    let interfaces = status["interfaces"].as_array().unwrap();
    assert_eq!(interfaces.iter().map(|it| &it["name"]).collect::<Vec<_>>(), ["lan", "wan"]);
    assert!(interfaces.iter().all(|it| it["mode"] == "generic"));
    assert_eq!((&status["rules"]["total"], &status["rules"]["capacity"]), (&json!(1), &json!(100)));
    let list = &status["rules"]["lists"][0];
    assert_eq!((&list["rules"], &list["repeated"]), (&json!(1), &json!(1)));
    assert_eq!(list["unusable"], json!({"address": 1}));
    assert!(status["memory"]["kernel_bytes"].as_u64().unwrap() > 0);
    assert!(status["memory"]["controller_bytes"].as_u64().unwrap() > 0);
    assert_eq!(status["state"], Value::Null);
}

#[test]
fn a_name_that_is_added_is_blocked_at_once_counted_and_reported_until_it_is_removed() {
    let home = Home::new(&["listed.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let events = home.tail("events");
    assert!(home.asks("ads.example.com"), "it passes before");
    home.json(&["block", "add", "ads.example.com"]);
    assert!(!home.asks("x.ads.example.com"));
    assert!(home.asks("www.example.com"), "its neighbour passes");

    let stats = home.json(&["stats"]);
    assert_eq!(stats["counters"]["dns_blocked"], 1);
    assert_eq!(stats["rules"], json!([{"rule": "ads.example.com", "list": "manual", "line": null, "hits": 1}]));
    let event = events.first_line();
    for (field, value) in [
        ("name", "x.ads.example.com"),
        ("rule", "ads.example.com"),
        ("list", "manual"),
        ("protocol", "dns"),
        ("verdict", "drop"),
        ("reason", "dns_blocked"),
        ("interface", "lan"),
        ("client", &lab::CLIENT.v4.to_string()),
        ("server", &GATEWAY_LAN.v4.to_string()),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    assert_eq!(event["server_port"], 53);

    home.json(&["block", "remove", "ads.example.com"]);
    assert!(home.asks("ads.example.com"));
}

#[test]
fn of_several_names_all_are_added_or_none() {
    let home = Home::new(&["a.example", "b.example"]);
    let _controller = home.start(&["--iface", "lan", "--max-rules", "3"]);
    let (code, words) = home.fails(&["block", "add", "c.example", "d.example"]);
    assert_eq!((code, &*words), (1, "namegate: the rule map is full at 3 rules; start with a larger --max-rules\n"));
    let (_, words) = home.fails(&["block", "add", "c.example", "1.2.3.4"]);
    assert_eq!(words, "namegate: `1.2.3.4` cannot be a rule: it is an address, not a name; nothing was changed\n");
    assert_eq!(home.rules(), ["a.example", "b.example"]);
    home.json(&["block", "add", "c.example"]);
    assert_eq!(home.rules(), ["c.example", "a.example", "b.example"]);
}

#[test]
fn names_that_were_added_come_back_from_the_state_file_and_without_one_do_not() {
    let home = Home::new(&["a.example"]);
    let state = home.path("state");
    let with_state = ["--iface", "lan", "--state", &state];
    let mut controller = home.start(&with_state);
    assert_eq!(home.json(&["block", "add", "b.example", "c.example"])["kept"], true);
    home.json(&["block", "remove", "c.example"]);
    controller.signal(Signal::TERM);

    let mut controller = home.start(&with_state);
    assert_eq!(home.rules(), ["b.example", "a.example"]);
    controller.signal(Signal::TERM);

    let _controller = home.start(&["--iface", "lan"]);
    assert_eq!(home.rules(), ["a.example"]);
    assert_eq!(home.json(&["block", "add", "b.example"])["kept"], false);
}

#[test]
fn a_rule_of_a_list_that_is_removed_says_that_it_comes_back() {
    let home = Home::new(&["a.example", "b.a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let removed = home.json(&["block", "remove", "b.a.example"]);
    let result = &removed["results"][0];
    assert_eq!((&result["removed"], &result["until_restart"]["line"]), (&json!(true), &json!(2)));
    assert_eq!(result["still_blocked_by"]["rule"], "a.example");
    let (code, _) = home.fails(&["block", "remove", "b.a.example"]);
    assert_eq!(code, 1);
}

#[test]
fn test_tells_the_verdict_in_its_exit_code_only_if_asked_to() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let code = |args: &[&str]| home.verb(args).status.code();
    assert_eq!(code(&["test", "a.example"]), Some(0));
    assert_eq!(code(&["test", "--exit-code", "b.example", "a.example"]), Some(3));
    assert_eq!(code(&["test", "--exit-code", "b.example"]), Some(0));
}

#[test]
fn somebody_who_reads_events_does_not_keep_it_from_ending() {
    let home = Home::new(&["a.example"]);
    let mut controller = home.start(&["--iface", "lan"]);
    let mut events = home.tail("events");
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    wait_until("the reader to end", LIMIT, || Ok(events.process.ended()?.is_some())).unwrap();
    assert_eq!(events.process.ended().unwrap().unwrap().code(), Some(1));
}

#[test]
fn of_several_interfaces_all_are_attached_or_none() {
    let home = Home::new(&["a.example"]);
    let (code, words) = home.run_fails(&["--iface", "lan", "nosuch0"]);
    assert_eq!(code, 1);
    assert_eq!(words, "namegate: there is no interface `nosuch0`; `ip link` lists those there are\n");
    assert!(!home.is_attached("lan"));
}

#[test]
fn an_interface_that_has_an_xdp_program_is_left_to_it() {
    let home = Home::new(&["a.example"]);
    let _first = home.start(&["--iface", "lan"]);
    let id = home.json(&["status"])["program"]["id"].clone();
    let (code, words) = home.run_fails(&["--iface", "wan", "lan", "--socket", &home.path("other.sock")]);
    assert_eq!(code, 1);
    let begins = format!("namegate: `lan` already has an XDP program: id {id}, `namegate`; ");
    assert!(words.starts_with(&begins), "{words}");
    assert!(!home.is_attached("wan") && home.is_attached("lan"));
    assert_eq!(home.json(&["status"])["program"]["id"], id);
}

#[test]
fn a_list_that_cannot_be_used_ends_it_before_anything_is_attached() {
    let home = Home::new(&["a.example"]);
    fs::write(home.path("binary"), b"a.example\n\0\0").unwrap();
    fs::write(home.path("empty"), "127.0.0.1 localhost\n").unwrap();
    fs::create_dir(home.path("directory")).unwrap();
    for (list, words) in [
        ("missing", "there is no list `LIST`: check the path"),
        ("directory", "the list `LIST` is a directory: name the files in it one by one"),
        ("empty", "the list `LIST` has no name that can be blocked: it has only comments and local names"),
        (
            "binary",
            "the list `LIST` is not UTF-8 text (line 2 has a zero byte): name a hosts file or a list of names, \
             and convert UTF-16 with iconv",
        ),
    ] {
        let list = home.path(list);
        let (code, said) = home.run_fails(&["--iface", "lan", "--list", &list]);
        assert_eq!((code, said.replace(&list, "LIST")), (1, format!("namegate: {words}\n")));
    }
    assert!(!home.is_attached("lan") && !home.socket().exists());
}

#[test]
fn more_rules_than_asked_for_end_it() {
    let home = Home::new(&["a.example", "b.example"]);
    let (code, words) = home.run_fails(&["--iface", "lan", "--max-rules", "1"]);
    assert_eq!((code, &*words), (1, "namegate: the lists have 2 names and --max-rules is 1: raise it\n"));
    assert!(!home.is_attached("lan"));
}

#[test]
fn a_state_file_that_somebody_broke_ends_it() {
    let home = Home::new(&["a.example"]);
    let state = home.path("state");
    fs::write(&state, "b.example\nb/c\n").unwrap();
    let (code, words) = home.run_fails(&["--iface", "lan", "--state", &state]);
    let expected = "namegate: line 2 of the state file `STATE` is no rule: it has a character that no name has; \
                    correct it or take it out\n";
    assert_eq!((code, &*words.replace(&state, "STATE")), (1, expected));
    assert!(!home.is_attached("lan"));
}

#[test]
fn a_second_controller_on_the_same_socket_is_refused_and_the_first_goes_on() {
    let home = Home::new(&["a.example"]);
    let _first = home.start(&["--iface", "lan"]);
    let (code, words) = home.run_fails(&["--iface", "wan"]);
    assert_eq!(code, 1);
    assert!(words.starts_with("namegate: another controller answers on `"), "{words}");
    assert!(!home.is_attached("wan"));
    assert_eq!(home.json(&["status"])["interfaces"][0]["name"], "lan");
}

#[test]
fn without_capabilities_it_says_which_is_missing() {
    let home = Home::new(&["a.example"]);
    let mut command = home.lab.gateway().command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", NAMEGATE]);
    let output = finish(command.args(home.run_args(&["--iface", "lan"])));
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.starts_with("namegate: missing CAP_") && words.lines().count() == 1, "{words}");
    assert!(!home.is_attached("lan"));
}

#[test]
fn each_verb_says_when_no_controller_runs() {
    let home = Home::new(&["a.example"]);
    for verb in [
        &["status"][..],
        &["stats"],
        &["stats", "--watch"],
        &["test", "a.example"],
        &["events"],
        &["block", "list"],
        &["block", "add", "a.example"],
        &["block", "remove", "a.example"],
    ] {
        let (code, words) = home.fails(verb);
        let expected = format!(
            "namegate: no controller answers on `{}`: start one with `namegate run`, or name its socket with --socket\n",
            home.socket().display()
        );
        assert_eq!((code, words), (1, expected), "{verb:?}");
    }
}

#[test]
fn what_people_read_has_no_colours_in_a_pipe_and_the_rules_in_it() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    home.json(&["block", "add", "b.example"]);
    for (verb, words) in [
        (&["status"][..], "1 of 16,385"),
        (&["stats", "--all"], "dns_not_listed"),
        (&["test", "x.a.example"], "x.a.example  drop  rule a.example ("),
        (&["block", "list"], "b.example  added by hand\na.example  "),
    ] {
        let output = home.verb(verb);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(words) || words == "1 of 16,385" && text.contains("2 of 16,385"), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A gateway with a list, where controllers run.
struct Home {
    lab: Lab,
}

impl Home {
    fn new(names: &[&str]) -> Self {
        let home = Self { lab: Lab::new(&Options::default()).unwrap() };
        fs::write(home.path("list"), names.join("\n")).unwrap();
        home
    }

    fn path(&self, name: &str) -> String {
        self.lab.directory().join(name).to_str().unwrap().to_owned()
    }

    fn socket(&self) -> PathBuf {
        self.path("namegate.sock").into()
    }

    fn run_args(&self, args: &[&str]) -> Vec<String> {
        let mut all = vec!["run".to_owned()];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        for (option, file) in [("--list", "list"), ("--socket", "namegate.sock")] {
            if !args.contains(&option) {
                all.extend([option.to_owned(), self.path(file)]);
            }
        }
        all
    }

    /// Starts a controller and waits until it answers.
    fn start(&self, args: &[&str]) -> Running {
        let mut command = self.lab.gateway().command(NAMEGATE);
        let mut running = Running::spawn(command.args(self.run_args(args)), self.path("controller.log"));
        wait_until("the controller to answer", LIMIT, || {
            assert!(running.process.ended()?.is_none(), "{}", running.said());
            Ok(self.verb(&["status"]).status.success())
        })
        .unwrap();
        running
    }

    fn tail(&self, verb: &str) -> Running {
        let mut command = Command::new(NAMEGATE);
        let log = self.path(verb);
        let running = Running::spawn(command.args([verb, "--json", "--socket", &self.path("namegate.sock")]), log);
        wait_until("somebody to read events", LIMIT, || Ok(self.json(&["status"])["events"]["readers"] == 1)).unwrap();
        running
    }

    fn verb(&self, args: &[&str]) -> Output {
        finish(Command::new(NAMEGATE).args(args).env("NAMEGATE_SOCKET", self.socket()))
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.verb(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn rules(&self) -> Vec<String> {
        let output = self.verb(&["block", "list", "--json"]);
        let rules = String::from_utf8(output.stdout).unwrap();
        let rules = rules.lines().map(|rule| serde_json::from_str::<Value>(rule).unwrap());
        rules.map(|rule| rule["rule"].as_str().unwrap().to_owned()).collect()
    }

    /// Exit code and words of a verb that fails.
    fn fails(&self, args: &[&str]) -> (i32, String) {
        failure(&self.verb(args))
    }

    /// Exit code and words of a controller that does not start.
    fn run_fails(&self, args: &[&str]) -> (i32, String) {
        failure(&finish(self.lab.gateway().command(NAMEGATE).args(self.run_args(args))))
    }

    fn is_attached(&self, interface: &str) -> bool {
        let link = self.lab.gateway().output("ip", &["link", "show", "dev", interface]).unwrap();
        link.contains("xdp")
    }

    /// True if the question gets through to the gateway, where no server is: its kernel says so at once.
    fn asks(&self, name: &str) -> bool {
        let server = format!("@{}", GATEWAY_LAN.v4);
        let args = ["+tries=1", "+time=1", "+noedns", &server, name];
        let output = self.lab.client().command("dig").args(args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("connection refused")
    }
}

/// A program that goes on, with what it said.
struct Running {
    process: Process,
    log: PathBuf,
}

impl Running {
    fn spawn(command: &mut Command, log: String) -> Self {
        let file = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { process: Process::spawn(command).unwrap(), log: log.into() }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn first_line(&self) -> Value {
        wait_until("a line", LIMIT, || Ok(self.said().contains('\n'))).unwrap();
        serde_json::from_str(self.said().lines().next().unwrap()).unwrap()
    }

    /// Sends the signal; the exit code that follows.
    fn signal(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_raw(self.process.id().cast_signed()).unwrap(), signal).unwrap();
        wait_until("the end", LIMIT, || Ok(self.process.ended()?.is_some())).unwrap();
        self.process.ended().unwrap().unwrap().code()
    }
}

fn finish(command: &mut Command) -> Output {
    // A program that should end and does not is ended here, and what it said tells why.
    let mut limited = Command::new("timeout");
    limited.arg(LIMIT.as_secs().to_string()).arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(Stdio::null()).output().unwrap()
}

fn failure(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}
