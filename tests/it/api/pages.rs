//! What people open in a browser, and unknown paths.

use reqwest::Method;
use serde_json::json;

use crate::support::harness::{Server, send};

#[actix_web::test]
async fn the_page_and_the_client_are_embedded() {
    let server = Server::start(&[]);
    let page = server.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for (path, kind) in [
        ("/network-test", "html"),
        ("/client/index.js", "javascript"),
        ("/app/main.js", "javascript"),
        ("/app/network-test/main.js", "javascript"),
        ("/app/style.css", "css"),
    ] {
        let file = server.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.headers["content-type"].to_str().unwrap().contains(kind), "{path}");
        let tag = file.headers["etag"].to_str().unwrap();
        let again = send(server.request(Method::GET, path).header("if-none-match", tag)).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""));
    }
    for missing in ["/app/nothing.js", "/client/../Cargo.toml", "/client/package.json", "/app/"] {
        server.get(missing).await.refused(404, "not-found");
    }
}

/// Ten tabs asked for some 1,400 files, each of which was answered 304. Debian's Caddy (2.6) then sometimes stopped answering on that
/// HTTP/2 connection, and nginx ends one after 1,000 requests.
#[actix_web::test]
async fn browsers_keep_the_files_of_this_version() {
    let server = Server::start(&[]);
    for document in ["/", "/network-test"] {
        let page = server.get(document).await;
        assert_eq!(page.headers["cache-control"], "no-cache");
        let links = page.text.split(['"', '\'']).filter(|text| text.contains("app/") && !text.contains(' '));
        let links: Vec<_> = links.map(str::to_owned).collect();
        assert!(links.iter().any(|link| link.ends_with("/main.js")), "{links:?}");
        // Browsers ask for the manifest of an installed page again and again, under the address that it had.
        for link in links.iter().filter(|link| *link != "./app/manifest.webmanifest") {
            assert!(link.starts_with("files-"), "{document} has {link}");
            let file = server.get(&format!("/{link}")).await;
            assert_eq!(
                (file.status, &file.headers["cache-control"]),
                (200, &"max-age=31536000, immutable".parse().unwrap())
            );
        }
    }
    let page = server.get("/").await.text;
    let version = page.split("=\"files-").nth(1).unwrap().split('/').next().unwrap();
    let manifest = server.get("/app/manifest.webmanifest").await;
    assert_eq!(manifest.headers["content-type"], "application/manifest+json");
    assert_eq!(manifest.headers["cache-control"], "no-cache");
    let client = server.get(&format!("/files-{version}/client/index.js")).await;
    assert_eq!(client.headers["cache-control"], "max-age=31536000, immutable");
    // Behind a load balancer, another version may have served the document.
    let other = server.get("/files-0123456789abcdef/app/main.js").await;
    assert_eq!((other.status, &other.headers["cache-control"]), (200, &"no-cache".parse().unwrap()));
    assert_eq!(other.text, server.get("/app/main.js").await.text);
    for missing in ["app/nothing.js", "app/index.html", "client/package.json", "other/main.js", "app/"] {
        let missing = server.get(&format!("/files-{version}/{missing}")).await;
        assert_eq!(missing.headers["cache-control"], "no-store, no-transform");
        missing.refused(404, "not-found");
    }
    server.get("/files-0/app/main.js").await.refused(404, "not-found");
}

/// They used to be sent as they are, 450 KB at the first load.
#[actix_web::test]
async fn files_are_compressed_for_those_who_take_that() {
    let server = Server::start(&[]);
    let plain = server.get("/app/main.js").await;
    assert_eq!(plain.headers["vary"], "Accept-Encoding");
    assert!(!plain.headers.contains_key("content-encoding"));
    let asking = |accepted: &str| server.request(Method::GET, "/app/main.js").header("accept-encoding", accepted);
    for accepted in ["gzip", "gzip, deflate, br, zstd", "br;q=1, gzip;q=0.5", "identity;q=0.5, gzip"] {
        let answer = asking(accepted).send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{accepted}");
        assert_eq!(answer.headers()["vary"], "Accept-Encoding");
        let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
        assert_ne!(tag, plain.headers["etag"]);
        let bytes = answer.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < plain.text.len() / 2);
        let again = send(asking(accepted).header("if-none-match", tag)).await;
        assert_eq!((again.status, &again.headers["vary"]), (304, &"Accept-Encoding".parse().unwrap()));
        let other = send(asking("identity").header("if-none-match", again.headers["etag"].clone())).await;
        assert_eq!((other.status, other.text), (200, plain.text.clone()));
    }
    for accepted in ["", "*", "identity", "br", "gzip;q=0", "*;q=0, identity", "nonsense;;q=x"] {
        let answer = send(asking(accepted)).await;
        assert_eq!((answer.status, &answer.text), (200, &plain.text), "{accepted}");
        assert_eq!(answer.headers["etag"], plain.headers["etag"]);
    }
}

