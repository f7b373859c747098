//! `Expect: 100-continue` (RFC 9110 section 10.1.1): the client sends the body once it is told to. Over HTTP/1: `http1/tests/bodies.rs`.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::support::{
    certificate::write_certificate,
    http2_frames::{ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, request},
    process::ServerProcess,
};

/// The next response head on a stream, with all its fields as they were sent.
async fn next_head(tls: &mut TlsStream<TcpStream>) -> (u32, Vec<u8>) {
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head).await.unwrap();
        let [a, b, c, kind, _flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        tls.read_exact(&mut payload).await.unwrap();
        if kind == HEADERS {
            return (u32::from_be_bytes(stream), payload);
        }
    }
}

fn has(payload: &[u8], status: &[u8; 3]) -> bool {
    payload.windows(3).any(|three| three == status)
}

/// A client that waited for it without a limit was told after ten seconds that it was too slow.
#[actix_web::test]
async fn over_http_2_the_client_is_told_to_continue() {
    let certificate = write_certificate("expectations");
    let binary = ServerProcess::start(&certificate.flags().each_ref().map(String::as_str)).await;
    let stream = TcpStream::connect(("127.0.0.1", binary.port)).await.unwrap();
    let mut tls = certificate.connect_to(stream, "h2").await.unwrap();
    tls.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, ACK, 0, &[])].concat()).await.unwrap();
    let json = ("content-type", "application/json");
    let join = request("POST", "/v1/rooms/tea/peers", &[json, ("content-length", "2"), ("expect", "100-Continue")]);
    tls.write_all(&frame(HEADERS, END_HEADERS, 1, &join)).await.unwrap();
    let (stream, interim) = next_head(&mut tls).await;
    assert!(stream == 1 && has(&interim, b"100"), "{interim:?}");
    tls.write_all(&frame(DATA, END_STREAM, 1, b"{}")).await.unwrap();
    let (stream, joined) = next_head(&mut tls).await;
    assert!(stream == 1 && has(&joined, b"201"), "{joined:?}");

    // What is refused without its body needs none.
    let lost = request("POST", "/nowhere", &[json, ("content-length", "2"), ("expect", "100-continue")]);
    tls.write_all(&frame(HEADERS, END_HEADERS, 3, &lost)).await.unwrap();
    let (stream, refused) = next_head(&mut tls).await;
    // In the static table of HPACK (RFC 7541 appendix A).
    assert!(stream == 3 && refused[0] == 0x80 | 13, "{refused:?}");
}
