//! DNS messages, written and read by hickory-proto.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, Result, bail};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder, BinEncodable as _};

/// There is such a name (RFC 1035 §4.1.1).
pub const NO_ERROR: u16 = 0;
/// There is no such name.
pub const NXDOMAIN: u16 = 3;
/// The addresses that the lab's server answers with.
pub const ADDRESSES: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(203, 0, 113, 53),
    Ipv6Addr::new(0x2001, 0xdb8, 53, 0, 0, 0, 0, 53),
);

/// Extended DNS Error (RFC 8914 §5.2).
const EXTENDED_ERROR: u16 = 15;
/// Padding (RFC 7830 §3).
const PADDING: u16 = 12;
/// Octets of a padding option's code and length.
const OPTION_HEADER: usize = 4;

/// A query for a name's IPv4 address, with EDNS and recursion desired.
pub fn query(id: u16, name: &str) -> Result<Vec<u8>> {
    bytes(&query_message(id, name, None)?)
}

/// The same with an EDNS padding option that makes the message this long, if it is not longer
/// without.
pub fn padded_query(id: u16, name: &str, len: usize) -> Result<Vec<u8>> {
    let bare = query(id, name)?.len();
    match len.checked_sub(bare + OPTION_HEADER) {
        Some(padding) => bytes(&query_message(id, name, Some(padding))?),
        None => query(id, name),
    }
}

fn query_message(id: u16, name: &str, padding: Option<usize>) -> Result<Message> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name)?, RecordType::A));
    message.metadata.recursion_desired = true;
    let mut edns = Edns::new();
    edns.set_max_payload(u16::MAX);
    if let Some(octets) = padding {
        edns.options_mut()
            .insert(EdnsOption::Unknown(PADDING, vec![0; octets]));
    }
    message.set_edns(edns);
    Ok(message)
}

/// What the lab's server answers: [`ADDRESSES`] for any name.
pub fn answer_to(query: &[u8]) -> Result<Vec<u8>> {
    let (mut response, question) = response_to(query)?;
    let data = match question.query_type() {
        RecordType::AAAA => RData::AAAA(AAAA(ADDRESSES.1)),
        _ => RData::A(A(ADDRESSES.0)),
    };
    response.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    bytes(&response)
}

/// An answer that says that the name is an alias of another, which has a text that makes the
/// message about this long.
pub fn alias_to(query: &[u8], target: &str, len: usize) -> Result<Vec<u8>> {
    /// Octets of the record around a text with a compressed name, and of one of its strings.
    const RECORD: usize = 12;
    const STRING: usize = 200;

    let (mut response, question) = response_to(query)?;
    let target = Name::from_ascii(target)?;
    response.add_answer(Record::from_rdata(
        question.name().clone(),
        60,
        RData::CNAME(CNAME(target.clone())),
    ));
    let missing = len.saturating_sub(bytes(&response)?.len() + RECORD);
    let strings = vec!["t".repeat(STRING); missing / (1 + STRING)];
    if !strings.is_empty() {
        response.add_answer(Record::from_rdata(
            target,
            60,
            RData::TXT(TXT::new(strings)),
        ));
    }
    bytes(&response)
}

fn response_to(query: &[u8]) -> Result<(Message, Query)> {
    let query = Message::from_bytes(query).context("the query is no DNS message")?;
    let question = query
        .queries
        .first()
        .context("the query has no question")?
        .clone();
    let mut response = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    response.metadata.recursion_desired = query.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    response.add_query(question.clone());
    Ok((response, question))
}

/// The name that a message asks for, without the dot at its end.
pub fn question(message: &[u8]) -> Result<String> {
    let message = Message::from_bytes(message).context("no DNS message")?;
    let question = message.queries.first().context("no question")?;
    Ok(question.name().to_ascii().trim_end_matches('.').to_owned())
}

