//! ICE servers for encoders that gather before they call, such as simple-whip-client with `-f`: RFC 9725 section 4.6 lets the
//! response to OPTIONS name them, too.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::scene::{CANDIDATE, Scene, lines};
use crate::{
    auth::tickets::{SECRET, claims, join, signed},
    support::{
        harness::{Server, send},
        turn_client::TurnClient,
    },
};

const WHIP: &str = "/v1/rooms/tea/whip?name=OBS";
const OTHER: [&str; 4] = ["--turn-url", "turn:turn.example:3478", "--turn-secret", "a secret of twenty"];

fn asking(server: &Server, path: &str) -> RequestBuilder {
    server.request(Method::OPTIONS, path)
}

/// The servers that the `Link` fields name, as in a join response.
async fn told(request: RequestBuilder) -> Vec<Value> {
    let answer = send(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let links = answer.headers.get_all("link").iter();
    links.map(|link| parse(link.to_str().unwrap())).collect()
}

fn parse(link: &str) -> Value {
    let (url, parameters) = link.strip_prefix('<').unwrap().split_once(">; rel=\"ice-server\"").unwrap();
    let mut server = json!({ "urls": [url] });
    for parameter in parameters.split("; ").filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap();
        server[name] = json!(value.trim_matches('"'));
    }
    server
}

fn has_turn(servers: &[Value], host: &str) -> bool {
    servers.iter().any(|server| server["urls"][0].as_str().unwrap().starts_with(&format!("turn:{host}:")))
}

/// The relay serves only members, so the credentials are of no use to those who do not call.
#[actix_web::test]
async fn the_own_relay_is_named_before_the_call_and_used_from_the_call_on() {
    let scene = Scene::start(&["--turn-relay", "closed"]);
    let mut ann = scene.browser("Ann").await;
    let servers = told(asking(&scene.server, WHIP)).await;
    assert!(has_turn(&servers, "127.0.0.1"), "{servers:?}");
    let joined = json!({ "ice_servers": servers });
    let mut early = TurnClient::udp(scene.server.port, &joined).await;
    assert_eq!(early.allocate().await.code(), 403);
    let calling = scene.calls(WHIP);
    let (encoder, _) = ann.until_offer().await;
    let mut in_time = TurnClient::udp(scene.server.port, &joined).await;
    assert_eq!(in_time.allocate().await.code(), 0);
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    assert_eq!(calling.await.unwrap().status, 201);
}

#[actix_web::test]
async fn another_turn_server_is_named_to_holders_of_tickets_only() {
    let open = Scene::start(&OTHER);
    assert!(!has_turn(&told(asking(&open.server, WHIP)).await, "turn.example"), "anyone could use it");
    let scene = Scene::start(&[&OTHER[..], &["--ticket-key", SECRET]].concat());
    let named = async |ticket: Option<String>| {
        let request = asking(&scene.server, WHIP);
        let request = match ticket {
            Some(ticket) => request.bearer_auth(ticket),
            None => request,
        };
        has_turn(&told(request).await, "turn.example")
    };
    assert!(named(Some(signed(&claims("tea"), SECRET))).await);
    for refused in [None, Some("nonsense".into()), Some(signed(&claims("coffee"), SECRET))] {
        assert!(!named(refused).await);
    }
    join(&scene.server, "tea", &signed(&claims("tea"), SECRET)).await.expect(201);
}

/// The RFC wants none in the response to a preflight, also where CORS is off.
#[actix_web::test]
async fn a_preflight_gets_no_credentials() {
    for (flags, origin) in [(&[][..], None), (&["--cors-origin", "*"], Some("https://a.example"))] {
        let scene = Scene::start(&[&["--turn-relay", "closed"], flags].concat());
        let asking = asking(&scene.server, WHIP);
        let preflight = match origin {
            Some(origin) => asking.header("origin", origin),
            None => asking,
        };
        assert!(told(preflight.header("access-control-request-method", "POST")).await.is_empty());
    }
}

/// As before.
#[actix_web::test]
async fn who_could_not_call_is_told_what_is_accepted() {
    let scene = Scene::start(&["--turn-relay", "closed"]);
    for path in ["/v1/rooms/tea/whep?to=nobody", "/v1/rooms/tea/whip?name=a&name=b"] {
        assert!(told(asking(&scene.server, path)).await.is_empty());
    }
}
