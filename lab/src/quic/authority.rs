//! A certificate whose authority clients can be made to trust, in the files that programs read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PublicKeyData as _,
};
use ring::digest::{SHA256, digest};

/// A server's certificate and key, and the authority that signed it.
///
/// Firefox takes no certificate that is its own authority for a server's.
#[derive(Clone, Debug)]
pub struct SignedCertificate {
    authority: PathBuf,
    authority_der: PathBuf,
    chain: PathBuf,
    key: PathBuf,
    key_hash: String,
}

impl SignedCertificate {
    /// Makes one for these names, with its files in this folder.
    pub fn new(folder: &Path, names: &[&str]) -> Result<Self> {
        let authority = authority()?;
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;
        let chain = certificate.pem() + &authority.pem();
        let hash = digest(&SHA256, &key.subject_public_key_info());
        Ok(Self {
            authority: write(folder, "authority.pem", authority.pem().as_bytes())?,
            authority_der: write(folder, "authority.der", authority.der())?,
            chain: write(folder, "chain.pem", chain.as_bytes())?,
            key: write(folder, "chain.key", key.serialize_pem().as_bytes())?,
            key_hash: BASE64.encode(hash.as_ref()),
        })
    }

    /// The authority's certificate, which clients have to trust, in PEM.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// The authority's certificate in DER.
    pub fn authority_der(&self) -> &Path {
        &self.authority_der
    }

    /// The server's certificate and the authority's, in PEM.
    pub fn chain(&self) -> &Path {
        &self.chain
    }

    /// The server's private key, in PEM.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The SHA-256 of the server's public key in Base64, for Chromium's
    /// `--ignore-certificate-errors-spki-list`.
    pub fn key_hash(&self) -> &str {
        &self.key_hash
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "lab authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
