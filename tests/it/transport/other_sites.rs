//! Requests that pages of other sites make a browser send, and names under which they reach a server on this machine.

use reqwest::Method;
use serde_json::json;
use signalpost::api::router::routes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    certificate::write_certificate,
    harness::{Server, send},
};

const LISTED: &str = "https://app.example.org";
const FOREIGN: &str = "https://evil.example";
const SITES: [Option<&str>; 6] =
    [None, Some("same-origin"), Some("none"), Some("same-site"), Some("cross-site"), Some("nonsense")];

/// A request as a browser would send it.
#[derive(Clone, Debug)]
struct Ask {
    method: String,
    path: String,
    host: String,
    fields: Vec<(&'static str, String)>,
}

impl Ask {
    fn new(method: &str, path: &str, host: &str) -> Ask {
        Ask { method: method.to_uppercase(), path: path.to_owned(), host: host.to_owned(), fields: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: Option<&str>) -> Ask {
        self.fields.extend(value.map(|value| (name, value.to_owned())));
        self
    }

    async fn over_http1(&self, stream: &mut TcpStream) -> (u16, String) {
        let fields: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let Ask { method, path, host, .. } = self;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n{fields}\r\n");
        raw(stream, &head).await
    }
}

/// Writes a request, and reads its response: status and body.
async fn raw(stream: &mut TcpStream, request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap_or_else(|error| panic!("{request:?}: {error}")));
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port)).await.unwrap()
}

/// The methods and paths of all operations, from the one list of them.
fn operations() -> Vec<(String, String)> {
    let all = routes().into_iter().flat_map(|route| {
        let path = route.path.replace("{room}", "tea").replace("{peer}", "0b5c2f3e-8f0f-4a7e-9d52-6f3e1f0a7c11");
        route.methods.into_iter().map(move |method| (serde_json::to_value(method).unwrap(), path.clone()))
    });
    all.map(|(method, path)| (method.as_str().unwrap().to_uppercase(), path)).collect()
}

/// The rule, written down once more.
fn expected(path: &str, site: Option<&str>, origin: Option<&str>, own: &str, cors: &str) -> bool {
    let listed = match cors {
        "" => false,
        "*" => origin.is_some(),
        _ => origin == Some(LISTED),
    };
    let harmless = origin.is_none_or(|origin| origin == own);
    match site {
        _ if path == "/healthz" => true,
        Some("same-origin") => true,
        None | Some("none") => harmless || listed,
        Some(_) => listed,
    }
}

/// Any site could take both seats of a room with `fetch(…, {mode: 'no-cors'})`.
#[actix_web::test]
async fn each_operation_is_refused_to_pages_of_other_sites() {
    for cors in ["", LISTED, "*"] {
        let server = if cors.is_empty() { Server::start(&[]) } else { Server::start(&["--cors-origin", cors]) };
        let host = format!("localhost:{}", server.port);
        let own = format!("http://{host}");
        let origins = [None, Some(own.as_str()), Some(LISTED), Some(FOREIGN), Some("null"), Some("http://localhost")];
        let mut stream = connect(&server).await;
        for (method, path) in operations() {
            for (site, origin) in SITES.iter().flat_map(|site| origins.iter().map(move |origin| (*site, *origin))) {
                let ask = Ask::new(&method, &path, &host).with("Origin", origin).with("Sec-Fetch-Site", site);
                let (status, body) = ask.over_http1(&mut stream).await;
                let refused = body.contains("/problems/cross-origin-refused");
                assert_eq!(!refused, expected(&path, site, origin, &own, cors), "{cors} {ask:?}: {status} {body}");
                assert_eq!(refused, status == 403 && body.contains("--cors-origin"), "{ask:?}: {body}");
                let ask = Ask { host: "evil.example".into(), ..ask };
                let (status, body) = ask.over_http1(&mut stream).await;
                assert_eq!(status, 421, "{ask:?}: {body}");
                assert!(body.contains("/problems/host-refused") && body.contains("--host"), "{body}");
            }
        }
    }
}

