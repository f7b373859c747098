//! TLS by rustls, with a certificate that can change while the server runs.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// What the server shows of itself.
#[derive(Debug)]
pub struct Tls {
    current: Arc<Current>,
    files: Option<Files>,
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// A changed file is noticed after this long at the latest.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// A certificate chain and its key, both in PEM.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, String> {
        let files = Files { certificate: certificate.into(), key: key.into() };
        Ok(Self { current: Arc::new(Current(ArcSwap::from_pointee(files.read()?))), files: Some(files) })
    }

    /// A certificate made up for this run, for trying on a LAN: browsers warn, but give cameras.
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

    /// Takes up the files anew when they have changed, for as long as it is polled. Connections that are open, and the
    /// polls on them, go on as they are. A pair that does not fit leaves the certificate as it was.
    pub async fn follow_files(&self) {
        let Some(files) = &self.files else { return std::future::pending().await };
        let mut seen = files.modified();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = files.modified();
            if now == seen {
                continue;
            }
            match files.read() {
                Ok(pair) => {
                    self.current.0.store(Arc::new(pair));
                    seen = now;
                    tracing::info!("the certificate was read again");
                }
                // Perhaps only one of the two files is there yet: look again.
                Err(error) => tracing::warn!("the certificate is kept as it was: {error}"),
            }
        }
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, String> {
        let path = self.certificate.display();
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("--tls-cert {path}: {error}"))?;
        if chain.is_empty() {
            return Err(format!("--tls-cert {path}: there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("--tls-key {}: {error}", self.key.display()))?;
        certified(chain, key).map_err(|error| format!("--tls-cert and --tls-key do not fit together: {error}"))
    }

    fn modified(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, String> {
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| error.to_string())
}

/// Named wherever it is needed: another crate that brings a second one must not make the choice ambiguous.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
