//! The same request gets the same response, however the transport reads it and whichever allowed page it comes from.

use serde_json::{Value, json};

use crate::support::{
    certificate::{Certificate, write_certificate},
    harness::Server,
    three_ways::{Answer, Ask, Client, WAYS, Way},
};

const LISTED: &str = "https://app.example";
/// The server's own.
const OWN: &str = "https://localhost";
const FLAGS: [&str; 6] = ["--body-bytes", "1000", "--mailbox-messages", "8", "--stun-url", "stun:stun.example"];

struct Seat {
    id: String,
    token: String,
}

impl Seat {
    fn path(&self, room: &str, rest: &str) -> String {
        format!("/v1/rooms/{room}/peers/{}{rest}", self.id)
    }

    fn ask(&self, method: &'static str, path: impl Into<String>) -> Ask {
        Ask::new(method, path).header("authorization", format!("Bearer {}", self.token))
    }
}

/// Messages and polls, right and wrong.
fn signaling(room: &str, ann: &Seat, ben: &Seat) -> Vec<(&'static str, Ask)> {
    let (mailbox, batch) = (ben.path(room, "/messages"), format!("/v1/rooms/{room}/messages"));
    let post = |path: &str| ann.ask("POST", path);
    let poll = |query: &str| ann.ask("GET", ann.path(room, "/messages") + query);
    let (bye, named) = (json!({"type": "bye"}), json!({"messages": [{"type": "bye", "to": ben.id}]}));
    let key = |ask: Ask| ask.header("idempotency-key", "0123456789abcdef");
    vec![
        ("a message", post(&mailbox).json(&bye)),
        ("a batch", post(&batch).json(&named)),
        ("a keyed message", key(post(&mailbox)).json(&bye)),
        ("the same again", key(post(&mailbox)).json(&bye)),
        ("the same key, another body", key(post(&mailbox)).json(json!({"type": "bye", "reason": "kettle"}))),
        ("an invalid key", post(&mailbox).header("idempotency-key", "short").json(&bye)),
        ("a poll", poll("?wait=0")),
        ("a poll with a cursor", poll("?wait=0&after=1")),
        ("a cursor in a header", poll("?wait=0").header("last-event-id", "1")),
        ("a cursor ahead", poll("?wait=0&after=99")),
        ("an invalid cursor", poll("?wait=0").header("last-event-id", "x")),
        ("an invalid wait", poll("?wait=1e9")),
        ("a batch and a poll", post(&format!("{batch}?wait=0&after=1")).json(&named)),
        ("a batch and an invalid poll", post(&format!("{batch}?wait=x")).json(&named)),
        ("a batch and a cursor ahead", post(&format!("{batch}?wait=0&after=99")).json(&named)),
        ("HEAD of a poll", ann.ask("HEAD", ann.path(room, "/messages?wait=0"))),
        ("no token", Ask::new("POST", &mailbox).json(&bye)),
        ("a wrong token", Ask::new("POST", &mailbox).header("authorization", "Bearer x").json(&bye)),
        ("another peer's poll", ben.ask("GET", ann.path(room, "/messages"))),
        ("an unknown peer", post(&ann.path(room, "/messages").replace(&ann.id, "nobody")).json(&bye)),
        ("another room", post(&mailbox.replace(room, "elsewhere")).json(&bye)),
        ("an invalid room", post("/v1/rooms/a%20b/messages").json(&named)),
        ("an escaped room", post(&batch.replace("rooms/", "rooms/%2D")).json(&named)),
        ("invalid JSON", post(&mailbox).json("{")),
        ("an unknown type", post(&mailbox).json(json!({"type": "hello"}))),
        ("no content type", Ask { body: bye.to_string(), ..post(&mailbox) }),
        ("no body", post(&mailbox)),
        ("a compressed body", post(&mailbox).header("content-encoding", "gzip").json(&bye)),
        ("a body too large", post(&mailbox).json(json!("x".repeat(1100)))),
        ("an empty batch", post(&batch).json(json!({"messages": []}))),
        ("a full mailbox", post(&batch).json(json!({"messages": vec![json!({"type": "bye", "to": ben.id}); 7]}))),
        ("a wrong method", ann.ask("PUT", &mailbox).json(&bye)),
        ("a poll of a batch", ann.ask("GET", &batch)),
    ]
}

