//! Several Redis servers: a cluster whose slots move and whose masters fail, and Sentinels that promote a replica.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::json;

use crate::support::{
    certificate::write_certificate,
    harness::{Answer, Peer, Server, build, config, send},
    redis_server::{RedisCluster, RedisServer, free_port},
    waits::until_parked_in_redis,
};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];
/// Shorter than a hold: only a wake-up ends a poll in time.
const PATIENCE: Duration = Duration::from_secs(40);
const ROOMS: usize = 30;

fn node(url: &str) -> Server {
    Server::start(&[&["--engine", url], &KEY[..]].concat())
}

/// Two peers in each room, at different nodes.
async fn fill(one: &Server, two: &Server) -> Vec<(Peer, Peer)> {
    let pairs = (0..ROOMS).map(async |number| {
        let room = format!("room-{number}");
        let ann = one.join_room(&room, "Ann").await;
        (ann, two.join_room(&room, "Ben").await)
    });
    futures_util::future::join_all(pairs).await
}

/// Every peer receives a message, posted at another node, while its poll is parked.
async fn talk(pairs: &[(Peer, Peer)], after: u64) {
    let calls = pairs.iter().map(async |(ann, ben)| {
        let (told, _) = tokio::join!(send(ann.polling(after, 55.0)), ben.say(ann, after));
        told.messages()[0]["data"].as_u64()
    });
    let told = tokio::time::timeout(PATIENCE, futures_util::future::join_all(calls)).await.unwrap();
    assert_eq!(told, vec![Some(after); pairs.len()]);
}

async fn until_all(node: &Server, status: u16) {
    let all = async { while states(node).await.iter().any(|answer| answer.status != status) {} };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}

async fn states(node: &Server) -> Vec<Answer> {
    let rooms = (0..ROOMS).map(|number| send(node.request(Method::GET, &format!("/v1/rooms/room-{number}"))));
    futures_util::future::join_all(rooms).await
}

#[tokio::test]
async fn rooms_spread_over_a_cluster_and_follow_their_slots() {
    let cluster = RedisCluster::start();
    let (one, two) = (node(&cluster.url()), node(&cluster.url()));
    let pairs = fill(&one, &two).await;
    for master in &cluster.masters {
        let keys: usize = master.cli(&["dbsize"]).parse().unwrap();
        assert!(keys > ROOMS, "{keys}");
    }
    talk(&pairs, 1).await;

    let cluster = Arc::new(cluster);
    let (moving, is_moving) = (cluster.clone(), Arc::new(AtomicBool::new(true)));
    let until_moved = is_moving.clone();
    let resharding = tokio::task::spawn_blocking(move || {
        let moved = reshard(&moving);
        until_moved.store(false, Relaxed);
        moved
    });
    let calls = pairs.iter().map(|(ann, ben)| talk_while(&is_moving, ann, ben));
    let cursors = tokio::time::timeout(PATIENCE, futures_util::future::join_all(calls)).await.unwrap();
    let moved = resharding.await.unwrap();
    assert!(moved.contains("Moving slot"), "{moved}");
    assert!(cursors.iter().all(|cursor| *cursor > 2), "{cursors:?}");
    until_all(&one, 200).await;
    until_all(&two, 200).await;
    let again = pairs.iter().zip(&cursors).map(async |((ann, ben), cursor)| {
        let (poll, _) = tokio::join!(send(ann.polling(*cursor, 55.0)), ben.say(ann, "after"));
        poll.messages()[0]["data"] == "after"
    });
    let again = tokio::time::timeout(PATIENCE, futures_util::future::join_all(again)).await.unwrap();
    assert!(again.iter().all(|told| *told));
}

/// Moves a thousand of the first master's slots to the second.
fn reshard(cluster: &RedisCluster) -> String {
    let [first, second, _] = &cluster.masters[..] else { unreachable!() };
    let (from, to) = (first.cli(&["cluster", "myid"]), second.cli(&["cluster", "myid"]));
    let moving = ["--cluster", "reshard", &format!("127.0.0.1:{}", first.port), "--cluster-from", &from];
    first.cli(&[&moving[..], &["--cluster-to", &to, "--cluster-slots", "1000", "--cluster-yes"]].concat())
}