/// What a response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its identifier.
    pub id: u16,
    /// Its code.
    pub code: u16,
    /// The code and the text of an Extended DNS Error.
    pub extended_error: Option<(u16, String)>,
    /// The addresses.
    pub addresses: Vec<IpAddr>,
}

impl Answer {
    /// Reads a response; octets behind it are an error.
    pub fn read(message: &[u8]) -> Result<Self> {
        let mut decoder = BinDecoder::new(message);
        let response = Message::read(&mut decoder).context("the answer is no DNS message")?;
        if !decoder.is_empty() {
            bail!("{} octets follow the answer", decoder.len());
        }
        if response.metadata.message_type != MessageType::Response {
            bail!("the answer is a query");
        }
        let addresses = response
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::A(A(address)) => Some(IpAddr::from(*address)),
                RData::AAAA(AAAA(address)) => Some(IpAddr::from(*address)),
                _ => None,
            });
        Ok(Self {
            id: response.metadata.id,
            code: response.metadata.response_code.into(),
            extended_error: extended_error(&response),
            addresses: addresses.collect(),
        })
    }

    /// True if the lab's server sent it.
    pub fn is_by_server(&self) -> bool {
        self.code == NO_ERROR && self.addresses == [IpAddr::from(ADDRESSES.0)]
    }
}

fn extended_error(response: &Message) -> Option<(u16, String)> {
    let edns = response.edns.as_ref()?;
    let EdnsOption::Unknown(_, octets) = edns.option(EdnsCode::from(EXTENDED_ERROR))? else {
        return None;
    };
    let (code, text) = octets.split_at_checked(2)?;
    Some((
        u16::from_be_bytes([code[0], code[1]]),
        String::from_utf8_lossy(text).into_owned(),
    ))
}

/// A message behind its length, as TCP carries it (RFC 1035 §4.2.2).
pub fn framed(message: &[u8]) -> Result<Vec<u8>> {
    let len =
        u16::try_from(message.len()).context("a DNS message over TCP has 65,535 octets at most")?;
    Ok([&len.to_be_bytes(), message].concat())
}

fn bytes(message: &Message) -> Result<Vec<u8>> {
    message
        .to_bytes()
        .context("a DNS message that cannot be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_answers_the_question() {
        let query = query(7, "www.example.org").unwrap();
        assert_eq!(question(&query).unwrap(), "www.example.org");
        let answer = Answer::read(&answer_to(&query).unwrap()).unwrap();
        assert!(answer.is_by_server());
        assert_eq!((answer.id, answer.extended_error), (7, None));
        assert!(Answer::read(&query).is_err(), "a query is no answer");
    }

    #[test]
    fn a_padded_query_is_as_long_as_asked_for() {
        for len in [100, 4_000, 60_000] {
            assert_eq!(padded_query(1, "blocked.example", len).unwrap().len(), len);
        }
        let bare = query(1, "blocked.example").unwrap();
        assert_eq!(
            padded_query(1, "blocked.example", bare.len()).unwrap(),
            bare
        );
    }

    #[test]
    fn an_alias_is_about_as_long_as_asked_for() {
        let query = query(1, "alias.example").unwrap();
        for len in [100, 4_000, 60_000] {
            let made = alias_to(&query, "blocked.example", len).unwrap().len();
            assert!(made.abs_diff(len) < 250, "{made} for {len}");
        }
    }

    #[test]
    fn an_extended_error_is_read() {
        let (mut response, _) = response_to(&query(1, "a.example").unwrap()).unwrap();
        let mut edns = Edns::new();
        edns.options_mut().insert(EdnsOption::Unknown(
            EXTENDED_ERROR,
            b"\x00\x0fList".to_vec(),
        ));
        response.set_edns(edns);
        let answer = Answer::read(&bytes(&response).unwrap()).unwrap();
        assert_eq!(answer.extended_error, Some((15, "List".to_owned())));
        assert!(!answer.is_by_server());
    }
}
