//! The same with rooms in Redis.

use crate::{
    shares::rooms::{calls_go_on_while_filling, calls_go_on_while_taking_rooms},
    support::{
        harness::Server,
        neighborhood::{ATTACKER, Neighborhood, attackers},
        process::ServerProcess,
        redis_server::RedisServer,
        waits::until_ready,
    },
};

const KEY: [&str; 2] = ["--token-key", "the same on every node, and long"];

async fn fill(addresses: Vec<String>) {
    let redis = bounded();
    calls_go_on_while_filling(&[&["--engine", &redis.url()], &KEY[..]].concat(), addresses).await;
}

async fn take_rooms(rooms: &str, addresses: Vec<String>) {
    let redis = bounded();
    let url = redis.url();
    let flags = [&["--engine", &url, "--rooms-max", rooms], &KEY[..]].concat();
    calls_go_on_while_taking_rooms(&flags, addresses).await;
}

fn bounded() -> RedisServer {
    RedisServer::start(&["--save", "", "--maxmemory", "64mb"])
}

#[actix_web::test]
async fn one_address_cannot_fill_redis() {
    fill(vec![ATTACKER.into()]).await;
}

#[actix_web::test]
async fn all_addresses_of_a_48_cannot_fill_redis() {
    fill(attackers().collect()).await;
}

#[actix_web::test]
async fn one_address_cannot_take_all_rooms_in_redis() {
    take_rooms("120", vec![ATTACKER.into()]).await;
}

#[actix_web::test]
async fn all_addresses_of_a_48_cannot_take_all_rooms_in_redis() {
    take_rooms("200", attackers().collect()).await;
}

/// Nothing is left of those who have caused nothing any more.
#[actix_web::test]
async fn what_is_gone_from_redis_is_charged_to_nobody() {
    let redis = bounded();
    let server = Neighborhood::start(&[&["--engine", &redis.url()], &KEY[..]].concat()).await;
    let mut seats = Vec::new();
    for address in attackers().take(8) {
        let client = server.client(&address);
        let ann = server.join(&client, "tea", serde_json::json!({"capacity": 64})).await.unwrap();
        let ben = server.join(&client, &format!("own-{}", seats.len()), serde_json::json!({})).await.unwrap();
        ann.say(&ann, "x".repeat(1000)).await;
        ben.say(&ben, "y").await;
        ben.poll(0, 0.0).await.expect(200);
        seats.extend([ann, ben]);
    }
    let charged = || redis.cli(&["eval", "return #redis.call('KEYS', '*:s')", "0"]);
    assert_ne!(charged(), "0");
    for seat in &seats {
        seat.leave().await.expect(204);
    }
    assert_eq!(charged(), "0");
}

/// It would grow until the machine is out of memory, and nothing warned.
#[actix_web::test]
async fn a_redis_without_maxmemory_is_named_in_the_log() {
    let redis = RedisServer::start(&["--save", ""]);
    let node = ServerProcess::start(&[&["--engine", &redis.url()], &KEY[..]].concat()).await;
    node.has_logged("has no maxmemory").await;
}

/// With another policy Redis would delete rooms. Only the start looked at it.
#[actix_web::test]
async fn a_node_is_not_ready_while_redis_may_evict_rooms() {
    let redis = bounded();
    let node = Server::start(&[&["--engine", &redis.url()], &KEY[..]].concat());
    until_ready(&node, 200).await;
    redis.cli(&["config", "set", "maxmemory-policy", "allkeys-lru"]);
    until_ready(&node, 503).await;
    redis.cli(&["config", "set", "maxmemory-policy", "noeviction"]);
    until_ready(&node, 200).await;
}
