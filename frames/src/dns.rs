//! DNS messages.

use std::net::Ipv4Addr;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, CNAME, HTTPS, NS, NULL, SVCB, TXT, opt::EdnsOption},
    },
    serialize::binary::BinEncodable,
};

/// What a resource record says.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// An IPv4 address.
    Address,
    /// The name that this is an alias of.
    Cname(&'a str),
    /// The name that all below is an alias of (RFC 6672).
    Dname(&'a str),
    /// `SvcPriority` and `TargetName` (RFC 9460).
    Svcb(u16, &'a str),
    /// The same for HTTPS.
    Https(u16, &'a str),
    /// A name server.
    Ns(&'a str),
    /// So many strings of 200 octets.
    Text(usize),
    /// These octets, under this number of a type.
    Other(u16, &'a [u8]),
}

/// The records of a response, each with its owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sections<'a> {
    /// The answers.
    pub answers: &'a [(&'a str, Data<'a>)],
    /// The authority section.
    pub authorities: &'a [(&'a str, Data<'a>)],
    /// The additional section.
    pub additionals: &'a [(&'a str, Data<'a>)],
}

/// A query for the A record of a name, with EDNS.
///
/// # Panics
/// If the text is no name.
pub fn query(name: &str) -> Vec<u8> {
    query_of(&[name])
}

/// A query with this identifier, without EDNS.
///
/// # Panics
/// If the text is no name.
pub fn query_numbered(id: u16, name: &str) -> Vec<u8> {
    let mut query = Message::new(id, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(dns_name(name), RecordType::A));
    bytes(&query)
}

/// The same without EDNS, as resolvers of before RFC 6891 ask.
///
/// # Panics
/// If the text is no name.
pub fn query_without_edns(name: &str) -> Vec<u8> {
    bytes(&message(MessageType::Query, OpCode::Query, &[name]))
}

/// How somebody asks.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The name, as it goes over the wire.
    pub name: &'a str,
    /// The type of its records.
    pub kind: u16,
    /// Whether checking is disabled (RFC 4035 §3.2.2).
    pub checking_disabled: bool,
    /// EDNS version, and whether DNSSEC is understood (RFC 6891 §6.1.3); `None` without EDNS.
    pub edns: Option<(u8, bool)>,
    /// An EDNS option: its code, and as many octets of its own place each.
    pub option: Option<(u16, u8)>,
}

impl<'a> Asking<'a> {
    /// For the A record of a name, with EDNS.
    pub fn of(name: &'a str) -> Self {
        Self {
            name,
            kind: 1,
            checking_disabled: false,
            edns: Some((0, false)),
            option: None,
        }
    }

    /// The query, with recursion desired.
    ///
    /// # Panics
    /// If the text is no name.
    pub fn query(&self) -> Vec<u8> {
        let mut query = Message::new(0x1234, MessageType::Query, OpCode::Query);
        let name = Name::from_ascii(self.name).expect("a name");
        query.add_query(Query::query(name, RecordType::from(self.kind)));
        query.metadata.recursion_desired = true;
        query.metadata.checking_disabled = self.checking_disabled;
        if let Some((version, dnssec)) = self.edns {
            let mut edns = Edns::new();
            edns.set_version(version)
                .set_dnssec_ok(dnssec)
                .set_max_payload(1232);
            if let Some((code, octets)) = self.option {
                edns.options_mut()
                    .insert(EdnsOption::Unknown(code, (0..octets).collect()));
            }
            query.set_edns(edns);
        }
        bytes(&query)
    }
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

/// A response to these questions, with these answers. Names are compressed as hickory-proto does
/// it.
///
/// # Panics
/// If a text is no name.
pub fn response_of(questions: &[&str], answers: &[(&str, Data)]) -> Vec<u8> {
    response_with(
        questions,
        &Sections {
            answers,
            ..Sections::default()
        },
    )
}

/// The same with records in all sections.
///
/// # Panics
/// If a text is no name.
pub fn response_with(questions: &[&str], sections: &Sections) -> Vec<u8> {
    let mut message = message(MessageType::Response, OpCode::Query, questions);
    message.add_answers(sections.answers.iter().map(record));
    message.add_authorities(sections.authorities.iter().map(record));
    message.add_additionals(sections.additionals.iter().map(record));
    bytes(&message)
}

/// The message behind its length, as it is sent over TCP (RFC 1035 §4.2.2).
///
/// # Panics
/// If it is longer than TCP carries.
pub fn over_tcp(message: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(message.len())
            .expect("a length of two octets")
            .to_be_bytes(),
        message,
    ]
    .concat()
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
        message.add_query(Query::query(dns_name(name), RecordType::A));
    }
    message
}

fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().expect("a message")
}

fn record((owner, data): &(&str, Data)) -> Record {
    let data = match *data {
        Data::Address => RData::A(A(Ipv4Addr::new(192, 0, 2, 9))),
        Data::Cname(target) => RData::CNAME(CNAME(dns_name(target))),
        // hickory-proto knows the number of DNAME, and how names are written.
        Data::Dname(target) => {
            let target = dns_name(target).to_bytes().expect("a name");
            RData::Unknown {
                code: RecordType::DNAME,
                rdata: NULL::with(target),
            }
        }
        Data::Svcb(priority, target) => {
            RData::SVCB(SVCB::new(priority, dns_name(target), Vec::new()))
        }
        Data::Https(priority, target) => {
            RData::HTTPS(HTTPS(SVCB::new(priority, dns_name(target), Vec::new())))
        }
        Data::Ns(server) => RData::NS(NS(dns_name(server))),
        Data::Other(kind, octets) => RData::Unknown {
            code: RecordType::from(kind),
            rdata: NULL::with(octets.to_vec()),
        },
        Data::Text(strings) => RData::TXT(TXT::new(vec!["t".repeat(200); strings])),
    };
    Record::from_rdata(dns_name(owner), 300, data)
}

fn dns_name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}