/// Rooms and seats, pages and documents, preflights. Ann leaves.
fn others(room: &str, ann: &Seat, ben: &Seat, etag: &str) -> Vec<(&'static str, Ask)> {
    let (this, peers) = (format!("/v1/rooms/{room}"), format!("/v1/rooms/{room}/peers"));
    let preflight = |path: &str| Ask::new("OPTIONS", path).header("access-control-request-method", "POST");
    vec![
        ("a room", Ask::new("GET", &this)),
        ("HEAD of a room", Ask::new("HEAD", &this)),
        ("an unknown room", Ask::new("GET", "/v1/rooms/unknown")),
        ("HEAD of an unknown room", Ask::new("HEAD", "/v1/rooms/unknown")),
        ("a full room", Ask::new("POST", &peers).json(json!({"name": "Cleo"}))),
        ("a resumed seat", ann.ask("POST", &peers).json(json!({"name": "Ann"}))),
        ("an invalid name", Ask::new("POST", "/v1/rooms/other/peers").json(json!({"name": 7}))),
        ("JSON too deep", Ask::new("POST", "/v1/rooms/other/peers").json("[".repeat(99))),
        ("ICE servers of another", ben.ask("GET", ann.path(room, "/ice-servers"))),
        ("the roster", ben.ask("GET", &peers)),
        ("another peer's seat", ann.ask("DELETE", ben.path(room, ""))),
        ("an unknown seat", ann.ask("DELETE", ann.path(room, "").replace(&ann.id, "nobody"))),
        ("a change without the room's token", ann.ask("PATCH", &this).json(json!({"locked": true}))),
        ("leaving", ann.ask("DELETE", ann.path(room, ""))),
        ("having left", ann.ask("DELETE", ann.path(room, ""))),
        ("the probe without a handshake", Ask::new("GET", "/v1/probe/upgrade")),
        ("healthz", Ask::new("GET", "/healthz")),
        ("the page", Ask::new("GET", "/")),
        ("HEAD of the page", Ask::new("HEAD", "/")),
        ("the document", Ask::new("HEAD", "/openapi.json")),
        ("the document, known", Ask::new("GET", "/openapi.json").header("if-none-match", etag)),
        ("a page about a problem", Ask::new("GET", "/problems/room-full")),
        ("an unknown path", Ask::new("GET", "/nothing")),
        ("a wrong method for a page", Ask::new("DELETE", "/client/index.js")),
        ("a preflight", preflight(&peers)),
        ("a preflight with headers", preflight(&peers).header("access-control-request-headers", "authorization,x-y")),
        ("a preflight for a page", preflight("/client/index.js")),
        ("OPTIONS", Ask::new("OPTIONS", &peers)),
    ]
}

