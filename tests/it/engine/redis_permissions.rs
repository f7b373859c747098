//! The rights of the Redis user. A node whose user could not write rooms used to be ready, and each join was 503.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    harness::{Server, build, config, send},
    process::ServerProcess,
    redis_server::{RedisCluster, RedisServer, least_rights},
    waits::until_ready,
};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];
const PATIENCE: Duration = Duration::from_secs(40);

fn refused(url: &str) -> String {
    build(&config(&[&["--engine", url], &KEY[..]].concat())).err().unwrap_or_default()
}

fn admitted() -> RedisServer {
    let redis = RedisServer::start(&["--save", ""]);
    redis.admit("sp2");
    redis
}

/// The contract and the differential test run with these rights, too: see `RedisServer::shared`.
#[tokio::test]
async fn the_documented_least_rights_suffice_for_a_call_across_nodes() {
    let redis = admitted();
    let [one, two] = [(); 2].map(|()| Server::start(&[&["--engine", &redis.url()], &KEY[..]].concat()));
    let (ann, ben) = (one.join_room("tea", "Ann").await, two.join_room("tea", "Ben").await);
    let told = async { send(ann.polling(1, 55.0)).await.messages() };
    let (told, _) = tokio::time::timeout(PATIENCE, async { tokio::join!(told, ben.say(&ann, 7)) }).await.unwrap();
    assert_eq!(told[0]["data"], 7);
    assert_eq!(one.get("/readyz").await.status, 200);
    // No command was denied, at startup or later.
    assert_eq!(redis.cli(&["acl", "log"]), "");
}

#[test]
fn every_missing_right_is_named_at_startup() {
    let redis = admitted();
    assert_eq!(refused(&redis.url()), "");
    let [rule, ..] = &least_rights()[..] else { unreachable!() };
    let (mut tried, user) = (0, "signalpost");
    for right in rule.iter().filter(|word| word.starts_with(['+', '~', '&'])) {
        let taken = match right.as_bytes()[0] {
            b'+' => right.replace('+', "-"),
            b'~' => "resetkeys".into(),
            _ => "resetchannels".into(),
        };
        assert_eq!(redis.cli(&["acl", "setuser", user, &taken]), "OK");
        let why = refused(&redis.url());
        let advice = format!("ACL SETUSER {user} ");
        let rules = why.split_once(&advice).unwrap_or_else(|| panic!("{right}: {why}")).1;
        assert!(rules.split([' ', ';']).any(|rule| rule == right), "{right}: {why}");
        assert!(why.contains(&format!("127.0.0.1:{}", redis.port)) && !why.contains("s3cret"), "{why}");
        assert_eq!(redis.cli(&["acl", "setuser", user, right]), "OK");
        tried += 1;
    }
    assert!(tried > 30);
    assert_eq!(refused(&redis.url()), "");
}

/// A user for another application's keys, and a read-only one.
#[test]
fn unsuitable_users_fail_startup_with_what_they_lack() {
    let redis = RedisServer::start(&["--save", ""]);
    for (rules, lacks) in [
        (vec!["~app:*", "&*", "+@all"], vec!["~sp2:*"]),
        (vec!["allkeys", "resetchannels", "+@all"], vec!["&sp2:*"]),
        (vec!["%R~*", "&*", "+@all"], vec!["~sp2:*"]),
        (vec!["allkeys", "allchannels", "+@all", "-@write"], vec!["+hset", "+xadd", "+zadd", "+incrby", "+del"]),
        (vec!["~sp2:*:r:*", "~sp2:*:d", "allchannels", "+@all"], vec!["~sp2:*"]),
        (vec!["~app:*", "+@all", "-hset"], vec!["~sp2:*", "&sp2:*", "+hset"]),
    ] {
        let user = [&["acl", "setuser", "ann", "reset", "on", ">word"], &rules[..]].concat();
        assert_eq!(redis.cli(&user), "OK");
        let why = refused(&format!("redis://ann:word@127.0.0.1:{}", redis.port));
        assert!(why.contains("user ann"), "{why}");
        for lack in lacks {
            assert!(why.contains(&format!(" {lack} ")), "{rules:?}: {why}");
        }
    }
    redis.cli(&["acl", "setuser", "default", "resetkeys", "~other:*"]);
    assert!(refused(&redis.url()).contains("ACL SETUSER default ~sp2:*"));
    assert!(refused(&format!("{}?prefix=x", redis.url())).contains("~x2:*"));
    let wrong = refused(&format!("redis://ann:PASSWORD@127.0.0.1:{}", redis.port));
    assert!(wrong.contains("--engine redis://USER:PASSWORD@"), "{wrong}");
}

