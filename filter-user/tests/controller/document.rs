//! The controller against its OpenAPI document, by an outside tool that makes requests from it.

use std::{
    fs, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use lab::SCHEMATHESIS;

use crate::home::{Home, finish};

const API: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// What it may take, and where it looks less closely.
const CONFIGURATION: &str = r#"
# A text may be no DNS name, a suffix without `force`, or the hash of another; there may be nothing to roll back to.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 409, 422]
"#;

#[test]
fn the_controller_is_as_its_document_says() {
    let home = Home::new(&["a.example", "ads.example.net"]);
    let state = home.path("state");
    let controller = home.start(&["--iface", "lan", "--state", &state]);
    let bridge = Bridge::start(home.socket());
    let (is_as_said, said) = bridge.compare(Path::new(DOCUMENT), &["--exclude-path", "/v1/events"]);
    assert!(is_as_said, "{said}");
    // It has asked for all requests but the one whose answer has no end.
    let operations = filter_api::routes::ROUTES.len() - 1;
    let words: Vec<_> = said.split_whitespace().collect();
    let selected = format!("Operations: {operations} selected");
    assert!(words.join(" ").contains(&selected), "{said}");
    assert_eq!(home.json(&["test", "a.example"])["verdict"], "drop");
    let words = controller.said();
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
fn a_document_that_says_something_else_is_noticed() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let bridge = Bridge::start(home.socket());
    let document = fs::read_to_string(DOCUMENT).unwrap();
    for (path, written, instead) in [
        ("/v1/status", "\"uptime_seconds\"", "\"uptime_minutes\""),
        ("/v1/test", "\"missing_parameter\"", "\"missing\""),
    ] {
        assert!(document.contains(written));
        let altered = home.path("openapi.json");
        fs::write(&altered, document.replace(written, instead)).unwrap();
        let only = ["--include-path", path];
        let (is_as_said, said) = bridge.compare(Path::new(&altered), &only);
        assert!(!is_as_said, "{said}");
    }
}

#[test]
fn the_example_in_python_prints_what_the_document_says() {
    let text = fs::read_to_string(API).unwrap();
    let block = |language: &str| {
        let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", &block("python")]).arg(home.socket());
    let output = finish(&mut python);
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(String::from_utf8(said).unwrap(), block("text"));
    assert_eq!(output.status.code(), Some(1));
}

/// What `cargo xtask setup` made.
fn tool() -> PathBuf {
    let tool = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(SCHEMATHESIS)
        .join("bin/st");
    assert!(
        tool.exists(),
        "there is no {}: run `cargo xtask setup`",
        tool.display()
    );
    tool
}

/// Has the tool, which knows TCP alone, reach the socket.
struct Bridge {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Bridge {
    fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let accepting = thread::spawn({
            let ended = ended.clone();
            move || {
                for stream in listener.incoming() {
                    if ended.load(Ordering::Relaxed) {
                        return;
                    }
                    let there = UnixStream::connect(&socket).unwrap();
                    connect(stream.unwrap(), there);
                }
            }
        });
        Self {
            address,
            ended,
            accepting: Some(accepting),
        }
    }
}

impl Bridge {
    /// Has the tool make requests from a document. True if each answer was as it says; and what
    /// the tool said.
    fn compare(&self, document: &Path, of: &[&str]) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("schemathesis.toml"), CONFIGURATION).unwrap();
        let mut tool = Command::new(tool());
        tool.current_dir(folder.path()).arg("run").arg(document);
        tool.args(["--url", &format!("http://{}", self.address)])
            .args(["--checks", "all", "--phases", "examples,coverage,fuzzing"])
            .args(["--max-examples", "100", "--seed", "20261130"])
            .args(["--request-timeout", "20", "--workers", "1"])
            .args(of)
            .env("NO_COLOR", "1");
        let output = tool.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

/// Copies both directions, each until its sender has no more to send.
fn connect(here: TcpStream, there: UnixStream) {
    let (mut from, mut to) = (here.try_clone().unwrap(), there.try_clone().unwrap());
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let (mut from, mut to) = (there, here);
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
