//! A socket of the generator, encrypted or not.

use std::{
    io::{Error, Read, Result, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use mio::net::TcpStream;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

const BACKLOG_PATIENCE: Duration = Duration::from_secs(10);

pub enum Socket {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    /// Connects, with the handshake. After that, nothing blocks.
    pub fn connect(addr: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let mut stream = std::net::TcpStream::connect_timeout(&addr, BACKLOG_PATIENCE)?;
        stream.set_nodelay(true)?;
        let mut session = match tls {
            Some(config) => Some(ClientConnection::new(config.clone(), server_name()?).map_err(Error::other)?),
            None => None,
        };
        if let Some(session) = &mut session {
            stream.set_read_timeout(Some(BACKLOG_PATIENCE))?;
            while session.is_handshaking() {
                session.complete_io(&mut stream)?;
            }
        }
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream);
        Ok(match session {
            Some(session) => Self::Encrypted(Box::new(StreamOwned::new(session, stream))),
            None => Self::Plain(stream),
        })
    }

    /// What the event loop watches.
    pub fn source(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream.get_mut(),
        }
    }

    /// Whether more can have arrived although a read did not fill its buffer: a read returns one record.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted(_))
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// The name in the servers' certificate.
pub fn server_name() -> Result<ServerName<'static>> {
    ServerName::try_from("localhost").map_err(Error::other)
}

/// Trusts the certificate in a folder and speaks one protocol. Every connection has a full handshake, as if each were
/// another browser's.
pub fn client_config(folder: &Path, protocol: &str) -> std::result::Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).map_err(|error| error.to_string())?;
    roots.add(certificate).map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
