//! TLS by rustls, with a certificate that can change while the server runs.

use std::{fmt::Display, net::IpAddr, path::Path, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{file_watch::FileWatch, text_file};

/// The server's certificate.
#[derive(Debug)]
pub struct Tls {
    current: Arc<Current>,
    files: Option<Files>,
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    watch: FileWatch,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// A certificate chain and its key, both in PEM.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, String> {
        let watch = FileWatch::new(vec![certificate.into(), key.into()]);
        let files = Files { certificate: certificate.into(), key: key.into(), watch };
        Ok(Self { current: Arc::new(Current(ArcSwap::from_pointee(files.read()?))), files: Some(files) })
    }

    /// A certificate generated for this run, for trying out on a LAN: browsers warn, but offer cameras.
    pub fn self_signed(addresses: &[IpAddr]) -> Result<Self, String> {
        let names = addresses.iter().map(IpAddr::to_string).chain(["localhost".to_owned()]);
        let made = rcgen::generate_simple_self_signed(names.collect::<Vec<_>>()).map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(str::to_owned)?;
        let pair = certified(vec![made.cert.der().clone()], key)?;
        Ok(Self { current: Arc::new(Current(ArcSwap::from_pointee(pair))), files: None })
    }

    pub fn server_config(&self) -> Result<ServerConfig, String> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        Ok(config.with_no_client_auth().with_cert_resolver(self.current.clone()))
    }

    /// Reloads the files when they change, for as long as this is polled. Open connections are not affected.
    pub async fn follow_files(&self) {
        let Some(files) = &self.files else { return };
        let reload = || files.read().map(|pair| self.current.0.store(Arc::new(pair)));
        files.watch.follow("certificate", reload).await;
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, String> {
        let path = self.certificate.display();
        let named = |error: &dyn Display| format!("--tls-cert {path}: {error}");
        let chain = text_file::bytes(&self.certificate).map_err(|error| named(&error))?;
        let chain =
            CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>().map_err(|error| named(&error))?;
        if chain.is_empty() {
            return Err(format!("--tls-cert {path}: it contains no certificate"));
        }
        let named = |error: &dyn Display| format!("--tls-key {}: {error}", self.key.display());
        let key = text_file::bytes(&self.key).map_err(|error| named(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| named(&error))?;
        certified(chain, key).map_err(|error| format!("--tls-cert and --tls-key do not match: {error}"))
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, String> {
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| error.to_string())
}

/// Always named, so that a dependency that adds a second provider does not make the choice ambiguous.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
