//! TLS by rustls with ring, and the certificates that it trusts.

use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::Error;

/// Trusts the system's certificates and these, which are in PEM.
pub(crate) fn config(roots: &[u8]) -> Result<ClientConfig, Error> {
    let roots = read(roots)?;
    // Its own, so that it does not matter which one the program has installed, if any.
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::invalid(format!("TLS cannot be set up: {error}.")))?;
    let are_given = !roots.is_empty();
    let builder = match verifier(roots, provider) {
        Err(error) if are_given => return Err(Error::invalid(format!("A root certificate cannot be used: {error}."))),
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // A container may have no certificates. That matters over https: only, where none is trusted then.
        Err(_) => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let roots = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let roots = roots.map_err(|error| Error::invalid(format!("A root certificate is not valid PEM: {error}.")))?;
    if roots.is_empty() && !pem.is_empty() {
        return Err(Error::invalid("A root certificate has to be in PEM: there is no BEGIN CERTIFICATE in it."));
    }
    Ok(roots)
}

#[cfg(not(target_os = "android"))]
fn verifier(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(roots, provider)
}

/// On Android, where [`crate::Join`] has no `root_certificate`.
#[cfg(target_os = "android")]
fn verifier(_: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Verifier::new(provider)
}

/// Whether a request failed because the server's certificate was not accepted.
pub(crate) fn is_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    // What an I/O error wraps is not its source. There may be several around one another.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => is_certificate(inner),
        None => matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))),
    }
}
