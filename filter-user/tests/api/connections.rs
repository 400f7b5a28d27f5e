//! Connections: clients that half-close, that send half a request, that do not read, and that are
//! too many.

use std::{
    io,
    time::{Duration, Instant},
};

use filter_api::{client::ClientError, error::ErrorCode, events::EventLine, questions::Question};
use filter_user::server::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{sleep, timeout},
};

use super::{Server, packet, sentence};

const TEST: &str = "GET /v1/test?name=ads.example.com HTTP/1.1\r\nhost: x\r\n\r\n";

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_client_that_sends_no_more_gets_its_answer() {
    let server = Server::start(&["ads.example.com"]);
    let mut stream = server.connect().await;
    stream.write_all(TEST.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"verdict\":\"drop\""), "{answer}");
    // So does one that waits before it half-closes, for an answer that comes only then.
    let mut reader = server.connect().await;
    reader
        .write_all(b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    wait_for_readers(&server, 1).await;
    reader.shutdown().await.unwrap();
    sleep(Duration::from_millis(50)).await;
    server.send(&EventLine::Blocked(Box::new(packet())));
    until(&mut reader, "x.ads.example.com").await;
}

#[tokio::test]
async fn a_client_that_is_gone_keeps_no_place() {
    let server = Server::start(&[]);
    let events = server.client.events().await.unwrap();
    wait_for_readers(&server, 1).await;
    drop(events);
    wait_for_readers(&server, 0).await;
}

#[tokio::test]
async fn half_a_request_is_closed_in_time_whichever_half_it_is() {
    let limits = Limits {
        header_time: Duration::from_millis(300),
        body_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::start_within(&[], limits);
    for half in ["", "GET /v1/te", "GET /v1/test HTTP/1.1\r\nhost:"] {
        let mut stream = server.connect().await;
        stream.write_all(half.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut stream).await, "", "{half}");
    }
    let mut stream = server.connect().await;
    let half = "POST /v1/reload HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{\"a";
    stream.write_all(half.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"timeout\""), "{answer}");
    // A connection without a request is closed as well, and one with a request before is no other.
    let mut stream = server.connect().await;
    stream.write_all(TEST.as_bytes()).await.unwrap();
    let since = Instant::now();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    assert!(since.elapsed() >= limits.header_time);
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection_and_http_1_0_is_closed() {
    let server = Server::start(&["ads.example.com"]);
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(TEST.as_bytes()).await.unwrap();
        until(&mut stream, "\"line\":1}").await;
    }
    let answer = server
        .raw("GET /v1/test?name=ads.example.com HTTP/1.0\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    let answer = server.raw("GET /v1/rules HTTP/1.0\r\n\r\n").await;
    assert!(answer.contains("\"rule\":\"ads.example.com\""), "{answer}");
    assert!(!answer.contains("chunked"), "{answer}");
}

