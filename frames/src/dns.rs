//! DNS messages.

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{Name, RecordType},
};

/// A query for the A record of a name, with EDNS.
///
/// # Panics
/// If the text is no name.
pub fn query(name: &str) -> Vec<u8> {
    query_of(&[name])
}

/// The same without EDNS, as resolvers of before RFC 6891 ask.
///
/// # Panics
/// If the text is no name.
pub fn query_without_edns(name: &str) -> Vec<u8> {
    bytes(&message(MessageType::Query, OpCode::Query, &[name]))
}

/// A query with a question for each name.
///
/// # Panics
/// If a text is no name.
pub fn query_of(names: &[&str]) -> Vec<u8> {
    let mut message = message(MessageType::Query, OpCode::Query, names);
    message.set_edns(Edns::new());
    bytes(&message)
}

/// A response without answers.
///
/// # Panics
/// If the text is no name.
pub fn response(name: &str) -> Vec<u8> {
    bytes(&message(MessageType::Response, OpCode::Query, &[name]))
}

/// An UPDATE of a zone (RFC 2136), whose zone section looks like a question.
///
/// # Panics
/// If the text is no name.
pub fn update(zone: &str) -> Vec<u8> {
    bytes(&message(MessageType::Query, OpCode::Update, &[zone]))
}

fn message(kind: MessageType, operation: OpCode, names: &[&str]) -> Message {
    let mut message = Message::new(0x1234, kind, operation);
    for name in names {
        message.add_query(Query::query(Name::from_ascii(name).expect("a name"), RecordType::A));
    }
    message
}

fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().expect("a message")
}
