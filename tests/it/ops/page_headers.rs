//! The header fields that protect visitors of a page. Swagger UI had none of them, and could be framed.

use std::collections::BTreeMap;

use http::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::support::{
    certificate::{Certificate, write_certificate},
    harness::Server,
};

/// Pages, their parts, and what is there instead of a page, with the status of each.
const PATHS: [(&str, u16); 14] = [
    ("/", 200),
    ("/?room=tea&name=Ann", 200),
    ("/network-test", 200),
    ("/app/main.js", 200),
    ("/client/index.js", 200),
    ("/swagger-ui/", 200),
    ("/swagger-ui/index.html", 200),
    ("/swagger-ui/swagger-ui-bundle.js", 200),
    ("/openapi.json", 200),
    ("/problems/room-full", 200),
    ("/problems/nonsense", 404),
    ("/nothing", 404),
    ("/app/nothing.js", 404),
    ("/swagger-ui", 307),
];

const EXPECTED: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("content-security-policy", "frame-ancestors 'none'"),
];

type Fields = BTreeMap<String, String>;

fn check(path: &str, fields: &Fields, is_tls: bool) {
    let field = |name: &str| fields.get(name).unwrap_or_else(|| panic!("{path} has no {name}: {fields:?}"));
    for (name, text) in EXPECTED {
        assert!(field(name).contains(text), "{path}: {name}: {}", field(name));
    }
    let policy = field("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{path}: {policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'self' '"), "{path}: {policy}");
    let permissions: Vec<_> = field("permissions-policy").split(", ").collect();
    for (feature, allowed) in permissions.iter().map(|one| one.split_once('=').unwrap()) {
        assert!(matches!(allowed, "()" | "(self)"), "{path}: {feature}");
    }
    for own in ["camera=(self)", "microphone=(self)", "display-capture=(self)", "geolocation=()", "usb=()"] {
        assert!(permissions.contains(&own), "{path}: {permissions:?}");
    }
    // Without TLS it has no meaning, and with a proxy it is the proxy's to say.
    let transport = fields.get("strict-transport-security");
    assert_eq!(transport.is_some(), is_tls, "{path}");
    assert!(transport.is_none_or(|text| text == "max-age=31536000"), "{path}: {transport:?}");
}

fn map_of(headers: &reqwest::header::HeaderMap) -> Fields {
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

/// A request over HTTP/1.1, as raw text, so that redirects are not followed.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str, status: u16) -> Fields {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {}", text.lines().next().unwrap_or_default());
    let head = text.split("\r\n\r\n").next().unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()
}

async fn check_over_http_2(certificate: &Certificate, server: &Server) {
    let client = certificate.h2(server).await;
    for (path, status) in PATHS {
        let request = Request::builder().uri(format!("https://localhost{path}")).body(()).unwrap();
        let (response, _) = client.clone().ready().await.unwrap().send_request(request, true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        check(path, &map_of(response.headers()), true);
    }
}

#[actix_web::test]
async fn every_page_has_the_same_policies_over_http_1_and_2_and_from_a_folder() {
    let web = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
    let certificate = write_certificate("pages");
    let flags = certificate.flags();
    for folder in [&[][..], &["--web-dir", web][..]] {
        let plain = Server::start(folder);
        let secure = Server::start(&[&flags.each_ref().map(String::as_str)[..], folder].concat());
        for (path, status) in PATHS {
            let stream = tokio::net::TcpStream::connect(("127.0.0.1", plain.port)).await.unwrap();
            check(path, &ask(stream, path, status).await, false);
            let stream = certificate.connect(&secure, "http/1.1").await.unwrap();
            check(path, &ask(stream, path, status).await, true);
        }
        check_over_http_2(&certificate, &secure).await;
    }
}

#[actix_web::test]
async fn a_page_that_is_known_and_a_wrong_method_have_them_too() {
    let server = Server::start(&[]);
    let tag = server.get("/").await.headers["etag"].to_str().unwrap().to_owned();
    let known = server.request(reqwest::Method::GET, "/").header("if-none-match", tag).send().await.unwrap();
    let wrong = server.request(reqwest::Method::POST, "/").send().await.unwrap();
    for (answer, status) in [(known, 304), (wrong, 405)] {
        assert_eq!(answer.status(), status);
        check("/", &map_of(answer.headers()), false);
    }
}

/// Regression: it kept tokens in the browser's storage, where the next user of the browser found them.
#[actix_web::test]
async fn swagger_ui_keeps_no_tokens_and_asks_no_validator() {
    let server = Server::start(&[]);
    let settings = server.get("/swagger-ui/swagger-initializer.js").await.text;
    assert!(!settings.contains("\"persistAuthorization\": true"), "{settings}");
    assert!(settings.contains("\"validatorUrl\": \"none\""), "{settings}");
}
