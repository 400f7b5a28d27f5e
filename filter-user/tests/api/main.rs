//! The API over a real Unix socket, as far as it needs no kernel: rules are read, names tested,
//! events passed on.

mod connections;
mod contract;
mod printing;

use std::{
    os::unix::net::UnixListener,
    path::PathBuf,
    sync::{Arc, RwLock},
};

use axum::{Router, body::Bytes};
use filter_api::{
    client::{Client, ClientError},
    events::{BlockedPacket, EventLine},
    questions::{ActionOn, Judgement, Question},
    rules::RuleSource,
};
use filter_core::{
    Actions, Directions, DnsAction, HASH_KEY_WORDS, HashKey, Interface, QuicAction, TcpAction,
};
use filter_lists::{Action, Domain};
use filter_policy::compiled::{CompiledPolicy, Policy};
use filter_user::{
    controller::{Interfaces, NamedInterface},
    kernel::Mode,
    server::{ApiSocket, Limits, event_routes, rule_routes, serve, with_checks},
};
use tempfile::TempDir;
use tokio::sync::broadcast;

#[tokio::test]
async fn a_name_is_judged_with_the_rule_and_where_it_came_from() {
    let server = Server::start(&["ads.example.com"]);
    let judged = server.test("X.Ads.Example.COM.").await;
    assert_eq!(
        (&*judged.name, &*judged.verdict),
        ("x.ads.example.com", "drop")
    );
    let on_lan = ActionOn {
        interface: "lan".into(),
        dns: "nxdomain".into(),
        tls: "reset".into(),
        quic: "close".into(),
    };
    assert_eq!(judged.actions, [on_lan]);
    assert_eq!(
        (judged.rule.as_deref(), judged.list.as_deref(), judged.line),
        (Some("ads.example.com"), Some("list"), Some(1))
    );
    assert_eq!(
        (judged.client, judged.group, judged.exempt),
        (None, None, false)
    );
    let passed = server.test("www.example.com").await;
    assert_eq!(passed.actions, []);
    assert_eq!(
        (&*passed.verdict, passed.rule, passed.list, passed.line),
        ("pass", None, None, None)
    );
}

#[tokio::test]
async fn an_international_name_is_judged_in_its_ascii_form() {
    let server = Server::start(&["xn--bcher-kva.example"]);
    assert_eq!(server.test("bücher.example").await.verdict, "drop");
    assert_eq!(server.test("bucher.example").await.verdict, "pass");
}

#[tokio::test]
async fn what_is_no_name_is_refused_with_a_sentence() {
    let server = Server::start(&[]);
    let answer = server
        .client
        .get::<Judgement>("/v1/test", &[("name", "a b\x1b")])
        .await;
    assert_eq!(
        sentence(answer),
        r"`a b\u{1b}` is no name: it has a character that no name has"
    );
    let answer = server.client.get::<Judgement>("/v1/test", &[]).await;
    assert_eq!(
        sentence(answer),
        "GET /v1/test lacks the parameter `name`: add it, with a DNS name"
    );
}

#[tokio::test]
async fn requests_that_nobody_knows_are_refused_with_a_sentence() {
    let server = Server::start(&[]);
    let answer = server.client.get::<Judgement>("/v1/none", &[]).await;
    assert_eq!(
        sentence(answer),
        "this API has no GET /v1/none: GET /v1 lists its requests"
    );
    let answer = server
        .client
        .send::<Judgement>(axum::http::Method::PUT, "/v1/test", &())
        .await;
    assert_eq!(
        sentence(answer),
        "/v1/test does not take PUT: GET /v1 lists the requests"
    );
}

