//! Heads that start and do not end: each has ten seconds, whether it is the first on its connection or a later one.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    certificate::{Certificate, write_certificate},
    harness::Server,
};

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Far less than keep-alive.
const PATIENCE: Duration = Duration::from_secs(40);

async fn asked<T: AsyncRead + AsyncWrite + Unpin>(mut stream: T) -> T {
    stream.write_all(ASK).await.unwrap();
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
    stream
}

/// Everything until the server closes the connection.
async fn until_the_end<T: AsyncRead + Unpin>(mut stream: T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset ends it, too, and so does a close without close_notify.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes it");
    bytes
}

#[actix_web::test]
async fn later_heads_time_out_like_the_first() {
    let certificate = write_certificate("late-heads");
    let flags = certificate.flags();
    let (plain, tls) = (Server::start(&[]), Server::start(&flags.each_ref().map(String::as_str)));
    let halves =
        ["GET /healthz HTTP/1.1\r\nHo", "G", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n"];
    let without_tls = halves.map(async |half| {
        let mut stream = asked(TcpStream::connect(("127.0.0.1", plain.port)).await.unwrap()).await;
        stream.write_all(half.as_bytes()).await.unwrap();
        until_the_end(stream).await
    });
    let with_tls = halves.map(async |half| {
        let stream = TcpStream::connect(("127.0.0.1", tls.port)).await.unwrap();
        let mut stream = asked(certificate.connect_to(stream, "http/1.1").await.unwrap()).await;
        stream.write_all(half.as_bytes()).await.unwrap();
        until_the_end(stream).await
    });
    // An empty line before a request is ignored (RFC 9112 section 2.2), so no head has started.
    let nothing_asked = async {
        let mut stream = asked(TcpStream::connect(("127.0.0.1", plain.port)).await.unwrap()).await;
        stream.write_all(b"\r\n\r\n").await.unwrap();
        until_the_end(stream).await
    };
    let (without_tls, with_tls) = (join_all(without_tls), join_all(with_tls));
    let (plain, encrypted, nothing) = tokio::join!(without_tls, with_tls, nothing_asked);
    for said in [plain, encrypted].concat() {
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("connection: close"), "{said}");
    }
    assert_eq!(String::from_utf8(nothing).unwrap(), "");
}

/// A partial record cannot be decrypted.
#[actix_web::test]
async fn a_partial_tls_record_times_out() {
    let certificate = write_certificate("late-records");
    let flags = certificate.flags();
    let server = Server::start(&flags.each_ref().map(String::as_str));
    let http_1 = async {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        let stream = asked(certificate.connect_to(stream, "http/1.1").await.unwrap()).await;
        until_the_end(begin_record(stream.into_inner().0).await).await
    };
    let http_2 = async {
        let stream = http_2(&certificate, &server).await;
        until_the_end(begin_record(stream.into_inner().0).await).await
    };
    tokio::join!(http_1, http_2);
}

/// The header of an application data record (RFC 8446 section 5.1), and a few of its bytes.
async fn begin_record(mut stream: TcpStream) -> TcpStream {
    stream.write_all(&[23, 3, 3, 1, 0, 7, 7, 7]).await.unwrap();
    stream
}

type Encrypted = tokio_rustls::client::TlsStream<TcpStream>;

/// After the preface and SETTINGS, and a PING whose acknowledgement shows that all of it was read; otherwise the connection would only
/// be idle.
async fn http_2(certificate: &Certificate, server: &Server) -> Encrypted {
    let stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let mut stream = certificate.connect_to(stream, "h2").await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    stream.write_all(&frame(4, 1, 0, &[])).await.unwrap();
    stream.write_all(&frame(6, 0, 0, b"all read")).await.unwrap();
    let (mut said, answer) = (Vec::new(), frame(6, 1, 0, b"all read"));
    while !said.ends_with(&answer) {
        said.push(stream.read_u8().await.unwrap());
    }
    stream
}

/// RFC 9113 section 4.1.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, u8::try_from(payload.len()).unwrap(), kind, flags, 0, 0, 0, stream], payload].concat()
}

/// `:method: GET`, `:scheme: https`, `:path: /` (RFC 7541 appendix A).
const GET: [u8; 3] = [0x82, 0x87, 0x84];
/// The stream ends with its head.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

#[actix_web::test]
async fn partial_http_2_frames_and_header_blocks_time_out() {
    let certificate = write_certificate("late-frames");
    let flags = certificate.flags();
    let server = Server::start(&flags.each_ref().map(String::as_str));
    let whole = || frame(1, END_STREAM | END_HEADERS, 1, &GET);
    let beginnings = [
        frame(1, END_STREAM, 1, &GET),
        [frame(1, END_STREAM, 1, &GET), frame(9, 0, 1, &[])].concat(),
        frame(1, END_STREAM | END_HEADERS, 1, &GET)[..11].to_vec(),
        frame(6, 0, 0, &[0; 8])[..4].to_vec(),
        frame(6, 0, 0, &[0; 8])[..12].to_vec(),
        frame(0, 0, 1, &[0; 8])[..12].to_vec(),
        // After a request that was answered.
        [whole(), frame(1, END_STREAM, 3, &GET)].concat(),
        [whole(), frame(1, END_STREAM | END_HEADERS, 3, &GET)[..10].to_vec()].concat(),
    ];
    let all = beginnings.map(async |beginning| {
        let mut stream = http_2(&certificate, &server).await;
        stream.write_all(&beginning).await.unwrap();
        until_the_end(stream).await
    });
    join_all(all).await;
}