#[tokio::test]
async fn head_options_and_expect_are_answered_as_clients_know_it() {
    let server = Server::start(&[]);
    let close = "host: x\r\nconnection: close\r\n";
    let head = server
        .raw(&format!(
            "HEAD /v1/test?name=a.example HTTP/1.1\r\n{close}\r\n"
        ))
        .await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let head = server
        .raw(&format!(
            "HEAD /v1/test?nam=a.example HTTP/1.1\r\n{close}\r\n"
        ))
        .await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let options = server
        .raw(&format!("OPTIONS /v1/test HTTP/1.1\r\n{close}\r\n"))
        .await;
    assert!(options.starts_with("HTTP/1.1 204 "), "{options}");
    assert!(options.contains("\r\nallow: GET,HEAD\r\n"), "{options}");
    let put = server
        .raw(&format!("PUT /v1/test HTTP/1.1\r\n{close}\r\n"))
        .await;
    assert!(put.starts_with("HTTP/1.1 405 "), "{put}");
    assert!(put.contains("\r\nallow: GET,HEAD\r\n"), "{put}");

    let mut stream = server.connect().await;
    let first = format!(
        "GET /v1/test HTTP/1.1\r\n{close}expect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    );
    stream.write_all(first.as_bytes()).await.unwrap();
    until(&mut stream, "HTTP/1.1 ").await;
}

#[tokio::test]
async fn a_body_that_is_expected_is_asked_for() {
    let server = Server::start(&[]);
    let mut stream = server.connect().await;
    let head = "DELETE /v1/reload HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    until(&mut stream, "HTTP/1.1 100 Continue\r\n").await;
    stream.write_all(b"{}").await.unwrap();
    until(&mut stream, "unexpected_body").await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_in_json() {
    let server = Server::start(&[]);
    let length = Limits::default().body_bytes + 1;
    let mut stream = server.connect().await;
    let head = format!("POST /v1/reload HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server may close before it has all.
    let _ = stream.write_all(&vec![b' '; length]).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"code\":\"body_too_long\""), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_and_what_is_too_long_for_it_is_refused() {
    let server = Server::start(&[]);
    let answer = server.raw("EHLO x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let long = "x".repeat(2 * Limits::default().buffer);
    let mut stream = server.connect().await;
    let head = format!("GET /v1 HTTP/1.1\r\nhost: x\r\nlong: {long}\r\n\r\n");
    // The server may close before it has all.
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(server.test("a.example").await.verdict, "pass");
}

#[tokio::test]
async fn beyond_the_connections_that_there_may_be_each_client_is_told_so() {
    let limits = Limits {
        connections: 3,
        header_time: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Server::start_within(&[], limits);
    let held = [
        server.connect().await,
        server.connect().await,
        server.connect().await,
    ];
    let refused = server.client.test(&Question::about("a.example")).await;
    let Err(ClientError::Refused(failure)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(failure.code, ErrorCode::TooManyConnections);
    assert_eq!(
        failure.message,
        "3 clients are connected, and no more may be at once: end one of them, or try again later"
    );
    drop(held);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(server.test("a.example").await.verdict, "pass");
}

#[tokio::test]
async fn beyond_the_readers_that_there_may_be_each_is_told_so_and_other_requests_are_answered() {
    let limits = Limits {
        event_readers: 2,
        ..Limits::default()
    };
    let server = Server::start_within(&[], limits);
    let one = server.client.events().await.unwrap();
    let _other = server.client.events().await.unwrap();
    assert_eq!(
        sentence(server.client.events().await),
        "2 clients read events, and no more may at once: end one of them"
    );
    assert_eq!(server.test("a.example").await.verdict, "pass");
    drop(one);
    wait_for_readers(&server, 1).await;
    assert!(server.client.events().await.is_ok());
}

#[tokio::test]
async fn readers_that_do_not_read_take_little_memory_and_hold_nobody_up() {
    let limits = Limits {
        event_readers: 100,
        connections: 300,
        ..Limits::default()
    };
    let names: Vec<String> = (0..20_000)
        .map(|i| format!("host-{i}.example.com"))
        .collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let server = Server::start_within(&names, limits);
    let before = resident_kilobytes();
    let mut unread = Vec::new();
    for request in ["/v1/events", "/v1/rules"] {
        for _ in 0..100 {
            let mut stream = server.connect().await;
            let head = format!("GET {request} HTTP/1.1\r\nhost: x\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            unread.push(stream);
        }
    }
    wait_for_readers(&server, 100).await;
    for round in 0..20_000 {
        server.send(&EventLine::Blocked(Box::new(packet())));
        if round % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(server.test("host-1.example.com").await.verdict, "drop");
    let taken = resident_kilobytes() - before;
    assert!(taken < 200 * 256, "{taken} kB");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed_in_time() {
    let limits = Limits {
        stall: Duration::from_millis(300),
        ..Limits::default()
    };
    let names: Vec<String> = (0..20_000)
        .map(|i| format!("host-{i}.example.com"))
        .collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let server = Server::start_within(&names, limits);
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /v1/rules HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_secs(2)).await;
    let answer = rest(&mut stream).await;
    assert!(!answer.ends_with("0\r\n\r\n"), "all came");
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// All that comes until the server closes.
async fn rest(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    match read.expect("the server closes the connection") {
        Ok(_) => {}
        // It did not read all that was sent.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until this comes.
async fn until(stream: &mut UnixStream, text: &str) {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(text) {
        let read = timeout(PATIENCE, stream.read_buf(&mut bytes)).await;
        let got = String::from_utf8_lossy(&bytes).into_owned();
        assert!(read.expect(&got).unwrap() > 0, "{got}");
    }
}

async fn wait_for_readers(server: &Server, number: usize) {
    timeout(PATIENCE, async {
        while server.events.receiver_count() != number {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the readers");
}

impl Server {
    async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).await.unwrap()
    }

    /// What comes for these bytes, until the server closes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }
}
