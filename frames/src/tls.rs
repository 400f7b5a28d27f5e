//! TLS `ClientHello`s.

use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, RootCertStore, pki_types::ServerName};

/// The records of a `ClientHello` for this name.
///
/// # Panics
/// If rustls takes the text for no name.
pub fn client_hello(name: &str) -> Vec<u8> {
    hello(name, true)
}

/// The records of a `ClientHello` that names no server.
///
/// # Panics
/// If rustls makes none.
pub fn client_hello_without_name() -> Vec<u8> {
    hello("name.invalid", false)
}

/// Where the name stands in the bytes of a hello.
pub fn server_name_at(hello: &[u8], name: &str) -> Option<usize> {
    hello
        .windows(name.len())
        .position(|bytes| bytes == name.as_bytes())
}

fn hello(name: &str, with_name: bool) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder
        .expect("versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.enable_sni = with_name;
    let name = ServerName::try_from(name.to_owned()).expect("a server name");
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).expect("a hello");
    hello
}
