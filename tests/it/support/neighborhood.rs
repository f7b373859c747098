//! A server that believes `X-Forwarded-For`, so that a test has as many client addresses as it wants.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

use crate::support::{
    harness::{Answer, Peer, send},
    process::ServerProcess,
};

/// The real binary, with the default rate limits.
pub struct Neighborhood {
    pub binary: ServerProcess,
    pub base: String,
    monitor: Client,
    /// How often figures were read, each time from another address: there is a rate limit.
    reads: AtomicU64,
}

/// Attacks come from here; strangers are in other networks.
pub const ATTACKER: &str = "2001:db8:bad::1";
pub const STRANGER: &str = "192.0.2.1";

/// An address in each of 64 networks of one /48.
pub fn attackers() -> impl Iterator<Item = String> {
    (0..64).map(|number| format!("2001:db8:bad:{number:x}::1"))
}

impl Neighborhood {
    pub async fn start(flags: &[&str]) -> Neighborhood {
        Self::start_direct(&[&["--trusted-proxy", "127.0.0.0/8"], flags].concat()).await
    }

    /// Without a proxy: addresses are those of connections.
    pub async fn start_direct(flags: &[&str]) -> Neighborhood {
        let binary = ServerProcess::start(&[&["--log", "off", "--workers", "2"], flags].concat()).await;
        let base = format!("http://127.0.0.1:{}", binary.port);
        let monitor = Client::builder().no_proxy().build().unwrap();
        Neighborhood { binary, base, monitor, reads: AtomicU64::new(0) }
    }

    /// A client whose proxy says that it has this address.
    pub fn client(&self, address: &str) -> Client {
        let fields =
            [("x-forwarded-for", address)].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let builder = Client::builder().no_proxy().default_headers(fields.into_iter().collect());
        // The server may close an idle connection just when it is used again.
        builder.pool_max_idle_per_host(0).build().unwrap()
    }

    pub async fn join(&self, client: &Client, room: &str, body: Value) -> Result<Peer, Answer> {
        let url = format!("{}/v1/rooms/{room}/peers", self.base);
        let answer = send_until_stored(client.request(Method::POST, url).json(&body)).await;
        if answer.status != 201 {
            return Err(answer);
        }
        Ok(Peer::seated(client.clone(), self.base.clone(), room, answer.json()))
    }

    /// A connection from one of this machine's addresses.
    pub async fn connect_from(&self, address: &str) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((address.parse::<IpAddr>().unwrap(), 0).into())?;
        socket.connect(([127, 0, 0, 1], self.binary.port).into()).await
    }

    pub async fn figure(&self, name: &str) -> u64 {
        let address = format!("fd00:0:0:{:x}::1", self.reads.fetch_add(1, Relaxed) % 0xffff);
        let request = self.monitor.get(format!("{}/metrics", self.base)).header("x-forwarded-for", address);
        let metrics = send(request).await.text;
        let name = format!("signalpost_{name} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }

    pub async fn until(&self, name: &str, fits: impl Fn(u64) -> bool) {
        while !fits(self.figure(name).await) {
            tokio::task::yield_now().await;
        }
    }
}

/// Two peers in a room, from the same address.
pub struct Couple {
    pub ann: Peer,
    pub ben: Peer,
    cursors: [u64; 2],
}

impl Couple {
    pub async fn meet(neighborhood: &Neighborhood, client: &Client, room: &str) -> Couple {
        let ann = neighborhood.join(client, room, json!({"name": "Ann"})).await.unwrap();
        let ben = neighborhood.join(client, room, json!({"name": "Ben"})).await.unwrap();
        Couple { ann, ben, cursors: [0, 0] }
    }

    /// An offer and its answer, as large as with video and screen, each received by a poll.
    pub async fn call(&mut self) {
        for (by, to, index, kind) in [(&self.ann, &self.ben, 1, "offer"), (&self.ben, &self.ann, 0, "answer")] {
            let sdp = json!({"type": kind, "sdp": "v=0\r\n".repeat(1600)});
            send_until_stored(by.posting(to, &sdp)).await.expect(202);
            loop {
                let batch = send_until_stored(to.polling(self.cursors[index], 20.0)).await.expect(200);
                self.cursors[index] = batch["cursor"].as_u64().unwrap();
                if batch["messages"].as_array().unwrap().iter().any(|message| message["type"] == kind) {
                    break;
                }
            }
        }
        // Acknowledges the answer.
        send_until_stored(self.ann.polling(self.cursors[0], 0.0)).await.expect(200);
    }
}

/// Sends a request, and again if Redis does not respond in time: on a busy machine that takes longer than a call may.
async fn send_until_stored(request: RequestBuilder) -> Answer {
    let request = request.header("idempotency-key", Uuid::new_v4().to_string());
    loop {
        let answer = send(request.try_clone().unwrap()).await;
        if !answer.text.contains("/problems/engine-unavailable") {
            return answer;
        }
    }
}
