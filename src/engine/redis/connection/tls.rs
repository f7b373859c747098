//! Certificates for TLS to Redis and its Sentinels.

use std::path::{Path, PathBuf};

use redis::{ClientTlsConfig, RedisError, TlsCertificates};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use crate::text_file;

/// Files in PEM. They are read again for each connection, so that certificates can be renewed while the server runs.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// The certificate authorities for Redis, instead of the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate chain and its key.
    pub pair: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    pub fn read(&self) -> Result<TlsCertificates, String> {
        let root_cert = self.ca.as_deref().map(|path| certificates(path, "--redis-tls-ca")).transpose()?;
        let client_tls = self.pair.as_ref().map(|(cert, key)| pair(cert, key)).transpose()?;
        Ok(TlsCertificates { client_tls, root_cert: root_cert.map(|(pem, _)| pem) })
    }
}

fn pair(cert: &Path, key: &Path) -> Result<ClientTlsConfig, String> {
    let (client_cert, chain) = certificates(cert, "--redis-tls-cert")?;
    let named = |error: &dyn std::fmt::Display| format!("--redis-tls-key {}: {error}", key.display());
    let client_key = text_file::bytes(key).map_err(|error| named(&error))?;
    let parsed = PrivateKeyDer::from_pem_slice(&client_key).map_err(|error| named(&error))?;
    CertifiedKey::from_der(chain, parsed, &ring::default_provider())
        .map_err(|error| format!("--redis-tls-cert and --redis-tls-key do not match: {error}"))?;
    Ok(ClientTlsConfig { client_cert, client_key })
}

/// The file and the certificates in it, at least one.
fn certificates(path: &Path, option: &str) -> Result<(Vec<u8>, Vec<CertificateDer<'static>>), String> {
    let named = |error: &dyn std::fmt::Display| format!("{option} {}: {error}", path.display());
    let pem = text_file::bytes(path).map_err(|error| named(&error))?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(|error| named(&error))?;
    if found.is_empty() { Err(named(&"there is no certificate in it")) } else { Ok((pem, found)) }
}

const CA: &str = "--redis-tls-ca names the authority that signs its certificate";
/// Words in errors, and what may help.
const ADVICE: [(&str, &str); 8] = [
    // RFC 8446 section 6.2: the server rejects our certificate, or the lack of one.
    ("fatal alert", "does it require a client certificate? See --redis-tls-cert and --redis-tls-key"),
    ("UnknownIssuer", CA),
    ("BadSignature", CA),
    (
        "not valid for name",
        "its certificate must have the name by which it is reached, that of --engine or what its cluster or Sentinel announces",
    ),
    ("certificate expired", "its certificate must be renewed"),
    ("certificate not valid yet", "is the clock of this machine right?"),
    ("corrupt message", "it does not speak TLS at this port: use the port of its `tls-port`, or redis:// in --engine"),
    // Redis without TLS takes the handshake for the beginning of a line, and waits for its end.
    (
        "timed out",
        "can it be reached, and is this the port of its `tls-port`? If it has none, use redis:// in --engine",
    ),
];

/// What may help with a TLS error.
pub fn advice(error: &RedisError) -> Option<&'static str> {
    let text = error.to_string();
    ADVICE.into_iter().find_map(|(words, advice)| text.contains(words).then_some(advice))
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::{
        AlertDescription, CertificateError, Error, InvalidMessage,
        pki_types::{ServerName, UnixTime},
    };

    use super::*;

    /// `--redis-tls-ca` was recommended for every certificate, also for an expired one.
    #[test]
    fn advice_fits_the_error() {
        let (now, before) = (UnixTime::now(), UnixTime::since_unix_epoch(std::time::Duration::from_secs(1)));
        let expected = ServerName::try_from("redis.example").unwrap().to_owned();
        let name = CertificateError::NotValidForNameContext { expected, presented: vec!["other.example".into()] };
        for (error, says) in [
            (Error::AlertReceived(AlertDescription::CertificateRequired), "--redis-tls-cert"),
            (CertificateError::UnknownIssuer.into(), "--redis-tls-ca"),
            (CertificateError::BadSignature.into(), "--redis-tls-ca"),
            (name.into(), "the name by which it is reached"),
            (CertificateError::ExpiredContext { time: now, not_after: before }.into(), "renewed"),
            (CertificateError::NotValidYetContext { time: before, not_before: now }.into(), "clock"),
            (InvalidMessage::InvalidContentType.into(), "does not speak TLS"),
        ] {
            let error = RedisError::from(io::Error::new(io::ErrorKind::InvalidData, error));
            assert!(advice(&error).is_some_and(|advice| advice.contains(says)), "{error}");
        }
        assert_eq!(advice(&io::Error::from(io::ErrorKind::ConnectionRefused).into()), None);
    }
}