#[test]
fn a_renamed_command_is_named_at_startup() {
    for command in ["XADD", "EVALSHA", "SPUBLISH", "SSUBSCRIBE"] {
        let redis = RedisServer::start(&["--save", "", "--rename-command", command, ""]);
        let why = refused(&redis.url());
        assert!(why.contains(command), "{command}: {why}");
    }
}

#[test]
fn rights_are_checked_on_every_server_of_a_cluster() {
    let cluster = RedisCluster::start();
    cluster.masters.iter().for_each(|master| master.admit("sp2"));
    assert_eq!(refused(&cluster.url()), "");
    let last = &cluster.masters[2];
    last.cli(&["acl", "setuser", "signalpost", "-xadd"]);
    let why = refused(&cluster.url());
    assert!(why.contains(&format!("127.0.0.1:{}", last.port)) && why.contains("+xadd"), "{why}");
}

#[actix_web::test]
async fn a_revoked_right_makes_the_node_unready_until_restored() {
    let redis = admitted();
    let binary = ServerProcess::start(&[&["--engine", &redis.url()], &KEY[..]].concat()).await;
    let base = format!("http://127.0.0.1:{}", binary.port);
    let client = reqwest::Client::new();
    let until = async |status: u16| {
        let asking = async { while client.get(format!("{base}/readyz")).send().await.unwrap().status() != status {} };
        tokio::time::timeout(PATIENCE, asking).await.unwrap();
    };
    let join = async || send(client.post(format!("{base}/v1/rooms/tea/peers")).json(&json!({"capacity": 9}))).await;
    join().await.expect(201);
    for (taken, given) in [("-xadd", "+xadd"), ("resetkeys", "~sp2:*"), ("resetchannels", "&sp2:*"), ("off", "on")] {
        redis.cli(&["acl", "setuser", "signalpost", taken]);
        if taken == "off" {
            // Existing connections stay.
            redis.cli(&["client", "kill", "user", "signalpost"]);
        }
        until(503).await;
        join().await.refused(503, "engine-unavailable");
        // Restored sooner, it could be back before anything was logged.
        if matches!(given, "+xadd" | "~sp2:*") {
            tokio::time::timeout(PATIENCE, binary.has_logged(given)).await.unwrap();
        }
        redis.cli(&["acl", "setuser", "signalpost", given]);
        until(200).await;
        join().await.expect(201);
    }
    // A flushed script is not a revoked right.
    redis.cli(&["script", "flush"]);
    join().await.expect(201);
    let logs = binary.logs().await;
    for word in ["Redis is lost", "Redis is there", "+xadd", "~sp2:*"] {
        assert!(logs.contains(word), "{word}: {logs}");
    }
    assert!(!logs.contains("s3cret"), "{logs}");
}

#[tokio::test]
async fn a_revoked_right_affects_only_rooms_on_that_cluster_server() {
    let cluster = RedisCluster::start();
    cluster.masters.iter().for_each(|master| master.admit("sp2"));
    let node = Server::start(&[&["--engine", &cluster.url()], &KEY[..]].concat());
    cluster.masters[0].cli(&["acl", "setuser", "signalpost", "-hset"]);
    let some = async |status: u16| {
        let asking = async { while node.post("/v1/rooms", json!({})).await.status != status {} };
        tokio::time::timeout(PATIENCE, asking).await.unwrap();
    };
    some(503).await;
    some(201).await;
    until_ready(&node, 200).await;
}
