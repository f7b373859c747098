//! Several nodes on one Redis: any of them answers any request.
//!
//! Polls are held longer than the tests wait, so only a wake-up can end them in time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::support::{
    harness::{Answer, Peer, Server, send},
    redis_server::RedisServer,
    waits::{until_parked_in_redis, until_ready},
};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];
const HOLD: f64 = 55.0;
const PATIENCE: Duration = Duration::from_secs(40);

fn node(url: &str) -> Server {
    Server::start(&[&["--engine", url], &KEY[..]].concat())
}

/// The same peer at another node.
fn at(node: &Server, peer: &Peer) -> Peer {
    Peer { base: node.base.clone(), ..peer.clone() }
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap()
}

fn held(peer: &Peer, after: u64) -> tokio::task::JoinHandle<Answer> {
    tokio::spawn(send(peer.polling(after, HOLD)))
}

#[tokio::test]
async fn each_request_of_a_call_may_go_to_another_node() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let nodes = [node(&url), node(&url), node(&url)];
    let (ann, ben) = (nodes[0].join_room("tea", "Ann").await, nodes[1].join_room("tea", "Ben").await);
    assert_eq!(ben.joined["peers"][0]["id"], ann.id);
    for turn in 0..6 {
        let (reading, writing) = (&nodes[turn % 3], &nodes[(turn + 1) % 3]);
        let after = u64::try_from(turn).unwrap();
        let poll = held(&at(reading, &ann), after + 1);
        until_parked_in_redis(reading, 1).await;
        at(writing, &ben).say(&ann, turn).await;
        let told = soon(poll).await.unwrap().messages();
        assert_eq!((told[0]["seq"].as_u64(), told[0]["data"].as_u64()), (Some(after + 2), Some(after)));
    }
    // The same key at another node is the same post.
    let keyed = |peer: &Peer| peer.posting(&ann, &json!({"type": "bye"})).header("idempotency-key", "0123456789abcdef");
    let first = send(keyed(&ben)).await.expect(202);
    assert_eq!(send(keyed(&at(&nodes[2], &ben))).await.expect(202), first);

    let poll = held(&at(&nodes[2], &ann), 8);
    until_parked_in_redis(&nodes[2], 1).await;
    assert_eq!(at(&nodes[0], &ben).leave().await.status, 204);
    assert_eq!(soon(poll).await.unwrap().messages()[0]["type"], "peer-left");
}

#[tokio::test]
async fn the_newest_poll_wins_across_nodes() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let (one, two) = (node(&url), node(&url));
    let ann = one.join_room("tea", "Ann").await;
    let older = held(&ann, 0);
    until_parked_in_redis(&one, 1).await;
    let newer = held(&at(&two, &ann), 0);
    soon(older).await.unwrap().refused(409, "poll-superseded");
    until_parked_in_redis(&two, 1).await;
    ann.say(&ann, "to myself").await;
    assert_eq!(soon(newer).await.unwrap().messages()[0]["data"], "to myself");
}

#[tokio::test]
async fn rooms_survive_the_stop_of_a_node() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let (one, two) = (node(&url), node(&url));
    let (ann, ben) = (one.join_room("tea", "Ann").await, two.join_room("tea", "Ben").await);
    let poll = held(&ann, 1);
    until_parked_in_redis(&one, 1).await;
    one.stop();
    soon(poll).await.unwrap().refused(503, "draining");
    let ann = at(&two, &ann);
    let poll = held(&ann, 1);
    until_parked_in_redis(&two, 1).await;
    ben.say(&ann, "still there").await;
    assert_eq!(soon(poll).await.unwrap().messages()[0]["data"], "still there");
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again() {
    let redis = RedisServer::start(&["--save", ""]);
    let one = node(&redis.url());
    let ann = one.join_room("tea", "Ann").await;
    redis.cli(&["script", "flush"]);
    ann.say(&ann, "once").await;
    assert_eq!(ann.messages(0).await.len(), 1);
}

#[tokio::test]
async fn acknowledged_messages_are_deleted_from_redis() {
    let redis = RedisServer::start(&["--save", ""]);
    let one = node(&redis.url());
    let ann = one.join_room("tea", "Ann").await;
    let lengths = || {
        let read = "local all = {} for _, key in ipairs(redis.call('KEYS', '*:m:*')) do all[#all + 1] = redis.call('XLEN', key) end
            return table.concat(all, ' ')";
        redis.cli(&["eval", read, "0"])
    };
    for number in 0..3 {
        ann.say(&ann, number).await;
    }
    ann.messages(0).await;
    assert_eq!(lengths(), "3");
    ann.messages(2).await;
    assert_eq!(lengths(), "1");
    ann.messages(3).await;
    assert_eq!(lengths(), "");
}

// As during a rolling upgrade to a version that stores more fields.
#[tokio::test]
async fn fields_added_by_newer_nodes_are_ignored() {
    let redis = RedisServer::start(&["--save", ""]);
    let one = node(&redis.url());
    let ann = one.join_room("tea", "Ann").await;
    let key = redis.cli(&["--scan", "--pattern", "*:r:tea"]);
    let add = "for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
        local record = cmsgpack.unpack(redis.call('HGET', KEYS[1], field))
        for more = 1, 3 do record[#record + 1] = 'new' end
        redis.call('HSET', KEYS[1], field, cmsgpack.pack(record))
    end";
    redis.cli(&["eval", add, "1", &key]);
    ann.say(&ann, "still there").await;
    assert_eq!(ann.messages(0).await[0]["data"], "still there");
}

/// A link from a node to Redis, which a test can cut.
struct Way {
    listener: Arc<TcpListener>,
    port: u16,
    connections: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Way {
    async fn to(redis: &RedisServer) -> Self {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        let way = Self { listener, port, connections: Arc::new(Mutex::new(Some(JoinSet::new()))) };
        let (listening, connections, to) = (way.listener.clone(), Arc::downgrade(&way.connections), redis.port);
        tokio::spawn(async move { pass_on(&listening, connections, to).await });
        way
    }

    /// Ends all connections, and refuses new ones.
    fn cut(&self) {
        *self.connections.lock() = None;
    }

    fn mend(&self) {
        *self.connections.lock() = Some(JoinSet::new());
    }
}

async fn pass_on(listener: &TcpListener, connections: Weak<Mutex<Option<JoinSet<()>>>>, to: u16) {
    while let Ok((mut near, _)) = listener.accept().await {
        let Some(connections) = connections.upgrade() else { return };
        if let Some(connections) = &mut *connections.lock() {
            connections.spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    }
}

// Wake-ups published while a node is cut off are lost. The messages are read when it reconnects, not when the hold ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_poll_reads_again_after_a_lost_connection() {
    let redis = RedisServer::start(&["--save", ""]);
    let way = Way::to(&redis).await;
    let (one, two) = (node(&format!("redis://127.0.0.1:{}", way.port)), node(&redis.url()));
    let (ann, ben) = (one.join_room("tea", "Ann").await, two.join_room("tea", "Ben").await);
    let poll = held(&ann, 1);
    until_parked_in_redis(&one, 1).await;
    way.cut();
    until_ready(&one, 503).await;
    ben.say(&ann, "unheard").await;
    way.mend();
    assert_eq!(soon(poll).await.unwrap().messages()[0]["data"], "unheard");
}
