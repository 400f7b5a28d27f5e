//! A client that asks for one page.

use std::{
    future::poll_fn,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use bytes::Buf as _;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, TokioRuntime,
    TransportConfig, crypto::rustls::QuicClientConfig, rustls::pki_types::CertificateDer,
};
use rustls::{
    RootCertStore,
    crypto::aws_lc_rs::{
        default_provider,
        kx_group::{X25519, X25519MLKEM768},
    },
};
use tokio::runtime::Builder;

use super::{ALPN, PORT, QuicServer};
use crate::{Family, Namespace, SERVER};

/// What a client offers for the exchange of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExchange {
    /// X25519: a hello of some 300 bytes, in one datagram.
    Classical,
    /// X25519MLKEM768, and X25519 beside it: a hello that takes two datagrams.
    PostQuantum,
}

impl KeyExchange {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Classical, Self::PostQuantum];
}

/// What a client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// The page.
    Page(String),
    /// Nothing, and it gave up after this time.
    TimedOut(Duration),
    /// `CONNECTION_CLOSE` with this reason, after this time.
    Closed(String, Duration),
}

/// A client, which makes a connection of its own for each page.
#[derive(Clone, Debug)]
pub struct QuicClient<'l> {
    namespace: &'l Namespace,
    trusted: CertificateDer<'static>,
    /// How long it goes on without an answer.
    patience: Duration,
}

impl<'l> QuicClient<'l> {
    /// A client that gives up when nothing has come for this time.
    pub fn new(namespace: &'l Namespace, server: &QuicServer, patience: Duration) -> Self {
        Self {
            namespace,
            trusted: server.certificate(),
            patience,
        }
    }

    /// Asks for the page of this name. An error is anything but the page and a connection that
    /// timed out or was closed by the transport.
    pub fn get(&self, family: Family, exchange: KeyExchange, name: &str) -> Result<Got> {
        let any: IpAddr = match family {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = self
            .namespace
            .socket(|| UdpSocket::bind(SocketAddr::new(any, 0)))?;
        let config = self.config(exchange)?;
        let begun = Instant::now();
        Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(async {
                let endpoint = Endpoint::new(
                    EndpointConfig::default(),
                    None,
                    socket,
                    Arc::new(TokioRuntime),
                )?;
                let server = SocketAddr::new(SERVER.of(family), PORT);
                let connection = match endpoint.connect_with(config, server, name)?.await {
                    Err(ConnectionError::TimedOut) => return Ok(Got::TimedOut(begun.elapsed())),
                    Err(ConnectionError::ConnectionClosed(close)) => {
                        let reason = String::from_utf8_lossy(&close.reason).into_owned();
                        return Ok(Got::Closed(reason, begun.elapsed()));
                    }
                    connection => connection.context("the connection was refused")?,
                };
                let page = page(connection, name).await?;
                endpoint.wait_idle().await;
                Ok(Got::Page(page))
            })
    }

    fn config(&self, exchange: KeyExchange) -> Result<ClientConfig> {
        let mut trusted = RootCertStore::empty();
        trusted.add(self.trusted.clone())?;
        let mut provider = default_provider();
        provider.kx_groups = match exchange {
            KeyExchange::Classical => vec![X25519],
            KeyExchange::PostQuantum => vec![X25519MLKEM768, X25519],
        };
        let mut config = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.into()];
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?));
        let mut transport = TransportConfig::default();
        transport.max_idle_timeout(Some(self.patience.try_into()?));
        config.transport_config(transport.into());
        Ok(config)
    }
}

async fn page(connection: Connection, name: &str) -> Result<String> {
    let (mut driver, mut requests) = h3::client::new(h3_quinn::Connection::new(connection)).await?;
    let ended = tokio::spawn(async move { poll_fn(|context| driver.poll_close(context)).await });
    let mut stream = requests
        .send_request(http::Request::get(format!("https://{name}/")).body(())?)
        .await?;
    stream.finish().await?;
    stream.recv_response().await?;
    let mut page = Vec::new();
    while let Some(mut bytes) = stream.recv_data().await? {
        page.extend_from_slice(&bytes.copy_to_bytes(bytes.remaining()));
    }
    // The connection ends in order when there is nobody left who could ask.
    drop(requests);
    ended.await?;
    String::from_utf8(page).context("the page is no text")
}
