//! A stream over a pipe in memory, driven poll by poll, with a rustls client at the other end.

mod closing;
mod corruption;
mod floods;
mod forged;
mod interop;
mod pipe;
mod reads;
mod writes;

use std::{
    io::{self, IoSlice, Read, Write},
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::Poll,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::pipe::Pipe;
use super::{
    TlsStream,
    session::{PLAINTEXT_MAX, RECORD_MAX},
};

type Version = &'static SupportedProtocolVersion;

const VERSIONS: [Version; 2] = [&TLS12, &TLS13];

fn certificate() -> &'static (CertificateDer<'static>, Vec<u8>) {
    static MADE: OnceLock<(CertificateDer<'static>, Vec<u8>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.der().clone(), made.signing_key.serialize_der())
    })
}

fn server_config() -> ServerConfig {
    let (certificate, key) = certificate();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivateKeyDer::try_from(key.clone()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn client_config(version: Version) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate().0.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn client(config: &Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(config.clone(), ServerName::try_from("localhost").unwrap()).unwrap()
}

/// What the client wants to send.
fn flight(client: &mut ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// The client receives this; the plaintext.
fn feed(client: &mut ClientConnection, mut bytes: &[u8]) -> Result<Vec<u8>, rustls::Error> {
    let mut plaintext = Vec::new();
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets()?;
        match client.reader().read_to_end(&mut plaintext) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    Ok(plaintext)
}

/// A stream and its client after the handshake.
struct Connected {
    stream: TlsStream<Pipe>,
    pipe: Pipe,
    client: ClientConnection,
}

/// Cuts input into what each read gives.
type Cut<'a> = &'a mut dyn FnMut(Vec<u8>) -> Vec<Vec<u8>>;

fn handshake(
    client: &mut ClientConnection,
    server: Arc<ServerConfig>,
    cut: Cut<'_>,
) -> (Pipe, io::Result<TlsStream<Pipe>>) {
    let pipe = Pipe::default();
    let mut accepting = pin!(TlsStream::accept(pipe.clone(), server));
    let mut accepted = None;
    for _ in 0..10 {
        let bytes = flight(client);
        for bytes in if bytes.is_empty() { Vec::new() } else { cut(bytes) } {
            pipe.push(bytes);
            if accepted.is_none()
                && let Poll::Ready(outcome) = pipe.poll(|context| accepting.as_mut().poll(context))
            {
                accepted = Some(outcome);
            }
        }
        // An alert, if the handshake has failed.
        let _ = feed(client, &pipe.take_output());
        if let Some(outcome) = accepted {
            return (pipe, outcome);
        }
    }
    panic!("the handshake is stuck");
}

impl Connected {
    fn new(version: Version) -> Self {
        Self::with(Arc::new(client_config(version)), Arc::new(server_config()))
    }

    fn with(client_config: Arc<ClientConfig>, server_config: Arc<ServerConfig>) -> Self {
        let mut client = client(&client_config);
        let (pipe, accepted) = handshake(&mut client, server_config, &mut |bytes| vec![bytes]);
        Self { stream: accepted.unwrap(), pipe, client }
    }

    /// The client's records for this.
    fn records(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.client.set_buffer_limit(None);
        self.client.writer().write_all(plaintext).unwrap();
        flight(&mut self.client)
    }

    /// One read into a buffer of this size.
    fn read(&mut self, size: usize) -> Poll<io::Result<Vec<u8>>> {
        let stream = &mut self.stream;
        self.pipe.poll(|context| {
            let mut buffer = vec![0; size];
            let mut buffer = ReadBuf::new(&mut buffer);
            Pin::new(&mut *stream).poll_read(context, &mut buffer).map_ok(|()| buffer.filled().to_vec())
        })
    }

    /// Reads until a read waits.
    fn read_all(&mut self, size: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while let Poll::Ready(read) = self.read(size) {
            let read = read.unwrap();
            assert!(!read.is_empty(), "the input has ended");
            all.extend(read);
        }
        all
    }

    fn write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = &mut self.stream;
        self.pipe.poll(|context| Pin::new(&mut *stream).poll_write(context, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let stream = &mut self.stream;
        self.pipe.poll(|context| Pin::new(&mut *stream).poll_write_vectored(context, slices))
    }

    fn flush(&mut self) -> Poll<io::Result<()>> {
        let stream = &mut self.stream;
        self.pipe.poll(|context| Pin::new(&mut *stream).poll_flush(context))
    }

    fn shutdown(&mut self) -> Poll<io::Result<()>> {
        let stream = &mut self.stream;
        self.pipe.poll(|context| Pin::new(&mut *stream).poll_shutdown(context))
    }

    /// What the client makes of the output since the last call.
    fn client_receives(&mut self) -> Result<Vec<u8>, rustls::Error> {
        feed(&mut self.client, &self.pipe.take_output())
    }

    /// Nothing is under way, so no memory is held.
    fn assert_no_buffers(&self) {
        assert_eq!(self.stream.session().buffer_capacities(), [0, 0, 0]);
    }
}

/// `count` bytes that are not all the same.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}

fn one_by_one(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    bytes.into_iter().map(|byte| vec![byte]).collect()
}

/// The types of the records in these bytes.
fn record_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [kind, _, _, high, low, ..] = bytes {
        types.push(*kind);
        bytes = &bytes[5 + usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    assert!(bytes.is_empty(), "half a record");
    types
}