#[tokio::test]
async fn all_rules_are_listed_those_added_by_hand_first() {
    let names: Vec<String> = (0..2500).map(|i| format!("host-{i}.example.com")).collect();
    let server = Server::start(&names.iter().map(String::as_str).collect::<Vec<_>>());
    server
        .policy
        .write()
        .unwrap()
        .compiled
        .add(Domain::parse("z.example.net").unwrap(), Action::Block)
        .unwrap();
    let rules = server.rules("").await;
    assert_eq!(
        (&*rules[0].rule, &*rules[0].list, rules[0].line),
        ("z.example.net", "manual", None)
    );
    // Those of lists come each once, and in the same order each time.
    let mut listed: Vec<_> = rules[1..]
        .iter()
        .map(|rule| (rule.line, &*rule.rule, &*rule.list))
        .collect();
    listed.sort_unstable();
    let expected: Vec<_> = (1..)
        .zip(&names)
        .map(|(line, name)| (Some(line), &**name, "list"))
        .collect();
    assert_eq!(listed, expected);
    let texts = |rules: &[RuleSource]| {
        rules
            .iter()
            .map(|rule| rule.rule.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(&server.rules("").await), texts(&rules));
}

#[tokio::test]
async fn rules_are_found_by_a_part_of_their_name() {
    let server = Server::start(&["ads.example.com", "b.example.com", "ads.example.net"]);
    let found =
        |rules: Vec<RuleSource>| rules.into_iter().map(|rule| rule.rule).collect::<Vec<_>>();
    assert_eq!(
        found(server.rules("ADS.").await),
        ["ads.example.com", "ads.example.net"]
    );
    assert_eq!(found(server.rules("c.d&e=f").await), [""; 0]);
}

#[tokio::test]
async fn an_event_reaches_everybody_who_reads() {
    let server = Server::start(&[]);
    let mut first = server.client.events().await.unwrap();
    let mut second = server.client.events().await.unwrap();
    let sent = EventLine::Blocked(Box::new(packet()));
    server.send(&sent);
    assert_eq!(first.next().await.unwrap(), Some(sent.clone()));
    assert_eq!(second.next().await.unwrap(), Some(sent));
}

#[tokio::test]
async fn a_reader_who_falls_behind_is_told_how_much_was_missed() {
    let server = Server::start(&[]);
    let mut events = server.client.events().await.unwrap();
    // No await in between: the server cannot pass anything on meanwhile.
    for _ in 0..BACKLOG + 6 {
        server.send(&EventLine::Blocked(Box::new(packet())));
    }
    assert_eq!(
        events.next().await.unwrap(),
        Some(EventLine::Missed { missed: 6 })
    );
    for _ in 0..BACKLOG {
        assert!(matches!(
            events.next().await.unwrap(),
            Some(EventLine::Blocked(_))
        ));
    }
}

#[tokio::test]
async fn without_a_controller_the_client_says_what_to_do() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("namegate.sock");
    let missing = Client::new(&path)
        .get::<Judgement>("/v1/status", &[])
        .await
        .unwrap_err();
    drop(UnixListener::bind(&path).unwrap());
    let dead = Client::new(&path)
        .get::<Judgement>("/v1/status", &[])
        .await
        .unwrap_err();
    for error in [missing, dead] {
        assert_eq!(
            error
                .to_string()
                .replace(&path.display().to_string(), "SOCKET"),
            "no controller answers on `SOCKET`: start one with `namegate run`, or name its socket with --socket"
        );
    }
}

const BACKLOG: usize = 4;

/// An interface with clients behind it.
fn lan() -> NamedInterface {
    let settings = Interface::new(Directions::Both).facing_clients(
        Actions::new(DnsAction::NxDomain, TcpAction::Reset).with_quic(QuicAction::Close),
    );
    NamedInterface::new("lan".into(), settings)
}

struct Server {
    client: Client,
    path: PathBuf,
    policy: Arc<RwLock<Policy>>,
    events: broadcast::Sender<Bytes>,
    _socket: ApiSocket,
    _dir: TempDir,
}

impl Server {
    fn start(names: &[&str]) -> Self {
        Self::start_within(names, Limits::default())
    }

    fn start_within(names: &[&str], limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let path: PathBuf = dir.path().join("namegate.sock");
        let socket = ApiSocket::claim(&path).unwrap();
        let policy = Arc::new(RwLock::new(Policy::of_policy(compile(names))));
        let events = broadcast::Sender::new(BACKLOG);
        let routes = Router::new()
            .merge(rule_routes(
                policy.clone(),
                Interfaces::new(vec![lan()], Mode::default()),
            ))
            .merge(event_routes(events.clone(), limits));
        let routes = with_checks(routes, limits);
        let listener = tokio::net::UnixListener::from_std(socket.listener().unwrap()).unwrap();
        tokio::spawn(async move { serve(&listener, routes, limits).await });
        Self {
            client: Client::new(&path),
            path,
            policy,
            events,
            _socket: socket,
            _dir: dir,
        }
    }

    async fn test(&self, name: &str) -> Judgement {
        self.client.test(&Question::about(name)).await.unwrap()
    }

    async fn rules(&self, contains: &str) -> Vec<RuleSource> {
        let mut lines = self.client.rules(Some(contains)).await.unwrap();
        let mut rules = Vec::new();
        while let Some(rule) = lines.next().await.unwrap() {
            rules.push(rule);
        }
        rules
    }

    fn send(&self, event: &EventLine) {
        let line = serde_json::to_string(event).unwrap() + "\n";
        self.events.send(line.into()).unwrap();
    }
}

fn compile(names: &[&str]) -> CompiledPolicy {
    let words = std::array::from_fn::<_, HASH_KEY_WORDS, _>(|i| {
        (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    CompiledPolicy::blocking_all(HashKey::from_words(words), "list", names.iter().copied()).unwrap()
}

fn packet() -> BlockedPacket {
    BlockedPacket {
        time: "2026-01-02T03:04:05.678Z".into(),
        interface: "lan".into(),
        client: "192.0.2.1".into(),
        client_port: 50_000,
        server: "192.0.2.53".into(),
        server_port: 53,
        protocol: "dns".into(),
        name: "x.ads.example.com".into(),
        question_type: Some("A".into()),
        vlans: vec![7],
        tunnel: None,
        rule: Some("ads.example.com".into()),
        list: Some("list".into()),
        line: Some(1),
        verdict: "drop".into(),
        action: "nxdomain".into(),
        unanswered: Some("unanswered_rate".into()),
        reason: "dns_blocked".into(),
    }
}

fn sentence<T>(answer: Result<T, ClientError>) -> String {
    match answer {
        Err(ClientError::Refused(failure)) => failure.message,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was answered"),
    }
}
