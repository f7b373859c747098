//! A plain client over a faulty network: requests are cut, duplicated, delayed, and answered by gateways.

use std::process::Stdio;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::support::harness::{Peer, Server};

const EACH_WAY: u64 = 50_000;
const BATCH: u64 = 50;

/// `tests/faults/proxy.js` in front of a server.
struct Proxy {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    base: String,
}

impl Proxy {
    async fn start(server: &Server) -> Proxy {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/proxy.js");
        let mut child = Command::new("node")
            .args([script, "--upstream", &format!("127.0.0.1:{}", server.port)])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = lines.next_line().await.unwrap().unwrap().replace("listening on ", "");
        Proxy { child, lines, base }
    }

    /// Stops it, and returns how often it injected each fault.
    async fn counts(mut self) -> Value {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}

/// Repeats the identical request until the server itself answers.
async fn until_answered(request: impl Fn() -> RequestBuilder) -> Value {
    loop {
        let Ok(response) = request().send().await else { continue };
        let status = response.status().as_u16();
        match response.json::<Value>().await {
            Ok(body) if status < 300 => return body,
            Ok(body) if matches!(status, 409 | 429) => {
                assert!(
                    body["type"] == "/problems/mailbox-full" || body["type"] == "/problems/poll-superseded",
                    "{body}"
                );
                tokio::task::yield_now().await;
            }
            Ok(body) => panic!("{status} {body}"),
            // Not from the server: a gateway's page, or half a response.
            Err(_) => {}
        }
    }
}

async fn send_all(client: Client, base: String, from: Peer, to: Peer) {
    for batch in 0..EACH_WAY / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let messages: Vec<Value> = numbers.map(|number| json!({"to": to.id, "type": "data", "data": number})).collect();
        let (body, key) = (json!({ "messages": messages }), format!("{}-{batch:08}", &from.id[..8]));
        until_answered(|| {
            let request = client.post(format!("{base}/v1/rooms/{}/messages", from.room)).bearer_auth(&from.token);
            request.header("idempotency-key", &key).json(&body)
        })
        .await;
    }
}

/// Reads until everything has arrived; fails on a gap, a duplicate or a wrong order.
async fn receive_all(client: Client, base: String, me: Peer, other: Peer) {
    let (mut cursor, mut next) = (me.joined["cursor"].as_u64().unwrap(), 0);
    while next < EACH_WAY {
        let batch = until_answered(|| {
            let request = client.get(format!("{base}{}", me.path("/messages?wait=5"))).bearer_auth(&me.token);
            request.header("last-event-id", cursor)
        })
        .await;
        for message in batch["messages"].as_array().unwrap() {
            cursor += 1;
            assert_eq!(message["seq"], cursor);
            if message["from"] == *other.id {
                assert_eq!(message["data"], next);
                next += 1;
            }
        }
        assert_eq!(batch["cursor"], cursor);
    }
}

#[tokio::test]
async fn no_message_is_lost_duplicated_or_reordered_over_a_faulty_network() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(&server).await;
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let client = Client::builder().no_proxy().build().unwrap();
    let start = |from: &Peer, to: &Peer| {
        let sending = send_all(client.clone(), proxy.base.clone(), from.clone(), to.clone());
        let receiving = receive_all(client.clone(), proxy.base.clone(), from.clone(), to.clone());
        (tokio::spawn(sending), tokio::spawn(receiving))
    };
    let tasks = [start(&ann, &ben), start(&ben, &ann)];
    for (sending, receiving) in tasks {
        sending.await.unwrap();
        receiving.await.unwrap();
    }
    let counts = proxy.counts().await;
    println!("{counts:#}");
    assert!(counts.as_object().unwrap().len() >= 10, "not every fault happened: {counts}");
}