#[actix_web::test]
async fn the_same_over_http2() {
    let certificate = write_certificate("sites");
    let server = certificate.server();
    let client = certificate.h2(&server).await;
    let own = format!("https://localhost:{}", server.port);
    for (method, path) in operations() {
        for (host, site, origin, status) in [
            (format!("localhost:{}", server.port), Some("cross-site"), None, Some(403)),
            (format!("localhost:{}", server.port), Some("same-site"), Some(FOREIGN), Some(403)),
            (format!("localhost:{}", server.port), None, Some(FOREIGN), Some(403)),
            (format!("localhost:{}", server.port), Some("same-origin"), Some(own.as_str()), None),
            (format!("localhost:{}", server.port), None, Some(own.as_str()), None),
            ("evil.example".into(), Some("same-origin"), Some("https://evil.example"), Some(421)),
            ("evil.example".into(), None, None, Some(421)),
        ] {
            let request = http::Request::builder().method(method.to_uppercase().as_str());
            let mut request = request.uri(format!("https://{host}{path}"));
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                request = value.into_iter().fold(request, |request, value| request.header(name, value));
            }
            let mut ready = client.clone().ready().await.unwrap();
            let (response, _) = ready.send_request(request.body(()).unwrap(), true).unwrap();
            let got = response.await.unwrap().status().as_u16();
            let status = if path == "/healthz" && status == Some(403) { Some(200) } else { status };
            match status {
                Some(status) => assert_eq!(got, status, "{method} {path} at {host}, {site:?}, {origin:?}"),
                None => assert!(got != 403 && got != 421, "{method} {path} at {host}: {got}"),
            }
        }
    }
}

/// Images of the WebSocket probe used up the joins of everybody at the same address.
#[actix_web::test]
async fn a_refused_request_is_not_counted() {
    let server = Server::start(&["--rate-join", "1"]);
    let host = format!("localhost:{}", server.port);
    let mut stream = connect(&server).await;
    for _ in 0..50 {
        let image = Ask::new("GET", "/v1/probe/upgrade", &host).with("Sec-Fetch-Site", Some("cross-site"));
        assert_eq!(image.with("Sec-Fetch-Mode", Some("no-cors")).over_http1(&mut stream).await.0, 403);
        let seat = Ask::new("POST", "/v1/rooms/tea/peers", &host).with("Origin", Some(FOREIGN));
        assert_eq!(seat.over_http1(&mut stream).await.0, 403);
        let rebound = Ask::new("POST", "/v1/rooms/tea/peers", "evil.example");
        assert_eq!(rebound.over_http1(&mut stream).await.0, 421);
    }
    server.join_room("tea", "Ann").await;
    let room = server.get("/v1/rooms/tea").await.expect(200);
    assert_eq!(room["occupancy"], 1);
}

/// `--cors-origin '*'` lets any page talk to the server as far as browsers ask it first, and not by forms and images.
#[actix_web::test]
async fn a_form_needs_its_origin_listed() {
    let server = Server::start(&["--cors-origin", "*"]);
    let host = format!("localhost:{}", server.port);
    let mut stream = connect(&server).await;
    let peer = server.join_room("coffee", "Ann").await;
    for (mode, status) in [("cors", 201), ("no-cors", 403), ("navigate", 403)] {
        let ask = Ask::new("POST", "/v1/rooms/tea/peers", &host).with("Origin", Some(FOREIGN));
        let ask = ask.with("Sec-Fetch-Site", Some("cross-site")).with("Sec-Fetch-Mode", Some(mode));
        assert_eq!(ask.over_http1(&mut stream).await.0, status, "{mode}");
    }
    // A beacon is sent without asking, and its body has the token.
    let beacon = Ask::new("POST", &peer.path("/leave"), &host).with("Origin", Some(FOREIGN));
    let beacon = beacon.with("Sec-Fetch-Site", Some("cross-site")).with("Sec-Fetch-Mode", Some("no-cors"));
    assert_eq!(beacon.over_http1(&mut stream).await.0, 204);
}

/// A proxy may terminate TLS, add the default port to `Host`, or replace it and pass on the name that the browser used.
#[actix_web::test]
async fn the_own_page_is_known_behind_a_proxy() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let direct = Server::start(&["--host", "call.example", "--host", "inner"]);
    for (own, host, field, behind_proxy_only) in [
        ("https://call.example", "call.example", None, false),
        ("https://call.example", "call.example:443", None, false),
        ("http://call.example", "CALL.example:80", None, false),
        ("https://call.example", "inner", Some(("X-Forwarded-Host", "call.example")), true),
        ("https://call.example:8443", "inner", Some(("X-Forwarded-Host", "call.example:8443")), true),
        (
            "https://call.example",
            "inner",
            Some(("Forwarded", "for=203.0.113.9;host=\"call.example\";proto=https")),
            true,
        ),
    ] {
        for (server, is_proxied) in [(&server, true), (&direct, false)] {
            let mut stream = connect(server).await;
            let mut ask = Ask::new("POST", "/v1/rooms", host).with("Origin", Some(own));
            if let Some((name, value)) = field {
                ask = ask.with(name, Some(value));
            }
            let status = if behind_proxy_only && !is_proxied { 403 } else { 201 };
            assert_eq!(ask.over_http1(&mut stream).await.0, status, "{ask:?}");
        }
    }
    let mut stream = connect(&server).await;
    let evil = Ask::new("POST", "/v1/rooms", "inner").with("Origin", Some(FOREIGN));
    assert_eq!(evil.with("X-Forwarded-Host", Some("call.example")).over_http1(&mut stream).await.0, 403);
}

