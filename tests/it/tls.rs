//! TLS and HTTP/2, on real sockets.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use h2::client::SendRequest;
use http::Request;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};

use crate::{harness::Server, polls::parked};

pub struct Certificate {
    der: CertificateDer<'static>,
    folder: PathBuf,
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
    fn server(&self) -> Server {
        let flags = self.flags();
        Server::start(&[&flags.each_ref().map(String::as_str)[..], &["--metrics-listen", "127.0.0.1:0"]].concat())
    }

    pub fn flags(&self) -> [String; 4] {
        let file = |name: &str| self.folder.join(name).display().to_string();
        ["--tls-cert".into(), file("cert.pem"), "--tls-key".into(), file("key.pem")]
    }

    /// A connection to somebody who shows this certificate.
    async fn connect(&self, server: &Server, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_to(TcpStream::connect(("127.0.0.1", server.port)).await?, protocol).await
    }

    pub async fn connect_to(&self, stream: TcpStream, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config =
            config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.into()];
        TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
    }

    async fn h2(&self, server: &Server) -> SendRequest<bytes::Bytes> {
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

async fn ask(client: &SendRequest<bytes::Bytes>, method: &str, path: &str, token: &str) -> (u16, Value) {
    let request =
        Request::builder().method(method).uri(format!("https://localhost{path}")).header("authorization", token);
    let mut client = client.clone().ready().await.unwrap();
    let (response, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
    let response = response.await.unwrap();
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

struct Ann {
    path: String,
    bearer: String,
}

async fn join(client: &SendRequest<bytes::Bytes>) -> Ann {
    let request = Request::builder().method("POST").uri("https://localhost/v1/rooms/tea/peers");
    let mut ready = client.clone().ready().await.unwrap();
    let (response, _) = ready.send_request(request.body(()).unwrap(), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let joined: Value = serde_json::from_slice(&body.data().await.unwrap().unwrap()).unwrap();
    let path = format!("/v1/rooms/tea/peers/{}/messages?wait=50", joined["peer"]["id"].as_str().unwrap());
    Ann { path, bearer: format!("Bearer {}", joined["token"].as_str().unwrap()) }
}

#[actix_web::test]
async fn a_batch_of_the_largest_size_passes_over_tls_in_one_go() {
    let certificate = write_certificate("large");
    let server = certificate.server();
    let ann = join(&certificate.h2(&server).await).await;
    let body = format!("{{\"messages\":[{{\"type\":\"data\",\"data\":\"{}\"}}]}}", "x".repeat(262_000));
    let head = format!(
        "POST /v1/rooms/tea/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\n",
        ann.bearer
    );
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for framed in [format!("Content-Length: {}\r\n\r\n{body}", body.len()), chunked] {
        let mut stream = certificate.connect(&server, "http/1.1").await.unwrap();
        stream.write_all(format!("{head}{framed}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }
}

#[actix_web::test]
async fn over_http_2_a_poll_whose_client_goes_away_ends_within_seconds() {
    let certificate = write_certificate("gone");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let ann = join(&client).await;
    for way in ["reset of the stream", "end of the connection"] {
        let certificate_client = certificate.h2(&server).await;
        let request =
            Request::builder().uri(format!("https://localhost{}", ann.path)).header("authorization", &ann.bearer);
        let mut ready = certificate_client.ready().await.unwrap();
        let (response, mut stream) = ready.send_request(request.body(()).unwrap(), true).unwrap();
        parked(&server, 1).await;
        if way == "reset of the stream" {
            stream.send_reset(h2::Reason::CANCEL);
        }
        drop((response, stream, ready));
        parked(&server, 0).await;
    }
}

/// RUSTSEC-2026-0258: empty frames count against no window, so whoever does not read them keeps them all.
#[actix_web::test]
async fn over_http_2_a_poll_that_keeps_sending_a_body_is_ended() {
    let certificate = write_certificate("frames");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let ann = join(&client).await;
    let request = Request::builder().uri(format!("https://localhost{}", ann.path)).header("authorization", &ann.bearer);
    let mut ready = client.ready().await.unwrap();
    let (response, mut stream) = ready.send_request(request.body(()).unwrap(), false).unwrap();
    parked(&server, 1).await;
    for _ in 0..100 {
        // The stream may have been ended already.
        let _ = stream.send_data(bytes::Bytes::new(), false);
    }
    assert_eq!(response.await.unwrap().status(), 400);
    parked(&server, 0).await;
}

#[actix_web::test]
async fn one_http_2_connection_has_only_so_many_requests_at_once() {
    let certificate = write_certificate("many");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let ann = join(&client).await;
    let mut waiting = Vec::new();
    for number in 0..101 {
        let request = Request::builder().method("POST").uri(format!("https://localhost/v1/rooms/tea{number}"));
        let mut ready = client.clone().ready().await.unwrap();
        // Bodies that do not end keep their requests going.
        let path = format!("https://localhost/v1/rooms/x{number}/peers");
        let (response, stream) = ready.send_request(request.uri(path).body(()).unwrap(), false).unwrap();
        waiting.push((response, stream));
    }
    let (last, _stream) = waiting.pop().unwrap();
    assert_eq!(last.await.unwrap().status(), 429);
    drop(waiting);
    while ask(&client, "GET", &ann.path.replace("wait=50", "wait=0"), &ann.bearer).await.0 != 200 {}
}

#[actix_web::test]
async fn an_idle_http_2_connection_does_not_hold_up_the_end() {
    let certificate = write_certificate("idle");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let ann = join(&client).await;
    let poll = ask(&client, "GET", &ann.path, &ann.bearer);
    let stopping = async {
        parked(&server, 1).await;
        server.stop();
    };
    let ((status, problem), ()) = tokio::join!(poll, stopping);
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/draining")));
    let clock = signalpost::clock::Clock::start();
    server.join();
    // Connections that do not end in order are cut off after `SHUTDOWN_SECONDS` (`src/server.rs`), and nothing else tells the
    // one from the other.
    assert!(clock.now().millis() < 10_000, "{:?}", clock.now());
    drop(client);
}

#[actix_web::test]
async fn a_new_certificate_is_shown_to_new_connections_and_parked_polls_go_on() {
    let first = write_certificate("renewed");
    let server = first.server();
    let client = first.h2(&server).await;
    let ann = join(&client).await;
    let renewing = async {
        parked(&server, 1).await;
        // A key that does not fit is not taken.
        std::fs::write(first.folder.join("key.pem"), "nonsense").unwrap();
        assert!(first.connect(&server, "http/1.1").await.is_ok());
        let second = write_certificate("renewed");
        touch(&second);
        while second.connect(&server, "h2").await.is_err() {
            tokio::task::yield_now().await;
        }
        assert!(first.connect(&server, "h2").await.is_err());
        let path = ann.path.replace("messages?wait=50", "messages");
        let posted = post(&second.h2(&server).await, &path, &ann.bearer).await;
        assert_eq!(posted, 202);
        second
    };
    let ((status, batch), _second) = tokio::join!(ask(&client, "GET", &ann.path, &ann.bearer), renewing);
    assert_eq!((status, &batch["messages"][0]["type"]), (200, &json!("bye")));
}

#[expect(clippy::disallowed_methods, reason = "files are dated by the wall clock")]
fn touch(certificate: &Certificate) {
    let later = SystemTime::now() + Duration::from_secs(5);
    for name in ["cert.pem", "key.pem"] {
        std::fs::File::options().append(true).open(certificate.folder.join(name)).unwrap().set_modified(later).unwrap();
    }
}

async fn post(client: &SendRequest<bytes::Bytes>, path: &str, bearer: &str) -> u16 {
    let request = Request::builder().method("POST").uri(format!("https://localhost{path}"));
    let request = request.header("authorization", bearer).header("content-type", "application/json");
    let mut ready = client.clone().ready().await.unwrap();
    let (response, mut stream) = ready.send_request(request.body(()).unwrap(), false).unwrap();
    stream.send_data(bytes::Bytes::from_static(b"{\"type\":\"bye\"}"), true).unwrap();
    response.await.unwrap().status().as_u16()
}

#[test]
fn a_certificate_that_cannot_be_used_is_an_error_at_the_start() {
    let (one, other) = (write_certificate("one"), write_certificate("other"));
    let flags = |certificate: PathBuf, key: PathBuf| {
        let flags = [
            "--tls-cert".to_owned(),
            certificate.display().to_string(),
            "--tls-key".to_owned(),
            key.display().to_string(),
        ];
        signalpost::app::App::build(crate::harness::config(&flags.each_ref().map(String::as_str))).err().unwrap()
    };
    let missing = flags(one.folder.join("missing.pem"), one.folder.join("key.pem"));
    assert!(missing.contains("--tls-cert") && missing.contains("missing.pem"), "{missing}");
    let mixed = flags(one.folder.join("cert.pem"), other.folder.join("key.pem"));
    assert!(mixed.contains("do not match"), "{mixed}");
}
