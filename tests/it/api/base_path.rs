//! The server under a path, which a proxy passes on or strips.

use reqwest::{Client, Method, redirect::Policy};
use serde_json::json;

use crate::support::harness::{Peer, Server, send};

fn client() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

#[actix_web::test]
async fn a_call_works_under_the_base_path_and_at_the_root() {
    for flags in [&["--base-path", "/signal"][..], &["--base-path", "apps/signal/", "--cors-origin", "*"]] {
        let server = Server::start(flags);
        let base = format!("{}/{}", server.base, flags[1].trim_matches('/'));
        let joined = send(client().post(format!("{base}/v1/rooms/tea/peers")).json(&json!({"name": "Ann"}))).await;
        let ann = Peer::seated(client(), base.clone(), "tea", joined.expect(201));
        let ben = server.join_room("tea", "Ben").await;
        ben.say(&ann, "from the root").await;
        ann.say(&ben, "from under the path").await;
        assert_eq!(ann.messages(0).await.len(), 2);
        assert_eq!(ben.messages(0).await.len(), 1);
        let polling = tokio::spawn(send(ann.polling(2, 25.0)));
        ben.batch(json!([{"to": ann.id, "type": "data", "data": 1}])).await.expect(202);
        assert_eq!(polling.await.unwrap().messages().len(), 1);
        assert_eq!(ann.goodbye().await.status, 204);
        ann.leave().await.expect(204);
    }
}

#[actix_web::test]
async fn pages_and_probes_answer_under_the_base_path_and_nowhere_else() {
    let server = Server::start(&["--base-path", "/signal"]);
    for path in [
        "/",
        "/network-test",
        "/app/main.js",
        "/client/index.js",
        "/swagger-ui/",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/problems/room-full",
    ] {
        let (root, under) = (server.get(path).await, server.get(&format!("/signal{path}")).await);
        assert_eq!((root.status, under.status), (200, 200), "{path}");
        assert_eq!(root.headers["content-type"], under.headers["content-type"], "{path}");
    }
    server.get("/signal/signal/").await.refused(404, "not-found");
    server.get("/signals/").await.refused(404, "not-found");
    server.get("/signal/v1/rooms/tea").await.refused(404, "room-unknown");
    let head = send(server.request(Method::HEAD, "/signal/openapi.json")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let wrong = send(server.request(Method::PUT, "/signal/v1/rooms/tea")).await;
    assert_eq!((wrong.status, &wrong.headers["allow"]), (405, &"GET, PATCH, DELETE, HEAD".parse().unwrap()));
    let plain = Server::start(&[]);
    plain.get("/signal/").await.refused(404, "not-found");
}

/// Without the slash, relative addresses would leave the path.
#[actix_web::test]
async fn a_base_path_without_its_slash_redirects_relatively() {
    let server = Server::start(&["--base-path", "/apps/signal"]);
    for (path, target) in [
        ("/apps/signal", "/apps/signal/"),
        ("/apps/signal?room=tea&name=Ann", "/apps/signal/?room=tea&name=Ann"),
        ("/apps/signal/swagger-ui", "/apps/signal/swagger-ui/"),
        ("/swagger-ui", "/swagger-ui/"),
    ] {
        let answer = client().get(format!("{}{path}", server.base)).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{path}: {answer:?}");
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(!location.starts_with('/') && !location.contains("://"), "{location}");
        assert_eq!(answer.url().join(location).unwrap().as_str(), format!("{}{target}", server.base));
    }
}

#[actix_web::test]
async fn pages_and_document_contain_no_absolute_paths() {
    let server = Server::start(&[]);
    for path in [
        "/",
        "/network-test",
        "/app/main.js",
        "/app/network-test/main.js",
        "/swagger-ui/",
        "/swagger-ui/swagger-initializer.js",
    ] {
        let text = server.get(path).await.text;
        for rooted in ["href=\"/", "src=\"/", "url: \"/", "\"url\": \"/", "from '/", "fetch('/", "'/v1"] {
            assert!(!text.contains(rooted), "{path} has {rooted}");
        }
    }
    let document = server.get("/openapi.json").await.json();
    let at = reqwest::Url::parse("https://h.example/signal/openapi.json").unwrap();
    let base = at.join(document["servers"][0]["url"].as_str().unwrap()).unwrap();
    assert_eq!(base.as_str(), "https://h.example/signal/");
}
