//! `ClientHello`s that rustls wrote, taken apart and put together in another way (RFC 8446 §4.1.2).

use crate::tls;

/// `ContentType` `handshake` and the version that rustls writes in the record of its first hello
/// (RFC 8446 §5.1).
const RECORD: [u8; 3] = [22, 3, 1];
/// `HandshakeType` `client_hello` (RFC 8446 §4).
const CLIENT_HELLO: u8 = 1;
const RECORD_AND_HANDSHAKE_HEADERS: usize = 5 + 4;
const VERSION_AND_RANDOM: usize = 2 + 32;

/// An extension of a `ClientHello`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// `ExtensionType`.
    pub kind: u16,
    /// `extension_data`.
    pub data: Vec<u8>,
}

impl Extension {
    /// `server_name` (RFC 6066 §3).
    pub const SERVER_NAME: u16 = 0;
    /// `padding` (RFC 7685).
    pub const PADDING: u16 = 21;

    /// A `server_name` extension with a list of entries, each with its `NameType`.
    ///
    /// # Panics
    /// If they take more than an extension holds.
    pub fn server_names(entries: &[(u8, &str)]) -> Self {
        let mut list = Vec::new();
        for (kind, name) in entries {
            list.push(*kind);
            push_vector(&mut list, name.as_bytes());
        }
        let mut data = Vec::new();
        push_vector(&mut data, &list);
        Self {
            kind: Self::SERVER_NAME,
            data,
        }
    }

    /// A `padding` extension of this many zero octets.
    pub fn padding(octets: usize) -> Self {
        Self {
            kind: Self::PADDING,
            data: vec![0; octets],
        }
    }
}

/// The parts of a `ClientHello`.
#[derive(Clone, Debug)]
pub struct Hello {
    /// `legacy_version` and `random`.
    pub version_and_random: Vec<u8>,
    /// `legacy_session_id`.
    pub session_id: Vec<u8>,
    /// `cipher_suites`.
    pub cipher_suites: Vec<u8>,
    /// `legacy_compression_methods`.
    pub compression_methods: Vec<u8>,
    /// `extensions`; `None` leaves out even their length.
    pub extensions: Option<Vec<Extension>>,
}

impl Hello {
    /// The hello that rustls sends for this name.
    ///
    /// # Panics
    /// If rustls takes the text for no name.
    pub fn of(name: &str) -> Self {
        Self::parse(&tls::client_hello(name))
    }

    /// The same with a list of server names in place of the one.
    ///
    /// # Panics
    /// If they take more than an extension holds.
    pub fn of_names(entries: &[(u8, &str)]) -> Self {
        let mut hello = Self::of("name.invalid");
        let place = hello
            .place_of(Extension::SERVER_NAME)
            .expect("rustls names the server");
        hello.extensions_mut()[place] = Extension::server_names(entries);
        hello
    }

    /// Where the extension of this type stands.
    pub fn place_of(&self, kind: u16) -> Option<usize> {
        self.extensions
            .iter()
            .flatten()
            .position(|extension| extension.kind == kind)
    }

    /// The extensions, to move them about.
    ///
    /// # Panics
    /// If the hello was left without.
    pub fn extensions_mut(&mut self) -> &mut Vec<Extension> {
        self.extensions.as_mut().expect("a hello with extensions")
    }

    /// The hello in one record.
    ///
    /// # Panics
    /// If it does not fit into one.
    pub fn record(&self) -> Vec<u8> {
        let mut body = self.version_and_random.clone();
        body.push(u8::try_from(self.session_id.len()).expect("a session id"));
        body.extend(&self.session_id);
        push_vector(&mut body, &self.cipher_suites);
        body.push(u8::try_from(self.compression_methods.len()).expect("compression methods"));
        body.extend(&self.compression_methods);
        if let Some(extensions) = &self.extensions {
            let mut block = Vec::new();
            for Extension { kind, data } in extensions {
                block.extend(kind.to_be_bytes());
                push_vector(&mut block, data);
            }
            push_vector(&mut body, &block);
        }
        let mut handshake = u32::try_from(body.len())
            .expect("a handshake message")
            .to_be_bytes();
        handshake[0] = CLIENT_HELLO;
        let mut record = RECORD.to_vec();
        push_vector(&mut record, &[&handshake[..], &body].concat());
        record
    }

    fn parse(record: &[u8]) -> Self {
        let (version_and_random, rest) =
            record[RECORD_AND_HANDSHAKE_HEADERS..].split_at(VERSION_AND_RANDOM);
        let (session_id, rest) = short_vector(rest);
        let (cipher_suites, rest) = vector(rest);
        let (compression_methods, rest) = short_vector(rest);
        let (mut block, _) = vector(rest);
        let mut extensions = Vec::new();
        while !block.is_empty() {
            let kind = u16::from_be_bytes([block[0], block[1]]);
            let (data, behind) = vector(&block[2..]);
            extensions.push(Extension {
                kind,
                data: data.to_vec(),
            });
            block = behind;
        }
        Self {
            version_and_random: version_and_random.to_vec(),
            session_id: session_id.to_vec(),
            cipher_suites: cipher_suites.to_vec(),
            compression_methods: compression_methods.to_vec(),
            extensions: Some(extensions),
        }
    }
}

fn push_vector(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(
        u16::try_from(bytes.len())
            .expect("a length of two octets")
            .to_be_bytes(),
    );
    to.extend(bytes);
}

fn vector(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (len, rest) = bytes.split_at(2);
    rest.split_at(usize::from(u16::from_be_bytes([len[0], len[1]])))
}

fn short_vector(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (len, rest) = bytes.split_at(1);
    rest.split_at(usize::from(len[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_taken_apart_and_put_together_is_the_same() {
        let record = tls::client_hello("www.example.com");
        assert_eq!(Hello::parse(&record).record(), record);
        assert_ne!(Hello::of("www.example.org").record(), record);
    }

    #[test]
    fn a_list_of_one_name_is_what_rustls_writes() {
        let hello = Hello::of("www.example.com");
        let place = hello.place_of(Extension::SERVER_NAME).unwrap();
        let expected = Extension::server_names(&[(0, "www.example.com")]);
        assert_eq!(
            hello.extensions.as_deref().and_then(|all| all.get(place)),
            Some(&expected)
        );
        assert_ne!(expected, Extension::server_names(&[(0, "www.example.org")]));
    }
}