#[actix_web::test]
async fn web_dir_replaces_the_embedded_page() {
    let web = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
    let server = Server::start(&["--web-dir", web]);
    for path in ["/", "/network-test", "/client/index.js", "/app/main.js"] {
        let file = server.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.headers.contains_key("content-security-policy"), "{path}");
    }
    server.get("/v1/rooms/tea").await.refused(404, "room-unknown");
    server.get("/nothing").await.refused(404, "not-found");
    // Used to be text without `Allow`.
    for path in ["/", "/app/main.js", "/client/index.js", "/app/nothing.js"] {
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = send(server.request(method, path)).await;
            assert_eq!(answer.headers["allow"], "GET, HEAD", "{path}");
            answer.refused(405, "method-not-allowed");
        }
    }
}

/// A compressing nginx weakens entity tags, and browsers send them back like that, which used to be answered 200 every time.
#[actix_web::test]
async fn if_none_match_compares_weakly_and_gives_304() {
    let web = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
    for server in [Server::start(&[]), Server::start(&["--web-dir", web])] {
        for path in ["/", "/network-test", "/client/index.js", "/app/style.css"] {
            let tag = server.get(path).await.headers["etag"].to_str().unwrap().to_owned();
            let other = "\"another, with a comma\"";
            let known = [
                vec![tag.clone()],
                vec![format!("W/{tag}")],
                vec![format!("{other}, W/{tag}")],
                vec![format!("W/{tag} ,{other},")],
                vec![other.into(), format!("W/{tag}")],
                vec!["*".into()],
            ];
            let unknown = [
                vec![other.to_owned()],
                vec![format!("w/{tag}")],
                vec![tag.trim_matches('"').into()],
                vec![tag.replace('"', "\"x")],
                vec![String::new()],
            ];
            let cases = known.map(|fields| (fields, 304)).into_iter().chain(unknown.map(|fields| (fields, 200)));
            for (fields, status) in cases {
                for method in [Method::GET, Method::HEAD] {
                    // With `If-None-Match`, the date is ignored (RFC 9110 section 13.1.3).
                    let asking =
                        server.request(method, path).header("if-modified-since", "Fri, 31 Dec 2060 23:59:59 GMT");
                    let asking = fields.iter().fold(asking, |asking, field| asking.header("if-none-match", field));
                    let answer = send(asking).await;
                    assert_eq!(answer.status, status, "{path} {fields:?}");
                    assert_eq!(answer.headers["etag"], tag);
                    assert!(status == 200 || answer.text.is_empty());
                }
            }
        }
    }
}

#[actix_web::test]
async fn swagger_ui_loads_nothing_from_other_hosts() {
    let server = Server::start(&[]);
    for path in ["/swagger-ui/", "/swagger-ui", "/swagger-ui/swagger-ui-bundle.js"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert_eq!(server.get("/openapi.json").await.json()["openapi"], "3.1.0");
    let page = server.get("/problems/room-full").await;
    assert!(page.text.starts_with("room-full (409)"), "{}", page.text);
    server.get("/problems/nonsense").await.refused(404, "not-found");
}

/// They used to be sent whole each time, 1.5 MB.
#[actix_web::test]
async fn files_of_swagger_ui_are_sent_once() {
    let server = Server::start(&[]);
    let mut tags = std::collections::HashSet::new();
    for file in ["", "swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let path = format!("/swagger-ui/{file}");
        let first = server.get(&path).await;
        assert_eq!((first.status, &first.headers["cache-control"]), (200, &"no-cache".parse().unwrap()), "{path}");
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let again = send(server.request(Method::GET, &path).header("if-none-match", format!("W/{tag}"))).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.headers["etag"], tag.as_str());
        let changed = send(server.request(Method::GET, &path).header("if-none-match", "\"other\"")).await;
        assert_eq!((changed.status, changed.text), (200, first.text), "{path}");
        assert!(tags.insert(tag), "{path}");
    }
}

/// Used to be serialized for each request, 150 KB each time.
#[actix_web::test]
async fn the_document_has_a_stable_etag() {
    let server = Server::start(&["--workers", "2"]);
    let first = server.get("/openapi.json").await;
    assert_eq!((first.status, &first.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.json(), serde_json::to_value(signalpost::api::schema::openapi::document()).unwrap());
    for known in
        [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), format!("\"other\",W/{tag}"), "*".to_owned()]
    {
        let again = send(server.request(Method::GET, "/openapi.json").header("if-none-match", &known)).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{known}");
        assert_eq!(again.headers["etag"], tag.as_str());
    }
    let changed = send(server.request(Method::GET, "/openapi.json").header("if-none-match", "\"other\"")).await;
    assert_eq!((changed.status, &changed.text), (200, &first.text));
}

