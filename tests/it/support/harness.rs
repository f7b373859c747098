//! A server for one test, and peers that use it.
//!
//! Every response is checked against the OpenAPI document: a status or problem that it does not list for the operation fails the test.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use signalpost::{
    app::{App, Stopper},
    config::{Cli, Config},
};

/// A server that stops when the test ends.
pub struct Server {
    pub base: String,
    pub port: u16,
    /// The address of `--metrics-listen`.
    pub metrics: Option<std::net::SocketAddr>,
    stopper: Stopper,
    client: Client,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A complete response, checked against the document.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// A peer with a seat.
#[derive(Clone)]
pub struct Peer {
    pub room: String,
    pub id: String,
    pub token: String,
    pub joined: Value,
    pub client: Client,
    pub base: String,
}

pub fn config(flags: &[&str]) -> Config {
    use clap::Parser;
    // No rate limits unless a test sets them: all its peers have one address.
    let all = [
        "signalpost",
        "--listen",
        "127.0.0.1:0",
        "--workers",
        "2",
        "--log",
        "off",
        "--rate-join",
        "0",
        "--rate-send",
        "0",
        "--rate-poll",
        "0",
        // Tests leave allocations behind.
        "--drain-ms",
        "0",
    ];
    // The relay shares the port in all tests, unless they are about ICE servers, or several nodes.
    let about_ice =
        |flag: &&&str| ["--engine", "--stun", "--turn", "--tls", "--public"].iter().any(|name| flag.starts_with(name));
    let relay = if flags.iter().any(|flag| about_ice(&flag)) { &[][..] } else { &["--turn-relay", "closed"] };
    Cli::try_parse_from(all.iter().chain(relay).chain(flags)).unwrap().config
}

/// Tries again a few times if Redis, or a server of its cluster, takes longer than the product waits at its start: on a busy machine
/// it may.
pub fn build(config: &Config) -> Result<App, String> {
    for _ in 0..4 {
        match App::build(config.clone()) {
            Err(error) if error.contains("Redis") && error.contains("timed out") => println!("again: {error}"),
            built => return built,
        }
    }
    App::build(config.clone())
}

impl Server {
    pub fn start(flags: &[&str]) -> Server {
        let config = config(flags);
        let (report, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let app = build(&config).unwrap();
                report.send((app.addr(), app.metrics_addr(), app.stopper())).unwrap();
                app.run_until_stopped().await.unwrap();
            });
        });
        let (addr, metrics, stopper) = started.recv().unwrap();
        // Time-outs are longer than any hold.
        let client = Client::builder().timeout(Duration::from_secs(90)).no_proxy().build().unwrap();
        Server { base: format!("http://{addr}"), port: addr.port(), metrics, stopper, client, thread: Some(thread) }
    }

    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// Waits until the server has stopped after [`Server::stop`].
    pub fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::DELETE, path).bearer_auth(token)).await
    }

    /// Joins, or fails the test.
    pub async fn join_room(&self, room: &str, name: &str) -> Peer {
        self.join_with(room, json!({ "name": name })).await
    }

    pub async fn join_with(&self, room: &str, body: Value) -> Peer {
        let answer = self.post(&format!("/v1/rooms/{room}/peers"), body).await.expect(201);
        self.seat(room, answer)
    }

    pub async fn resume(&self, peer: &Peer) -> Answer {
        send(self.request(Method::POST, &format!("/v1/rooms/{}/peers", peer.room)).bearer_auth(&peer.token)).await
    }

    pub fn seat(&self, room: &str, joined: Value) -> Peer {
        Peer::seated(self.client.clone(), self.base.clone(), room, joined)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Peer {
    pub fn seated(client: Client, base: String, room: &str, joined: Value) -> Peer {
        Peer {
            room: room.into(),
            id: joined["peer"]["id"].as_str().unwrap().into(),
            token: joined["token"].as_str().unwrap().into(),
            joined,
            client,
            base,
        }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/rooms/{}/peers/{}{rest}", self.room, self.id)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub fn posting(&self, to: &Peer, message: &Value) -> RequestBuilder {
        self.request(Method::POST, &to.path("/messages")).json(message)
    }

    pub async fn post(&self, to: &Peer, message: Value) -> Answer {
        send(self.posting(to, &message)).await
    }

    pub async fn say(&self, to: &Peer, data: impl Into<Value>) -> u64 {
        let answer = self.post(to, json!({"type": "data", "data": data.into()})).await;
        answer.expect(202)["seq"].as_u64().unwrap()
    }

    pub async fn batch(&self, messages: Value) -> Answer {
        let path = format!("/v1/rooms/{}/messages", self.room);
        send(self.request(Method::POST, &path).json(&json!({ "messages": messages }))).await
    }

    /// One poll, with the cursor in the query.
    pub async fn poll(&self, after: u64, wait: f64) -> Answer {
        send(self.polling(after, wait)).await
    }

    pub fn polling(&self, after: u64, wait: f64) -> RequestBuilder {
        self.request(Method::GET, &self.path(&format!("/messages?wait={wait}&after={after}")))
    }

    /// Everything in the mailbox now, without waiting.
    pub async fn messages(&self, after: u64) -> Vec<Value> {
        self.poll(after, 0.0).await.messages()
    }

    pub async fn leave(&self) -> Answer {
        send(self.request(Method::DELETE, &self.path(""))).await
    }

    pub async fn goodbye(&self) -> Answer {
        let path = format!("{}{}", self.base, self.path("/leave"));
        send(self.client.post(path).header("content-type", "text/plain;charset=UTF-8").body(self.token.clone())).await
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status and returns the body.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts 200 without a body.
    #[track_caller]
    pub fn expect_ok(&self) {
        assert_eq!((self.status, self.text.as_str()), (200, ""), "{self:?}");
    }

    /// Asserts the problem and returns it.
    #[track_caller]
    pub fn refused(&self, status: u16, slug: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        for member in ["title", "detail", "action"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        assert_eq!(problem["status"], status);
        problem
    }

    #[track_caller]
    pub fn messages(&self) -> Vec<Value> {
        self.expect(200)["messages"].as_array().unwrap().clone()
    }
}

/// Sends a request and checks the response against the document.
pub async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let answer = Answer { status: status.as_u16(), headers, text: response.text().await.unwrap() };
    check_documented(&method, &path, status, &answer);
    answer
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(signalpost::api::schema::openapi::document()).unwrap())
}

fn check_documented(method: &Method, path: &str, status: StatusCode, answer: &Answer) {
    let Some(operation) = operation(path, method) else { return };
    let documented = &operation["responses"][status.as_str()];
    assert!(!documented.is_null(), "{method} {path} answers {status}, which the document does not list: {answer:?}");
    if status.is_client_error() || status.is_server_error() {
        let kind = answer.json()["type"].as_str().unwrap().replace("/problems/", "");
        let examples = &documented["content"]["application/problem+json"]["examples"];
        assert!(!examples[&kind].is_null(), "{method} {path} answers {kind}, which the document does not list");
    }
}

fn operation(path: &str, method: &Method) -> Option<&'static Value> {
    let asked: Vec<&str> = path.split('/').collect();
    let matches = |template: &str| {
        let known: Vec<&str> = template.split('/').collect();
        known.len() == asked.len()
            && known
                .iter()
                .zip(&asked)
                .all(|(known, asked)| known == asked || (known.starts_with('{') && !asked.is_empty()))
    };
    let paths = document()["paths"].as_object()?;
    let (_, item) = paths.iter().find(|(template, _)| matches(template))?;
    item.get(method.as_str().to_lowercase())
}
