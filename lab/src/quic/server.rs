//! The server, which gives each request the same page.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use data_encoding::BASE64;
use h3::server;
use quinn::{
    Endpoint, EndpointConfig, Incoming, ServerConfig, TokioRuntime,
    crypto::rustls::QuicServerConfig,
    rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use rcgen::{CertifiedKey, PublicKeyData as _, generate_simple_self_signed};
use ring::digest::{SHA256, digest};
use rustls::crypto::aws_lc_rs;
use tokio::runtime::{Builder, Runtime};

use super::{ALPN, PORT};
use crate::{Family, Namespace, SERVER};

/// What the server gives.
pub const QUIC_PAGE: &str = "a page over QUIC";

/// A server on UDP port 443 of both addresses, with a certificate that it signed itself. It ends
/// when it is dropped.
#[derive(Debug)]
pub struct QuicServer {
    certificate: CertificateDer<'static>,
    key_hash: String,
    _runtime: Runtime,
}

impl QuicServer {
    /// Starts it with a certificate for these names.
    pub fn start(server: &Namespace, names: &[&str]) -> Result<Self> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).context("no certificate can be made")?;
        let certificate = cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config =
            rustls::ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into());
        let mut config = config
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())?;
        config.alpn_protocols = vec![ALPN.into()];
        let config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(config)?));

        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        for family in Family::ALL {
            let socket =
                server.socket(|| UdpSocket::bind(SocketAddr::new(SERVER.of(family), PORT)))?;
            let _inside = runtime.enter();
            let config = Some(config.clone());
            let endpoint = Endpoint::new(
                EndpointConfig::default(),
                config,
                socket,
                Arc::new(TokioRuntime),
            )?;
            runtime.spawn(serve(endpoint));
        }
        let key_hash =
            BASE64.encode(digest(&SHA256, &signing_key.subject_public_key_info()).as_ref());
        Ok(Self {
            certificate,
            key_hash,
            _runtime: runtime,
        })
    }

    /// Its certificate, which clients have to trust.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    /// The SHA-256 of its public key in Base64, for Chromium's
    /// `--ignore-certificate-errors-spki-list`.
    pub fn key_hash(&self) -> &str {
        &self.key_hash
    }
}

async fn serve(endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        // How a connection ended is its client's to say: an error here is that the client has
        // closed it.
        tokio::spawn(async { answer(incoming).await.ok() });
    }
}

async fn answer(incoming: Incoming) -> Result<()> {
    let connection = h3_quinn::Connection::new(incoming.await?);
    let mut connection = server::Connection::<_, Bytes>::new(connection).await?;
    while let Some(resolver) = connection.accept().await? {
        let (_, mut stream) = resolver.resolve_request().await?;
        let response = http::Response::builder()
            .header("content-type", "text/html")
            .body(())?;
        stream.send_response(response).await?;
        stream
            .send_data(Bytes::from_static(QUIC_PAGE.as_bytes()))
            .await?;
        stream.finish().await?;
    }
    Ok(())
}
