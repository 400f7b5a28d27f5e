//! Asking a resolver for many names.

use std::{
    collections::HashMap,
    io,
    net::UdpSocket,
    time::{Duration, Instant},
};

use filter_lists::Domain;
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use lab::SERVER;

/// Questions that wait for their answers at once.
const IN_FLIGHT: usize = 200;
/// After so long, a question is asked again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a name is asked for at most.
const TRIES: u32 = 10;
/// Octets of an answer, over UDP without EDNS (RFC 1035, section 2.3.4).
const LARGEST: usize = 512;

/// What a resolver does with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It gives the answer of the server that it asks.
    Passes,
    /// It says that the name is not there, refuses, or gives another answer.
    Blocks,
}

/// True if an answer comes, whatever it says.
pub fn answers(socket: &UdpSocket) -> bool {
    let asked = query(0, "namegate.example");
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("a timeout");
    socket.send(&asked).is_ok() && socket.recv(&mut [0; LARGEST]).is_ok()
}

/// What becomes of these names, in their order.
pub fn verdicts(socket: &UdpSocket, names: &[Domain]) -> Vec<Verdict> {
    let mut asking = Asking {
        socket,
        names,
        waiting: HashMap::new(),
        verdicts: vec![None; names.len()],
    };
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut next = 0;
    while next < names.len() || !asking.waiting.is_empty() {
        // The identifiers come round, and one may be waiting still.
        while next < names.len()
            && asking.waiting.len() < IN_FLIGHT
            && !asking.waiting.contains_key(&(next as u16))
        {
            asking.ask(next, 1);
            next += 1;
        }
        if !asking.take_answer() {
            asking.ask_again();
        }
    }
    asking
        .verdicts
        .into_iter()
        .map(|verdict| verdict.expect("each name has its answer"))
        .collect()
}

struct Asking<'a> {
    socket: &'a UdpSocket,
    names: &'a [Domain],
    waiting: HashMap<u16, Waiting>,
    verdicts: Vec<Option<Verdict>>,
}

/// A question that was asked.
#[derive(Clone, Copy)]
struct Waiting {
    name: usize,
    tries: u32,
    since: Instant,
}

impl Asking<'_> {
    fn ask(&mut self, name: usize, tries: u32) {
        let text = self.names[name].as_str();
        assert!(
            tries <= TRIES,
            "no answer for {text} after {TRIES} questions"
        );
        let id = name as u16;
        self.socket
            .send(&query(id, text))
            .expect("the resolver listens");
        self.waiting.insert(
            id,
            Waiting {
                name,
                tries,
                since: Instant::now(),
            },
        );
    }

    fn ask_again(&mut self) {
        let late: Vec<_> = self
            .waiting
            .values()
            .filter(|waiting| waiting.since.elapsed() >= PATIENCE)
            .copied()
            .collect();
        for Waiting { name, tries, .. } in late {
            self.ask(name, tries + 1);
        }
    }

    /// False if none comes in time.
    fn take_answer(&mut self) -> bool {
        let mut answer = [0; LARGEST];
        let length = match self.socket.recv(&mut answer) {
            Ok(length) => length,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                return false;
            }
            Err(error) => panic!("the resolver answers no more: {error}"),
        };
        let answer = Message::from_vec(&answer[..length]).expect("an answer");
        let Some(Waiting { name, .. }) = self.waiting.get(&answer.metadata.id).copied() else {
            return true;
        };
        let of = answer.queries.first().map(|query| query.name().to_ascii());
        if of.is_some_and(|of| of.trim_end_matches('.') == self.names[name].as_str()) {
            self.waiting.remove(&answer.metadata.id);
            self.verdicts[name] = Some(verdict(&answer, &self.names[name]));
        }
        true
    }
}

fn verdict(answer: &Message, name: &Domain) -> Verdict {
    let code = answer.metadata.response_code;
    let tells = matches!(
        code,
        ResponseCode::NoError | ResponseCode::NXDomain | ResponseCode::Refused
    );
    assert!(tells, "for {name} the resolver says {code}");
    // Its own, and not that of another name which the resolver has put in its place.
    let asked = answer.queries.first().map(Query::name);
    let is_the_servers = |data: &RData| matches!(data, RData::A(address) if address.0 == SERVER.v4);
    let passes = answer
        .answers
        .iter()
        .any(|record| Some(&record.name) == asked && is_the_servers(&record.data));
    if passes {
        Verdict::Passes
    } else {
        Verdict::Blocks
    }
}

fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(
        Name::from_ascii(name).expect("a name"),
        RecordType::A,
    ));
    message.to_vec().expect("a message")
}