/// Posts numbered messages, each until it is accepted, and reads each exactly once, whatever is refused meanwhile. Returns the
/// last cursor.
async fn talk_while(going: &AtomicBool, ann: &Peer, ben: &Peer) -> u64 {
    let (mut number, mut cursor) = (1, 2);
    while going.load(Relaxed) {
        number += 1;
        cursor = loop {
            match tell(ann, ben, number, cursor).await {
                Some(cursor) => break cursor,
                // On a machine so busy that a master seemed to be down during a slot migration.
                None => cursor = come_back(ann).await,
            }
        };
    }
    cursor
}

/// The next cursor, or `cursor-gone` because the mailbox started over.
async fn tell(ann: &Peer, ben: &Peer, number: u64, cursor: u64) -> Option<u64> {
    let key = format!("{:032}", fastrand::u64(..));
    let post = || ben.posting(ann, &json!({"type": "data", "data": number})).header("idempotency-key", &key);
    while send(post()).await.status != 202 {}
    loop {
        let answer = send(ann.polling(cursor, 0.0)).await;
        match answer.status {
            200 => {
                let read = answer.messages();
                assert_eq!((read.len(), read[0]["data"].as_u64()), (1, Some(number)), "{read:?}");
                assert_eq!(read[0]["seq"], cursor + 1);
                return Some(cursor + 1);
            }
            410 => {
                answer.refused(410, "cursor-gone");
                return None;
            }
            _ => drop(answer.refused(503, "engine-unavailable")),
        }
    }
}

/// The cursor after everything that exists now.
async fn come_back(ann: &Peer) -> u64 {
    loop {
        let answer = send(ann.request(Method::POST, &format!("/v1/rooms/{}/peers", ann.room)).json(&json!({}))).await;
        if answer.status == 200 {
            return answer.json()["latest"].as_u64().unwrap();
        }
    }
}

// An empty mailbox has no key, so its key might already be on the other server.
#[tokio::test]
async fn operations_on_a_migrating_slot_are_atomic() {
    let cluster = RedisCluster::start();
    let one = node(&cluster.url());
    let ann = one.join_with("tea", json!({"name": "Ann", "capacity": 3})).await;
    let (ben, cid) = (one.join_room("tea", "Ben").await, one.join_room("tea", "Cid").await);
    assert_eq!(ben.messages(0).await.len(), 1);
    assert!(ben.messages(1).await.is_empty());

    let holds = |master: &&RedisServer| !master.cli(&["--scan", "--pattern", "*:r:tea"]).is_empty();
    let from = cluster.masters.iter().find(holds).unwrap();
    let to = cluster.masters.iter().find(|master| master.port != from.port).unwrap().cli(&["cluster", "myid"]);
    let slot = from.cli(&["cluster", "keyslot", &from.cli(&["--scan", "--pattern", "*:r:tea"])]);
    assert_eq!(from.cli(&["cluster", "setslot", &slot, "migrating", &to]), "OK");
    let both = || cid.batch(json!([{"type": "data", "data": "to both"}]));
    let refused = both().await.refused(503, "engine-unavailable");
    assert!(refused["detail"].as_str().unwrap().contains("had no effect"), "{refused}");
    assert_eq!(from.cli(&["cluster", "setslot", &slot, "stable"]), "OK");
    until(async || both().await.status == 202).await;
    for (peer, seq) in [(&ann, 3), (&ben, 2)] {
        let last = peer.messages(seq - 1).await;
        assert_eq!((last[0]["seq"].as_u64(), last[0]["data"].as_str(), last.len()), (Some(seq), Some("to both"), 1));
    }
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    tokio::time::timeout(PATIENCE, async { while !is_so().await {} }).await.unwrap();
}

