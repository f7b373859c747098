//! A self-signed certificate for a server, and clients that trust it.

use std::{path::PathBuf, sync::Arc};

use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};

use crate::support::harness::Server;

pub struct Certificate {
    der: CertificateDer<'static>,
    pub folder: PathBuf,
}

/// A certificate for localhost in two files, which a later one may replace.
pub fn write_certificate(name: &str) -> Certificate {
    let folder = std::env::temp_dir().join(format!("signalpost-tls-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    Certificate { der: made.cert.der().clone(), folder }
}

impl Certificate {
    pub fn server(&self) -> Server {
        let flags = self.flags();
        Server::start(&[&flags.each_ref().map(String::as_str)[..], &["--metrics-listen", "127.0.0.1:0"]].concat())
    }

    pub fn flags(&self) -> [String; 4] {
        let file = |name: &str| self.folder.join(name).display().to_string();
        ["--tls-cert".into(), file("cert.pem"), "--tls-key".into(), file("key.pem")]
    }

    /// A connection to somebody who shows this certificate.
    pub async fn connect(&self, server: &Server, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_to(TcpStream::connect(("127.0.0.1", server.port)).await?, protocol).await
    }

    pub async fn connect_to(&self, stream: TcpStream, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config =
            config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
        // Nothing is named for an empty one.
        config.alpn_protocols = (!protocol.is_empty()).then(|| protocol.into()).into_iter().collect();
        TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
    }

    pub async fn h2(&self, server: &Server) -> SendRequest<bytes::Bytes> {
        self.h2_at(server.port).await
    }

    pub async fn h2_at(&self, port: u16) -> SendRequest<bytes::Bytes> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let tls = self.connect_to(stream, "h2").await.unwrap();
        let (client, connection) = h2::client::handshake(tls).await.unwrap();
        actix_web::rt::spawn(async { drop(connection.await) });
        client
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