#[actix_web::test]
async fn unknown_paths_get_404_and_wrong_methods_405_with_allow() {
    let server = Server::start(&[]);
    server.get("/v1").await.refused(404, "not-found");
    server.get("/v1/rooms/").await.refused(404, "not-found");
    for (method, path, allow) in [
        (Method::GET, "/v1/rooms", "POST"),
        (Method::PUT, "/v1/rooms/tea", "GET, PATCH, DELETE, HEAD"),
        (Method::POST, "/v1/rooms/tea/peers/x/ice-servers", "GET, HEAD"),
        (Method::DELETE, "/v1/rooms/tea/peers/x/messages", "GET, POST"),
        (Method::OPTIONS, "/v1/rooms/tea/peers", "GET, POST, HEAD"),
        (Method::POST, "/", "GET, HEAD"),
        (Method::POST, "/network-test", "GET, HEAD"),
        (Method::POST, "/v1/probe/upgrade", "GET, HEAD"),
        (Method::POST, "/swagger-ui/", "GET, HEAD"),
        (Method::HEAD, "/v1/rooms/tea/peers/x/messages", "GET, POST"),
        (Method::PUT, "/healthz", "GET, HEAD"),
    ] {
        let answer = send(server.request(method.clone(), path)).await;
        assert_eq!(answer.status, 405, "{method} {path} {answer:?}");
        let kind = || answer.json()["type"].clone();
        assert!(method == Method::HEAD || kind() == "/problems/method-not-allowed", "{method} {path} {answer:?}");
        assert_eq!(answer.headers["allow"], allow, "{method} {path}");
    }
}

#[actix_web::test]
async fn head_is_answered_like_get() {
    let server = Server::start(&[]);
    for path in ["/", "/healthz", "/readyz", "/openapi.json", "/client/index.js"] {
        let (get, head) = (server.get(path).await, send(server.request(Method::HEAD, path)).await);
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        assert_eq!(head.headers["content-length"], get.headers["content-length"], "{path}");
    }
}

#[actix_web::test]
async fn only_listed_origins_get_cors_headers() {
    let server = Server::start(&["--cors-origin", "https://app.example"]);
    let preflight = |origin: &'static str| {
        let request = server.request(Method::OPTIONS, "/v1/rooms/tea/peers/x/messages?wait=25");
        let asking = request.header("origin", origin).header("access-control-request-method", "GET");
        send(asking.header("access-control-request-headers", "authorization,last-event-id"))
    };
    let yes = preflight("https://app.example").await;
    assert_eq!(yes.status, 200);
    assert_eq!(yes.headers["access-control-allow-origin"], "https://app.example");
    assert_eq!(yes.headers["access-control-max-age"], "7200");
    let no = preflight("https://evil.example").await;
    assert!(!no.headers.contains_key("access-control-allow-origin"), "{no:?}");

    let ours = server.request(Method::POST, "/v1/rooms/tea/peers").header("origin", "https://app.example");
    let joined = send(ours.json(&json!({}))).await;
    assert_eq!(
        (joined.status, &joined.headers["access-control-allow-origin"]),
        (201, &"https://app.example".parse().unwrap())
    );
    let exposed = joined.headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("retry-after") && exposed.contains("location"), "{exposed}");
}

#[actix_web::test]
async fn healthz_readyz_and_metrics_answer() {
    let server = Server::start(&[]);
    server.join_room("tea", "Ann").await;
    assert_eq!(server.get("/healthz").await.text, "ok\n");
    assert_eq!(server.get("/readyz").await.text, "ready\n");
    let figures = server.get("/metrics").await.text;
    for line in ["signalpost_rooms 1\n", "signalpost_peers 1\n", "signalpost_parked_polls 0\n"] {
        assert!(figures.contains(line), "{figures}");
    }
}

/// `ln -s /etc app/x` in the folder, or a checkout that has such a link, published the machine's files.
#[actix_web::test]
async fn web_dir_serves_nothing_outside_the_folder() {
    let folder = std::env::temp_dir().join(format!("signalpost-web-links-{}", std::process::id()));
    let (outside, web) = (folder.join("outside"), folder.join("web"));
    for part in [&outside, &web.join("app"), &web.join("client")] {
        std::fs::create_dir_all(part).unwrap();
    }
    std::fs::write(outside.join("private.js"), "PRIVATE").unwrap();
    std::fs::write(web.join("app/index.html"), "<p>page</p>").unwrap();
    let link = |to: &std::path::Path, at: &str| std::os::unix::fs::symlink(to, web.join(at)).unwrap();
    link(&outside.join("private.js"), "app/file.js");
    link(&outside, "client/folder");
    link(&outside.join("private.js"), "app/network-test.html");
    link(&web.join("app/index.html"), "client/inside.html");

    let server = Server::start(&["--web-dir", web.to_str().unwrap()]);
    for path in ["/app/file.js", "/client/folder/private.js", "/client/folder/", "/network-test"] {
        let answer = server.get(path).await;
        assert!(answer.status == 404 && !answer.text.contains("PRIVATE"), "{path}: {} {}", answer.status, answer.text);
    }
    for path in ["/", "/client/inside.html"] {
        assert_eq!(server.get(path).await.text, "<p>page</p>", "{path}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
