//! Nothing that the controller does holds up who only looks, nor the events.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use filter_core::HitLine;
use lab::GATEWAY_LAN;

use crate::home::{Home, LIMIT};

/// What an answer may take, of 99 in a hundred. A quiet host answers within a few milliseconds; one
/// whose CPUs run other tests, in builds that are not optimized, has a thread wait for longer than
/// the 100 ms that are wanted. While everything was behind one lock, these answers took as long as
/// what they waited for: seconds.
const BOUND: Duration = Duration::from_millis(250);

/// Readers of events that take nothing of what is sent to them.
const UNREAD: usize = 40;

#[test]
fn what_only_looks_is_answered_while_thousands_of_names_are_added_and_removed() {
    let home = Home::new(&["a.example", "b.a.example"]);
    let _controller = home.start(&["--iface", "lan", "--state", &home.path("state")]);
    let names: Vec<_> = (0..16_000)
        .map(|number| format!("n{number}.example"))
        .collect();
    let names = names.iter().map(|name| &**name);
    let add: Vec<_> = ["block", "add"].into_iter().chain(names.clone()).collect();
    let remove: Vec<_> = ["block", "remove", "a.example"]
        .into_iter()
        .chain(names)
        .collect();
    is_answered(&home, "16,000 names", || {
        let start = Instant::now();
        home.json(&add);
        println!("added in {:?}", start.elapsed());
        assert!(!home.asks("n15999.example"));
        home.json(&remove);
    });
    assert!(home.asks("n15999.example") && !home.asks("b.a.example"));
}

#[test]
fn what_only_looks_is_answered_while_policies_come_in_force_and_nobody_reads_events() {
    const RULES: u32 = 100_000;

    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let _unread: Vec<_> = (0..UNREAD)
        .map(|_| {
            let mut reader = UnixStream::connect(home.socket()).unwrap();
            reader
                .write_all(b"GET /v1/events HTTP/1.1\r\nhost: namegate\r\n\r\n")
                .unwrap();
            reader
        })
        .collect();
    is_answered(&home, "a large policy", || {
        for first in [0, RULES / 2] {
            let names = (first..first + RULES).map(|number| format!("n{number}.example\n"));
            fs::write(home.path("list"), names.collect::<String>()).unwrap();
            assert_eq!(home.json(&["reload"])["rules"], RULES);
        }
        home.json(&["rollback"]);
    });
    assert!(!home.asks("n7.example"));
}

#[test]
fn no_event_is_lost_while_policies_come_in_force() {
    const ASKED: usize = 2_000;

    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan", "--events-per-second", "100000"]);
    let events = home.tail("events");
    let others: Vec<_> = (0..30_000)
        .map(|number| format!("n{number}.example"))
        .collect();
    let others = others.join("\n");
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let socket = home
                .lab
                .client()
                .socket(|| std::net::UdpSocket::bind("0.0.0.0:0"))
                .unwrap();
            let query = frames::query("a.example");
            for _ in 0..ASKED {
                socket.send_to(&query, (GATEWAY_LAN.v4, 53)).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        for number in 0.. {
            let list = if number % 2 == 0 { &*others } else { "" };
            fs::write(home.path("list"), format!("a.example\n{list}")).unwrap();
            let list = home.path("list");
            home.json(&["reload", "--accept-shrink", &list]);
            if asking.is_finished() {
                break;
            }
        }
    });
    lab::wait_until("all events", LIMIT, || {
        Ok(events.said().lines().count() >= ASKED)
    })
    .unwrap();
    let status = home.json(&["status"])["events"].clone();
    assert_eq!(
        (&status["lost"], &status["suppressed"]),
        (&0.into(), &0.into())
    );
    assert_eq!(events.said().lines().count(), ASKED);
}

#[test]
fn hits_of_more_rules_than_the_kernel_has_places_for_are_counted() {
    /// More than there are places.
    const RULES: u32 = HitLine::LINES * HitLine::RULES + 10_000;

    let names: Vec<_> = (0..RULES)
        .map(|number| format!("n{number}.example"))
        .collect();
    let home = Home::new(&names.iter().map(|name| &**name).collect::<Vec<_>>());
    let _controller = home.start(&["--iface", "lan", "--events-per-second", "0"]);
    let socket = home
        .lab
        .client()
        .socket(|| std::net::UdpSocket::bind("0.0.0.0:0"))
        .unwrap();
    for (number, name) in names.iter().enumerate() {
        socket
            .send_to(&frames::query(name), (GATEWAY_LAN.v4, 53))
            .unwrap();
        if number % 32 == 0 {
            // A veth in generic mode drops what is beyond a thousand packets in its queue; and the
            // table is looked at ten times a second.
            thread::sleep(Duration::from_millis(3));
        }
    }
    let stats = || home.json(&["stats", "--all"]);
    lab::wait_until("all queries", LIMIT, || {
        Ok(stats()["counters"]["dns_blocked"] == RULES)
    })
    .unwrap();
    let stats = stats();
    assert_eq!(stats["counters"]["hits_lost"], 0);
    let rules = stats["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES as usize);
    assert!(rules.iter().all(|rule| rule["hits"] == 1));
}

/// Asks for this and that until the work is done: each is answered within the bound.
fn is_answered(home: &Home, what: &str, work: impl FnOnce()) {
    let socket = home.socket();
    let took = thread::scope(|scope| {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let asking = scope.spawn(move || {
            let mut took = Vec::new();
            let paths = [
                "status",
                "stats?top=10",
                "explain?name=a.example",
                "test?name=a.example",
            ];
            for path in paths.iter().cycle() {
                took.push(ask(&socket, path));
                let pause = is_done.recv_timeout(Duration::from_millis(5));
                if pause != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    break;
                }
            }
            took
        });
        work();
        drop(done);
        asking.join().unwrap()
    });
    let mut sorted = took;
    sorted.sort_unstable();
    let [median, most] = [50, 99].map(|percent| sorted[(sorted.len() - 1) * percent / 100]);
    println!(
        "{what}: {} answers, {median:?} in the median, {most:?} of 99 %",
        sorted.len()
    );
    assert!(
        sorted.len() > 50 && most < BOUND,
        "{what}: {most:?}, {sorted:?}"
    );
}

fn ask(socket: &Path, path: &str) -> Duration {
    let start = Instant::now();
    let mut stream = UnixStream::connect(socket).unwrap();
    let request = format!("GET /v1/{path} HTTP/1.1\r\nhost: namegate\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    start.elapsed()
}