#[tokio::test]
async fn a_dead_cluster_master_affects_only_its_own_rooms() {
    let cluster = RedisCluster::start();
    let (one, two) = (node(&cluster.url()), node(&cluster.url()));
    let pairs = fill(&one, &two).await;
    cluster.masters[0].kill();
    let lost = async { while states(&one).await.iter().all(|answer| answer.status == 200) {} };
    tokio::time::timeout(PATIENCE, lost).await.unwrap();
    let states = states(&one).await;
    let there = states.iter().filter(|answer| answer.status == 200).count();
    assert!((ROOMS / 3..ROOMS).contains(&there), "{there}");
    for answer in states.iter().filter(|answer| answer.status != 200) {
        answer.refused(503, "engine-unavailable");
    }
    // The node stays ready: other nodes could do no better.
    assert_eq!(one.get("/readyz").await.status, 200);
    cluster.masters[0].start_again();
    until_all(&one, 200).await;
    until_all(&two, 200).await;
    talk(&pairs, 1).await;
}

#[tokio::test]
async fn nodes_follow_a_sentinel_failover() {
    let master = RedisServer::start(&["--save", ""]);
    let replica = master.replica();
    let sentinel = master.sentinel("calls");
    let url = format!("redis-sentinel://127.0.0.1:{}/calls", sentinel.port);
    let (one, two) = (node(&url), node(&url));
    let (ann, ben) = (one.join_room("tea", "Ann").await, two.join_room("tea", "Ben").await);
    ben.say(&ann, "before").await;
    ann.messages(1).await;
    let parked = tokio::spawn(send(ann.polling(2, 55.0)));
    until_parked_in_redis(&one, 1).await;
    // WAIT on a new connection would wait for nothing.
    master.until_replicated();

    master.kill();
    for node in [&one, &two] {
        let back = async { while node.post("/v1/rooms", json!({})).await.status != 201 {} };
        tokio::time::timeout(PATIENCE, back).await.unwrap();
    }
    assert!(replica.cli(&["role"]).starts_with("master"));
    // The old master may have acknowledged writes that the new one never got, so parked polls get `cursor-gone`.
    tokio::time::timeout(PATIENCE, parked).await.unwrap().unwrap().refused(410, "cursor-gone");
    let again = one.resume(&ann).await.expect(200);
    let cursor = again["cursor"].as_u64().unwrap();
    assert!(cursor > 1_700_000_000_000 && again["latest"] == cursor, "{again}");
    assert_eq!(ben.say(&ann, "after").await, cursor + 1);
    assert_eq!(ann.messages(cursor).await[0]["data"], "after");
}

/// A Sentinel that had been cut off, and was listed first, kept nodes from starting and from following a failover.
#[tokio::test]
async fn a_stale_sentinel_does_not_hide_those_that_know_the_master() {
    let master = RedisServer::start(&["--save", ""]);
    let stale = master.sentinel_with("calls", free_port(), "# Nobody listens there.", &[], &[]);
    let sentinel = master.sentinel_with("calls", master.port, "# The master.", &[], &[]);
    let url = format!("redis-sentinel://127.0.0.1:{},127.0.0.1:{}/calls", stale.port, sentinel.port);
    node(&url).join_room("tea", "Ann").await;
    let alone = format!("redis-sentinel://127.0.0.1:{}/calls", stale.port);
    let error = build(&config(&[&["--engine", alone.as_str()], &KEY[..]].concat())).err().unwrap_or_default();
    assert!(error.contains("it names 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn the_redis_certificate_is_verified() {
    let certificate = write_certificate("redis");
    let [_, cert, _, key] = certificate.flags();
    let port = free_port();
    let files = ["--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &cert];
    let _redis =
        RedisServer::start(&[&files[..], &["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]].concat());
    let url = format!("rediss://localhost:{port}");
    let flags = [&["--engine", &url], &KEY[..]].concat();
    let strange = build(&config(&flags)).err().unwrap();
    assert!(strange.contains("certificate"), "{strange}");

    let mut trusting = Command::new(env!("CARGO_BIN_EXE_signalpost"))
        .env("SSL_CERT_FILE", &cert)
        .args(["--listen", "127.0.0.1:0"])
        .args(&flags)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(trusting.stdout.take().unwrap()).read_line(&mut line).unwrap();
    trusting.kill().unwrap();
    trusting.wait().unwrap();
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
}
