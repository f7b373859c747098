//! A server under attack: the real binary with little memory, and two peers that exchange messages meanwhile.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Mutex,
};

use crate::support::{
    harness::{Answer, Peer, send},
    process::ServerProcess,
};

/// Another address of this machine.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1));

/// The smallest value allowed.
pub const MEMORY: usize = 64 * 1024 * 1024;

pub struct AttackedServer {
    pub binary: ServerProcess,
    bound: usize,
    pub base: String,
    client: Client,
    /// At another address.
    elsewhere: Client,
    couple: Mutex<Couple>,
}

/// Ann and Ben, and what they have read so far.
struct Couple {
    ann: Peer,
    ben: Peer,
    cursors: [u64; 2],
    said: u64,
}

impl AttackedServer {
    pub async fn start(flags: &[&str]) -> AttackedServer {
        AttackedServer::start_with(MEMORY, flags).await
    }

    pub async fn start_with(bound: usize, flags: &[&str]) -> AttackedServer {
        let memory = bound.to_string();
        // Idle connections and clients that do not read are dropped within a second or two. Attackers are not rate-limited.
        let all = ["--memory-bytes", &memory, "--keep-alive-ms", "1500", "--log", "off", "--workers", "2"];
        let rates = ["--rate-join", "0", "--rate-send", "0", "--rate-poll", "0"];
        let binary = ServerProcess::start(&[&all[..], &rates[..], flags].concat()).await;
        let base = format!("http://127.0.0.1:{}", binary.port);
        // The server may close an idle connection just when it is used again.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        // Not where the attackers are, who have used up their share.
        let elsewhere =
            Client::builder().no_proxy().pool_max_idle_per_host(0).local_address(Some(STRANGER)).build().unwrap();
        let ann = join(&elsewhere, &base, "tea", json!({})).await.unwrap();
        let ben = join(&elsewhere, &base, "tea", json!({})).await.unwrap();
        let couple = Mutex::new(Couple { ann, ben, cursors: [0, 0], said: 0 });
        AttackedServer { binary, bound, base, client, elsewhere, couple }
    }

    /// Runs the attack. Ann and Ben exchange messages during it and once after it, and memory stays within the limit.
    pub async fn by<T>(&self, attack: impl Future<Output = T>) -> T {
        // Only an attack that the server does not end takes that long.
        self.by_within(Duration::from_secs(1200), attack).await
    }

    pub async fn by_within<T>(&self, longest: Duration, attack: impl Future<Output = T>) -> T {
        let mut attack = std::pin::pin!(tokio::time::timeout(longest, attack));
        let mut couple = self.couple.lock().await;
        let mut most = 0;
        let outcome = loop {
            tokio::select! {
                biased;
                () = couple.talk() => most = most.max(self.binary.memory()),
                outcome = &mut attack => break outcome.expect("the attack is ended by the server"),
            }
        };
        couple.talk().await;
        most = most.max(self.binary.memory());
        println!("{} KiB, {} times talked", most / 1024, couple.said / 2);
        assert!(most <= self.bound, "{} KiB", most / 1024);
        outcome
    }

    pub async fn join(&self, room: &str, body: Value) -> Result<Peer, Answer> {
        join(&self.client, &self.base, room, body).await
    }

    /// The same from an address that is not an attacker's.
    pub async fn join_as_a_stranger(&self, room: &str) -> Result<Peer, Answer> {
        join(&self.elsewhere, &self.base, room, json!({})).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Waits until a metric is as expected.
    pub async fn until(&self, figure: &str, fits: impl Fn(u64) -> bool) {
        let name = format!("signalpost_{figure} ");
        loop {
            let metrics = self.get("/metrics").await.text;
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
            if fits(line.parse().unwrap()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.binary.port)).await.unwrap()
    }

    /// A connection with a small receive buffer.
    pub async fn connect_narrowly(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(([127, 0, 0, 1], self.binary.port).into()).await.unwrap()
    }

    /// Sends raw bytes, and returns everything until the server closes.
    pub async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        let _ = stream.write_all(bytes).await;
        to_the_end(&mut stream).await
    }
}

/// Everything until the server closes; a reset ends it, too.
pub async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn join(client: &Client, base: &str, room: &str, body: Value) -> Result<Peer, Answer> {
    let url = format!("{base}/v1/rooms/{room}/peers");
    let answer = send(client.request(Method::POST, url).json(&body)).await;
    if answer.status != 201 {
        return Err(answer);
    }
    Ok(Peer::seated(client.clone(), base.to_owned(), room, answer.json()))
}

impl Couple {
    /// Each sends a message and the other receives it. May be dropped halfway and restarted.
    async fn talk(&mut self) {
        for (by, to, index) in [(&self.ann, &self.ben, 1), (&self.ben, &self.ann, 0)] {
            self.said += 1;
            by.say(to, self.said).await;
            loop {
                let answer = to.poll(self.cursors[index], 20.0).await.expect(200);
                self.cursors[index] = answer["cursor"].as_u64().unwrap();
                if answer["messages"].as_array().unwrap().iter().any(|message| message["data"] == self.said) {
                    break;
                }
            }
        }
    }
}
