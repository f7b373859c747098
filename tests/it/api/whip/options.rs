//! ICE servers for clients that gather before they call, such as simple-whip-client with `-f`: RFC 9725 section 4.6 lets the
//! response to OPTIONS name them, too.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::scene::{CANDIDATE, OFFER, SDP, Scene, lines};
use crate::{
    auth::tickets::{SECRET, claims, join, signed},
    support::{
        harness::{Answer, Server, send},
        turn_client::TurnClient,
    },
};

const CLOSED: [&str; 2] = ["--turn-relay", "closed"];
/// A relay, and another TURN server.
const BOTH: [&str; 6] =
    ["--turn-relay", "closed", "--turn-url", "turn:turn.example:3478", "--turn-secret", "a secret of twenty"];

fn asking(server: &Server, path: &str) -> RequestBuilder {
    server.request(Method::OPTIONS, path)
}

/// The servers that the `Link` fields name, as in a join response.
fn told(answer: &Answer) -> Vec<Value> {
    assert_eq!((answer.status, &answer.headers["accept-post"]), (200, &SDP.parse().unwrap()), "{answer:?}");
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

/// The hosts of the TURN servers.
fn relays(servers: &[Value]) -> Vec<&str> {
    let urls = servers.iter().map(|server| server["urls"][0].as_str().unwrap());
    let mut hosts: Vec<&str> =
        urls.filter_map(|url| url.strip_prefix("turn:")).map(|rest| rest.split(':').next().unwrap()).collect();
    hosts.dedup();
    hosts
}

/// What the relay says to a client with these credentials.
async fn allocation(server: &Server, servers: &[Value]) -> u16 {
    TurnClient::udp(server.port, &json!({ "ice_servers": servers })).await.allocate().await.code()
}

/// The relay serves only members, so the credentials are of no use to those who do not call, and to others.
#[actix_web::test]
async fn the_relay_is_named_before_the_call_and_accepts_the_caller_from_then_on() {
    for kind in ["whip", "whep"] {
        let scene = Scene::start(&CLOSED);
        let mut ann = scene.browser("Ann").await;
        let path = |name: &str| format!("/v1/rooms/tea/{kind}?name={name}");
        let servers = told(&send(asking(&scene.server, &path("Camera"))).await);
        let others = told(&send(asking(&scene.server, &path("Other"))).await);
        assert_eq!(relays(&servers), ["127.0.0.1"]);
        assert_eq!(allocation(&scene.server, &servers).await, 403);
        let offer = if kind == "whip" { OFFER.to_owned() } else { OFFER.replace("sendonly", "recvonly") };
        let calling = actix_web::rt::spawn(send(scene.offering(&path("Camera"), &offer)));
        let (caller, _) = ann.until_offer().await;
        assert_eq!(allocation(&scene.server, &servers).await, 0);
        assert_eq!(allocation(&scene.server, &others).await, 403);
        ann.says(&caller, json!({"type": "bye"})).await;
        assert!(matches!(calling.await.unwrap().status, 409 | 503));
    }
}

/// Another TURN server would accept the credentials at once, and also those of somebody who has been kicked.
#[actix_web::test]
async fn another_turn_server_is_not_named() {
    let scene = Scene::start(&BOTH);
    let mut ann = scene.browser("Ann").await;
    let path = "/v1/rooms/tea/whip";
    assert_eq!(relays(&told(&send(asking(&scene.server, path)).await)), ["127.0.0.1"]);
    let calling = scene.calls(path);
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    let begun = calling.await.unwrap();
    let links = begun.headers.get_all("link").iter().map(|link| parse(link.to_str().unwrap())).collect::<Vec<_>>();
    assert_eq!(relays(&links), ["127.0.0.1", "turn.example"]);
}

#[actix_web::test]
async fn where_tickets_are_required_only_their_holders_are_told_of_the_relay() {
    let scene = Scene::start(&[&CLOSED[..], &["--ticket-key", SECRET]].concat());
    let named = async |ticket: Option<&str>| {
        let request = asking(&scene.server, "/v1/rooms/tea/whip");
        let request = match ticket {
            Some(ticket) => request.bearer_auth(ticket),
            None => request,
        };
        told(&send(request).await)
    };
    let ticket = signed(&claims("tea"), SECRET);
    let servers = named(Some(&ticket)).await;
    assert_eq!(relays(&servers), ["127.0.0.1"]);
    for refused in [None, Some("nonsense"), Some(signed(&claims("coffee"), SECRET).as_str())] {
        assert!(relays(&named(refused).await).is_empty(), "{refused:?}");
    }
    let joined = join(&scene.server, "tea", &ticket).await.expect(201);
    let mut ann = super::scene::Browser::new(scene.server.seat("tea", joined));
    let calling = actix_web::rt::spawn(send(scene.offering("/v1/rooms/tea/whip", OFFER).bearer_auth(&ticket)));
    let (encoder, _) = ann.until_offer().await;
    assert_eq!(allocation(&scene.server, &servers).await, 0);
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    assert_eq!(calling.await.unwrap().status, 201);
}

/// The credentials are for the peer of a caller with this secret: the relay would tell whether it is the right one, without a limit on wrong
/// guesses.
#[actix_web::test]
async fn a_rooms_secret_cannot_be_guessed_by_way_of_the_relay() {
    let scene = Scene::start(&CLOSED);
    scene.server.join_with("tea", json!({"secret": "two lumps"})).await;
    for guess in ["two lumps", "three lumps"] {
        let servers = told(&send(asking(&scene.server, "/v1/rooms/tea/whip").bearer_auth(guess)).await);
        assert!(!servers.is_empty() && relays(&servers).is_empty(), "{servers:?}");
    }
}

/// The RFC wants none in the response to a preflight, also where CORS is off and the request comes from the server's own page.
#[actix_web::test]
async fn a_preflight_names_none_and_a_page_may_ask_afterwards() {
    for (flags, origin) in [(&[][..], None), (&["--cors-origin", "*"], Some("https://a.example"))] {
        let scene = Scene::start(&[&CLOSED[..], flags].concat());
        let own = format!("http://127.0.0.1:{}", scene.server.port);
        let asking = || asking(&scene.server, "/v1/rooms/tea/whip").header("origin", origin.unwrap_or(&own));
        let preflight = send(asking().header("access-control-request-method", "OPTIONS")).await;
        assert!(told(&preflight).is_empty());
        if origin.is_some() {
            assert!(preflight.headers["access-control-allow-methods"].to_str().unwrap().contains("OPTIONS"));
        }
        assert_eq!(relays(&told(&send(asking()).await)), ["127.0.0.1"]);
    }
}

#[actix_web::test]
async fn a_malformed_request_is_told_what_is_accepted() {
    let scene = Scene::start(&CLOSED);
    for path in ["/v1/rooms/tea/whep?to=nobody", "/v1/rooms/tea/whip?name=a&name=b"] {
        assert!(told(&send(asking(&scene.server, path)).await).is_empty());
    }
    let basic = asking(&scene.server, "/v1/rooms/tea/whip").header("authorization", "Basic YTpi");
    assert!(relays(&told(&send(basic).await)).is_empty());
}

#[actix_web::test]
async fn it_counts_as_a_request_without_a_token() {
    let scene = Scene::start(&[&CLOSED[..], &["--rate-join", "1"]].concat());
    let mut answer = send(asking(&scene.server, "/v1/rooms/tea/whip")).await;
    for _ in 0..200 {
        if answer.status == 429 {
            break;
        }
        answer = send(asking(&scene.server, "/v1/rooms/tea/whip")).await;
    }
    answer.refused(429, "rate-limited");
}
