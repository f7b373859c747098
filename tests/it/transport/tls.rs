//! TLS and HTTP/2, on real sockets.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use h2::client::SendRequest;
use http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    certificate::{Certificate, write_certificate},
    waits::until_parked,
};

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
async fn the_largest_batch_passes_over_tls() {
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
async fn a_disconnect_ends_an_http_2_poll() {
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
        until_parked(&server, 1).await;
        if way == "reset of the stream" {
            stream.send_reset(h2::Reason::CANCEL);
        }
        drop((response, stream, ready));
        until_parked(&server, 0).await;
    }
}

#[actix_web::test]
async fn an_http_2_poll_that_keeps_sending_a_body_is_ended() {
    let certificate = write_certificate("frames");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let ann = join(&client).await;
    let poll = async || {
        let request =
            Request::builder().uri(format!("https://localhost{}", ann.path)).header("authorization", &ann.bearer);
        let mut ready = client.clone().ready().await.unwrap();
        let opened = ready.send_request(request.body(()).unwrap(), false).unwrap();
        until_parked(&server, 1).await;
        opened
    };
    let (response, mut stream) = poll().await;
    for _ in 0..100 {
        // The stream may already have been closed.
        let _ = stream.send_data(bytes::Bytes::from_static(b" "), false);
    }
    assert_eq!(response.await.unwrap().status(), 400);
    until_parked(&server, 0).await;
    // RUSTSEC-2026-0258: empty frames use no window, so a server that kept them would keep them all.
    let (response, mut stream) = poll().await;
    for _ in 0..100 {
        stream.send_data(bytes::Bytes::new(), false).unwrap();
    }
    assert_eq!(post(&client, &ann.path.replace("?wait=50", ""), &ann.bearer).await, 202);
    assert_eq!(response.await.unwrap().status(), 200);
}

#[actix_web::test]
async fn an_idle_http_2_connection_does_not_delay_shutdown() {
    let certificate = write_certificate("idle");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let ann = join(&client).await;
    let poll = ask(&client, "GET", &ann.path, &ann.bearer);
    let stopping = async {
        until_parked(&server, 1).await;
        server.stop();
    };
    let ((status, problem), ()) = tokio::join!(poll, stopping);
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/draining")));
    let clock = signalpost::clock::Clock::start();
    server.join();
    // Connections that do not close gracefully are dropped after `SHUTDOWN_SECONDS` (`src/server.rs`); only time distinguishes the two.
    assert!(clock.now().millis() < 10_000, "{:?}", clock.now());
    drop(client);
}

#[actix_web::test]
async fn a_renewed_certificate_is_used_for_new_connections_only() {
    let first = write_certificate("renewed");
    let server = first.server();
    let client = first.h2(&server).await;
    let ann = join(&client).await;
    let renewing = async {
        until_parked(&server, 1).await;
        // A key that does not match is not loaded.
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
fn an_unusable_certificate_fails_startup() {
    let (one, other) = (write_certificate("one"), write_certificate("other"));
    let flags = |certificate: PathBuf, key: PathBuf| {
        let flags = [
            "--tls-cert".to_owned(),
            certificate.display().to_string(),
            "--tls-key".to_owned(),
            key.display().to_string(),
        ];
        signalpost::app::App::build(crate::support::harness::config(&flags.each_ref().map(String::as_str)))
            .err()
            .unwrap()
    };
    let missing = flags(one.folder.join("missing.pem"), one.folder.join("key.pem"));
    assert!(missing.contains("--tls-cert") && missing.contains("missing.pem"), "{missing}");
    let mixed = flags(one.folder.join("cert.pem"), other.folder.join("key.pem"));
    assert!(mixed.contains("do not match"), "{mixed}");
}

/// The leaf was skipped, and the rest did not match its key.
#[test]
fn a_byte_order_mark_before_a_certificate_or_key_is_ignored() {
    let certificate = write_certificate("marked");
    for name in ["cert.pem", "key.pem"] {
        let path = certificate.folder.join(name);
        let pem = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("\u{feff}{pem}")).unwrap();
    }
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| certificate.folder.join(name).display().to_string());
    let config = crate::support::harness::config(&["--tls-cert", &cert, "--tls-key", &key]);
    signalpost::app::App::build(config).map(drop).unwrap();
}
