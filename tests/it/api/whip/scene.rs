//! A room with browsers, encoders that call it, and what they say.

use std::sync::Arc;

use actix_web::rt::{spawn, task::JoinHandle};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    harness::{Answer, Peer, Server, send},
    redis_server::RedisServer,
    waits::{PATIENCE, join_to_stay},
};

pub const SDP: &str = "application/sdp";
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// As OBS sends it, without candidates.
pub const OFFER: &str = "v=0\r\no=rtc 1 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=setup:actpass\r\n\
    a=ice-ufrag:ufr1\r\na=ice-pwd:secretsecretsecretsecret\r\na=fingerprint:sha-256 AB:CD\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\n";

/// A browser's, with these lines in its first section.
pub fn answer(lines: &str) -> String {
    format!(
        "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\na=ice-ufrag:brow\r\na=ice-pwd:sersersersersersersersers\r\n{lines}\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=recvonly\r\na=ice-ufrag:brow\r\na=ice-pwd:sersersersersersersersers\r\n"
    )
}

pub const CANDIDATE: &str = "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host";
pub const HIDDEN: &str = "candidate:2 1 udp 2122260223 0c3f8a4e.local 54401 typ host";

pub fn lines(candidates: &[&str]) -> String {
    candidates.iter().map(|candidate| format!("a={candidate}\r\n")).collect()
}

/// A server with either engine.
pub struct Scene {
    pub server: Server,
    _redis: Option<Arc<RedisServer>>,
}

/// One with each engine.
pub fn both() -> [Scene; 2] {
    let redis = RedisServer::shared();
    let flags = ["--engine".into(), redis.url_apart(), "--token-key".into(), "kZ3vq9TfWm1x8LrP0aYdBc".into()];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    [Scene::start(&[]), Scene { server: Server::start(&flags), _redis: Some(redis) }]
}

impl Scene {
    pub fn start(flags: &[&str]) -> Self {
        Self { server: Server::start(flags), _redis: None }
    }

    /// The first member of a room with seats for others.
    pub async fn browser(&self, name: &str) -> Browser {
        Browser::new(self.server.join_with("tea", json!({"name": name, "capacity": 8})).await)
    }

    /// The same, for longer than a lease.
    pub async fn browser_that_stays(&self, name: &str) -> Browser {
        Browser::new(join_to_stay(&self.server, "tea", json!({"name": name, "capacity": 8})).await)
    }

    pub fn offering(&self, path: &str, offer: &str) -> RequestBuilder {
        self.server.request(Method::POST, path).header("content-type", SDP).body(offer.to_owned())
    }

    /// An encoder that waits for an answer.
    pub fn calls(&self, path: &str) -> JoinHandle<Answer> {
        spawn(send(self.offering(path, OFFER)))
    }

    /// A session with this browser.
    pub async fn session(&self, browser: &mut Browser) -> Session {
        self.session_as(browser, "/v1/rooms/tea/whip").await
    }

    /// The same in a room with others.
    pub async fn session_of(&self, browser: &mut Browser) -> Session {
        let path = format!("/v1/rooms/tea/whip?to={}", browser.peer.id);
        self.session_as(browser, &path).await
    }

    pub async fn session_as(&self, browser: &mut Browser, path: &str) -> Session {
        let calling = self.calls(path);
        let (encoder, _) = browser.until_offer().await;
        browser.answers(&encoder, &lines(&[CANDIDATE])).await;
        Session::begun(encoder, &calling.await.unwrap())
    }

    pub async fn occupancy(&self) -> u64 {
        self.server.get("/v1/rooms/tea").await.expect(200)["occupancy"].as_u64().unwrap()
    }
}

/// A member of the room that reads its mailbox in order.
pub struct Browser {
    pub peer: Peer,
    cursor: u64,
}

impl Browser {
    pub fn new(peer: Peer) -> Self {
        let cursor = peer.joined["cursor"].as_u64().unwrap();
        Self { peer, cursor }
    }

    /// The next message of this type; waits for it.
    pub async fn next(&mut self, kind: &str) -> Value {
        let reading = async {
            loop {
                for message in self.peer.poll(self.cursor, 50.0).await.messages() {
                    self.cursor = message["seq"].as_u64().unwrap();
                    if message["type"] == kind {
                        return message;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("no {kind} arrived"))
    }

    /// Who offers, and what.
    pub async fn until_offer(&mut self) -> (Peer, String) {
        let offer = self.next("offer").await;
        (self.encoder(&offer), offer["sdp"].as_str().unwrap().into())
    }

    /// Who sent it.
    pub fn encoder(&self, offer: &Value) -> Peer {
        Peer { id: offer["from"].as_str().unwrap().into(), token: String::new(), ..self.peer.clone() }
    }

    pub async fn answers(&self, encoder: &Peer, candidates: &str) {
        self.says(encoder, json!({"type": "answer", "sdp": answer(candidates)})).await;
    }

    pub async fn says(&self, encoder: &Peer, message: Value) {
        self.peer.post(encoder, message).await.expect(202);
    }

    pub async fn lives(&self, encoder: &Peer) {
        self.says(encoder, json!({"type": "data", "data": {"whip": "alive"}})).await;
    }

    /// Reads everything that there is or comes within half a second, which renews the lease.
    pub async fn pauses(&mut self) -> Vec<Value> {
        let batch = self.peer.poll(self.cursor, 0.5).await;
        let messages = batch.messages();
        self.cursor = batch.json()["cursor"].as_u64().unwrap();
        messages
    }

    /// What is in the mailbox and was not read.
    pub async fn unread(&self) -> Vec<Value> {
        self.peer.messages(self.cursor).await
    }
}

/// What an encoder has of its session.
pub struct Session {
    pub encoder: Peer,
    pub path: String,
    pub etag: String,
}

impl Session {
    pub fn begun(encoder: Peer, begun: &Answer) -> Self {
        assert_eq!(begun.status, 201, "{begun:?}");
        let field = |name: &str| begun.headers[name].to_str().unwrap().to_owned();
        Self { encoder, path: field("location"), etag: field("etag") }
    }

    pub fn request(&self, method: Method, server: &Server) -> RequestBuilder {
        server.request(method, &self.path)
    }

    /// A PATCH with the ICE session's name.
    pub fn patching(&self, server: &Server, fragment: &str) -> RequestBuilder {
        self.bare_patch(server, fragment).header("if-match", &self.etag)
    }

    pub fn bare_patch(&self, server: &Server, fragment: &str) -> RequestBuilder {
        self.request(Method::PATCH, server).header("content-type", FRAGMENT).body(fragment.to_owned())
    }

    /// Whether it goes on.
    pub async fn goes_on(&self, server: &Server) -> bool {
        match send(self.request(Method::GET, server)).await.status {
            204 => true,
            404 => false,
            other => panic!("{other}"),
        }
    }
}