async fn join(client: &mut Client<'_>, room: &str, name: &str) -> Seat {
    let answer = client.send(&Ask::new("POST", format!("/v1/rooms/{room}/peers")).json(json!({"name": name}))).await;
    let joined: Value = serde_json::from_str(&answer.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Seat { id: text(&joined["peer"]["id"]), token: text(&joined["token"]) }
}

/// All responses, with fixed names for what is different in each room.
async fn answers(
    (server, certificate): (&Server, &Certificate),
    way: Way,
    room: &str,
    origin: Option<&str>,
) -> Vec<(&'static str, Answer)> {
    let mut client = Client::new(way, server, certificate);
    let (ann, ben) = (join(&mut client, room, "Ann").await, join(&mut client, room, "Ben").await);
    let document = client.send(&Ask::new("HEAD", "/openapi.json")).await;
    let etag = document.header("etag").unwrap();
    let mut all = Vec::new();
    for (name, mut ask) in [signaling(room, &ann, &ben), others(room, &ann, &ben, etag)].concat() {
        ask.headers.extend(origin.map(|origin| ("origin", origin.to_owned())));
        let mut answer = client.send(&ask).await;
        for (value, known) in [(&*ann.id, "ANN"), (&*ben.id, "BEN"), (&*ann.token, "TOKEN"), (room, "ROOM")] {
            answer.body = answer.body.replace(value, known);
        }
        for name in ["username", "credential"] {
            answer.body = hide(&answer.body, name);
        }
        all.push((name, answer));
    }
    all
}

/// Credentials of the relay are different each time.
fn hide(json: &str, name: &str) -> String {
    let mark = format!("\"{name}\":\"");
    match json.split_once(&mark).and_then(|(before, rest)| Some((before, rest.split_once('"')?.1))) {
        Some((before, after)) => format!("{before}{mark}HIDDEN\"{after}"),
        None => json.to_owned(),
    }
}

fn is_of_cors(name: &str) -> bool {
    name == "vary" || name.starts_with("access-control-")
}

/// Takes the CORS fields out.
fn split(mut answer: Answer) -> (Answer, Vec<(String, String)>) {
    // That files are compressed for some has nothing to do with origins.
    let is_of_files = |value: &str| value.eq_ignore_ascii_case("accept-encoding");
    let (cors, others) = answer.headers.into_iter().partition(|(name, value)| is_of_cors(name) && !is_of_files(value));
    answer.headers = others;
    (answer, cors)
}

#[actix_web::test]
async fn a_response_depends_neither_on_how_the_request_was_read_nor_on_its_origin() {
    let certificate = write_certificate("parity");
    let flags = certificate.flags();
    let flags = [&flags.each_ref().map(String::as_str)[..], &FLAGS].concat();
    let servers = [Server::start(&flags), Server::start(&[&flags[..], &["--cors-origin", LISTED]].concat())];
    let mut plain = Vec::new();
    let mut rooms = (0..).map(|number| format!("room-{number:02}"));
    for (server, origin) in [(0, None), (0, Some(OWN)), (1, None), (1, Some(OWN)), (1, Some(LISTED))] {
        let mut first = None;
        for way in WAYS {
            let all = answers((&servers[server], &certificate), way, &rooms.next().unwrap(), origin).await;
            for ((name, answer), (_, expected)) in all.iter().zip(first.get_or_insert_with(|| all.clone())) {
                assert_eq!(answer, expected, "{name}, {way:?}, {origin:?}");
            }
        }
        for (index, (name, answer)) in first.unwrap().into_iter().enumerate() {
            let (answer, cors) = split(answer);
            let is_preflight = name.contains("preflight") && server == 1 && origin.is_some();
            if !is_preflight {
                assert_eq!(cors, expected_cors(server == 1, origin), "{name}, {origin:?}");
                match plain.get(index) {
                    None => plain.push(answer),
                    Some(expected) => assert_eq!(&answer, expected, "{name}, {origin:?}"),
                }
            }
        }
    }
    let seen = |status: u16| plain.iter().filter(move |answer| answer.status == status);
    for status in [200, 202, 204, 304, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429] {
        assert!(seen(status).next().is_some(), "{status} is missing");
    }
    assert!(seen(429).all(|answer| answer.header("retry-after").is_some()));
    assert!(seen(405).all(|answer| answer.header("allow").is_some()));
}

fn expected_cors(is_on: bool, origin: Option<&str>) -> Vec<(String, String)> {
    let fields: &[(&str, &str)] = match origin {
        _ if !is_on => &[],
        Some(LISTED) => &[
            ("access-control-allow-origin", LISTED),
            ("access-control-expose-headers", "accept-patch, etag, link, location, retry-after"),
            ("vary", "Origin"),
        ],
        _ => &[("vary", "Origin")],
    };
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