const OWN_NAMES: [&str; 8] =
    ["localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.8.9.1:99", "[::1]", "[::1]:80", "[0:0:0:0:0:0:0:1]"];
const ADDED_NAMES: [&str; 3] = ["signal.example", "SIGNAL.example.:8080", "xn--bcher-kva.example"];
const OTHER_NAMES: [&str; 8] = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "10.0.0.1",
    "0.0.0.0",
    "[::2]",
    "signal.example.evil.example",
];
const MALFORMED_NAMES: [&str; 8] = [
    "",
    "localhost..",
    "user@localhost",
    "localhost:80@evil.example",
    "localhost:80:80",
    "localhost:evil.example",
    "localhost evil.example",
    "[::1",
];

/// DNS rebinding: a page whose own name suddenly leads to 127.0.0.1 was the server's own page.
#[actix_web::test]
async fn a_server_on_loopback_is_known_by_few_names() {
    let all = [&OWN_NAMES[..], &ADDED_NAMES, &OTHER_NAMES].concat();
    for (flags, known) in [
        (vec![], OWN_NAMES.to_vec()),
        (vec!["--host", "Signal.Example.,bücher.example"], [&OWN_NAMES[..], &ADDED_NAMES].concat()),
        (vec!["--trusted-proxy", "127.0.0.0/8"], all.clone()),
    ] {
        let server = Server::start(&flags);
        for host in &all {
            // The page, a file of it, an operation, and a path that leads nowhere.
            for path in ["/", "/client/index.js", "/healthz", "/v1/rooms/tea", "/nowhere"] {
                let (status, _) = Ask::new("GET", path, host).over_http1(&mut connect(&server).await).await;
                assert_eq!(status != 421, known.contains(host), "{path} at {host}: {status}");
            }
        }
        for host in MALFORMED_NAMES {
            let ask = Ask::new("GET", "/v1/rooms/tea", host);
            let (status, _) = ask.over_http1(&mut connect(&server).await).await;
            let is_proxied = flags.contains(&"--trusted-proxy");
            assert!(matches!(status, 400 | 421) || is_proxied, "{host}: {status}");
        }
    }
}

#[actix_web::test]
async fn the_name_in_the_target_counts_and_http_1_0_needs_none() {
    let server = Server::start(&[]);
    for (request, status) in [
        ("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        ("GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
        (
            "OPTIONS /v1/rooms HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
            421,
        ),
    ] {
        let mut stream = connect(&server).await;
        assert_eq!(raw(&mut stream, request).await.0, status, "{request}");
    }
}

/// Elsewhere the name is the operator's to choose, and health checks use the address of a container.
#[actix_web::test]
async fn other_addresses_accept_any_name_unless_some_are_given() {
    for (flags, host, status) in [
        (vec![], "evil.example", 200),
        (vec!["--host", "call.example"], "evil.example", 421),
        (vec!["--host", "call.example"], "call.example:8080", 200),
        (vec!["--host", "call.example"], "10.1.2.3:8080", 200),
        (vec!["--host", "call.example"], "localhost", 200),
    ] {
        let server = Server::start(&[&["--listen", "0.0.0.0:0"], &flags[..]].concat());
        let mut stream = connect(&server).await;
        let (got, _) = Ask::new("GET", "/healthz", host).over_http1(&mut stream).await;
        assert_eq!(got, status, "{flags:?} {host}");
    }
}

#[actix_web::test]
async fn the_listener_for_metrics_is_known_by_the_same_names() {
    let server = Server::start(&["--metrics-listen", "127.0.0.1:0", "--host", "monitor.example"]);
    for (host, status) in [("evil.example", 421), ("localhost", 200), ("monitor.example:9000", 200)] {
        let mut stream = TcpStream::connect(server.metrics.unwrap()).await.unwrap();
        let (got, _) = Ask::new("GET", "/metrics", host).over_http1(&mut stream).await;
        assert_eq!(got, status, "{host}");
    }
}

/// Requests that no page of another site makes: those of programs, of our own page, and of users who type the address.
#[actix_web::test]
async fn programs_and_the_own_page_are_not_affected() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let own = [("origin", server.base.as_str()), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")];
    let polling = own.iter().fold(ann.polling(0, 0.0), |request, (name, value)| request.header(*name, *value));
    assert_eq!(send(polling).await.status, 200);
    let typed = server.request(Method::GET, "/v1/rooms/tea").header("sec-fetch-site", "none");
    assert_eq!(send(typed.header("sec-fetch-mode", "navigate")).await.expect(200)["occupancy"], json!(1));
    // A link on another site leads to the page.
    let link = server.request(Method::GET, "/?room=tea").header("sec-fetch-site", "cross-site");
    assert_eq!(send(link.header("sec-fetch-mode", "navigate")).await.status, 200);
}
